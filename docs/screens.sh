#!/usr/bin/env bash
# Takes a picture of every page into docs/screens, on the data of the demo (make demo leaves its
# server running) and, for curves, traces and the study course, on what the browser tests make. It needs Chromium and a built
# program.
#
#   MILLPOND_URL   the demo's server, http://127.0.0.1:5000 unless set
#   MILLPOND_BIN   the program, bin/millpond unless set
set -euo pipefail
cd "$(dirname "$0")/.."
export MILLPOND_SCREENS=$PWD/docs/screens MILLPOND_BIN=${MILLPOND_BIN:-$PWD/bin/millpond}
mkdir -p "$MILLPOND_SCREENS"
MILLPOND_URL=${MILLPOND_URL:-http://127.0.0.1:5000} go test ./test/browser -run TestScreens -count 1
MILLPOND_SCREENS_ONLY=curves,traces,trace env -u MILLPOND_URL go test ./test/browser -run TestScreens -count 1
go test ./test/browser -run TestLearnScreens -count 1
