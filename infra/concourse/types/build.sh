#!/usr/bin/env bash
# The base resource types, as a worker takes them by --worker-resource-types:
#
#   build.sh OUT     makes OUT/{git,s3,registry-image,time}/{rootfs.tgz,resource_metadata.json}
#
# Each root file system is a static program and what it needs: certificates, and
# for git also git. What is made is kept in the user's cache until a source, a
# module or a package changes.
set -euo pipefail
export LC_ALL=C
umask 022

[ $# -eq 1 ] || {
	printf 'build.sh: got %d arguments, wanted the directory to make\n' $# >&2
	exit 1
}
out=$(realpath -m "$1")
cd "$(dirname "$0")"

# inputs prints all that the types are made of.
inputs() {
	go version
	cat ../../../go.sum ../image/build.sh
	find . -type f \( -name '*.go' -o -name '*.sh' \) ! -name '*_test.go' | sort | xargs cat
	dpkg-query -W git ca-certificates libc6
}

# make_type NAME PACKAGE BASE.tar makes one of them.
make_type() {
	local name=$1 package=$2 base=$3 root=$scratch/root verb
	rm -rf "$root"
	mkdir -p "$root/opt/resource" "$scratch/out/$name"
	GOOS=linux CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o "$root/opt/resource/$package" "./$package"
	for verb in check in out; do ln -s "$package" "$root/opt/resource/$verb"; done
	cp "$base" "$scratch/tar"
	tar -C "$root" --sort=name --owner=0 --group=0 --numeric-owner --format=gnu --mtime=@1600000000 -rf "$scratch/tar" ./opt
	gzip -1n <"$scratch/tar" >"$scratch/out/$name/rootfs.tgz"
	printf '{"type":"%s","version":"%s","privileged":false,"unique_version_history":%s}\n' \
		"$name" "$key" "$([ "$name" = time ] && echo true || echo false)" >"$scratch/out/$name/resource_metadata.json"
}

# bare is the root file system of a program that needs no other one.
bare() {
	local root=$scratch/bare
	mkdir -p "$root"/{dev,proc,sys,run,root,tmp,etc/ssl/certs}
	chmod 1777 "$root/tmp"
	cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
	printf 'root:x:0:0:root:/root:/sbin/nologin\n' >"$root/etc/passwd"
	printf 'root:x:0:\n' >"$root/etc/group"
	printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
	: >"$root/etc/hosts"
	: >"$root/etc/resolv.conf"
	tar -C "$root" --sort=name --owner=0 --group=0 --numeric-owner --format=gnu --mtime=@1600000000 -cf "$1" .
}

cache=${XDG_CACHE_HOME:-$HOME/.cache}/bogops
mkdir -p "$cache"
key=$(inputs | sha256sum | cut -c1-16)
kept=$cache/types-$key
exec 9>"$cache/types.lock"
flock 9
rm -rf "$cache"/types.?????? # of one that was killed: we hold the lock
if [ ! -d "$kept" ]; then
	scratch=$(mktemp -d "$cache/types.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	../image/build.sh git "$scratch/git.tar"
	bare "$scratch/bare.tar"
	make_type git git "$scratch/git.tar"
	make_type registry-image registryimage "$scratch/bare.tar"
	make_type s3 s3 "$scratch/bare.tar"
	make_type time time "$scratch/bare.tar"
	mv "$scratch/out" "$kept"
	printf 'build.sh: types made in %d s\n' "$SECONDS" >&2
fi
touch "$kept"
# shellcheck disable=SC2012 # the names are ours
ls -dt "$cache"/types-*/ | tail -n +4 | while read -r old; do rm -rf "$old"; done
mkdir -p "$out"
cp -r "$kept/." "$out/"
