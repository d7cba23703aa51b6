#!/usr/bin/env bash
# Measures the app beside fio, nginx, net/http and versitygw; see .ci/bench.
# As root on Debian or Ubuntu it first installs what is missing. Arguments go to
# the program: .ci/bench.sh --only=get --time=10s
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${XDG_CACHE_HOME:-$HOME/.cache}/bogops
versitygw_version=v1.8.0
versitygw=$cache/versitygw-$versitygw_version

missing=()
for tool in nginx wrk fio curl; do
	command -v "$tool" >/dev/null 2>&1 || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	printf 'installing %s\n' "${missing[*]}" >&2
	apt-get update -qq >/dev/null
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
if [ ! -x "$versitygw/versitygw" ]; then
	mkdir -p "$versitygw"
	GOBIN=$versitygw GOFLAGS=-mod=mod go install "github.com/versity/versitygw/cmd/versitygw@$versitygw_version" >"$versitygw/log" 2>&1 ||
		tail -n 5 "$versitygw/log" >&2
fi
make -s build
arguments=()
if [ -x "$versitygw/versitygw" ]; then
	arguments+=(--versitygw "$versitygw/versitygw")
else
	echo 'versitygw could not be built: the report leaves it out' >&2
fi
program=$(mktemp -d)
trap 'rm -rf "$program"' EXIT
go build -o "$program/bench" ./.ci/bench
"$program/bench" "${arguments[@]}" "$@"
