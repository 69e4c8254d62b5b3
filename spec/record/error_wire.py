"""Answers of the service itself, asked without pyspark's client logic: handles, plans that make no sense, settings, artifacts."""

import uuid
import zlib

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
import pyspark.sql.connect.proto as pb
from pyspark.sql.connect.proto.base_pb2_grpc import SparkConnectServiceStub

from error_cases import case, tidy


class Raw:
    """A session of its own on the server of spark."""

    def __init__(self, spark):
        host = spark.client._builder.host + ":" + str(spark.client._builder._port if hasattr(spark.client._builder, "_port") else spark.client._builder.port)
        self.channel = grpc.insecure_channel(host)
        self.stub = SparkConnectServiceStub(self.channel)
        self.id = str(uuid.uuid4())
        self.user = pb.UserContext(user_id="raw")

    def base(self, **kw):
        return dict(session_id=kw.pop("id", self.id), user_context=self.user, **kw)

    def execute(self, plan, **kw):
        return list(self.stub.ExecutePlan(pb.ExecutePlanRequest(plan=plan, **self.base(**kw))))

    def version(self, **kw):
        return self.stub.AnalyzePlan(pb.AnalyzePlanRequest(spark_version=pb.AnalyzePlanRequest.SparkVersion(), **self.base(**kw)))


def said(e):
    out = {"code": e.code().name, "message": tidy(e.details() or "", "/nowhere").split("\n")[0]}
    st = rpc_status.from_call(e)
    for d in st.details if st else []:
        if d.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            d.Unpack(info)
            out["reason"], out["domain"] = info.reason, info.domain
            out["keys"] = sorted(k for k in info.metadata if k != "stackTrace")
            out["condition"], out["state"] = info.metadata.get("errorClass"), info.metadata.get("sqlState")
            out["classes"] = info.metadata.get("classes")
    return out


def wire(fn):
    def run(spark, dir):
        raw = Raw(spark)
        try:
            return fn(raw)
        except grpc.RpcError as e:
            return said(e)
        finally:
            raw.channel.close()
    run.__name__ = fn.__name__
    return case(run)


def one():
    return pb.Plan(root=pb.Relation(range=pb.Range(end=3, step=1)))


def names(responses):
    return [r.WhichOneof("response_type") or ("schema" if r.HasField("schema") else "none") for r in responses if r.WhichOneof("response_type") != "execution_progress"]


@wire
def session_not_uuid(raw):
    raw.version(id="nope")


@wire
def session_not_found(raw):
    raw.version(client_observed_server_side_session_id=str(uuid.uuid4()))


@wire
def session_changed(raw):
    raw.version()
    raw.version(client_observed_server_side_session_id=str(uuid.uuid4()))


@wire
def session_released(raw):
    raw.version()
    raw.stub.ReleaseSession(pb.ReleaseSessionRequest(**raw.base()))
    raw.version()


@wire
def session_released_execute(raw):
    raw.version()
    raw.stub.ReleaseSession(pb.ReleaseSessionRequest(**raw.base()))
    raw.execute(one())


@wire
def session_released_reconnect(raw):
    a = raw.version().server_side_session_id
    raw.stub.ReleaseSession(pb.ReleaseSessionRequest(allow_reconnect=True, **raw.base()))
    return raw.version().server_side_session_id != a


@wire
def session_release_unknown(raw):
    return raw.stub.ReleaseSession(pb.ReleaseSessionRequest(**raw.base())).server_side_session_id


@wire
def session_release_unknown_then_use(raw):
    raw.stub.ReleaseSession(pb.ReleaseSessionRequest(**raw.base()))
    raw.version()


@wire
def plan_empty(raw):
    raw.execute(pb.Plan())


@wire
def plan_absent(raw):
    list(raw.stub.ExecutePlan(pb.ExecutePlanRequest(**raw.base())))


@wire
def relation_empty(raw):
    raw.execute(pb.Plan(root=pb.Relation()))


@wire
def relation_without_input(raw):
    raw.execute(pb.Plan(root=pb.Relation(limit=pb.Limit(limit=3))))


@wire
def command_empty(raw):
    raw.execute(pb.Plan(command=pb.Command()))


@wire
def expression_empty(raw):
    raw.execute(pb.Plan(root=pb.Relation(project=pb.Project(input=one().root, expressions=[pb.Expression()]))))


