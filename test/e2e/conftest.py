"""A Millpond of its own for the tests, driven by the real Python clients.

MILLPOND_BIN names the program (default: bin/millpond of the repository). The Python that runs the
tests is the workers' Python too.
"""

import atexit
import gc
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import pytest

PASSWORD = "pa55-that-is-never-shown"
ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("MILLPOND_BIN", str(ROOT / "bin" / "millpond"))
sys.path.insert(0, str(ROOT / "spec" / "record"))  # the recorders' cases, which tests run again

# `millpond runtime run` points at the default server; the tests have their own.
os.environ.pop("SPARK_REMOTE", None)
os.environ.pop("MLFLOW_TRACKING_URI", None)
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("MPLBACKEND", "Agg")


def free_port():
    """A port that is free now, and that the system does not give to outgoing connections."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def clean_env(**more):
    """The environment of a process of its own: without what mlflow and pyspark set in this one."""
    ours = ("MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "DATABRICKS_HOST", "DATABRICKS_TOKEN",
            "SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED")
    return {**{k: v for k, v in os.environ.items() if k not in ours}, **more}


def forget_sessions():
    """Leaves no Spark session active: mlflow would ask it, and wait for a server that has gone."""
    from pyspark.sql.connect.session import SparkSession as Connect

    Connect._active_session.session = None
    Connect._default_session = None


class Server:
    """A running millpond with a data directory of its own. It can be killed and started again."""

    def __init__(self, data_dir, *flags):
        self.data_dir = pathlib.Path(data_dir)
        self.port, self.http = free_port(), free_port()
        self.remote = f"sc://127.0.0.1:{self.port}"
        self.http_url = f"http://127.0.0.1:{self.http}"
        self._flags = flags
        self._log = pathlib.Path(tempfile.mkdtemp(prefix="millpond-e2e-")) / "log"
        self.start()

    def start(self):
        with open(self._log, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--data-dir", str(self.data_dir), "--connect", f"127.0.0.1:{self.port}",
                 "--http", f"127.0.0.1:{self.http}", "--python", sys.executable, *self._flags], stdout=log, stderr=log)
        if not until(lambda: self.process.poll() is not None or self._healthy(), 30) or self.process.poll() is not None:
            self.kill()
            raise RuntimeError("the server does not start: " + self.said())

    def command(self, *args, ok=True):
        """Runs a command of the program on this server's data directory; gives what it printed."""
        p = subprocess.run([BINARY, *args, "--data-dir", str(self.data_dir)], capture_output=True, text=True, timeout=120)
        assert (p.returncode == 0) == ok, p.stdout + p.stderr
        return p.stdout if ok else p.stderr

    def _healthy(self):
        try:
            with urllib.request.urlopen(self.http_url + "/health", timeout=1) as r:
                return r.status == 200
        except OSError:
            return False

    def said(self):
        """The end of the server's log."""
        return self._log.read_text(errors="replace")[-3000:]

    def stacks(self):
        """What all of the server's goroutines are doing."""
        before = self._log.stat().st_size
        self.process.send_signal(signal.SIGUSR1)
        until(lambda: self._log.stat().st_size > before, 5)
        time.sleep(0.5)  # for the rest of them
        with open(self._log, errors="replace") as log:
            log.seek(before)
            return log.read()

    def kill(self, how=signal.SIGKILL):
        """Ends the server; gives its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        forget_sessions()
        return self.process.wait(30)

    def stop(self):
        return self.kill(signal.SIGTERM)

    def session(self):
        """A new Spark session that shares nothing with others."""
        from pyspark.sql import SparkSession
        from pyspark.sql.connect.session import SparkSession as Connect

        s = SparkSession.builder.remote(self.remote).create()
        Connect._active_session.session = s  # ML asks the active session
        return s

    def rss(self):
        """Resident memory in bytes."""
        with open(f"/proc/{self.process.pid}/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def running(self):
        """How many queries run."""
        with urllib.request.urlopen(self.http_url + "/metrics", timeout=10) as r:
            text = r.read().decode()
        return next(int(float(line.split()[1])) for line in text.splitlines() if line.startswith("millpond_operations_running "))


@pytest.fixture(autouse=True, scope="module")
def no_session_of_other_modules():
    forget_sessions()


@pytest.fixture
def new_server(tmp_path):
    """A server that the test may kill."""
    s = Server(tmp_path / "data")
    yield s
    s.kill()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("millpond") / "data")
    yield s
    assert s.process.poll() is None, "the server ended: " + s.said()
    assert s.stop() == 0, "the server does not stop cleanly"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory):
    """The address of a PostgreSQL of its own, with a password; an empty database is there."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    if not found:
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install --no-install-recommends postgresql)")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="millpond-postgres-"))
    (directory / "password").write_text(PASSWORD)
    run_as = {}
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        user = pwd.getpwnam("postgres")
        run_as = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        for path in (directory, directory / "password"):
            os.chown(path, user.pw_uid, user.pw_gid)
    port = free_port()
    subprocess.run([found[-1] / "initdb", "-D", directory / "data", "-U", "millpond", "--auth=scram-sha-256", f"--pwfile={directory / 'password'}",
                    "--no-sync", "--locale=C.UTF-8"], check=True, capture_output=True, cwd=directory, **run_as)
    with open(directory / "log", "wb") as log:
        process = subprocess.Popen([found[-1] / "postgres", "-D", directory / "data", "-p", str(port), "-h", "127.0.0.1", "-c", "unix_socket_directories="],
                                   stdout=log, stderr=log, cwd=directory, **run_as)
    address = f"postgres://millpond:{PASSWORD}@127.0.0.1:{port}/postgres"
    ready = [found[-1] / "psql", "-X", "-q", "-c", "SELECT 1", address]
    assert until(lambda: subprocess.run(ready, capture_output=True).returncode == 0, 30), (directory / "log").read_text()
    yield address
    process.send_signal(signal.SIGINT)
    process.wait(30)
    shutil.rmtree(directory)


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def store(request, tmp_path_factory):
    """A server of the module's own, on each database."""
    flags = ["--store", request.getfixturevalue("postgres")] if request.param == "postgres" else []
    s = Server(tmp_path_factory.mktemp("store") / "data", *flags)
    yield s
    s.kill()


def pytest_unconfigure():
    """Spares clients that a test left open their goodbyes: their servers have gone, and each would be asked for minutes."""
    core = sys.modules.get("pyspark.sql.connect.client.core")
    for client in gc.get_objects() if core else []:
        if issubclass(type(client), core.SparkConnectClient):  # not isinstance: proxies look through
            atexit.unregister(client._on_exit)


@pytest.fixture
def spark(server):
    s = server.session()
    s.conf.set("spark.sql.session.timeZone", "UTC")
    yield s
    try:
        s.stop()
    except Exception:
        pass  # the test may have ended it
    forget_sessions()


def until(condition, seconds=10):
    """Waits for a condition and tells whether it came true."""
    deadline = time.time() + seconds
    while time.time() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()
