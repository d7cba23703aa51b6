#!/usr/bin/env bash
# run.sh SCHEMATHESIS [OPTION...] starts bin/app on a port of its own, with a
# store that goes away, and has schemathesis play with every operation of its
# openapi.yaml: valid requests, invalid ones, and chains along the document's
# links. SEED draws the requests; the same seed draws the same ones.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
schemathesis=$1
shift
seed=${SEED:-20250601}

scratch=$(mktemp -d)
app=
stop() {
	if [ -n "$app" ]; then
		kill "$app" 2>/dev/null || true
		wait "$app" 2>/dev/null || true
	fi
	rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

BOGOPS_JUDGE_TOKEN=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export BOGOPS_JUDGE_TOKEN
"$here/../../bin/app" --listen 127.0.0.1:0 --store "file:$scratch/store" \
	--team loutres --contest schemathesis --max-object 256KiB --max-process 64KiB >"$scratch/app.log" 2>&1 &
app=$!

# The log's line says which port it was.
url=
for _ in $(seq 100); do
	url=$(sed -n 's/.*"msg":"listening",.*"addr":"\([^"]*\)".*/http:\/\/\1/p' "$scratch/app.log" | head -n 1)
	if [ -n "$url" ] || ! kill -0 "$app" 2>/dev/null; then break; fi
	sleep 0.1
done
if [ -z "$url" ]; then
	echo 'bin/app does not listen:'
	tail -n 20 "$scratch/app.log"
	exit 1
fi

play() {
	timeout 600 "$schemathesis" --config-file "$here/schemathesis.toml" run "$@" --url "$url" --seed "$seed" --checks all --no-color
}

printf 'seed %s\n' "$seed"
cd "$scratch" # where it leaves what it remembers
export SCHEMATHESIS_HOOKS=hooks PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1

# First a document that forgets one answer: who does not miss it sees nothing.
sed "s/^        '204':\$/        '299':/" "$here/../../app/api/openapi.yaml" >wrong.yaml
if play wrong.yaml --include-operation-id deleteObject --phases coverage --max-examples 5 >wrong.log 2>&1 ||
	! grep -q 'Undocumented status code' wrong.log; then
	cat wrong.log
	echo 'schemathesis did not miss the answer that the document was robbed of'
	exit 1
fi

play "$url/openapi.yaml" "$@"

# What the log has of it is worth as much as what schemathesis saw.
if grep -m 3 -E '"level":"ERROR"|panic' "$scratch/app.log"; then
	echo 'the server failed in its log'
	exit 1
fi
