"""MLflow's own clients against the server: what ordinary notebooks of classic machine learning do."""

import os
import pathlib
import signal
import subprocess
import sys
import time
import uuid

import mlflow
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, clean_env
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV

HERE = pathlib.Path(__file__).parent


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


@pytest.fixture(autouse=True)
def experiment(server):
    """An experiment of the test's own, and no autologging left on by another."""
    mlflow.set_tracking_uri(server.http_url)
    yield mlflow.set_experiment(unique("e2e"))
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.autolog(disable=True, silent=True)
    mlflow.set_tracking_uri("")


@pytest.fixture
def client(experiment):
    return MlflowClient()


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(7)
    x = pd.DataFrame(rng.normal(size=(400, 3)), columns=["a", "b", "c"])
    return x, 3 * x["a"] - x["b"] + rng.normal(scale=0.1, size=400)


def paths(client, run_id, folder=None):
    """All files of a run."""
    out = []
    for f in client.list_artifacts(run_id, folder):
        out += paths(client, run_id, f.path) if f.is_dir else [f.path]
    return out


# ------------------------------------------------------------------------------- autologging


def test_sklearn_autolog(client, data):
    x, y = data
    mlflow.sklearn.autolog()
    with mlflow.start_run() as run:
        fitted = Ridge(alpha=0.25).fit(x, y)
        score = fitted.score(x, y)
    got = client.get_run(run.info.run_id)
    assert got.info.status == "FINISHED"
    assert got.data.params["alpha"] == "0.25"
    assert got.data.metrics["training_r2_score"] == pytest.approx(score, abs=1e-12)
    assert got.data.metrics["Ridge_score_x"] == pytest.approx(score, abs=1e-12)
    assert got.data.tags["estimator_name"] == "Ridge"
    assert "estimator.html" in paths(client, run.info.run_id)
    loaded = mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model")
    np.testing.assert_array_equal(loaded.predict(x), fitted.predict(x))
    assert [d.dataset.name for d in got.inputs.dataset_inputs], "the training data is not noted"
    models = client.search_logged_models([run.info.experiment_id])
    assert [m.source_run_id for m in models] == [run.info.run_id]


def test_sklearn_autolog_of_a_grid_nests_its_runs(client, experiment, data):
    x, y = data
    mlflow.sklearn.autolog(max_tuning_runs=3, log_models=False)
    with mlflow.start_run() as run:
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0, 10.0]}, cv=3).fit(x, y > 0)
    children = client.search_runs([experiment.experiment_id], f"tags.mlflow.parentRunId = '{run.info.run_id}'")
    assert sorted(c.data.params["C"] for c in children) == ["0.1", "1.0", "10.0"]
    assert client.get_run(run.info.run_id).data.metrics["best_cv_score"] == max(c.data.metrics["mean_test_score"] for c in children)
    assert "cv_results.csv" in paths(client, run.info.run_id)


def test_xgboost_autolog(client, data):
    import xgboost

    x, y = data
    mlflow.xgboost.autolog()
    with mlflow.start_run() as run:
        train = xgboost.DMatrix(x, label=y)
        fitted = xgboost.train({"max_depth": 3, "eta": 0.3, "objective": "reg:squarederror"}, train, num_boost_round=12, evals=[(train, "train")], verbose_eval=False)
    got = client.get_run(run.info.run_id)
    assert got.data.params["max_depth"] == "3" and got.data.params["num_boost_round"] == "12"
    history = client.get_metric_history(run.info.run_id, "train-rmse")
    assert [m.step for m in history] == list(range(12))
    assert history[-1].value < history[0].value
    assert "feature_importance_weight.json" in paths(client, run.info.run_id)
    loaded = mlflow.xgboost.load_model(f"runs:/{run.info.run_id}/model")
    np.testing.assert_array_equal(loaded.predict(train), fitted.predict(train))


