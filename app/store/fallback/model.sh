#!/usr/bin/env bash
# model.sh [test|soak] [TABLE]: search the model of the fall-back as the table
# beside it says, as many searches at once as there are processors, and count.
# "test" takes the lines of that name, "soak" all of them. It needs spin and gcc,
# installs nothing, and leaves nothing behind. Each search may take 2 GiB.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tier=${1:-test}
table=${2:-$here/model.runs}
for tool in spin gcc; do
	command -v $tool >/dev/null || { echo "model.sh: $tool is not installed" >&2; exit 2; }
done
case $tier in test | soak) ;; *) echo "model.sh: got $tier, want test or soak" >&2; exit 2 ;; esac
scratch=$(mktemp -d)
set -m # each search gets a process group of its own, so that it can be ended whole
trap 'for job in $(jobs -p); do kill -- "-$job" 2>/dev/null || true; done; wait; rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# search DIR SPIN CC PAN makes and runs one search; its output goes to DIR/out.
search() {
	cd "$1"
	# Words of the table are options, so they are split on purpose.
	# shellcheck disable=SC2086
	{ spin $2 -a "$here/fallback.pml" && gcc -w -O1 -DMEMLIM=2048 $3 -o pan pan.c && ./pan -m100000 $4; } >out 2>&1
}

# found OUT says what a search came to: "clean STATES" where it was complete and
# without an error, "caught" where an assertion failed, and else "nothing".
found() {
	local states
	states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$1")
	if grep -q '^pan:[0-9]*: assertion violated' "$1" && grep -q 'errors: [1-9]' "$1"; then
		echo caught
	elif grep -q 'errors: 0$' "$1" && ! grep -qiE 'not completed|depth too small|out of memory|memory limit' "$1"; then
		echo "clean $states"
	else
		echo nothing
	fi
}

# judge N WANT NAME SPIN CC PAN runs line N of the table and writes its verdict.
judge() {
	local dir=$scratch/$1 begun=$SECONDS got
	mkdir "$dir"
	(search "$dir" "$4" "$5" "$6") || true
	got=$(found "$dir/out")
	if [ "$got" = "$2" ]; then
		printf 'ok   %s: %s, %d s\n' "$3" "$got" $((SECONDS - begun))
	else
		printf 'FAIL %s: got %s, want %s\n' "$3" "$got" "$2"
		tail -n 25 "$dir/out"
	fi >"$dir/verdict"
	cat "$dir/verdict"
	rm -f "$dir/pan" "$dir"/pan.*
}

lines=0
while IFS='|' read -r when want name spin cc pan; do
	when=$(echo $when)
	case $when in '' | '#'*) continue ;; esac
	if [ "$when" = soak ] && [ "$tier" = test ]; then continue; fi
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n || true; done
	lines=$((lines + 1))
	judge $lines "$(echo $want)" "$(echo $name)" "$spin" "$cc" "$pan" &
done <"$table"
wait
passed=$(cat "$scratch"/*/verdict | grep -c '^ok' || true)
printf '%d passed, %d failed\n' "$passed" $((lines - passed))
[ "$lines" -gt 0 ] && [ "$passed" = "$lines" ]
