#!/usr/bin/env bash
# Tests the judge.
# In a pipeline the Go caches are kept beside the source, unless the image brings
# its own.
set -euo pipefail
cd "$(dirname "$0")/../../.."
if [ -d ../cache ]; then
	export GOCACHE=${GOCACHE:-$PWD/../cache/build} GOMODCACHE=${GOMODCACHE:-$PWD/../cache/modules}
fi
exec make judge-test
