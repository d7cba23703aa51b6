#!/usr/bin/env bash
# Gives the Concourse at CONCOURSE_URL the pipelines of TEAM, with the addresses
# in VARS, as CONCOURSE_USER with CONCOURSE_PASSWORD. It is called once: from then
# on the pipeline "reconfigure" keeps them all in step with git.
#
# With SECRETS=FILE the secrets of that file are written into the pipelines, for a
# Concourse without a credential manager. Then nothing follows git by itself: a
# set_pipeline step would print them.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CONCOURSE_URL:?wanted the URL of Concourse}" "${TEAM:?wanted the team in Concourse}"
: "${CONCOURSE_USER:?wanted who owns the team}" "${CONCOURSE_PASSWORD:?wanted the password of CONCOURSE_USER}"
fly=${FLY:-fly}
vars=${VARS:-pipelines/vars.yml}
[ -e "$vars" ] || {
	printf 'set-pipelines: %s is not there: copy pipelines/vars.example.yml and fill it in\n' "$vars" >&2
	exit 1
}
given=(--load-vars-from "$vars")
pipelines=(bogops reconfigure)
if [ -n "${SECRETS:-}" ]; then
	given+=(--load-vars-from "$SECRETS")
	pipelines=(bogops)
fi

# fly keeps its login in the home directory; the person's own stays as it is.
HOME=$(mktemp -d)
export HOME
trap 'rm -rf "$HOME"' EXIT
certificate=()
[ -z "${CONCOURSE_ROOTS:-}" ] || certificate=(--ca-cert "$CONCOURSE_ROOTS")
"$fly" --target here login --concourse-url "$CONCOURSE_URL" --team-name "$TEAM" "${certificate[@]}" \
	--username "$CONCOURSE_USER" --password "$CONCOURSE_PASSWORD" >/dev/null
for pipeline in "${pipelines[@]}"; do
	# fly prints what it changes, secrets and all, to its standard output.
	"$fly" --target here set-pipeline --non-interactive --pipeline "$pipeline" --config "pipelines/$pipeline.yml" "${given[@]}" >/dev/null
	"$fly" --target here unpause-pipeline --pipeline "$pipeline" >/dev/null
	printf 'set %s/%s\n' "$TEAM" "$pipeline"
done
# Anybody may look at it, the judge above all. Logs of jobs that are given secrets
# stay with the team.
"$fly" --target here expose-pipeline --pipeline bogops >/dev/null
