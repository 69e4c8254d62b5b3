# What run.sh and stop.sh share: where the demo's server is, and how to tell whether it runs.
# It is sourced, from the repository's root.

data=${MILLPOND_DATA_DIR:-./millpond-data}
connect=${MILLPOND_CONNECT:-127.0.0.1:15002}
http=${MILLPOND_HTTP:-127.0.0.1:5000}
pidfile=$data/demo.pid

# running prints the process id of the demo's server if it runs.
running() {
	local pid
	pid=$(cat "$pidfile" 2>/dev/null) || return 1
	# The number may belong to another program by now.
	case $(ps -p "$pid" -o args= 2>/dev/null) in
	*" serve --data-dir $data "*) echo "$pid" ;;
	*) return 1 ;;
	esac
}

# stop ends the demo's server and waits for it: it lets running queries finish for a while.
stop() {
	local pid i
	pid=$(running) || return 0
	kill "$pid" 2>/dev/null || true
	for ((i = 0; i < 150; i++)); do
		running >/dev/null || break
		sleep 0.1
	done
	if running >/dev/null; then
		echo "the server (process $pid) does not stop" >&2
		return 1
	fi
	rm -f "$pidfile"
}
