#!/usr/bin/env bash
# The root file system of a task's image, as a tar file, made of the Debian
# packages that are installed on this machine: nothing is downloaded.
#
#   build.sh git OUT.tar       git and a shell
#   build.sh tiny OUT.tar      more of a shell, jq, curl, make
#   build.sh builder OUT.tar   on top: a C compiler, Go, and the modules and a
#                              build cache that is warm for the tree below
#
# The builder reads TREE (a Go module's directory), BUILD (its programs, by
# default "./app ./validator"), TEST (packages whose tests are warm too) and
# TESTFLAGS (as for them: -race). What is made is kept in the user's cache for as
# long as the same goes into it: the tree's own files do not count, since a cache
# that is nearly right is as good, but the modules that they use do. Tasks run with the variables of Environment in
# image.go: -trimpath is what makes the place of a tree not matter.
set -euo pipefail
export LC_ALL=C
umask 022

die() {
	printf 'build.sh: %s\n' "$*" >&2
	exit 1
}

git=(git dash coreutils ca-certificates)
tiny=(bash dash coreutils mawk sed grep findutils diffutils tar gzip xz-utils make
	git jq curl ca-certificates libc-bin base-files debianutils hostname procps util-linux netbase openssl)
builder=("${tiny[@]}" gcc libc6-dev)
if [ -e /usr/include/rados/librados.h ]; then builder+=(librados-dev); fi

# Perl comes with git and debconf for programs that no task calls, and would be
# half of the image. The manuals go for the same reason.
unwanted=' perl perl-modules-5.36 libperl5.36 liberror-perl git-man debconf '

# closed prints the packages with all that they depend on, as it is installed: of
# alternatives the first that is there, of virtual packages who provides them.
closed() {
	dpkg-query -W -f '${db:Status-Abbrev}\t${Package}\t${binary:Package}\t${Pre-Depends}, ${Depends}\t${Provides}\n' |
		awk -F '\t' -v wanted="$*" -v unwanted="$unwanted" '
			/^ii/ {
				full[$2] = $3; needs[$2] = $4
				gsub(/\([^)]*\)|\[[^]]*\]|:[a-z0-9]+|[[:space:]]/, "", $5)
				n = split($5, names, ","); for (i = 1; i <= n; i++) if (!(names[i] in gives)) gives[names[i]] = $2
			}
			function add(name) {
				if (!(name in full)) name = gives[name]
				if (name == "") return 0
				if (!seen[name]++ && !index(unwanted, " " name " ")) queue[++last] = name
				return 1
			}
			END {
				n = split(wanted, names, " ")
				for (i = 1; i <= n; i++) if (!add(names[i])) { print "build.sh: package " names[i] " is not installed: apt-get install " names[i] > "/dev/stderr"; exit 1 }
				for (at = 1; at <= last; at++) {
					print full[queue[at]]
					text = needs[queue[at]]; gsub(/\([^)]*\)|\[[^]]*\]|:[a-z0-9]+|[[:space:]]/, "", text)
					n = split(text, each, ",")
					for (i = 1; i <= n; i++) { m = split(each[i], choice, "|"); for (j = 1; j <= m; j++) if (add(choice[j])) break }
				}
			}'
}

# files prints what packages own, as it lies on a machine where /bin is a link to
# /usr/bin, without what only people read.
files() {
	dpkg -L "$@" |
		sed -nE -e 's#^/(bin|sbin|lib|lib32|lib64|libx32)/#/usr/\1/#' \
			-e '\#^/usr/share/(doc|doc-base|man|info|locale|lintian|bug|bash-completion|zsh|menu|pixmaps|icons|applications|perl|perl5|gdb|gitweb)(/|$)#d' \
			-e '\#^/usr/lib/[^/]*/(gconv|perl|perl-base)(/|$)#d' -e '\#/(lto1|[^/]*lto-dump[^/]*|lib(asan|hwasan|tsan|lsan|ubsan)[._][^/]*)$#d' -e '\#^/(bin|sbin|lib|lib32|lib64|libx32|\.)$#d' -e '\#^/.#p' |
		sort -u | while read -r name; do if [ -e "$name" ] || [ -L "$name" ]; then printf '%s\n' "$name"; fi; done
}

# alternatives prints the links by which a program goes that several packages
# offer (awk, cc), where the one that was chosen here is in the list.
alternatives() {
	local choice name link
	for choice in /etc/alternatives/*; do
		name=/var/lib/dpkg/alternatives/${choice##*/}
		if [ -e "$name" ] && grep -qxF "$(readlink "$choice")" "$1"; then
			link=$(sed -n 2p "$name")
			printf '%s\n' "$choice" "/usr/${link#/usr/}"
		fi
	done
}

# packages puts the packages' files into the directory root.
packages() {
	local dir
	# shellcheck disable=SC2046 # names of packages have no spaces
	files $(closed "$@") >"$scratch/files"
	alternatives "$scratch/files" >"$scratch/links"
	tar -C / --no-recursion -cf - -T <(sed 's#^/##' "$scratch/files" "$scratch/links") | tar -C "$root" -xpf -
	for dir in bin sbin lib lib32 lib64 libx32; do
		if [ -L "/$dir" ] && [ -d "$root/usr/$dir" ]; then ln -s "usr/$dir" "$root/$dir"; fi
	done
	mkdir -p "$root"/{dev,proc,sys,run,root,etc/ssl,var/tmp,tmp}
	chmod 1777 "$root/tmp" "$root/var/tmp"
	cp -a /etc/ssl/certs "$root/etc/ssl/" # made when ca-certificates was installed
	printf 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
	printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
	printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
	: >"$root/etc/resolv.conf"
	ldconfig -r "$root" 2>/dev/null
}

