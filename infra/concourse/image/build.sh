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
# default "./app ./validator"), TEST (packages whose tests compile warm too) and
# PACKAGES (further Debian packages). What is made is kept in the user's cache
# for as long as the same goes into it; the tree's own files do not count, since
# a cache that is nearly right is as good.
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
builder=(gcc libc6-dev)

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
			-e '\#^/usr/lib/[^/]*/(gconv|perl|perl-base)(/|$)#d' -e '\#^/(bin|sbin|lib|lib32|lib64|libx32|\.)$#d' -e '\#^/.#p' |
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
	tar -C "$root" --sort=name --owner=0 --group=0 --numeric-owner --format=gnu --mtime=@1600000000 -cf "$1" .
}

make_git() { packages "${git[@]}"; }
make_tiny() { packages "${tiny[@]}"; }

# inputs prints everything that an image is made of.
inputs() {
	cat "${BASH_SOURCE[0]}"
	# shellcheck disable=SC2046
	dpkg-query -W $(closed "$@")
}

[ $# -eq 2 ] || die 'wanted two arguments: {git|tiny|builder} OUT.tar'
name=$1 out=$2
command -v dpkg-query >/dev/null || die 'dpkg-query is not there: images are made of Debian packages'
case $name in
git) key=$(inputs "${git[@]}") ;;
tiny) key=$(inputs "${tiny[@]}") ;;
*) die "got \"$name\", wanted git, tiny or builder" ;;
esac
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bogops
mkdir -p "$cache"
key=$(sha256sum <<<"$key" | cut -c1-16)
kept=$cache/image-$name-$key.tar
exec 9>"$cache/image-$name.lock"
flock 9
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