@wire
def literal_empty(raw):
    raw.execute(pb.Plan(root=pb.Relation(project=pb.Project(input=one().root, expressions=[pb.Expression(literal=pb.Expression.Literal())]))))


@wire
def local_garbage(raw):
    raw.execute(pb.Plan(root=pb.Relation(local_relation=pb.LocalRelation(data=b"garbage garbage garbage"))))


@wire
def local_nothing(raw):
    raw.execute(pb.Plan(root=pb.Relation(local_relation=pb.LocalRelation())))


@wire
def local_schema_only(raw):
    return names(raw.execute(pb.Plan(root=pb.Relation(local_relation=pb.LocalRelation(schema="a int")))))


@wire
def cached_absent(raw):
    raw.execute(pb.Plan(root=pb.Relation(cached_local_relation=pb.CachedLocalRelation(hash="0" * 64))))


@wire
def remote_absent(raw):
    raw.execute(pb.Plan(root=pb.Relation(cached_remote_relation=pb.CachedRemoteRelation(relation_id="nope"))))


@wire
def join_unspecified(raw):
    raw.execute(pb.Plan(root=pb.Relation(join=pb.Join(left=one().root, right=one().root))))


@wire
def set_op_unspecified(raw):
    raw.execute(pb.Plan(root=pb.Relation(set_op=pb.SetOperation(left_input=one().root, right_input=one().root))))


@wire
def analyze_empty(raw):
    raw.stub.AnalyzePlan(pb.AnalyzePlanRequest(**raw.base()))


@wire
def analyze_command_schema(raw):
    raw.stub.AnalyzePlan(pb.AnalyzePlanRequest(schema=pb.AnalyzePlanRequest.Schema(plan=pb.Plan(command=pb.Command())), **raw.base()))


@wire
def operation_not_uuid(raw):
    raw.execute(one(), operation_id="nope")


@wire
def operation_twice(raw):
    op = str(uuid.uuid4())
    reattach = [pb.ExecutePlanRequest.RequestOption(reattach_options=pb.ReattachOptions(reattachable=True))]
    raw.execute(one(), operation_id=op, request_options=reattach)
    raw.execute(one(), operation_id=op, request_options=reattach)


@wire
def operation_other_plan(raw):
    op = str(uuid.uuid4())
    reattach = [pb.ExecutePlanRequest.RequestOption(reattach_options=pb.ReattachOptions(reattachable=True))]
    raw.execute(one(), operation_id=op, request_options=reattach)
    raw.execute(pb.Plan(root=pb.Relation(range=pb.Range(end=9, step=1))), operation_id=op, request_options=reattach)


@wire
def operation_again_after_release(raw):
    op = str(uuid.uuid4())
    reattach = [pb.ExecutePlanRequest.RequestOption(reattach_options=pb.ReattachOptions(reattachable=True))]
    raw.execute(one(), operation_id=op, request_options=reattach)
    raw.stub.ReleaseExecute(pb.ReleaseExecuteRequest(operation_id=op, release_all=pb.ReleaseExecuteRequest.ReleaseAll(), **raw.base()))
    raw.execute(one(), operation_id=op, request_options=reattach)


@wire
def responses(raw):
    return names(raw.execute(one()))


@wire
def responses_reattachable(raw):
    return names(raw.execute(one(), request_options=[pb.ExecutePlanRequest.RequestOption(reattach_options=pb.ReattachOptions(reattachable=True))]))


@wire
def responses_empty(raw):
    return names(raw.execute(pb.Plan(root=pb.Relation(range=pb.Range(end=0, step=1)))))


@wire
def responses_sql(raw):
    return names(raw.execute(pb.Plan(command=pb.Command(sql_command=pb.SqlCommand(sql="select 1")))))


@wire
def responses_view(raw):
    return names(raw.execute(pb.Plan(command=pb.Command(create_dataframe_view=pb.CreateDataFrameViewCommand(input=one().root, name="v", replace=True)))))


@wire
def responses_resources(raw):
    return names(raw.execute(pb.Plan(command=pb.Command(get_resources_command=pb.GetResourcesCommand()))))


@wire
def reattach_unknown_session(raw):
    list(raw.stub.ReattachExecute(pb.ReattachExecuteRequest(operation_id=str(uuid.uuid4()), **raw.base())))


@wire
def reattach_unknown(raw):
    raw.version()
    list(raw.stub.ReattachExecute(pb.ReattachExecuteRequest(operation_id=str(uuid.uuid4()), **raw.base())))


