#!/usr/bin/env bash
# Makes this machine a web node or a worker of a Concourse installation, from the
# official release. Run as root when the machine starts for the first time:
#
#   install.sh web|worker
#
# It reads, and keeps in /etc/concourse what is not a secret:
#   CONCOURSE_VERSION   8.2.5, say
#   CONCOURSE_SHA256    of the release's archive for this architecture
#   CONCOURSE_SECRETS   the path in the SSM parameter store, /bogops/otters/ci say
#   AWS_REGION          where that is
# and for web
#   CONCOURSE_EXTERNAL_URL    https://ci.otters.example.net: Let's Encrypt has to
#                             find this machine there, on port 443
#   CONCOURSE_POSTGRES_HOST   with a database and a user named concourse
# and for a worker
#   CONCOURSE_TSA_HOST        the web node, ci.otters.example.net:2222
#
# For tests: CONCOURSE_ARCHIVE, another URL of it, and ROOT, another root, in
# which nothing is started.
set -euo pipefail
umask 022

die() {
	printf 'install.sh: %s\n' "$*" >&2
	exit 1
}

# setting NAME PATTERN prints the variable, and refuses what does not look like one.
setting() {
	[[ ${!1:-} =~ ^$2$ ]] || die "$1 is \"${!1:-}\", wanted something like $2"
	printf '%s\n' "${!1}"
}

# fetch puts the release into /usr/local/concourse, when its checksum is right.
fetch() {
	local architecture=$1 version=$2 sum=$3 archive
	archive=$(mktemp)
	curl -fsSL --retry 5 -o "$archive" \
		"${CONCOURSE_ARCHIVE:-https://github.com/concourse/concourse/releases/download/v$version/concourse-$version-linux-$architecture.tgz}"
	printf '%s  %s\n' "$sum" "$archive" | sha256sum --check --quiet || die "the archive of $version is not the one with SHA-256 $sum"
	mkdir -p "$root/usr/local"
	rm -rf "$root/usr/local/concourse"
	tar -xzf "$archive" -C "$root/usr/local" --no-same-owner
	rm "$archive"
}

site() {
	local name
	for name in "$@"; do printf '%s=%s\n' "$name" "${!name}"; done
}

[[ ${1:-} =~ ^(web|worker)$ ]] || die "got \"${1:-}\", wanted web or worker"
node=$1
here=$(cd "$(dirname "$0")" && pwd)
root=${ROOT:-}
case $(uname -m) in
x86_64) architecture=amd64 ;;
aarch64) architecture=arm64 ;;
*) die "there is no release for $(uname -m)" ;;
esac
names=(CONCOURSE_SECRETS AWS_REGION)
setting CONCOURSE_SECRETS '/[A-Za-z0-9/._-]+' >/dev/null
setting AWS_REGION '[a-z]+-[a-z]+-[0-9]' >/dev/null
if [ "$node" = web ]; then
	setting CONCOURSE_EXTERNAL_URL 'https://[a-z0-9.-]+' >/dev/null
	setting CONCOURSE_POSTGRES_HOST '[a-z0-9.-]+' >/dev/null
	names+=(CONCOURSE_EXTERNAL_URL CONCOURSE_POSTGRES_HOST)
else
	setting CONCOURSE_TSA_HOST '[a-z0-9.-]+:[0-9]+' >/dev/null
	names+=(CONCOURSE_TSA_HOST)
fi
version=$(setting CONCOURSE_VERSION '[0-9]+\.[0-9]+\.[0-9]+')
sum=$(setting CONCOURSE_SHA256 '[0-9a-f]{64}')
fetch "$architecture" "$version" "$sum"
mkdir -p "$root/etc/concourse" "$root/etc/systemd/system" "$root/usr/local/lib/concourse"
install -m 755 "$here/node.sh" "$root/usr/local/lib/concourse/node.sh"
install -m 644 "$here/$node.env" "$root/etc/concourse/$node.env"
install -m 644 "$here/../rbac.yml" "$root/etc/concourse/rbac.yml"
install -m 644 "$here/concourse-$node.service" "$root/etc/systemd/system/concourse-$node.service"
site "${names[@]}" >"$root/etc/concourse/site.env"
[ -n "$root" ] || systemctl daemon-reload
[ -n "$root" ] || systemctl enable --now "concourse-$node"
