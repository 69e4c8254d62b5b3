#!/usr/bin/env bash
# Builds millpond, makes its Python runtime, starts the server, runs flights.py against it and
# leaves the server running. The first time takes minutes, later times half a minute.
#
#   MILLPOND_BIN        a program built before: nothing is built then
#   MILLPOND_CONNECT, MILLPOND_HTTP, MILLPOND_DATA_DIR, MILLPOND_RUNTIMES_DIR   as for serve
set -euo pipefail
cd "$(dirname "$0")/.."
. demo/server.sh

# label puts a word before each line of a job, so that two can print side by side.
label() {
	local line
	while IFS= read -r line; do printf '%-8s| %s\n' "$1" "$line"; done
}

built() { # prepare the program and the runtime, side by side
	local job failed=0
	make build 2>&1 | label build &
	job=$!
	go run ./cmd/millpond-runtime 2>&1 | label runtime || failed=1
	wait "$job" || failed=1
	return "$failed"
}

mkdir -p "$data"
bin=${MILLPOND_BIN:-}
if [[ -z $bin ]]; then
	bin=bin/millpond
	built || { echo "the demo stops here: see the lines above" >&2; exit 1; }
else
	"$bin" runtime create 2>&1 | label runtime
fi

log=$data/demo-server.log
sum=$(cksum <"$bin")
if running >/dev/null && [[ $(cat "$data/demo.sum" 2>/dev/null) != "$sum" ]]; then
	echo "the running server is of another build: restarting it"
	stop
fi
if pid=$(running); then
	echo "the server is running already (process $pid)"
elif ! report=$("$bin" doctor --data-dir "$data" --connect "$connect" --http "$http"); then
	# Most often another program has one of the ports.
	echo "$report"
	echo "the demo needs what is missing above; other addresses are set with MILLPOND_CONNECT and MILLPOND_HTTP" >&2
	exit 1
elif [[ $report == *"is running there"* ]]; then
	echo "a millpond that this script did not start is running there; it will do"
else
	nohup "$bin" serve --data-dir "$data" --connect "$connect" --http "$http" >"$log" 2>&1 </dev/null &
	echo $! >"$pidfile"
	echo "$sum" >"$data/demo.sum"
	for ((i = 0; i < 300; i++)); do
		grep -q "millpond is ready" "$log" && break
		running >/dev/null || break
		sleep 0.1
	done
	if ! grep -q "millpond is ready" "$log"; then
		echo "the server did not start; its log $log says:" >&2
		tail -n 20 "$log" >&2
		rm -f "$pidfile"
		exit 1
	fi
	echo "the server is ready (process $(cat "$pidfile"), log $log)"
fi

echo
errors=$data/demo.log
export SPARK_REMOTE=sc://$connect MLFLOW_TRACKING_URI=http://$http
if ! "$bin" runtime run -- python demo/flights.py 2>"$errors"; then
	echo "the demo failed; $errors says:" >&2
	tail -n 20 "$errors" >&2
	exit 1
fi
cat <<END

Look at it:
  http://$http        experiments, runs, models (MLflow)
  sc://$connect       Spark Connect, for notebooks and scripts
Go on:
  $bin runtime run -- jupyter lab
  demo/stop.sh        stops the server (make demo-stop)
END
