"""What must not bring the server down: cancelled queries, dead clients, full disks, absurd plans."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import pytest
from conftest import Server, until
from pyspark.ml.classification import GBTClassifier, RandomForestClassifier
from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import OneHotEncoder, StringIndexer, VectorAssembler
from pyspark.ml.regression import DecisionTreeRegressor, LinearRegression
from pyspark.sql import functions as F

LONG = "select sum(a.id * b.id % 7) s from range(3000000) a, range(300000) b"


@pytest.fixture(autouse=True)
def server_stays_well(server):
    yield
    s = server.session()
    assert s.range(3).selectExpr("sum(id)").collect()[0][0] == 3
    s.stop()


def slow_udf(spark):
    @F.udf("long")
    def slow(x):
        import time
        time.sleep(0.05)
        return x
    return spark.range(100_000).select(slow("id")).agg(F.sum("slow(id)"))


def features(spark, rows=400_000):
    df = spark.range(rows).selectExpr(*[f"(id * {p}) % 1009 / 7.0 f{p}" for p in (3, 5, 7, 11, 13, 17)], "cast((id * 31) % 97 > 48 as double) label")
    return VectorAssembler(inputCols=[f"f{p}" for p in (3, 5, 7, 11, 13, 17)], outputCol="features").transform(df)


WORK = {
    "sql": lambda s: s.sql(LONG).collect(),
    "udf": lambda s: slow_udf(s).collect(),
    "gbt": lambda s: GBTClassifier(maxIter=500, maxDepth=8).fit(features(s)),
    "forest": lambda s: RandomForestClassifier(numTrees=200, maxDepth=14).fit(features(s)),
    "kmeans": lambda s: KMeans(k=150, maxIter=100_000, tol=0.0).fit(features(s)),
    "write": lambda s: s.sql("select a.id * b.id x from range(3000000) a, range(30000) b").write.mode("overwrite").format("noop").save(),
}


@pytest.mark.parametrize("kind", list(WORK))
@pytest.mark.parametrize("how", ["all", "tag", "operation"])
def test_interrupt(server, kind, how):
    if how != "all" and kind not in ("sql", "gbt"):
        pytest.skip("one way is enough for this work")
    spark = server.session()
    spark.range(1).collect()
    ended, ids = {}, []

    def work():
        type(spark)._active_session.session = spark
        if how == "tag":
            spark.addTag("mine")
        try:
            WORK[kind](spark)
            ended["error"] = None
        except Exception as e:
            ended["error"] = e
        ended["at"] = time.time()

    t = threading.Thread(target=work)
    t.start()
    assert until(lambda: server.running() > 0)
    time.sleep(1.5)
    if how == "operation":
        import pyspark.sql.connect.proto as pb
        r = spark.client._stub.GetStatus(pb.GetStatusRequest(session_id=spark.client._session_id, user_context=pb.UserContext(user_id=spark.client._user_id),
                                                             operation_status=pb.GetStatusRequest.OperationStatusRequest()))
        running = [o.operation_id for o in r.operation_statuses if o.state == pb.GetStatusResponse.OperationStatus.OPERATION_STATE_RUNNING]
        assert running
        start = time.time()
        for op in running:
            ids += spark.interruptOperation(op)
    else:
        start = time.time()
        ids = spark.interruptAll() if how == "all" else spark.interruptTag("mine")
    t.join(20)
    assert not t.is_alive(), "the work did not end"
    assert ids
    assert ended["error"] is not None and "OPERATION_CANCELED" in str(ended["error"]), ended
    assert ended["at"] - start < 3, f"it took {ended['at'] - start:.1f} s"
    assert until(lambda: server.running() == 0)
    spark.stop()


def run_client(server, code):
    head = f"from pyspark.sql import SparkSession, functions as F\nspark = SparkSession.builder.remote({server.remote!r}).getOrCreate()\n"
    return subprocess.Popen([sys.executable, "-c", head + code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize("code", [f"spark.sql({LONG!r}).collect()", "spark.range(2000000000).toLocalIterator().__next__(); import time; time.sleep(100)"])
def test_killed_client(server, code):
    before = server.rss()
    client = run_client(server, code)
    assert until(lambda: server.running() > 0, 20)
    time.sleep(1)
    client.send_signal(signal.SIGKILL)
    client.wait()
    assert until(lambda: server.running() == 0, 30), "the query goes on without its client"
    assert server.rss() - before < 700 << 20


def test_released_session_ends_its_queries(server):
    spark = server.session()
    errors = []

    def work():
        try:
            spark.sql(LONG).collect()
        except Exception as e:
            errors.append(e)

    t = threading.Thread(target=work)
    t.start()
    assert until(lambda: server.running() > 0)
    spark.client.release_session()
    t.join(20)
    assert errors
    assert until(lambda: server.running() == 0)


def test_killed_python_worker(spark):
    @F.udf("int")
    def die(x):
        import os
        import signal
        os.kill(os.getpid(), signal.SIGKILL)
    with pytest.raises(Exception, match="Python worker exited unexpectedly"):
        spark.range(3).select(die("id")).collect()

    @F.udf("long")
    def fine(x):
        return x + 1
    assert [r[0] for r in spark.range(3).select(fine("id")).collect()] == [1, 2, 3]


def test_worker_that_stops_reading(spark):
    """A hung worker is ended with its query."""
    @F.udf("int")
    def hang(x):
        import signal
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        while True:
            pass
    ended = []

    def work():
        try:
            spark.range(3).select(hang("id")).collect()
        except Exception as e:
            ended.append(e)
    t = threading.Thread(target=work)
    t.start()
    time.sleep(2)
    spark.interruptAll()
    t.join(10)
    assert ended and "OPERATION_CANCELED" in str(ended[0])


def test_terminated_server(tmp_path):
    s = Server(tmp_path)
    spark = s.session()
    spark.client.set_retry_policies([])  # it would ask for ten minutes, and keep the interpreter from ending
    errors = []

    def work():
        try:
            spark.sql(LONG).collect()
        except Exception as e:
            errors.append(e)

    t = threading.Thread(target=work, daemon=True)
    t.start()
    assert until(lambda: s.running() > 0)
    start = time.time()
    s.process.send_signal(signal.SIGTERM)
    s.process.wait(20)
    assert time.time() - start < 15 and s.process.returncode == 0, s.said()[-2000:]
    t.join(10)
    assert errors


def test_deep_plan(spark):
    df = spark.range(2)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(50_000)  # the client itself recurses into its plan
    try:
        for i in range(1000):
            df = df.withColumn(f"c{i % 5}", F.col("id") + i)
        assert df.select("c4").collect()[1][0] == 1 + 999
    finally:
        sys.setrecursionlimit(limit)


def test_deep_plan_that_depends(spark):
    df = spark.range(2)
    for _ in range(300):
        df = df.withColumn("id", F.col("id") + 1)
    assert [r[0] for r in df.collect()] == [300, 301]


def test_deep_expression(spark):
    e = F.col("id")
    for _ in range(30):  # the client's own protobuf library allows a depth of about a hundred
        e = e + 1
    assert spark.range(1).select(e.alias("x")).collect()[0][0] == 30


def test_too_deep_is_an_error(spark):
    text = "(" * 20000 + "1" + ")" * 20000
    with pytest.raises(Exception):
        spark.sql("select " + text).collect()


def test_huge_literal(spark):
    text = "x" * (8 << 20)
    assert spark.range(1).select(F.length(F.lit(text)).alias("n")).collect()[0][0] == 8 << 20
    many = list(range(20_000))
    assert spark.range(30_000).where(F.col("id").isin(many)).count() == 20_000


def test_many_columns(server, spark):
    df = spark.range(3).select(*[(F.col("id") + i).alias(f"c{i}") for i in range(10_000)])
    before = server.rss()
    assert len(df.columns) == 10_000
    assert df.limit(2).toPandas().shape == (2, 10_000)
    assert server.rss() - before < 3 << 30


def test_huge_error_message(spark):
    with pytest.raises(Exception) as e:
        spark.range(1).select("x" * 500_000).collect()
    assert "UNRESOLVED_COLUMN" in str(e.value)


def test_many_categories(spark):
    n = 100_000
    df = spark.range(n).selectExpr("concat('k', cast(id as string)) k", "cast(id % 13 as double) label")
    m = StringIndexer(inputCol="k", outputCol="i").fit(df)
    assert len(m.labels) == n
    df = m.transform(df)
    encoded = OneHotEncoder(inputCols=["i"], outputCols=["o"]).fit(df).transform(df)
    rows = VectorAssembler(inputCols=["o"], outputCol="features").transform(encoded)
    assert rows.count() == n
    model = LinearRegression(maxIter=2, solver="l-bfgs", regParam=0.1).fit(rows)
    assert model.numFeatures == n - 1
    trees = VectorAssembler(inputCols=["i"], outputCol="features").transform(df)
    with pytest.raises(Exception, match="DecisionTree requires maxBins .* to be at least as large as the number of values in each categorical feature"):
        DecisionTreeRegressor().fit(trees)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 MB."""
    path = tmp_path / "disk"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(path)], capture_output=True).returncode != 0:
        pytest.skip("mounting needs root")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_disk_full(small_disk, tmp_path):
    """Spilling or writing that fails is an error of the query; the server goes on."""
    s = Server(small_disk / "data", "--memory", "150MiB", "--threads", "2")
    try:
        spark = s.session()
        big = spark.range(10_000_000).selectExpr("id", "md5(cast(id as string)) m")
        with pytest.raises(Exception) as e:
            big.orderBy("m").write.parquet(str(tmp_path / "out"))
        assert "INTERNAL_ERROR" not in str(e.value), e.value
        with pytest.raises(Exception) as e:
            big.write.parquet(str(small_disk / "out"))
        assert "INTERNAL_ERROR" not in str(e.value), e.value
        assert s.process.poll() is None, s.said()[-2000:]
        assert spark.range(10).count() == 10
        spark.range(1000).write.parquet(str(small_disk / "little"))
        assert spark.read.parquet(str(small_disk / "little")).count() == 1000
        assert not (small_disk / "out").exists()
    finally:
        s.stop()


