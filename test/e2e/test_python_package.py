"""What the pip package millpond (python/) makes possible over Spark Connect.

Each script runs twice, in processes of its own: with the package it must work, and without it
must fail as described, or the patch that it is for is not needed.
"""

import re
import subprocess
import sys

import pytest
from conftest import ROOT, clean_env

COMMON = """
import logging, mlflow
from pyspark.sql import SparkSession
from pyspark.ml import Pipeline
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression

spark = SparkSession.builder.getOrCreate()
data = spark.createDataFrame([(float(i), float(i % 3), 2.0 * i + 1) for i in range(60)], ["a", "b", "label"])
def pipeline():
    return Pipeline(stages=[VectorAssembler(inputCols=["a", "b"], outputCol="features"), LinearRegression(regParam=0.01)])
requirements = ["pyspark[connect]==" + spark.version]
"""

LOG_AND_LOAD = """
model = pipeline().fit(data)
want = [r.prediction for r in model.transform(data).select("prediction").collect()]
with mlflow.start_run():
    uri = mlflow.spark.log_model(model, "model", pip_requirements=requirements, registered_model_name="package_model").model_uri
loaded = mlflow.spark.load_model(uri)
assert [r.prediction for r in loaded.transform(data).select("prediction").collect()] == want
predict = mlflow.pyfunc.load_model("models:/package_model/1").predict
assert predict(data.toPandas()) == want
single = model.stages[-1]
with mlflow.start_run():
    uri = mlflow.spark.log_model(single, "single", pip_requirements=requirements, input_example=data.limit(2).toPandas()[["a"]]).model_uri
assert mlflow.spark.load_model(uri).stages[0].coefficients == single.coefficients
"""

# A model without a run: what a job does that saves to a path.
SAVE_AND_LOAD = """
import tempfile
model = pipeline().fit(data)
path = tempfile.mkdtemp() + "/model"
mlflow.spark.save_model(model, path, pip_requirements=requirements)
assert mlflow.spark.load_model(path).transform(data).count() == 60
"""

# pyfunc in a thread of its own, which has no active session.
IN_A_THREAD = """
import threading
model = pipeline().fit(data)
with mlflow.start_run():
    uri = mlflow.spark.log_model(model, "model", pip_requirements=requirements).model_uri
got = []
t = threading.Thread(target=lambda: got.append(mlflow.pyfunc.load_model(uri).predict(data.toPandas())))
t.start(); t.join()
assert len(got) == 1 and len(got[0]) == 60
"""

AUTOLOG = """
mlflow.pyspark.ml.autolog()
with mlflow.start_run() as run:
    model = pipeline().fit(data)
    rmse = RegressionEvaluator().evaluate(model.transform(data))
done = mlflow.get_run(run.info.run_id).data
assert done.params["LinearRegression.regParam"] == "0.01", done.params
assert list(done.metrics.values()) == [rmse], done.metrics
files = [f.path for f in mlflow.MlflowClient().list_artifacts(run.info.run_id)]
assert "model" in files and "estimator_info.json" in files, files
assert mlflow.spark.load_model(f"runs:/{run.info.run_id}/model").transform(data).count() == 60
# A list of one's own of models to log.
import tempfile
with tempfile.NamedTemporaryFile("w", suffix=".txt") as f:
    f.write("pyspark.ml.clustering.*"); f.flush()
    spark.conf.set("spark.mlflow.pysparkml.autolog.logModelAllowlistFile", f.name)
    mlflow.pyspark.ml.autolog()
with mlflow.start_run() as run:
    pipeline().fit(data)
assert "model" not in [f.path for f in mlflow.MlflowClient().list_artifacts(run.info.run_id)]
"""

SPARK_TRIALS = """
from hyperopt import SparkTrials, STATUS_OK, fmin, hp, tpe
import os, time
here = os.getpid()
def objective(x):
    import os
    assert os.getpid() != here, "the trial ran in the driver"
    return {"loss": (x - 1) ** 2, "status": STATUS_OK, "seen": x}
trials = SparkTrials(parallelism=4)
best = fmin(objective, hp.uniform("x", -3, 3), algo=tpe.suggest, max_evals=8, trials=trials, show_progressbar=False)
assert len(trials.trials) == 8 and trials.count_successful_trials() == 8
assert abs(best["x"] - min((r["loss"], r["seen"]) for r in trials.results)[1]) < 1e-12
assert SparkTrials().parallelism >= 1
"""

TRIALS_THAT_FAIL = """
from hyperopt import SparkTrials, STATUS_OK, fmin, hp, tpe
import numpy
def objective(x):
    if x < 0:
        raise ValueError("below zero")
    return {"loss": x, "status": STATUS_OK}
trials = SparkTrials(parallelism=2)
fmin(objective, hp.uniform("x", -1, 1), algo=tpe.suggest, max_evals=6, trials=trials, show_progressbar=False, rstate=numpy.random.default_rng(1))
bad = [t for t in trials._dynamic_trials if t["state"] == 3]  # trials.trials leaves them out
assert bad and len(bad) == trials.count_failed_trials(), trials.trials
assert all("below zero" in t["misc"]["error"][1] for t in bad)
"""

