#!/usr/bin/env bash
# Builds concourse, fly and init into a cache outside the tree, and prints the
# directory that they are in. What is there already is not built again: some
# minutes on a machine that never did it, nothing afterwards. Wants Go, and the
# module proxy the first time.
set -euo pipefail
cd "$(dirname "$0")"
version=7.6.0 # what concourse and fly call themselves; they have to agree

# The sources decide, and the compiler: another go.sum is another directory.
key=$({
	cat go.mod go.sum tools.go init/main.go build.sh
	go version
} | sha256sum | cut -c1-12)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bogops
home=$cache/concourse-$key

if [ ! -x "$home/bin/init" ]; then
	mkdir -p "$cache"
	exec 9>"$home.lock"
	flock 9 # two at once would only take twice as long
fi
if [ ! -x "$home/bin/init" ]; then
	rm -rf "$home.new"
	mkdir -p "$home.new/bin"
	export GOFLAGS=-mod=readonly CGO_ENABLED=0 GOBIN=
	go build -trimpath -ldflags "-s -w -X github.com/concourse/concourse.Version=$version" -o "$home.new/bin/" \
		github.com/concourse/concourse/cmd/concourse github.com/concourse/concourse/fly >&2
	go build -trimpath -ldflags '-s -w' -o "$home.new/bin/" ./init >&2
	rm -rf "$home"
	mv "$home.new" "$home"
fi
printf '%s\n' "$home/bin"
