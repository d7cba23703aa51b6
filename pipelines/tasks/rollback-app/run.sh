#!/usr/bin/env bash
# Rolls the release before out again.
set -euo pipefail
cd "$(dirname "$0")/../../.."
exec make app-rollback
