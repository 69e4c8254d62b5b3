"""Start and stop the servers that are compared: Millpond, Spark's own Connect server, MLflow's own server."""
import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, process, seconds):
    """Seconds until a connection is taken; an error if the process ends or it takes too long."""
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with exit code {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return time.perf_counter() - start
        time.sleep(0.002)
    raise RuntimeError(f"{process.args[0]} did not listen within {seconds} s")


def wait_http(url, process, seconds):
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with exit code {process.returncode}")
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return time.perf_counter() - start
        time.sleep(0.01)
    raise RuntimeError(f"{url} did not answer within {seconds} s")


def memory(pid, what="VmRSS"):
    """Resident megabytes of a process and all below it (VmHWM: its peak)."""
    total, todo = 0, [pid]
    while todo:
        p = todo.pop()
        with contextlib.suppress(OSError):
            for line in open(f"/proc/{p}/status"):
                if line.startswith(what):
                    total += int(line.split()[1])
            for t in os.listdir(f"/proc/{p}/task"):
                todo += [int(c) for c in open(f"/proc/{p}/task/{t}/children").read().split()]
    return total / 1024


@contextlib.contextmanager
def running(args, env=None):
    """A process in a group of its own, ended with all its children."""
    # Spark's server refuses to start where SPARK_REMOTE is set, as the managed runtime does.
    clean = {k: v for k, v in os.environ.items() if k not in ("SPARK_REMOTE", "MLFLOW_TRACKING_URI")}
    with tempfile.TemporaryFile() as log:
        p = subprocess.Popen(args, stdout=log, stderr=log, env={**clean, **(env or {})}, start_new_session=True)
        try:
            yield p
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace")[-3000:])
            raise
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(p.pid, 15)
            with contextlib.suppress(subprocess.TimeoutExpired):
                p.wait(15)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(p.pid, 9)


@contextlib.contextmanager
def millpond():
    """Yields (process, Spark address, MLflow address, seconds until both ports answer)."""
    rpc, http = free_port(), free_port()
    with tempfile.TemporaryDirectory() as data, running([
            str(ROOT / "bin/millpond"), "serve", "--data-dir", data, "--python", sys.executable,
            "--connect", f"127.0.0.1:{rpc}", "--http", f"127.0.0.1:{http}"]) as p:
        ready = wait_port(rpc, p, 20) + wait_port(http, p, 20)
        yield p, f"sc://127.0.0.1:{rpc}", f"http://127.0.0.1:{http}", ready


@contextlib.contextmanager
def spark(memory="4g"):
    """Spark's Connect server from the pyspark package; needs Java 17. Yields (process, address, seconds until the port answers)."""
    import pyspark
    home, port = os.path.dirname(pyspark.__file__), free_port()
    with tempfile.TemporaryDirectory() as work:
        env = {"SPARK_HOME": home, "SPARK_NO_DAEMONIZE": "1", "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOG_DIR": work,
               "SPARK_PID_DIR": work, "PYSPARK_PYTHON": sys.executable}
        with running(["bash", f"{home}/sbin/start-connect-server.sh", "--wait", "--master", "local[2]", "--driver-memory", memory,
                      "--conf", "spark.ui.enabled=false", "--conf", f"spark.connect.grpc.binding.port={port}",
                      "--conf", "spark.sql.shuffle.partitions=4", "--conf", f"spark.sql.warehouse.dir={work}/warehouse"], env) as p:
            yield p, f"sc://127.0.0.1:{port}", wait_port(port, p, 120)


@contextlib.contextmanager
def mlflow():
    """MLflow's own tracking server on SQLite. Yields (process, address, seconds until /health answers)."""
    port = free_port()
    with tempfile.TemporaryDirectory() as work, running([
            sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port),
            "--backend-store-uri", f"sqlite:///{work}/mlflow.db", "--artifacts-destination", f"{work}/artifacts",
            "--uvicorn-opts", "--timeout-worker-healthcheck 60"],  # on two cores its workers start too slowly for the default
            {"PATH": os.path.dirname(sys.executable) + ":" + os.environ["PATH"]}) as p:
        yield p, f"http://127.0.0.1:{port}", wait_http(f"http://127.0.0.1:{port}/health", p, 120)
