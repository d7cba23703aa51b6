#!/usr/bin/env bash
# tool.sh NAME ARGS... runs a tool of this kit: out of the archive in the
# directory TOOLS where one is named, as in pipelines, and else built here.
set -euo pipefail
name=$1
shift
if [ -n "${TOOLS:-}" ]; then
	mkdir -p "$TOOLS/unpacked"
	tar -xzf "$TOOLS"/bogops-tools-*.tar.gz -C "$TOOLS/unpacked"
	(cd "$TOOLS/unpacked" && sha256sum --check --strict --quiet SHA256SUMS)
	exec "$TOOLS/unpacked/$name" "$@"
fi
case $name in
rollout) package=./infra/rollout/cmd ;;
validator) package=./validator ;;
*)
	printf 'tool.sh: %s: wanted rollout or validator\n' "$name" >&2
	exit 64
	;;
esac
# Not `go run`: it would swallow the signal that ends a roll-out in good order.
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
go build -o "$built/$name" "$package"
# Nor in the foreground: a signal would end this shell, and leave the tool behind.
asked=''
trap 'asked=1; kill -TERM "$!" 2>/dev/null || true' INT TERM
"$built/$name" "$@" <&0 &
while :; do
	asked=''
	wait "$!" && status=0 || status=$?
	[ -n "$asked" ] || exit "$status" # it ended, and not only the waiting
done