def test_lightgbm_autolog(client, data):
    import lightgbm

    x, y = data
    mlflow.lightgbm.autolog()
    with mlflow.start_run() as run:
        train = lightgbm.Dataset(x, y)
        fitted = lightgbm.train({"num_leaves": 7, "objective": "regression", "verbose": -1, "metric": "l2"}, train, num_boost_round=9, valid_sets=[train], valid_names=["train"])
    got = client.get_run(run.info.run_id)
    assert got.data.params["num_leaves"] == "7"
    assert [m.step for m in client.get_metric_history(run.info.run_id, "train-l2")] == list(range(9))
    loaded = mlflow.lightgbm.load_model(f"runs:/{run.info.run_id}/model")
    np.testing.assert_array_equal(loaded.predict(x), fitted.predict(x))


# ------------------------------------------------------------------------------- runs


def test_nested_runs(client, experiment):
    with mlflow.start_run(run_name="parent") as parent:
        for depth in (2, 5):
            with mlflow.start_run(run_name=f"depth {depth}", nested=True) as child:
                mlflow.log_param("depth", depth)
                mlflow.log_metric("rmse", 10 / depth)
                with mlflow.start_run(run_name="fold", nested=True) as grandchild:
                    mlflow.log_metric("rmse", 11 / depth)
    children = mlflow.search_runs(filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'", order_by=["metrics.rmse ASC"])
    assert list(children["tags.mlflow.runName"]) == ["depth 5", "depth 2"]
    assert list(children["metrics.rmse"]) == [2.0, 5.0]
    assert client.get_parent_run(grandchild.info.run_id).info.run_id == child.info.run_id
    assert client.get_parent_run(parent.info.run_id) is None
    with pytest.raises(RuntimeError):
        raise_in_a_run()
    failed = client.search_runs([experiment.experiment_id], "attributes.status = 'FAILED'")
    assert [r.info.run_name for r in failed] == ["fails"]


def raise_in_a_run():
    with mlflow.start_run(run_name="fails"):
        raise RuntimeError("on purpose")


def test_artifacts_up_and_down(client, tmp_path):
    tree = {"readme.txt": b"hello", "deep/er/ünïcode name.bin": bytes(range(256)) * 10, "empty": b"", "big.bin": os.urandom(5 << 20)}
    for name, content in tree.items():
        path = tmp_path / "up" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(tmp_path / "up"), "tree")
        mlflow.log_text("one", "notes/one.txt")
        mlflow.log_dict({"a": [1, 2]}, "notes/dict.json")
        mlflow.log_table(pd.DataFrame({"x": [1, 2]}), "table.json")
        mlflow.log_text("two", "notes/one.txt")  # the last one wins
    assert sorted(paths(client, run.info.run_id)) == sorted([f"tree/{n}" for n in tree] + ["notes/one.txt", "notes/dict.json", "table.json"])
    assert {f.path: f.file_size for f in client.list_artifacts(run.info.run_id, "tree") if not f.is_dir} == {
        "tree/readme.txt": 5, "tree/empty": 0, "tree/big.bin": 5 << 20}
    down = pathlib.Path(mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/tree", dst_path=str(tmp_path)))
    for name, content in tree.items():
        assert (down / name).read_bytes() == content, name
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/notes/one.txt") == "two"
    assert list(mlflow.load_table("table.json", run_ids=[run.info.run_id])["x"]) == [1, 2]
    with pytest.raises(MlflowException):
        mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/nothing", dst_path=str(tmp_path))


# ------------------------------------------------------------------------------- the registry


def test_registry_stages_and_aliases(client, data):
    x, y = data
    name = unique("model")
    for alpha in (0.1, 1.0, 10.0):
        with mlflow.start_run() as run:
            mlflow.sklearn.log_model(Ridge(alpha=alpha).fit(x, y), "model")
        mlflow.register_model(f"runs:/{run.info.run_id}/model", name)
    assert sorted(v.version for v in client.search_model_versions(f"name = '{name}'")) == ["1", "2", "3"]

    with pytest.warns(FutureWarning):
        client.transition_model_version_stage(name, "1", "Staging")
        client.transition_model_version_stage(name, "1", "Production")
        client.transition_model_version_stage(name, "2", "Production", archive_existing_versions=True)
        latest = {v.current_stage: v.version for v in client.get_latest_versions(name)}
    assert latest == {"Archived": "1", "Production": "2", "None": "3"}
    assert mlflow.sklearn.load_model(f"models:/{name}/Production").alpha == 1.0
    with pytest.raises(MlflowException) as refused:
        client.transition_model_version_stage(name, "2", "Nowhere")
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"

    client.set_registered_model_alias(name, "champion", "1")
    client.set_registered_model_alias(name, "champion", "3")
    assert client.get_model_version_by_alias(name, "champion").version == "3"
    assert mlflow.sklearn.load_model(f"models:/{name}@champion").alpha == 10.0
    client.delete_registered_model_alias(name, "champion")
    with pytest.raises(MlflowException) as missing:
        client.get_model_version_by_alias(name, "champion")
    assert missing.value.error_code == "INVALID_PARAMETER_VALUE"

    client.set_model_version_tag(name, "3", "checked", "yes")
    client.update_model_version(name, "3", description="the third")
    third = client.get_model_version(name, "3")
    assert (third.tags, third.description) == ({"checked": "yes"}, "the third")
    client.rename_registered_model(name, name + "-new")
    assert client.get_model_version(name + "-new", "2").current_stage == "Production"
    client.delete_registered_model(name + "-new")
    assert client.search_registered_models(f"name = '{name}-new'") == []


def test_evaluate(client, data):
    x, y = data
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(LogisticRegression().fit(x, y > 0), "model")
        table = x.assign(late=(y > 0).astype(int))
        result = mlflow.evaluate(info.model_uri, table, targets="late", model_type="classifier", evaluator_config={"log_explainer": False})
    assert result.metrics["accuracy_score"] > 0.95
    logged = client.get_run(run.info.run_id).data.metrics
    assert logged["accuracy_score"] == result.metrics["accuracy_score"] and logged["roc_auc"] > 0.95
    assert any(p.endswith("confusion_matrix.png") for p in paths(client, run.info.run_id))


# ------------------------------------------------------------------------------- with Spark


def test_a_logged_model_scores_in_spark(spark, data):
    from pyspark.sql import functions as F

    x, y = data
    with mlflow.start_run():
        fitted = Ridge().fit(x, y)
        uri = mlflow.sklearn.log_model(fitted, "model").model_uri
    predict = mlflow.pyfunc.spark_udf(spark, uri, result_type="double", env_manager="local")
    got = spark.createDataFrame(x).withColumn("p", predict(F.struct("a", "b", "c"))).toPandas()
    np.testing.assert_allclose(got["p"], fitted.predict(got[["a", "b", "c"]]), rtol=1e-12)


def test_a_function_logs_to_the_server_it_runs_in(spark, client):
    """As on a Databricks cluster, a worker knows where MLflow is."""
    with mlflow.start_run() as run:
        pass
    run_id = run.info.run_id

    def log(batches):
        import mlflow

        for b in batches:
            mlflow.MlflowClient().log_metric(run_id, "rows", len(b))
            yield b

    assert spark.range(7).coalesce(1).mapInPandas(log, "id long").count() == 7
    assert client.get_run(run_id).data.metrics["rows"] == 7


def test_optuna_study_over_spark(server, spark, client, experiment):
    from mlflow.optuna.storage import MlflowStorage
    from mlflow.pyspark.optuna.study import MlflowSparkStudy

    storage = MlflowStorage(experiment_id=experiment.experiment_id)
    study = MlflowSparkStudy(study_name=unique("study"), storage=storage, mlflow_tracking_uri=server.http_url)

    def objective(trial):
        return (trial.suggest_float("x", -3, 3) - 1) ** 2

    study.optimize(objective, n_trials=6, n_jobs=2)
    assert len(study.trials) == 6 and all(t.state.name == "COMPLETE" for t in study.trials)
    assert study.best_value == min((t.params["x"] - 1) ** 2 for t in study.trials)
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) >= 7, "a run for the study and one for each trial"


