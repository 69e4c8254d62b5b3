"""Logs metrics one after another and notes which were acknowledged; test_mlflow.py kills the
server meanwhile.

    log_until_stopped.py RUN_ID KEY ACKS

It goes on through connection errors until its standard input is closed.
"""

import os
import sys
import threading
import time

os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"  # a retry would hide what was acknowledged
os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = "5"

from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import Metric, Param  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402

run_id, key, acks = sys.argv[1:]
stopped = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stopped.set()), daemon=True).start()

client = MlflowClient()
step = 0
with open(acks, "w") as f:
    while not stopped.is_set():
        step += 1
        try:
            if step % 3:
                client.log_metric(run_id, key, float(step), step=step, timestamp=step)
            else:
                client.log_batch(run_id, [Metric(key, float(step), step, step)], [Param(f"{key}-{step}", str(step))])
        except MlflowException as e:
            if "Max retries" not in str(e) and "Connection" not in str(e):
                raise  # the server answered, and refused
            time.sleep(0.02)
            continue
        f.write(f"{step}\n")
        f.flush()
