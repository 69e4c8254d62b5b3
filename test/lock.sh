#!/usr/bin/env bash
# Write test/requirements.lock anew from test/requirements.in: newest versions that fit.
# Needs uv on the PATH or in .venv.
set -euo pipefail
cd "$(dirname "$0")"
PATH="$PATH:$PWD/../.venv/bin"
uv pip compile -q --upgrade --universal --generate-hashes --no-emit-index-url --no-annotate --python-version 3.11 \
  --custom-compile-command test/lock.sh requirements.in -o requirements.lock
