"""Starts the program to test. MILLPOND_BIN names it (default: bin/millpond)."""

import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

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
    ours = ("MLFLOW_EXPERIMENT_ID", "MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI", "SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED")
    return {**{k: v for k, v in os.environ.items() if k not in ours}, **more}


class Server:
    """A millpond with a data directory of its own. It can be killed and started again."""

    def __init__(self, data_dir):
        self.data_dir = pathlib.Path(data_dir)
        self._ports = free_port(), free_port()
        self.spark_url = f"sc://127.0.0.1:{self._ports[0]}"
        self.http_url = f"http://127.0.0.1:{self._ports[1]}"
        self._process = None

    @property
    def pid(self):
        return self._process.pid

    def start(self):
        binary = os.environ.get("MILLPOND_BIN", str(ROOT / "bin" / "millpond"))
        self._log = open(self.data_dir.parent / f"{self.data_dir.name}.log", "ab")
        self._process = subprocess.Popen(
            [binary, "serve", "--data-dir", str(self.data_dir), "--connect", f"127.0.0.1:{self._ports[0]}",
             "--http", f"127.0.0.1:{self._ports[1]}", "--python", sys.executable],
            stdout=self._log, stderr=self._log)
        for _ in range(300):
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(self.http_url + "/health", timeout=1) as r:
                    if r.status == 200:
                        return self
            except OSError:
                time.sleep(0.05)
        self.kill()
        raise RuntimeError("the server does not start: " + pathlib.Path(self._log.name).read_text()[-2000:])

    def kill(self, how=signal.SIGKILL):
        if self._process.poll() is None:
            self._process.send_signal(how)
        code = self._process.wait(20)
        self._log.close()
        return code


@pytest.fixture
def new_server(tmp_path):
    """A server that the test may kill."""
    s = Server(tmp_path / "data").start()
    yield s
    s.kill()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("millpond") / "data").start()
    yield s
    assert s.kill(signal.SIGTERM) == 0, "the server does not stop cleanly"


@pytest.fixture(scope="session")
def spark(server):
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(server.spark_url).getOrCreate()
    yield session
    session.stop()
