#!/usr/bin/env bash
# branch.sh list     writes the branches of SOURCE_URI but for SOURCE_BRANCH, as a
#                    JSON list, into the file BRANCHES
# branch.sh deploy   makes the environment of BRANCH, and rolls out in it
# branch.sh prune    removes the environments whose branch is not in BRANCHES
#
# shellcheck disable=SC2153 # SOURCE_*, BRANCH, BRANCHES, ENVIRONMENTS_* are the caller's
set -euo pipefail

# environment BRANCH prints its name: what a host name can hold of the branch's
# own, and enough of a digest that no two branches meet.
environment() {
	local name
	name=$(tr '[:upper:]' '[:lower:]' <<<"$1" | tr -cs 'a-z0-9' '-' | cut -c1-24)
	name=${name#-}
	name=${name%-}
	printf '%s-%s\n' "${name:-branch}" "$(printf '%s' "$1" | sha256sum | cut -c1-8)"
}

# call METHOD PATH asks the environments' service. The token is not on the command
# line, which every user of the machine can see.
call() {
	curl --silent --show-error --fail-with-body --request "$1" \
		--config <(printf 'header = "Authorization: Bearer %s"\n' "$ENVIRONMENTS_TOKEN") "$ENVIRONMENTS_URL/v1/environments$2"
}

list() {
	local listed
	# Asked of git by its own helper, so that the password is in no argument.
	# It stands alone: a repository that does not answer must not look like one
	# without branches, whose environments would all be removed.
	# shellcheck disable=SC2016 # the helper expands it
	listed=$(GIT_TERMINAL_PROMPT=0 git \
		-c credential.helper='!f() { echo "username=$SOURCE_USER"; echo "password=$SOURCE_PASSWORD"; }; f' \
		ls-remote --heads "$SOURCE_URI")
	jq --raw-input --null-input --compact-output --arg main "$SOURCE_BRANCH" \
		'[inputs | split("\trefs/heads/")[1] // empty | select(. != $main)]' <<<"$listed" >"$BRANCHES"
	cat "$BRANCHES"
}

deploy() {
	local name
	name=$(environment "$BRANCH")
	call PUT "/$name"
	FLEET_URL=$ENVIRONMENTS_URL/v1/environments/$name/fleet FLEET_TOKEN=$ENVIRONMENTS_TOKEN exec make app-deploy
}

prune() {
	local branches branch there name
	declare -A wanted
	# Each by itself, so that what cannot be read or asked ends the script here.
	branches=$(jq --raw-output --slurp \
		'if length == 1 and (.[0] | type) == "array" then .[0][] else error("wanted one list of branches") end' "$BRANCHES")
	there=$(call GET '')
	while read -r branch; do wanted[$(environment "$branch")]=1; done <<<"$branches"
	for name in $there; do
		if [ -z "${wanted[$name]:-}" ]; then
			printf 'removing %s: its branch has gone\n' "$name"
			call DELETE "/$name"
		fi
	done
}

cd "$(dirname "$0")/.."
case ${1:-} in
list | deploy | prune) "$1" ;;
*)
	printf 'branch.sh: "%s": wanted list, deploy or prune\n' "${1:-}" >&2
	exit 64
	;;
esac
