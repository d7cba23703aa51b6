#!/usr/bin/env bash
# Writes the branches of the repository at SOURCE_URI, but for SOURCE_BRANCH, as a
# JSON list into the file BRANCHES.
set -euo pipefail
cd "$(dirname "$0")/../../.."
exec make branch-list