def test_dataset_from_spark(spark, client):
    frame = spark.createDataFrame([(1, "a")], "id int, name string")
    with mlflow.start_run() as run:
        mlflow.log_input(mlflow.data.from_spark(frame, name="pairs"), context="training")
    noted = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert [(d.dataset.name, [t.value for t in d.tags]) for d in noted] == [("pairs", ["training"])]


# ------------------------------------------------------------------------------- older clients


@pytest.fixture(scope="session")
def mlflow2_python():
    """A Python with MLflow 2: the one that MILLPOND_MLFLOW2_PYTHON names, or one made here."""
    named = os.environ.get("MILLPOND_MLFLOW2_PYTHON")
    if named:
        return named
    lock = HERE / "mlflow2.txt"
    venv = ROOT / ".cache" / "mlflow2"
    python, made = venv / "bin" / "python", venv / "made-from.txt"
    if not made.exists() or made.read_text() != lock.read_text():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)], check=True)
        made.write_text(lock.read_text())
    return str(python)


def test_mlflow_2_client(server, mlflow2_python, tmp_path):
    env = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    env |= {"MLFLOW_TRACKING_URI": server.http_url, "GIT_PYTHON_REFRESH": "quiet"}
    got = subprocess.run([mlflow2_python, str(HERE / "mlflow2_client.py")], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=180)
    assert got.returncode == 0 and "all is well" in got.stdout, got.stderr[-3000:]


