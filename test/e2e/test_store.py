"""Where records and artifacts are kept: PostgreSQL, backup and restore, permanent deletion, import from MLflow."""

import json
import math
import os
import pathlib
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, ViewType

from conftest import PASSWORD, Server, clean_env


@pytest.fixture
def on_postgres(postgres, tmp_path):
    s = Server(tmp_path / "data", "--store", postgres)
    yield s
    s.kill()


def get(server, path, **headers):
    """GET that answers with status, headers and body, whatever the status."""
    request = urllib.request.Request(server.http_url + path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=30) as r:
            return r.status, r.headers, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


def test_postgres_keeps_records_and_no_password(on_postgres):
    client = MlflowClient(on_postgres.http_url)
    experiment = client.create_experiment("on postgres")
    run = client.create_run(experiment).info.run_id
    client.log_batch(run, metrics=[Metric("m", i * 0.5, i, i) for i in range(1000)] + [Metric("nan", math.nan, 0, 0)])
    client.log_param(run, "p", "x")
    on_postgres.kill()
    on_postgres.start()
    assert [m.value for m in client.get_metric_history(run, "m")] == [i * 0.5 for i in range(1000)]
    assert math.isnan(client.get_run(run).data.metrics["nan"])
    assert [r.info.run_id for r in client.search_runs([experiment], "metrics.m > 499 and params.p LIKE 'x'")] == [run]
    assert PASSWORD not in on_postgres.said()
    assert PASSWORD.encode() not in get(on_postgres, "/metrics")[2]


def test_postgres_concurrent_writers_lose_nothing(on_postgres):
    client = MlflowClient(on_postgres.http_url)
    run = client.create_run(client.create_experiment("storm")).info.run_id
    failed = []

    def write(n):
        try:
            for i in range(20):
                client.log_metric(run, f"m{n}", i, step=i)
                client.set_tag(run, "same", str(n))
        except Exception as e:
            failed.append(e)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed
    assert all(len(client.get_metric_history(run, f"m{n}")) == 20 for n in range(16))


@pytest.mark.parametrize("address, words", [
    ("postgres://me:{}@127.0.0.1:1/db", "cannot reach PostgreSQL at postgres://me@127.0.0.1:1/db"),
    ("postgres://me:{}@127.0.0.1:what/db", "write postgres://user:password@host:port/database"),
])
def test_postgres_that_is_not_there(tmp_path, address, words):
    with pytest.raises(RuntimeError, match="does not start") as e:
        Server(tmp_path / "data", "--store", address.format(PASSWORD))
    assert words in str(e.value) and PASSWORD not in str(e.value)


def test_postgres_with_a_wrong_password(postgres, tmp_path):
    with pytest.raises(RuntimeError, match="refuses the user or the password") as e:
        Server(tmp_path / "data", "--store", postgres.replace(PASSWORD, PASSWORD + "x"))
    assert PASSWORD not in str(e.value)


