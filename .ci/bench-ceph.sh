#!/usr/bin/env bash
# Measures what stores in Ceph beside rados bench and radosgw, on clusters of
# its own that are gone afterwards; see .ci/bench. As root on Debian or Ubuntu
# it first installs what is missing. Arguments go to the program:
# .ci/bench-ceph.sh --only=store --time=10s
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
for tool in wrk curl gcc radosgw ceph-mon ceph-mgr ceph-osd; do
	command -v "$tool" >/dev/null 2>&1 || missing+=("$tool")
done
command -v rados >/dev/null 2>&1 || missing+=(ceph-common)
[ -e /usr/include/rados/librados.h ] || missing+=(librados-dev libc6-dev)
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	printf 'installing %s\n' "${missing[*]}" >&2
	apt-get update -qq >/dev/null
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
make -s build CEPH=ceph
program=$(mktemp -d)
trap 'rm -rf "$program"' EXIT
go build -tags ceph -o "$program/bench" ./.ci/bench
"$program/bench" --ceph --out bench/ceph "$@"