@wire
def reattach_released(raw):
    op = str(uuid.uuid4())
    raw.execute(one(), operation_id=op, request_options=[pb.ExecutePlanRequest.RequestOption(reattach_options=pb.ReattachOptions(reattachable=True))])
    raw.stub.ReleaseExecute(pb.ReleaseExecuteRequest(operation_id=op, release_all=pb.ReleaseExecuteRequest.ReleaseAll(), **raw.base()))
    list(raw.stub.ReattachExecute(pb.ReattachExecuteRequest(operation_id=op, **raw.base())))


@wire
def reattach_not_reattachable(raw):
    op = str(uuid.uuid4())
    stream = raw.stub.ExecutePlan(pb.ExecutePlanRequest(plan=pb.Plan(root=pb.Relation(range=pb.Range(end=10_000_000, step=1))), operation_id=op, **raw.base()))
    next(stream)
    try:
        list(raw.stub.ReattachExecute(pb.ReattachExecuteRequest(operation_id=op, **raw.base())))
    finally:
        stream.cancel()


@wire
def reattach_goes_on(raw):
    op = str(uuid.uuid4())
    got = raw.execute(one(), operation_id=op, request_options=[pb.ExecutePlanRequest.RequestOption(reattach_options=pb.ReattachOptions(reattachable=True))])
    more = list(raw.stub.ReattachExecute(pb.ReattachExecuteRequest(operation_id=op, last_response_id=got[0].response_id, **raw.base())))
    return [x.response_id for x in more] == [x.response_id for x in got[1:]]


@wire
def reattach_wrong_response(raw):
    op = str(uuid.uuid4())
    raw.execute(one(), operation_id=op, request_options=[pb.ExecutePlanRequest.RequestOption(reattach_options=pb.ReattachOptions(reattachable=True))])
    list(raw.stub.ReattachExecute(pb.ReattachExecuteRequest(operation_id=op, last_response_id=str(uuid.uuid4()), **raw.base())))


@wire
def release_unknown(raw):
    raw.version()
    r = raw.stub.ReleaseExecute(pb.ReleaseExecuteRequest(operation_id=str(uuid.uuid4()), release_all=pb.ReleaseExecuteRequest.ReleaseAll(), **raw.base()))
    return [r.HasField("operation_id"), bool(r.server_side_session_id)]


@wire
def release_unknown_session(raw):
    raw.stub.ReleaseExecute(pb.ReleaseExecuteRequest(operation_id=str(uuid.uuid4()), release_all=pb.ReleaseExecuteRequest.ReleaseAll(), **raw.base()))


@wire
def interrupt_unspecified(raw):
    raw.version()
    raw.stub.Interrupt(pb.InterruptRequest(**raw.base()))


@wire
def interrupt_nothing(raw):
    raw.version()
    return list(raw.stub.Interrupt(pb.InterruptRequest(interrupt_type=pb.InterruptRequest.INTERRUPT_TYPE_ALL, **raw.base())).interrupted_ids)


@wire
def interrupt_tag_empty(raw):
    raw.version()
    raw.stub.Interrupt(pb.InterruptRequest(interrupt_type=pb.InterruptRequest.INTERRUPT_TYPE_TAG, **raw.base()))


@wire
def tag_with_comma(raw):
    raw.execute(one(), tags=["a,b"])


@wire
def tag_empty(raw):
    raw.execute(one(), tags=[""])


@wire
def error_details_unknown(raw):
    raw.version()
    r = raw.stub.FetchErrorDetails(pb.FetchErrorDetailsRequest(error_id=str(uuid.uuid4()), **raw.base()))
    return [r.HasField("root_error_idx"), len(r.errors)]


@wire
def error_details(raw):
    try:
        raw.execute(pb.Plan(root=pb.Relation(sql=pb.SQL(query="select nope"))))
    except grpc.RpcError as e:
        info = error_details_pb2.ErrorInfo()
        rpc_status.from_call(e).details[0].Unpack(info)
        r = raw.stub.FetchErrorDetails(pb.FetchErrorDetailsRequest(error_id=info.metadata["errorId"], **raw.base()))
        root = r.errors[r.root_error_idx]
        again = raw.stub.FetchErrorDetails(pb.FetchErrorDetailsRequest(error_id=info.metadata["errorId"], **raw.base()))
        return [root.spark_throwable.error_class, root.spark_throwable.sql_state, dict(root.spark_throwable.message_parameters), list(root.error_type_hierarchy), again.HasField("root_error_idx")]


