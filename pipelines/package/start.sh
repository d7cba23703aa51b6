#!/bin/sh
# Starts the app of this package with the settings of the environment and of the
# command line. A package that was damaged on its way is not started.
set -eu
here=$(dirname "$0")
(cd "$here" && sha256sum --check --strict --quiet SHA256SUMS)
# Whoever deploys says which version it is; else it is the revision alone.
if [ -z "${BOGOPS_APP_VERSION:-}" ]; then
	BOGOPS_APP_VERSION=$(cat "$here/VERSION")
	export BOGOPS_APP_VERSION
fi
exec "$here/app" "$@"
