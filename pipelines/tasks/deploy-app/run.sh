#!/usr/bin/env bash
# Rolls the package in the directory PACKAGE out to the fleet at FLEET_URL.
set -euo pipefail
cd "$(dirname "$0")/../../.."
exec make app-deploy