@wire
def config_empty(raw):
    raw.stub.Config(pb.ConfigRequest(**raw.base()))


@wire
def config_set_get(raw):
    def op(**kw):
        return [(p.key, p.value if p.HasField("value") else None) for p in raw.stub.Config(pb.ConfigRequest(operation=pb.ConfigRequest.Operation(**kw), **raw.base())).pairs]
    k = "spark.sql.shuffle.partitions"
    return [op(set=pb.ConfigRequest.Set(pairs=[pb.KeyValue(key=k, value="3")])), op(get=pb.ConfigRequest.Get(keys=[k])),
            op(get_option=pb.ConfigRequest.GetOption(keys=["spark.nope", k])), op(get_with_default=pb.ConfigRequest.GetWithDefault(pairs=[pb.KeyValue(key="spark.nope", value="d"), pb.KeyValue(key="spark.nope2")])),
            op(unset=pb.ConfigRequest.Unset(keys=[k])), op(is_modifiable=pb.ConfigRequest.IsModifiable(keys=[k, "spark.sql.warehouse.dir"])),
            len(op(get_all=pb.ConfigRequest.GetAll(prefix="spark.sql.shuffle"))) >= 0]


@wire
def config_set_without_value(raw):
    raw.stub.Config(pb.ConfigRequest(operation=pb.ConfigRequest.Operation(set=pb.ConfigRequest.Set(pairs=[pb.KeyValue(key="spark.sql.shuffle.partitions")])), **raw.base()))


@wire
def config_get_option_unset_known(raw):
    r = raw.stub.Config(pb.ConfigRequest(operation=pb.ConfigRequest.Operation(get_option=pb.ConfigRequest.GetOption(keys=["spark.sql.ansi.enabled", "spark.sql.session.timeZone", "spark.sql.warehouse.dir"])), **raw.base()))
    return [p.HasField("value") for p in r.pairs]


def artifact(name, data=b"x", crc=None):
    return pb.AddArtifactsRequest.SingleChunkArtifact(name=name, data=pb.AddArtifactsRequest.ArtifactChunk(data=data, crc=zlib.crc32(data) if crc is None else crc))


def add(raw, *requests):
    r = raw.stub.AddArtifacts(iter(requests))
    return [[a.name, a.is_crc_successful] for a in r.artifacts]


def batch(raw, *items):
    return pb.AddArtifactsRequest(batch=pb.AddArtifactsRequest.Batch(artifacts=items), **raw.base())


@wire
def artifact_pyfile(raw):
    return add(raw, batch(raw, artifact("pyfiles/a.py")))


@wire
def artifact_file(raw):
    return add(raw, batch(raw, artifact("files/a.txt")))


@wire
def artifact_archive(raw):
    import io
    import zipfile
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w") as z:
        z.writestr("x.txt", "x")
    return add(raw, batch(raw, artifact("archives/a.zip#env", b.getvalue())))


@wire
def artifact_cache(raw):
    import hashlib
    h = hashlib.sha256(b"x").hexdigest()
    got = add(raw, batch(raw, artifact("cache/" + h)))
    st = raw.stub.ArtifactStatus(pb.ArtifactStatusesRequest(names=["cache/" + h, "cache/nope"], **raw.base()))
    return [got[0][1], st.statuses["cache/" + h].exists, st.statuses["cache/nope"].exists]


@wire
def artifact_crc_wrong(raw):
    return add(raw, batch(raw, artifact("pyfiles/b.py", crc=1)))


@wire
def artifact_escape(raw):
    return add(raw, batch(raw, artifact("pyfiles/../../../b.py")))


@wire
def artifact_absolute(raw):
    return add(raw, batch(raw, artifact("/etc/b.py")))


@wire
def artifact_class(raw):
    return add(raw, batch(raw, artifact("classes/a.class")))


@wire
def artifact_jar(raw):
    return add(raw, batch(raw, artifact("jars/a.jar")))


@wire
def artifact_unknown_place(raw):
    return add(raw, batch(raw, artifact("nowhere/a.txt")))


@wire
def artifact_same_again(raw):
    add(raw, batch(raw, artifact("pyfiles/c.py")))
    return add(raw, batch(raw, artifact("pyfiles/c.py")))


