#!/usr/bin/env bash
# Pins requirements.in into requirements.lock: full versions and hashes, for every platform and
# Python from 3.11, without the name of any registry. Needs uv.
set -euo pipefail
cd "$(dirname "$0")"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
# An existing lock is kept where it still fits; --upgrade takes the newest of everything.
cp requirements.lock "$out" 2>/dev/null || true
uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --quiet "$@" --output-file "$out" requirements.in
if grep -nE '://|^-' "$out"; then
	echo "lock.sh: the lock names a registry or an option of its own" >&2
	exit 1
fi
{
	echo "# Made by lock.sh from requirements.in; do not edit."
	grep -v '^#' "$out"
} >requirements.lock
echo "$(grep -c '==' requirements.lock) packages"