# ------------------------------------------------------------------------------- kill -9


def test_no_acknowledged_metric_is_lost_when_the_server_is_killed(new_server, tmp_path):
    rounds = int(os.environ.get("MILLPOND_KILL_ROUNDS", "50"))
    rng = np.random.default_rng(int(os.environ.get("MILLPOND_SEED", "1")))
    client = MlflowClient(tracking_uri=new_server.http_url)
    run_id = client.create_run("0").info.run_id
    keys = [f"worker{i}" for i in range(4)]
    env = clean_env(MLFLOW_TRACKING_URI=new_server.http_url)
    acks = {k: tmp_path / f"{k}.acks" for k in keys}
    workers = [subprocess.Popen([sys.executable, str(HERE / "log_until_stopped.py"), run_id, k, str(acks[k])], env=env, stdin=subprocess.PIPE) for k in keys]
    try:
        for n in range(rounds):
            before = {k: noted(acks[k]) for k in keys}
            deadline = time.time() + 60
            while any(len(noted(acks[k])) < len(before[k]) + 5 for k in keys):
                assert time.time() < deadline, f"round {n}: the workers do not get on"
                assert all(w.poll() is None for w in workers), "a worker ended"
                time.sleep(0.02)
            time.sleep(rng.uniform(0, 0.1))
            new_server.kill(signal.SIGKILL)
            new_server.start()
    finally:
        for w in workers:
            w.stdin.close()
        codes = [w.wait(30) for w in workers]
    assert codes == [0] * len(workers)
    params = client.get_run(run_id).data.params
    for k in keys:
        stored = {m.step: m.value for m in client.get_metric_history(run_id, k)}
        acked = noted(acks[k])
        assert len(acked) >= 5 * rounds
        lost = [s for s in acked if stored.get(s) != float(s)]
        assert not lost, f"{k}: {len(lost)} of {len(acked)} acknowledged metrics are lost, such as step {lost[0]}"
        lost = [s for s in acked if s % 3 == 0 and params.get(f"{k}-{s}") != str(s)]
        assert not lost, f"{k}: acknowledged parameters are lost, such as that of step {lost[0]}"


def noted(path):
    """The steps that a worker noted as acknowledged."""
    if not path.exists():
        return []
    return [int(line) for line in path.read_text().split("\n")[:-1]]