@wire
def artifact_other_again(raw):
    add(raw, batch(raw, artifact("pyfiles/d.py")))
    return add(raw, batch(raw, artifact("pyfiles/d.py", b"other")))


@wire
def artifact_chunks(raw):
    chunk = lambda d: pb.AddArtifactsRequest.ArtifactChunk(data=d, crc=zlib.crc32(d))
    return add(raw, pb.AddArtifactsRequest(begin_chunk=pb.AddArtifactsRequest.BeginChunkedArtifact(name="files/big", total_bytes=2, num_chunks=2, initial_chunk=chunk(b"a")), **raw.base()),
               pb.AddArtifactsRequest(chunk=chunk(b"b"), **raw.base()))


@wire
def artifact_chunks_missing(raw):
    chunk = lambda d: pb.AddArtifactsRequest.ArtifactChunk(data=d, crc=zlib.crc32(d))
    return add(raw, pb.AddArtifactsRequest(begin_chunk=pb.AddArtifactsRequest.BeginChunkedArtifact(name="files/big2", total_bytes=2, num_chunks=2, initial_chunk=chunk(b"a")), **raw.base()))


@wire
def clone(raw):
    raw.version()
    r = raw.stub.CloneSession(pb.CloneSessionRequest(**raw.base()))
    return [bool(r.new_session_id), bool(r.server_side_session_id), bool(r.new_server_side_session_id), r.new_session_id != raw.id]


@wire
def clone_bad_id(raw):
    raw.version()
    raw.stub.CloneSession(pb.CloneSessionRequest(new_session_id="nope", **raw.base()))


@wire
def clone_same_id(raw):
    raw.version()
    raw.stub.CloneSession(pb.CloneSessionRequest(new_session_id=raw.id, **raw.base()))


@wire
def clone_unknown(raw):
    return bool(raw.stub.CloneSession(pb.CloneSessionRequest(**raw.base())).new_session_id)


@wire
def status_unknown(raw):
    raw.version()
    r = raw.stub.GetStatus(pb.GetStatusRequest(operation_status=pb.GetStatusRequest.OperationStatusRequest(operation_ids=[str(uuid.uuid4())]), **raw.base()))
    return [pb.GetStatusResponse.OperationStatus.OperationState.Name(s.state) for s in r.operation_statuses]


@wire
def status_done(raw):
    op = str(uuid.uuid4())
    reattach = [pb.ExecutePlanRequest.RequestOption(reattach_options=pb.ReattachOptions(reattachable=True))]
    raw.execute(one(), operation_id=op, request_options=reattach)
    r = raw.stub.GetStatus(pb.GetStatusRequest(operation_status=pb.GetStatusRequest.OperationStatusRequest(operation_ids=[op]), **raw.base()))
    before = [pb.GetStatusResponse.OperationStatus.OperationState.Name(s.state) for s in r.operation_statuses]
    raw.stub.ReleaseExecute(pb.ReleaseExecuteRequest(operation_id=op, release_all=pb.ReleaseExecuteRequest.ReleaseAll(), **raw.base()))
    r = raw.stub.GetStatus(pb.GetStatusRequest(operation_status=pb.GetStatusRequest.OperationStatusRequest(operation_ids=[op]), **raw.base()))
    return before + [pb.GetStatusResponse.OperationStatus.OperationState.Name(s.state) for s in r.operation_statuses]


@wire
def status_all(raw):
    op = str(uuid.uuid4())
    reattach = [pb.ExecutePlanRequest.RequestOption(reattach_options=pb.ReattachOptions(reattachable=True))]
    raw.execute(one(), operation_id=op, request_options=reattach)
    raw.execute(pb.Plan(root=pb.Relation(range=pb.Range(end=9, step=1))), request_options=reattach)
    r = raw.stub.GetStatus(pb.GetStatusRequest(operation_status=pb.GetStatusRequest.OperationStatusRequest(), **raw.base()))
    return [pb.GetStatusResponse.OperationStatus.OperationState.Name(s.state) for s in r.operation_statuses]


@wire
def status_nothing_asked(raw):
    raw.version()
    return len(raw.stub.GetStatus(pb.GetStatusRequest(**raw.base())).operation_statuses)


@wire
def status_unknown_session(raw):
    raw.stub.GetStatus(pb.GetStatusRequest(**raw.base()))
