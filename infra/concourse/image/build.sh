#!/usr/bin/env bash
set -euo pipefail
echo "build.sh: $1: not made yet" >&2
exit 1
