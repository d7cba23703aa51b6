#!/usr/bin/env bash
# Makes the environment of BRANCH, where there is none, and rolls the package in
# the directory PACKAGE out in it.
set -euo pipefail
cd "$(dirname "$0")/../../.."
exec make branch-deploy
