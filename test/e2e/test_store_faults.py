"""What goes wrong below the records and files: many writers, full and read-only disks, links and addresses that lead elsewhere."""

import http.server
import os
import pathlib
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest
import requests
from conftest import Server
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException


def test_a_thousand_writers_lose_nothing(new_server):
    """A thousand clients with a connection each, at once."""
    client = MlflowClient(new_server.http_url)
    experiment = client.create_experiment("storm")
    run = client.create_run(experiment).info.run_id
    api = new_server.http_url + "/api/2.0/mlflow/"
    ready, failed = threading.Barrier(1000), []

    def write(n):
        with requests.Session() as s:
            # A connection that was not made says nothing of the server's store.
            s.mount("http://", requests.adapters.HTTPAdapter(max_retries=requests.adapters.Retry(connect=5, read=0, backoff_factor=0.2)))
            ready.wait(60)
            for path, body in (
                ("runs/log-metric", {"run_id": run, "key": f"m{n % 7}", "value": n, "step": n, "timestamp": n}),
                ("runs/set-tag", {"run_id": run, "key": "shared", "value": str(n)}),
                ("runs/log-parameter", {"run_id": run, "key": f"p{n}", "value": str(n)}),
                ("runs/create", {"experiment_id": experiment, "run_name": f"r{n}", "start_time": n}),
            ):
                try:
                    answer = s.post(api + path, json=body, timeout=60)
                    if answer.status_code != 200:
                        failed.append((path, answer.text))
                except requests.RequestException as e:
                    failed.append((path, repr(e)))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(1000)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed, failed[:3]
    data = client.get_run(run).data
    assert data.params == {f"p{n}": str(n) for n in range(1000)}
    assert data.tags["shared"] in {str(n) for n in range(1000)}
    assert sorted(m.step for k in range(7) for m in client.get_metric_history(run, f"m{k}")) == list(range(1000))
    assert {r.info.run_name for r in client.search_runs([experiment], max_results=2000)} >= {f"r{n}" for n in range(1000)}


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own that a test may fill or make read-only."""
    path = tmp_path / "disk"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(path)], capture_output=True).returncode != 0:
        pytest.skip("file systems cannot be mounted here")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def fill(path):
    """Leaves no room at all."""
    with open(path, "wb", buffering=0) as f:
        size = 1 << 20
        while size:
            try:
                f.write(bytes(size))
            except OSError:
                size //= 2


def test_full_disk(small_disk, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    s = Server(small_disk / "data")
    try:
        client = MlflowClient(s.http_url)
        run = client.create_run("0").info.run_id
        client.log_metric(run, "before", 1.0)
        client.log_text(run, "small", "small.txt")
        fill(small_disk / "ballast")
        with pytest.raises(MlflowException):
            client.log_text(run, "x" * (1 << 20), "large.txt")
        acknowledged, refused = [], 0
        for step in range(2000):  # the log of the database has some room of its own
            try:
                client.log_metric(run, "during", float(step), step=step)
                acknowledged.append(step)
            except MlflowException as e:
                assert "internal error" not in str(e).lower() or "log tells" in str(e)
                refused += 1
                if refused > 3:
                    break
        assert refused, "a full disk was not noticed"
        assert client.get_run(run).data.metrics["before"] == 1.0  # reading goes on
        (small_disk / "ballast").unlink()
        client.log_metric(run, "after", 2.0)  # and so does writing, once there is room
        client.log_text(run, "x" * (1 << 20), "large.txt")
        assert {f.path for f in client.list_artifacts(run)} == {"small.txt", "large.txt"}
        s.kill()
        s.start()
        stored = {m.step for m in client.get_metric_history(run, "during")}
        assert stored >= set(acknowledged)
        assert client.get_run(run).data.metrics["after"] == 2.0
    finally:
        s.kill()


def test_read_only_store(small_disk, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    s = Server(small_disk / "data")
    try:
        client = MlflowClient(s.http_url)
        run = client.create_run("0").info.run_id
        client.log_metric(run, "before", 1.0)
        files = sorted((small_disk / "data").glob("millpond.db*"))
        assert files
        # A file system that is in use cannot be made read-only; a limit on the size of files does as well.
        subprocess.run(["prlimit", f"--pid={s.process.pid}", "--fsize=1:unlimited"], check=True)
        with pytest.raises(MlflowException):
            for step in range(50):
                client.log_metric(run, "during", float(step), step=step)
        assert client.get_run(run).data.metrics["before"] == 1.0
        subprocess.run(["prlimit", f"--pid={s.process.pid}", "--fsize=unlimited:unlimited"], check=True)
        client.log_metric(run, "after", 2.0)
        assert client.get_run(run).data.metrics["after"] == 2.0
        s.stop()
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        with pytest.raises(RuntimeError, match="read-only"):
            s.start()
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
        s.start()
        assert client.get_run(run).data.metrics["after"] == 2.0
    finally:
        s.kill()


def test_links_in_the_artifact_root_lead_nowhere(new_server, tmp_path):
    client = MlflowClient(new_server.http_url)
    run = client.create_run("0").info.run_id
    client.log_text(run, "mine", "a.txt")
    root = next(p for p in pathlib.Path(new_server.data_dir).rglob("a.txt")).parent
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("do not tell")
    (root / "file").symlink_to(secret / "key")
    (root / "folder").symlink_to(secret)
    (root / "up").symlink_to("../../../../..")
    base = f"{new_server.http_url}/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/"
    for path in ("file", "folder/key", "up/millpond.db"):
        for url in (base + path, f"{new_server.http_url}/get-artifact?run_id={run}&path={urllib.parse.quote(path)}"):
            with pytest.raises(urllib.error.HTTPError) as e:
                urllib.request.urlopen(url)
            assert e.value.code in (400, 404) and b"do not tell" not in e.value.read()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(urllib.request.Request(base + "folder/new", data=b"x", method="PUT"))
    assert os.listdir(secret) == ["key"]


def test_addresses_of_artifacts_are_never_fetched(new_server):
    """A client may say that artifacts are elsewhere; the server does not go there."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_PUT = do_POST = do_HEAD = do_GET

        def log_message(self, *args):
            pass

    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    inside = f"127.0.0.1:{receiver.server_port}"
    client = MlflowClient(new_server.http_url)
    try:
        client.create_registered_model("m")
        for n, location in enumerate((f"http://{inside}/x", f"https://{inside}/x", f"s3://{inside}/x", f"ftp://{inside}/x", "file:///etc", "/etc",
                                      f"mlflow-artifacts://{inside}/x", "dbfs:/x", f"hdfs://{inside}/x", "http://169.254.169.254/latest")):
            try:
                experiment = client.create_experiment(f"e{n}", artifact_location=location)
                run = client.create_run(experiment).info.run_id
                paths = [f"/api/2.0/mlflow/artifacts/list?run_id={run}", f"/get-artifact?run_id={run}&path=passwd"]
            except MlflowException as e:
                assert e.error_code == "INVALID_PARAMETER_VALUE"
                paths = []
            try:
                version = client.create_model_version("m", location).version
                paths += [f"/model-versions/get-artifact?name=m&version={version}&path=passwd",
                          f"/api/2.0/mlflow/model-versions/list-artifacts?name=m&version={version}"]
            except MlflowException as e:
                assert e.error_code == "INVALID_PARAMETER_VALUE"
            for path in paths:
                answer = requests.get(new_server.http_url + path, timeout=10)
                assert "root:" not in answer.text
                assert answer.status_code in (400, 404, 501) or answer.json().get("files") is None, (location, path, answer.text)
        assert asked == []
    finally:
        receiver.shutdown()