TRIALS_THAT_TAKE_TOO_LONG = """
from hyperopt import SparkTrials, fmin, hp, tpe
import tempfile, time
begun = tempfile.mkdtemp()
def objective(x):
    import os, tempfile, time
    tempfile.mkstemp(dir=begun)
    if len(os.listdir(begun)) > 2:  # the first two are quick
        time.sleep(100)
    return x
start = time.time()
trials = SparkTrials(parallelism=2, timeout=5)
fmin(objective, hp.uniform("x", 0, 1), algo=tpe.suggest, max_evals=50, trials=trials, show_progressbar=False)
took = time.time() - start
assert took < 50, f"{took} seconds: running trials are not cancelled"
assert trials.count_successful_trials() == 2 and trials.count_cancelled_trials() > 0
"""

# Garbage collected inside gRPC, while it holds its lock.
DELETE_INSIDE_A_CALL = """
import gc, os, sys, threading, time
from grpc import _observability
def give_up():
    print("the client hangs", file=sys.stderr, flush=True)
    os._exit(1)
timer = threading.Timer(15, give_up)
timer.daemon = True
timer.start()
model = pipeline().fit(data)
kept = lambda: len(spark.client._get_ml_cache_info())
before = kept()
with _observability._plugin_lock:
    del model
    gc.collect()
for _ in range(100):
    if kept() < before:
        break
    time.sleep(0.05)
assert kept() < before, "the model is still on the server"
timer.cancel()
"""

# A request that is dropped by an interpreter that has begun to end waits for a lock that a thread of
# gRPC's may hold, which runs no more.
OPEN_AT_THE_END = """
import os, sys, grpc._channel
dropped = grpc._channel._Rendezvous.__del__
def drop(request, dropped=dropped, os=os, sys=sys):
    if sys.is_finalizing() and request._state.code is None:
        os.write(2, b"a request is open while the interpreter ends\\n")
        os._exit(1)
    dropped(request)
grpc._channel._Rendezvous.__del__ = drop
pipeline().fit(data)
rows = data.toLocalIterator()
next(rows)
"""

CASES = [
    ("log and load", LOG_AND_LOAD, "_jvm|_gateway|JVM|'NoneType' object has no attribute"),
    ("save and load", SAVE_AND_LOAD, "_jvm|_gateway|JVM|'NoneType' object has no attribute"),
    ("in a thread", IN_A_THREAD, "_jvm|_gateway|JVM|'NoneType' object has no attribute"),
    ("autolog", AUTOLOG, "sparkContext"),
    ("delete inside a call", DELETE_INSIDE_A_CALL, "the client hangs"),
    ("open at the end", OPEN_AT_THE_END, "a request is open while the interpreter ends"),
    ("SparkTrials", SPARK_TRIALS, "sparkContext"),
    ("SparkTrials that fail", TRIALS_THAT_FAIL, "sparkContext"),
    ("SparkTrials with a timeout", TRIALS_THAT_TAKE_TOO_LONG, "sparkContext"),
]

WITH = "import millpond\n"
# The managed runtime imports the package by itself.
WITHOUT = "import sys\nsys.meta_path = [f for f in sys.meta_path if f.__module__ != 'millpond.hook']\n"


def run(server, tmp_path, script):
    env = clean_env(PYTHONPATH=str(ROOT / "python" / "src"), SPARK_REMOTE=server.remote, MLFLOW_TRACKING_URI=server.http_url, MLFLOW_DFS_TMP=str(tmp_path / "dfs"))
    return subprocess.run([sys.executable, "-c", script], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("name,script,lack", CASES, ids=[c[0] for c in CASES])
def test_works_over_connect(new_server, tmp_path, name, script, lack):
    got = run(new_server, tmp_path, WITH + COMMON + script)
    assert got.returncode == 0, got.stderr[-3000:]
    assert "cannot adapt" not in got.stderr


@pytest.mark.parametrize("name,script,lack", CASES, ids=[c[0] for c in CASES])
def test_the_patch_is_needed(server, tmp_path, name, script, lack):
    got = run(server, tmp_path, WITHOUT + COMMON + script)
    assert got.returncode != 0, "it works without the package now: the patch can go"
    assert re.search(lack, got.stderr), got.stderr[-3000:]


def test_a_scoring_process_makes_its_session(server, tmp_path):
    logged = run(server, tmp_path, WITH + COMMON + """
model = pipeline().fit(data)
with mlflow.start_run():
    print("URI", mlflow.spark.log_model(model, "model", pip_requirements=requirements).model_uri)
""")
    uri = logged.stdout.split("URI ")[1].strip()
    got = run(server, tmp_path, WITH + f"""
import mlflow, pandas
assert len(mlflow.pyfunc.load_model({uri!r}).predict(pandas.DataFrame({{"a": [1.0, 2.0], "b": [0.0, 1.0]}}))) == 2
""")
    assert got.returncode == 0, got.stderr[-3000:]


def test_starting_python_stays_cheap(tmp_path):
    """Workers start often, and with the package's .pth file they all import it."""
    script = "import sys; before = set(sys.modules); import millpond; print(sorted(set(sys.modules) - before))"
    env = clean_env(PYTHONPATH=str(ROOT / "python" / "src"))
    # -S leaves out the .pth files, so that this is the first import.
    out = subprocess.run([sys.executable, "-S", "-c", script], env=env, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert eval(out) == ["millpond", "millpond.hook"]
