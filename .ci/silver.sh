#!/usr/bin/env bash
# silver.sh lets bin/validator judge bin/app at silver, both as they are built
# and over a real connection: exit 0. First it judges a platform that knows
# bronze only, which must not pass.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
platform=
stop() {
	if [ -n "$platform" ]; then
		kill "$platform" 2>/dev/null || true
		wait "$platform" 2>/dev/null || true
		platform=
	fi
}
trap 'stop; rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

draw() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }
BOGOPS_JUDGE_TOKEN=$(draw)
BOGOPS_READER_TOKEN=$(draw)
export BOGOPS_JUDGE_TOKEN BOGOPS_READER_TOKEN
export BRONZE_TOKEN=$BOGOPS_JUDGE_TOKEN BRONZE_READER=$BOGOPS_READER_TOKEN BRONZE_CONTEST=silver

# address PATTERN waits for the platform's log to say where it listens.
address() {
	local found=
	for _ in $(seq 100); do
		found=$(sed -n "$1" "$scratch/log" | head -n 1)
		if [ -n "$found" ] || ! kill -0 "$platform" 2>/dev/null; then break; fi
		sleep 0.1
	done
	if [ -z "$found" ]; then
		tail -n 20 "$scratch/log" >&2
		echo 'the platform does not listen' >&2
		return 1
	fi
	printf '%s' "$found"
}

judge() {
	bin/validator probe --url "http://$1" --token env:BOGOPS_JUDGE_TOKEN --reader-token env:BOGOPS_READER_TOKEN \
		--contest silver --brick api --level silver --large-bytes 4194304
}

mkdir "$scratch/bronze"
python3 -B validator/testdata/bronze.py --dir "$scratch/bronze" >"$scratch/log" 2>&1 &
platform=$!
at=$(address 's/^\([0-9]\{1,\}\)$/127.0.0.1:\1/p')
code=0
judge "$at" >"$scratch/verdicts" || code=$?
if [ "$code" != 1 ]; then
	cat "$scratch/verdicts"
	echo "a platform of bronze alone: exit $code, want 1"
	exit 1
fi
stop

bin/app --listen 127.0.0.1:0 --store "file:$scratch/store" --team loutres --contest silver >"$scratch/log" 2>&1 &
platform=$!
at=$(address 's/.*"msg":"listening",.*"addr":"\([^"]*\)".*/\1/p')
judge "$at"
