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
	printf '%s-%s\n' "${name%-}" "$(printf '%s' "$1" | sha256sum | cut -c1-8)"
}

# call METHOD PATH asks the environments' service. The token is not on the command
# line, which every user of the machine can see.
call() {
	curl --silent --show-error --fail-with-body --request "$1" \
		--config <(printf 'header = "Authorization: Bearer %s"\n' "$ENVIRONMENTS_TOKEN") "$ENVIRONMENTS_URL/v1/environments$2"
}

list() {
	local branches
	# Asked of git by its own helper, so that the password is in no argument.
	# shellcheck disable=SC2016 # the helper expands it
	branches=$(GIT_TERMINAL_PROMPT=0 git \
		-c credential.helper='!f() { echo "username=$SOURCE_USER"; echo "password=$SOURCE_PASSWORD"; }; f' \
		ls-remote --heads "$SOURCE_URI" | sed -n 's#^[^\t]*\trefs/heads/##p' | grep -vxF -e "$SOURCE_BRANCH" || true)
	# A branch's name has no backslash, but may have a quotation mark.
	printf '[%s]\n' "$(sed -e '/^$/d' -e 's/"/\\"/g' -e 's/.*/"&"/' <<<"$branches" | paste -sd,)" >"$BRANCHES"
	cat "$BRANCHES"
}

deploy() {
	local name
	name=$(environment "$BRANCH")
	call PUT "/$name"
	FLEET_URL=$ENVIRONMENTS_URL/v1/environments/$name/fleet FLEET_TOKEN=$ENVIRONMENTS_TOKEN exec make app-deploy
}

prune() {
	local branch name
	declare -A wanted
	while read -r branch; do wanted[$(environment "$branch")]=1; done < <(tr -d '[]' <"$BRANCHES" | sed -e 's/","/"\n"/g' | sed -e 's/^"//' -e 's/"$//' -e 's/\\"/"/g')
	for name in $(call GET ''); do
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
