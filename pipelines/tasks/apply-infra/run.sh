#!/usr/bin/env bash
# Brings what runs the platform to what the repository says.
set -euo pipefail
cd "$(dirname "$0")/../../.."
exec make infra-apply
