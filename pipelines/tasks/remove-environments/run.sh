#!/usr/bin/env bash
# Removes the environments whose branch is not in the list in the file BRANCHES.
set -euo pipefail
cd "$(dirname "$0")/../../.."
exec make branch-prune