def test_broken_requests(server):
    """Bytes that are no messages."""
    import grpc
    channel = grpc.insecure_channel(f"127.0.0.1:{server.port}")
    call = channel.unary_unary("/spark.connect.SparkConnectService/AnalyzePlan", request_serializer=lambda b: b, response_deserializer=lambda b: b)
    for data in (b"\xff" * 100, b"\x0a\xff\xff\xff\xff\x0f", os.urandom(1000)):
        with pytest.raises(grpc.RpcError):
            call(data)


def test_many_sessions(server):
    sessions = [server.session() for _ in range(30)]
    results, errors = [], []

    def work(s):
        try:
            results.append(s.range(1000).selectExpr("sum(id)").collect()[0][0])
        except Exception as e:
            errors.append(e)
    threads = [threading.Thread(target=work, args=(s,)) for s in sessions]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors and results == [499500] * 30
    for s in sessions:
        s.stop()


def test_an_idle_server_is_small(tmp_path):
    """Starting maps most of the program; what nobody uses is let go, and the server works on."""
    s = Server(tmp_path / "data")

    def resident():  # in kB
        status = pathlib.Path(f"/proc/{s.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s*(\d+)", status)[1])

    try:
        assert until(lambda: resident() < 60_000, 20), resident()
        assert json.load(urllib.request.urlopen(s.http_url + "/api/2.0/mlflow/experiments/get?experiment_id=0"))["experiment"]["name"] == "Default"
    finally:
        s.kill()