# pack makes the same bytes from the same files, so that an image keeps its digest.
pack() {
	local same=(--sort=name --owner=0 --group=0 --numeric-owner --format=gnu)
	tar -C "$root" "${same[@]}" --mtime=@1600000000 --exclude=./go/cache -cf "$1" .
	# The build cache is from the year 2100: the go command renews the time of what
	# it uses and finds older than an hour, which would copy each file into the
	# task's own layer, and removes what is older than five days.
	if [ -d "$root/go/cache" ]; then tar -C "$root" "${same[@]}" --mtime=@4102444800 -rf "$1" ./go/cache; fi
}

make_git() { packages "${git[@]}"; }
make_tiny() { packages "${tiny[@]}"; }

make_builder() {
	packages "${builder[@]}"
	mkdir -p "$root/usr/local/go" "$root/go/mod" "$root/go/cache"
	# Without what only tests or documents Go itself; pictures are of use to others.
	tar -C "$(go env GOROOT)" --exclude=./test --exclude=./api --exclude=./doc --exclude=./misc --exclude=./.git \
		--exclude='*_test.go' --exclude=testdata -cf - . | tar -C "$root/usr/local/go" -xf -
	tar -C "$(go env GOROOT)" -cf - ./src/image | tar -C "$root/usr/local/go" -xf -
	warm
	modules
}

# used prints the modules that the programs and the tests are made of.
used() {
	# shellcheck disable=SC2086 # words
	(cd "$TREE" && go list "${tags[@]}" $TESTFLAGS -deps -test -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}' $BUILD $TEST | sort -u)
}

# warm builds what tasks build, and leaves in the image's cache what that used.
warm() {
	go build -o "$scratch/cacheprog" "$here"/cacheprog/{main,cache}.go
	(
		cd "$TREE"
		GOCACHEPROG="$scratch/cacheprog $(go env GOCACHE) $root/go/cache"
		export GOCACHEPROG GOFLAGS=-trimpath CGO_ENABLED=$cgo
		# The tags as an argument, as tasks give them: it counts for what vet keeps.
		# shellcheck disable=SC2086 # words
		{
			go build "${tags[@]}" -o "$scratch/bin/" $BUILD
			go vet "${tags[@]}" $BUILD $TEST
			# Everything but running them. Programs are not kept in a cache, so
			# the linker's work is for nothing; that of vet is not.
			[ -z "$TEST" ] || go test "${tags[@]}" $TESTFLAGS -exec true $TEST >"$scratch/test.log" || { cat "$scratch/test.log" >&2; exit 1; }
		}
	)
}

# modules copies those that were used, and of all others in go.sum the go.mod
# files, from which the go command chooses the versions.
modules() {
	local cache list=$scratch/modfiles
	cache=$(go env GOMODCACHE)
	{
		sed -nE 's#^([^ ]+) ([^ ]+)/go\.mod .*#\1 \2#p' "$TREE/go.sum" | escaped | while read -r path version; do
			printf '%s\n' "cache/download/$path/@v/$version".{mod,info}
		done
		used | escaped | while read -r path version; do
			printf '%s\n' "cache/download/$path/@v/$version.ziphash" "$path@$version"
		done
	} | while read -r name; do if [ -e "$cache/$name" ]; then printf '%s\n' "$name"; fi; done >"$list"
	tar -C "$cache" --exclude=testdata -cf - -T "$list" | tar -C "$root/go/mod" -xf -
}

# escaped writes paths as they are in a module cache: !a for A.
escaped() { sed -E 's/[A-Z]/!\L&/g'; }

# inputs prints everything that an image is made of.
inputs() {
	cat "${BASH_SOURCE[0]}"
	# shellcheck disable=SC2046
	dpkg-query -W $(closed "$@")
}

[ $# -eq 2 ] || die 'wanted two arguments: {git|tiny|builder} OUT.tar'
name=$1 out=$2 here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command -v dpkg-query >/dev/null || die 'dpkg-query is not there: images are made of Debian packages'
case $name in
git) key=$(inputs "${git[@]}") ;;
tiny) key=$(inputs "${tiny[@]}") ;;
builder)
	tags=() cgo=0
	if [[ " ${builder[*]} " == *' librados-dev '* ]]; then tags=(-tags ceph) cgo=1; fi
	: "${TREE:?is not set, wanted the directory of a Go module}" "${BUILD:=./app ./validator}" "${TEST:=}" "${TESTFLAGS:=}"
	key=$(inputs "${builder[@]}" && cat "$here"/cacheprog/{main,cache}.go && go version && cat "$TREE/go.sum" && used && printf '%s;%s;%s' "$BUILD" "$TEST" "$TESTFLAGS")
	;;
*) die "got \"$name\", wanted git, tiny or builder" ;;
esac
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bogops
mkdir -p "$cache"
key=$(sha256sum <<<"$key" | cut -c1-16)
kept=$cache/image-$name-$key.tar
exec 9>"$cache/image-$name.lock"
flock 9
rm -rf "$cache/image-$name".?????? # of one that was killed: we hold the lock
if [ ! -e "$kept" ]; then
	scratch=$(mktemp -d "$cache/image-$name.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	root=$scratch/root
	mkdir "$root"
	"make_$name"
	pack "$scratch/tar"
	mv "$scratch/tar" "$kept"
	printf 'build.sh: %s made in %d s, %d MB\n' "$name" "$SECONDS" $(($(stat -c %s "$kept") / 1000000)) >&2
fi
touch "$kept"
# shellcheck disable=SC2012 # the names are ours
ls -t "$cache/image-$name-"*.tar | tail -n +3 | while read -r old; do rm -f "$old"; done
ln -f "$kept" "$out" 2>/dev/null || cp "$kept" "$out"
