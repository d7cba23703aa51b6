#!/usr/bin/env bash
# Runs a node of Concourse with its secrets, which it fetches from AWS's SSM
# parameter store each time it starts: they are in its memory and in a directory
# that systemd keeps in memory, never on a disk and never in an argument.
#
#   node.sh web|worker
#
# Below $CONCOURSE_SECRETS, as SecureString:
#   session-signing-key tsa-host-key worker-key-public     of the web node
#   postgres-password   encryption-key (32 characters)
#   local-users         admin:HASH,otter:HASH,judge:HASH, hashed by bcrypt
#   worker-key tsa-host-key-public                         of a worker
# The keys are what `concourse generate-key` makes: rsa for the session, ssh for
# the other two.
set -euo pipefail
umask 077

die() {
	printf 'node.sh: %s\n' "$*" >&2
	exit 1
}

# secret NAME prints one.
secret() {
	aws ssm get-parameter --with-decryption --region "$AWS_REGION" --name "$CONCOURSE_SECRETS/$1" \
		--query Parameter.Value --output text || die "no parameter $CONCOURSE_SECRETS/$1"
}

# file NAME puts one where a flag can name it, and prints where.
file() {
	secret "$1" >"$RUNTIME_DIRECTORY/$1"
	printf '%s\n' "$RUNTIME_DIRECTORY/$1"
}

web() {
	CONCOURSE_SESSION_SIGNING_KEY=$(file session-signing-key)
	CONCOURSE_TSA_HOST_KEY=$(file tsa-host-key)
	CONCOURSE_TSA_AUTHORIZED_KEYS=$(file worker-key-public)
	CONCOURSE_POSTGRES_PASSWORD=$(secret postgres-password)
	CONCOURSE_ENCRYPTION_KEY=$(secret encryption-key)
	CONCOURSE_ADD_LOCAL_USER=$(secret local-users)
	CONCOURSE_AWS_SSM_REGION=$AWS_REGION # where ((variables)) of pipelines are looked for
	export CONCOURSE_SESSION_SIGNING_KEY CONCOURSE_TSA_HOST_KEY CONCOURSE_TSA_AUTHORIZED_KEYS \
		CONCOURSE_POSTGRES_PASSWORD CONCOURSE_ENCRYPTION_KEY CONCOURSE_ADD_LOCAL_USER CONCOURSE_AWS_SSM_REGION
}

worker() {
	CONCOURSE_TSA_WORKER_PRIVATE_KEY=$(file worker-key)
	CONCOURSE_TSA_PUBLIC_KEY=$(file tsa-host-key-public)
	export CONCOURSE_TSA_WORKER_PRIVATE_KEY CONCOURSE_TSA_PUBLIC_KEY
}

[[ ${1:-} =~ ^(web|worker)$ ]] || die "got \"${1:-}\", wanted web or worker"
for name in AWS_REGION CONCOURSE_SECRETS RUNTIME_DIRECTORY; do
	[ -n "${!name:-}" ] || die "$name is not set: concourse-$1.service does it"
done
"$1"
exec "${CONCOURSE:-/usr/local/concourse/bin/concourse}" "$1"
