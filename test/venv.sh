#!/usr/bin/env bash
# Make the Python environment DIR with exactly what a lock file names.
#   test/venv.sh DIR LOCKFILE
set -euo pipefail
dir=${1:?directory} lock=${2:?lock file}
python=${PYTHON:-python3}

[ -x "$dir/bin/python" ] || "$python" -m venv "$dir"
[ -x "$dir/bin/uv" ] || "$dir/bin/python" -m pip install -q --disable-pip-version-check "$(grep -oE '^uv==[0-9.]+' "$lock")"
"$dir/bin/uv" pip sync -q --require-hashes --python "$dir/bin/python" "$lock"
