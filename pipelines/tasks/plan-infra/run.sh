#!/usr/bin/env bash
# Shows what apply-infra would change about what runs the platform.
set -euo pipefail
cd "$(dirname "$0")/../../.."
exec make infra-plan
