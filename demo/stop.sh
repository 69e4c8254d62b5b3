#!/usr/bin/env bash
# Stops the server that run.sh left running.
set -euo pipefail
cd "$(dirname "$0")/.."
. demo/server.sh

if running >/dev/null; then
	stop
	echo "stopped"
else
	rm -f "$pidfile"
	echo "no demo server is running"
fi
