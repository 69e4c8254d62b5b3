"""A Millpond of its own for the tests, driven by the real Python clients.

MILLPOND_BIN names the program (default: bin/millpond of the repository). The Python that runs the
tests is the workers' Python too, so it needs pyspark with its Connect client.
"""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "spec" / "record"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A running millpond."""

    def __init__(self, data, *flags, env=None):
        self.data = str(data)
        self.port, self.http = free_port(), free_port()
        self.log = os.path.join(tempfile.mkdtemp(prefix="millpond-e2e-"), "log")
        binary = os.environ.get("MILLPOND_BIN", str(ROOT / "bin" / "millpond"))
        command = [binary, "serve", "--data-dir", self.data, "--connect", f"127.0.0.1:{self.port}", "--http", f"127.0.0.1:{self.http}",
                   "--python", sys.executable, *flags]
        self.process = subprocess.Popen(command, stdout=open(self.log, "wb"), stderr=subprocess.STDOUT, env={**os.environ, **(env or {})})
        deadline = time.time() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.time() > deadline:
                    raise RuntimeError("millpond did not start: " + self.said())

    @property
    def remote(self):
        return f"sc://127.0.0.1:{self.port}"

    def said(self):
        with open(self.log, errors="replace") as f:
            return f.read()

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
        import urllib.request
        text = urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=10).read().decode()
        return next(int(float(line.split()[1])) for line in text.splitlines() if line.startswith("millpond_operations_running "))

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("data"))
    yield s
    assert s.process.poll() is None, "the server ended: " + s.said()[-3000:]
    s.stop()


@pytest.fixture
def spark(server):
    s = server.session()
    s.conf.set("spark.sql.session.timeZone", "UTC")
    yield s
    try:
        s.stop()
    except Exception:
        pass  # a test may have ended it


def until(condition, seconds=10):
    """Waits for a condition and tells whether it came true."""
    deadline = time.time() + seconds
    while time.time() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()