def test_backup_while_writing_then_restore(new_server, tmp_path):
    client = MlflowClient(new_server.http_url)
    run = client.create_run(client.create_experiment("backed up")).info.run_id
    client.log_text(run, "hello", "d/x.txt")
    spark = new_server.session()
    spark.range(10).write.saveAsTable("kept")
    spark.stop()
    acknowledged, stop = [0], threading.Event()

    def write():
        while not stop.is_set():
            client.log_metric(run, "m", acknowledged[0], step=acknowledged[0])
            acknowledged[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(0.3)
    before = acknowledged[0]
    file = tmp_path / "b.tar.gz"
    try:
        manifest = json.loads(new_server.command("backup", str(file), "--json"))
    finally:
        stop.set()
        thread.join()
    assert "millpond.db" in [f["path"] for f in manifest["files"]]
    assert "exists" in new_server.command("backup", str(file), ok=False)
    assert "not empty" in new_server.command("restore", str(file), ok=False)
    assert "in use" in new_server.command("restore", str(file), "--force", ok=False)
    new_server.stop()
    (new_server.data_dir / "after the backup").write_text("")
    new_server.command("restore", str(file), "--force")
    assert not (new_server.data_dir / "after the backup").exists()
    new_server.start()
    steps = [m.step for m in client.get_metric_history(run, "m")]
    assert steps == list(range(len(steps))) and len(steps) >= before > 0
    assert [f.path for f in client.list_artifacts(run, "d")] == ["d/x.txt"]
    spark = new_server.session()
    assert spark.table("kept").count() == 10
    spark.stop()


def test_gc_spares_what_lives(new_server):
    client = MlflowClient(new_server.http_url)
    experiment = client.create_experiment("e")
    lives, dead, used = (client.create_run(experiment, run_name=n).info.run_id for n in ("lives", "dead", "used"))
    for run in (lives, dead, used):
        client.log_text(run, "hello", "model/MLmodel")
    client.create_registered_model("m")
    client.create_model_version("m", client.get_run(used).info.artifact_uri + "/model", run_id=used)
    client.delete_run(dead)
    client.delete_run(used)
    assert json.loads(new_server.command("gc", "--older-than", "1d", "--json"))["deleted"] == []
    assert "would delete run " + dead in new_server.command("gc", "--dry-run")
    assert "not in the deleted stage" in new_server.command("gc", "--run-ids", lives, ok=False)
    report = json.loads(new_server.command("gc", "--json"))
    assert [d["id"] for d in report["deleted"]] == [dead] and report["bytes"] == 5
    assert [(k["id"], k["kept"]) for k in report["kept"]] == [(used, "model version m/1 uses its artifacts")]
    with pytest.raises(mlflow.MlflowException, match="not found"):
        client.get_run(dead)
    assert sorted(p.name for p in (new_server.data_dir / "artifacts" / experiment).iterdir()) == sorted([lives, used])
    client.restore_run(used)
    assert client.get_run(used).info.lifecycle_stage == "active"


@pytest.fixture(autouse=True)
def no_tracking_address_left():
    yield
    mlflow.set_tracking_uri("")


@pytest.fixture(scope="module", params=["sqlite", "files"])
def old_store(request, tmp_path_factory):
    """A store that the real MLflow wrote: what the command is told, and its URI."""
    directory = tmp_path_factory.mktemp("old")
    from_, uri = ("mlflow.db", "sqlite:///mlflow.db") if request.param == "sqlite" else ("mlruns", str(directory / "mlruns"))
    script = pathlib.Path(__file__).with_name("mlflow_store.py")
    subprocess.run([sys.executable, str(script), uri], cwd=directory, env=clean_env(), check=True, capture_output=True, timeout=180)
    return directory / from_, uri if request.param == "files" else f"sqlite:///{directory}/mlflow.db"


def everything(client, traces):
    """What a client sees of a store, without addresses of artifacts and numbers of experiments."""
    out = {}
    for e in client.search_experiments(view_type=ViewType.ALL):
        if e.name == "Default":
            continue
        out["experiment", e.name] = e.lifecycle_stage, e.creation_time, e.last_update_time, e.tags
        for r in client.search_runs([e.experiment_id], run_view_type=ViewType.ALL):
            i, d = r.info, r.data
            history = {k: sorted({(m.timestamp, m.step, "nan" if math.isnan(m.value) else m.value) for m in client.get_metric_history(i.run_id, k)})
                       for k in d.metrics}
            inputs = sorted((x.dataset.name, x.dataset.digest, x.dataset.schema, x.dataset.profile, x.dataset.source, [(t.key, t.value) for t in x.tags])
                            for x in r.inputs.dataset_inputs)
            out["run", i.run_id] = (e.name, i.run_name, i.status, i.start_time, i.end_time, i.lifecycle_stage, i.user_id, d.params, d.tags,
                                    {k: "nan" if math.isnan(v) else v for k, v in d.metrics.items()}, history, inputs,
                                    sorted(m.model_id for m in r.outputs.model_outputs))
            if i.lifecycle_stage == "active":
                out["artifacts", i.run_id] = sorted((f.path, f.file_size) for f in client.list_artifacts(i.run_id, "notes"))
        if e.lifecycle_stage == "active":
            for m in client.search_logged_models([e.experiment_id]):
                out["logged model", m.model_id] = (m.name, str(m.status), m.source_run_id, m.creation_timestamp, m.params, m.tags,
                                                   sorted((x.key, x.timestamp, x.step, str(x.value)) for x in m.metrics if x.key != "nan"))  # MLflow in SQLite answers 0 for these
            for t in client.search_traces(locations=[e.experiment_id]) if traces else []:
                i = t.info
                out["trace", i.trace_id] = (i.state, i.request_time, i.execution_duration, i.request_preview, i.response_preview, i.token_usage,
                                            {k: v for k, v in i.tags.items() if k != "mlflow.artifactLocation"},
                                            {k: v for k, v in i.trace_metadata.items() if k != "mlflow.trace.tokenUsage"},
                                            [s.to_dict() for s in t.data.spans],
                                            sorted((a.name, str(a.value), a.rationale, a.metadata or {}, str(a.error), a.create_time_ms) for a in i.assessments))
    for m in client.search_registered_models():
        out["registered", m.name] = m.description, m.creation_timestamp, m.tags, {k: str(v) for k, v in m.aliases.items()}
        for found in client.search_model_versions(f"name = '{m.name}'"):
            v = client.get_model_version(m.name, found.version)
            out["version", m.name, int(v.version)] = (v.current_stage, v.run_id, v.description or "", v.tags, v.aliases, v.source, v.creation_timestamp, v.status)
    return out


def test_import_gives_the_same_answers(old_store, new_server, monkeypatch, tmp_path):
    path, uri = old_store
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    summary = json.loads(new_server.command("migrate", "--from-mlflow", str(path), "--json"))
    assert (summary["experiments"], summary["runs"], summary["logged_models"], summary["registered_models"], summary["model_versions"]) == (2, 3, 2, 1, 2)
    in_database = uri.startswith("sqlite")
    assert summary["traces"] == (2 if in_database else 0)
    assert len(summary["artifacts_not_imported"]) == 2 and "other/back" in summary["artifacts_not_imported"][0]
    client = MlflowClient(new_server.http_url)
    mlflow.set_tracking_uri(uri)  # the file store asks for it, too
    want, got = everything(MlflowClient(uri), in_database), everything(client, in_database)
    assert sorted(got, key=str) == sorted(want, key=str)
    for key in want:
        assert got[key] == want[key], key
    again = json.loads(new_server.command("migrate", "--from-mlflow", str(path), "--json"))
    assert again["runs"] == again["experiments"] == again["artifact_files"] == 0 and again["already_here"] > 0
    mlflow.set_tracking_uri(new_server.http_url)
    model = mlflow.pyfunc.load_model("models:/delay@champion")
    assert round(float(model.predict(pd.DataFrame({"x": [3.0]}))[0]), 6) == 3
    run = client.get_model_version("delay", "1").run_id
    assert client.create_model_version("delay", f"runs:/{run}/notes", run_id=run).version in (3, "3")
    assert client.create_experiment("after")


def test_import_refuses_what_it_cannot_read(new_server, tmp_path):
    import sqlite3

    old = tmp_path / "old.db"
    with sqlite3.connect(old) as c:
        c.execute("CREATE TABLE alembic_version (version_num TEXT)")
        c.execute("INSERT INTO alembic_version VALUES ('728d730b5ebd')")
    assert "mlflow db upgrade" in new_server.command("migrate", "--from-mlflow", str(old), ok=False)
    (tmp_path / "x.db").write_text("no database at all " * 100)
    assert "not a database" in new_server.command("migrate", "--from-mlflow", str(tmp_path / "x.db"), ok=False)
    assert "no store of MLflow" in new_server.command("migrate", "--from-mlflow", str(tmp_path / "absent"), ok=False)
    (tmp_path / "empty").mkdir()
    assert "not a file store" in new_server.command("migrate", "--from-mlflow", str(tmp_path / "empty"), ok=False)


@pytest.fixture
def big(tmp_path):
    """A file of 200 MB of varied bytes."""
    path = tmp_path / "big.bin"
    block = os.urandom(1 << 20)
    with open(path, "wb") as f:
        for n in range(200):
            f.write(n.to_bytes(8, "big") + block[8:])
    return path


def test_client_uploads_and_downloads_in_parts(new_server, big, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE", str(10 << 20))
    monkeypatch.setenv("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", str(16 << 20))
    monkeypatch.setenv("MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD", "true")
    client = MlflowClient(new_server.http_url)
    run = client.create_run(client.create_experiment("big")).info.run_id
    calm = new_server.rss()
    client.log_artifact(run, str(big), "in parts")
    grown = new_server.rss() - calm
    metrics = get(new_server, "/metrics")[2].decode()
    assert 'route="/api/2.0/mlflow-artifacts/mpu/part/{upload_id}/{part_number}",status="200"} 13' in metrics
    to = tmp_path / "to"
    to.mkdir()
    got = pathlib.Path(client.download_artifacts(run, "in parts/big.bin", str(to)))
    assert got.read_bytes() == big.read_bytes()
    assert grown < 100 << 20 and new_server.rss() - calm < 100 << 20
    assert not list((new_server.data_dir / "artifacts" / ".uploads").iterdir())


def test_upload_goes_on_after_a_kill(new_server):
    client = MlflowClient(new_server.http_url)
    run = client.create_run(client.create_experiment("cut")).info
    base = new_server.http_url + "/api/2.0/mlflow-artifacts/mpu/"
    place = run.artifact_uri.removeprefix("mlflow-artifacts:/")

    def call(method, url, body):
        request = urllib.request.Request(url, method=method, data=body if isinstance(body, bytes) else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as r:
            return r.headers.get("ETag"), json.loads(r.read())

    created = call("POST", base + "create/" + place, {"path": "/home/me/model.bin", "num_parts": 2})[1]
    first = call("PUT", created["credentials"][0]["url"], b"a" * 1000)[0]
    new_server.kill()
    new_server.start()
    with urllib.request.urlopen(base + "part/" + created["upload_id"], timeout=10) as r:
        assert json.loads(r.read())["parts"] == [{"part_number": 1, "etag": first.strip('"'), "size": 1000}]
    second = call("PUT", created["credentials"][1]["url"], b"b" * 500)[0]
    parts = [{"part_number": 1, "etag": first}, {"part_number": 2, "etag": second}]
    call("POST", base + "complete/" + place, {"path": "/home/me/model.bin", "upload_id": created["upload_id"], "parts": parts})
    assert [(f.path, f.file_size) for f in client.list_artifacts(run.run_id)] == [("model.bin", 1500)]


def test_ranges_and_etags(new_server):
    client = MlflowClient(new_server.http_url)
    run = client.create_run(client.create_experiment("ranges")).info
    client.log_text(run.run_id, "0123456789", "f.txt")
    path = "/api/2.0/mlflow-artifacts/artifacts/" + run.artifact_uri.removeprefix("mlflow-artifacts:/") + "/f.txt"
    status, headers, body = get(new_server, path, Range="bytes=2-5")
    assert (status, body, headers["Content-Range"]) == (206, b"2345", "bytes 2-5/10")
    etag = headers["ETag"]
    assert get(new_server, path, If_None_Match=etag)[0] == 304
    assert get(new_server, path, Range="bytes=99-")[0] == 416
    time.sleep(0.01)
    client.log_text(run.run_id, "abcdefghij", "f.txt")
    assert get(new_server, path, Range="bytes=2-5", If_Range=etag)[::2] == (200, b"abcdefghij")
