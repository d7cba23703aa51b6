#!/usr/bin/env bash
# Runs the judge's bronze check against the platform at BOGOPS_URL, with the
# judge's token in BOGOPS_TOKEN. PLATFORM_ROOTS, in PEM, is for a rehearsal.
set -euo pipefail
cd "$(dirname "$0")/../../.."
if [ -n "${PLATFORM_ROOTS:-}" ]; then
	export BOGOPS_CA=../roots.pem
	printf '%s\n' "$PLATFORM_ROOTS" >"$BOGOPS_CA"
fi
exec make platform-smoke
