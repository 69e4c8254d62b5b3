"""The protocol with the real client: results, sessions, reattaching, progress, artifacts."""

import threading
import time
import uuid

import grpc
import pandas as pd
import pyarrow as pa
import pytest
import pyspark.sql.connect.proto as pb
from conftest import Server, until
from pyspark.sql import functions as F


class Proxy:
    """A TCP relay whose connections can be cut, as a bad network does."""

    def __init__(self, port, chunk=65536):
        import socket
        self.target, self.pairs, self.bytes, self.chunk = port, [], 0, chunk
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        import socket
        while True:
            try:
                a, _ = self.listener.accept()
            except OSError:
                return
            b = socket.create_connection(("127.0.0.1", self.target))
            self.pairs.append((a, b))
            threading.Thread(target=self._pump, args=(a, b, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(b, a, True), daemon=True).start()

    def _pump(self, a, b, count):
        try:
            while data := a.recv(self.chunk):
                if count:
                    self.bytes += len(data)
                b.sendall(data)
        except OSError:
            pass
        for s in (a, b):
            try:
                s.close()
            except OSError:
                pass

    def cut(self):
        import socket
        pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for s in pair:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def test_large_result_survives_cut_connections(server):
    from pyspark.sql import SparkSession
    proxy = Proxy(server.port)
    spark = SparkSession.builder.remote(f"sc://127.0.0.1:{proxy.port}").create()
    n, cuts, stop = 12_000_000, [], threading.Event()

    def saboteur():
        mark = 0
        while not stop.wait(0.01) and len(cuts) < 4:
            if proxy.bytes > mark + 15_000_000:
                mark = proxy.bytes
                proxy.cut()
                cuts.append(mark)

    spark.range(1).collect()
    t = threading.Thread(target=saboteur)
    t.start()
    table = spark.range(n).selectExpr("id", "id * 2 as twice").toArrow()
    stop.set()
    t.join()
    assert len(cuts) >= 2, f"only {len(cuts)} cuts in {proxy.bytes} bytes"
    assert table.num_rows == n
    import pyarrow.compute as pc
    assert pc.sum(table["id"]).as_py() == n * (n - 1) // 2
    assert table["id"][n - 1].as_py() == n - 1
    spark.stop()


def raw(server):
    from pyspark.sql.connect.proto.base_pb2_grpc import SparkConnectServiceStub
    channel = grpc.insecure_channel(f"127.0.0.1:{server.port}", [("grpc.max_receive_message_length", 128 << 20)])
    return SparkConnectServiceStub(channel), dict(session_id=str(uuid.uuid4()), user_context=pb.UserContext(user_id="raw"))


def test_slow_client_bounds_the_server(server):
    stub, base = raw(server)
    option = pb.ExecutePlanRequest.RequestOption(reattach_options=pb.ReattachOptions(reattachable=True))
    plan = pb.Plan(root=pb.Relation(range=pb.Range(end=400_000_000, step=1)))
    before = server.rss()
    stream = stub.ExecutePlan(pb.ExecutePlanRequest(plan=plan, operation_id=str(uuid.uuid4()), request_options=[option], **base))
    next(stream)
    time.sleep(3)  # 3.2 GB of rows wait for a client that does not read
    assert server.rss() - before < 600 << 20
    stub.Interrupt(pb.InterruptRequest(interrupt_type=pb.InterruptRequest.INTERRUPT_TYPE_ALL, **base))
    assert until(lambda: server.running() == 0)
    stream.cancel()


def test_result_is_read_without_releases(server):
    stub, base = raw(server)
    option = pb.ExecutePlanRequest.RequestOption(reattach_options=pb.ReattachOptions(reattachable=True))
    plan = pb.Plan(root=pb.Relation(range=pb.Range(end=20_000_000, step=1)))
    rows = 0
    for r in stub.ExecutePlan(pb.ExecutePlanRequest(plan=plan, operation_id=str(uuid.uuid4()), request_options=[option], **base)):
        rows += r.arrow_batch.row_count
    assert rows == 20_000_000


def test_second_stream_takes_over(server):
    stub, base = raw(server)
    op = str(uuid.uuid4())
    option = pb.ExecutePlanRequest.RequestOption(reattach_options=pb.ReattachOptions(reattachable=True))
    plan = pb.Plan(root=pb.Relation(sql=pb.SQL(query="select sum(a.id * b.id % 7) from range(200000) a, range(20000) b")))
    first = stub.ExecutePlan(pb.ExecutePlanRequest(plan=plan, operation_id=op, request_options=[option], **base))
    assert until(lambda: server.running() == 1)
    second = stub.ReattachExecute(pb.ReattachExecuteRequest(operation_id=op, **base))
    with pytest.raises(grpc.RpcError) as e:
        list(first)
    assert "INVALID_CURSOR.DISCONNECTED" in e.value.details()
    stub.Interrupt(pb.InterruptRequest(interrupt_type=pb.InterruptRequest.INTERRUPT_TYPE_ALL, **base))
    with pytest.raises(grpc.RpcError) as e:
        list(second)
    assert "OPERATION_CANCELED" in e.value.details()


def test_chunks_of_large_rows(server):
    stub, base = raw(server)
    option = pb.ExecutePlanRequest.RequestOption(result_chunking_options=pb.ResultChunkingOptions(allow_arrow_batch_chunking=True, preferred_arrow_chunk_size=100_000))
    plan = pb.Plan(root=pb.Relation(sql=pb.SQL(query="select repeat('x', 1000000) s from range(3)")))
    data, chunks = {}, 0
    for r in stub.ExecutePlan(pb.ExecutePlanRequest(plan=plan, request_options=[option], **base)):
        if r.HasField("arrow_batch"):
            b = r.arrow_batch
            assert len(b.data) <= 100_000 and b.chunk_index < b.num_chunks_in_batch
            data.setdefault(b.start_offset, []).append(b.data)
            chunks += 1
    assert chunks > 10
    assert sum(pa.ipc.open_stream(b"".join(d)).read_all().num_rows for d in data.values()) == 3


def test_row_larger_than_a_message(spark):
    n = 140 << 20
    assert spark.sql(f"select length(s) n, s from (select repeat('x', {n}) s)").toArrow()["n"][0].as_py() == n


def test_progress_moves(server):
    spark = server.session()
    seen = []
    spark.registerProgressHandler(lambda stages, inflight_tasks, operation_id, done: seen.append(([(s.num_tasks, s.num_completed_tasks) for s in stages], done)))
    spark.sql("select sum(a.id % 7 * (b.id % 5)) from range(3000000) a, range(400) b").collect()
    assert len(seen) >= 2
    totals = [sum(t for t, _ in s) for s, _ in seen if s]
    assert totals and max(totals) >= 1
    spark.stop()


@pytest.mark.parametrize("learner,params,tasks", [("GBTClassifier", {"maxIter": 300, "maxDepth": 5}, 300), ("RandomForestClassifier", {"numTrees": 200, "maxDepth": 10, "maxMemoryInMB": 1}, 2000)])
def test_progress_of_a_fit(server, learner, params, tasks):
    from pyspark.ml import classification
    from pyspark.ml.feature import VectorAssembler
    spark = server.session()
    seen = []
    spark.registerProgressHandler(lambda stages, inflight_tasks, operation_id, done: seen.append([(s.num_tasks, s.num_completed_tasks) for s in stages]))
    df = spark.range(400_000).selectExpr("id % 97 a", "id % 31 b", "rand(7) c", "rand(8) d", "cast(rand(5) + id % 97 + id % 31 > 60 as double) label")
    df = VectorAssembler(inputCols=["a", "b", "c", "d"], outputCol="features").transform(df)
    getattr(classification, learner)(**params).fit(df)
    counts = [done for stages in seen for total, done in stages if total == tasks]
    assert any(0 < done < tasks for done in counts), seen[-3:]
    spark.stop()


def test_sessions_do_not_share(server):
    a, b = server.session(), server.session()
    a.range(3).createOrReplaceTempView("mine")
    assert a.table("mine").count() == 3
    with pytest.raises(Exception, match="TABLE_OR_VIEW_NOT_FOUND"):
        b.table("mine").count()
    a.stop()
    b.stop()


def test_clone_keeps_views_and_settings(server):
    a = server.session()
    a.range(5).createOrReplaceTempView("v")
    a.conf.set("spark.sql.shuffle.partitions", "11")
    b = a.cloneSession()
    assert b.table("v").count() == 5 and b.conf.get("spark.sql.shuffle.partitions") == "11"
    b.conf.set("spark.sql.shuffle.partitions", "12")
    assert a.conf.get("spark.sql.shuffle.partitions") == "11"
    a.stop()
    assert b.table("v").count() == 5
    b.stop()


def test_idle_session_ends(tmp_path):
    s = Server(tmp_path, "--session-idle", "1s")
    try:
        spark = s.session()
        spark.range(1).createOrReplaceTempView("v")
        time.sleep(3)
        with pytest.raises(Exception, match="SESSION_CLOSED|SESSION_NOT_FOUND|SESSION_CHANGED"):
            spark.table("v").collect()
    finally:
        s.stop()


def test_local_relations_cached_and_chunked(spark):
    spark.conf.set("spark.sql.session.localRelationCacheThreshold", "1000")
    spark.conf.set("spark.sql.session.localRelationChunkSizeRows", "500")
    df = pd.DataFrame({"i": range(5000), "s": [f"s{i}" for i in range(5000)]})
    got = spark.createDataFrame(df).toPandas()
    pd.testing.assert_frame_equal(got, df)


def test_pyfile(spark, tmp_path):
    name = "m" + uuid.uuid4().hex[:8]
    (tmp_path / f"{name}.py").write_text("def f(x):\n    return x * 7\n")
    spark.addArtifacts(str(tmp_path / f"{name}.py"), pyfile=True)

    @F.udf("long")
    def g(x):
        import importlib
        return importlib.import_module(name).f(x)

    assert [r[0] for r in spark.range(3).select(g("id")).collect()] == [0, 7, 14]


def test_file_and_archive(spark, tmp_path):
    import zipfile
    (tmp_path / "a.txt").write_text("hello")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as z:
        z.writestr("in/b.txt", "from the archive")
    spark.addArtifacts(str(tmp_path / "a.txt"), file=True)
    spark.addArtifacts(str(tmp_path / "b.zip") + "#env", archive=True)

    @F.udf("string")
    def read(x):
        import os
        from pyspark import SparkFiles
        root = SparkFiles.getRootDirectory()
        return open(os.path.join(root, "a.txt")).read() + "; " + open(os.path.join(root, "env", "in", "b.txt")).read()

    assert spark.range(1).select(read("id")).collect()[0][0] == "hello; from the archive"


def test_archive_cannot_escape(spark, tmp_path):
    import zipfile
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as z:
        z.writestr("../../../../escaped.txt", "x")
    with pytest.raises(Exception, match="cannot be unpacked"):
        spark.addArtifacts(str(tmp_path / "bad.zip"), archive=True)


def test_keepalive_pings_are_welcome(server):
    from pyspark.sql.connect.proto.base_pb2_grpc import SparkConnectServiceStub
    options = [("grpc.keepalive_time_ms", 6000), ("grpc.keepalive_permit_without_calls", 1), ("grpc.http2.max_pings_without_data", 0)]
    stub = SparkConnectServiceStub(grpc.insecure_channel(f"127.0.0.1:{server.port}", options))
    base = dict(session_id=str(uuid.uuid4()), user_context=pb.UserContext(user_id="raw"))
    plan = pb.Plan(root=pb.Relation(sql=pb.SQL(query="select sum(a.id * b.id % 7) from range(2000000) a, range(2000) b")))
    # A connection that pings too often for the server's taste would be closed under the query.
    stream = stub.ExecutePlan(pb.ExecutePlanRequest(plan=plan, **base), timeout=20)
    try:
        for _ in stream:
            pass
    except grpc.RpcError as e:
        # A busy server can be the first to notice that the time is up: it then cancels the stream.
        assert e.code() in (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED), e


@pytest.mark.parametrize("condition", ["x < 1", "x <= 1", "x > 1", "x >= 1", "x = 1", "x <> 1", "x = double('NaN')", "not x < 1", "x > 0 and x < 3",
                                       "x < 0 or x > 2", "not (x > 0 and not x = 1)", "1 > x", "x > 0 and id % 2 = 0"])
def test_a_filter_of_kept_rows_is_that_of_others(spark, condition, capsys):
    """A filter by plain comparisons does not go through the engine where rows are in memory."""
    rows = ("select id, case id % 7 when 0 then null when 1 then double('NaN') when 2 then -0.0D when 3 then double('Infinity') "
            "else double(id % 7 - 4) end as x, array(id) as a from range(100)")
    want = [r.id for r in spark.sql(f"select id from ({rows}) where {condition} order by id").collect()]
    kept = spark.sql(rows).cache()
    kept.filter(condition).explain()
    assert ("+- Filter " in capsys.readouterr().out) == ("id %" not in condition and "NaN" not in condition)
    assert [r.id for r in kept.filter(condition).collect()] == want
    assert [r.a[0] for r in kept.withColumnRenamed("x", "y").selectExpr("y as x", "a", "id").filter(condition).select("a").collect()] == want
    assert kept.filter(condition).count() == len(want)
    assert [r.id for r in kept.filter(condition).cache().limit(5).collect()] == want[:5]
