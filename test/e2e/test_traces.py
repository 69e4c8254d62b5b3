"""Traces, assessments and evaluations of MLflow's own client, on both databases."""

import gzip
import json
import urllib.error
import urllib.request
import uuid

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import AssessmentSource, Feedback, SpanType
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

HUMAN = AssessmentSource(source_type="HUMAN", source_id="me")


@pytest.fixture(autouse=True)
def experiment(store):
    mlflow.set_tracking_uri(store.http_url)
    yield mlflow.set_experiment(f"traces-{uuid.uuid4().hex[:8]}")
    mlflow.flush_trace_async_logging()
    mlflow.set_tracking_uri("")


@mlflow.trace(span_type=SpanType.CHAIN, attributes={"n": 5})
def add(x, y=2):
    with mlflow.start_span("inner", span_type="TOOL") as span:
        span.set_inputs({"x": x})
        span.set_attribute("color", "red 100%")
        span.set_outputs(x + y)
    return {"sum": x + y}


@mlflow.trace
def fail():
    raise ValueError("no")


def traced(x=1):
    add(x)
    mlflow.flush_trace_async_logging()
    return mlflow.get_last_active_trace_id()


def test_a_trace_comes_back_as_it_was_logged():
    trace = mlflow.get_trace(traced())
    assert trace.info.state == "OK" and trace.info.request_preview == '{"x": 1, "y": 2}'
    outer, inner = trace.data.spans
    assert (outer.name, outer.span_type, outer.inputs, outer.outputs, outer.attributes["n"]) == ("add", "CHAIN", {"x": 1, "y": 2}, {"sum": 3}, 5)
    assert (inner.name, inner.span_type, inner.outputs, inner.parent_id) == ("inner", "TOOL", 3, outer.span_id)
    with pytest.raises(ValueError):
        fail()
    mlflow.flush_trace_async_logging()
    failed = mlflow.get_trace(mlflow.get_last_active_trace_id())
    assert failed.info.state == "ERROR" and failed.data.spans[0].events[0].name == "exception"
    with pytest.raises(MlflowException, match="not found"):
        MlflowClient().set_trace_tag("tr-none", "a", "b")


def test_traces_are_found(experiment):
    first = traced()
    with pytest.raises(ValueError):
        fail()
    mlflow.flush_trace_async_logging()
    mlflow.set_trace_tag(first, "team", "blue")
    mlflow.log_feedback(trace_id=first, name="score", value=0.7)
    mlflow.log_feedback(trace_id=first, name="verdict", value="fine", source=HUMAN)
    for text, n in {
        "": 2, "tags.team = 'blue'": 1, "status = 'ERROR'": 1, "trace.status = 'OK'": 1, "name = 'add'": 1, "name LIKE 'f%'": 1,
        "span.name = 'inner' AND span.type = 'TOOL'": 1, "span.type = 'TOOL' AND span.name = 'add'": 0,
        "span.attributes.color = 'red 100%'": 1, "span.attributes.color = 'red 100x'": 0, "span.attributes.color LIKE '%red%'": 1,
        "span.attributes.n = '5'": 1, "trace.text LIKE '%sum%'": 1, "feedback.score > 0.5": 1, "feedback.score > 0.8": 0,
        "feedback.verdict = 'fine'": 1, "feedback.none IS NULL": 2, "timestamp > 5 AND execution_time < 100000": 2,
        "metadata.`mlflow.traceInputs` IS NOT NULL": 2, "trace.name IN ('add', 'x')": 1,
    }.items():
        found = mlflow.search_traces(filter_string=text, return_type="list")
        assert len(found) == n, text
    assert [t.info.state for t in mlflow.search_traces(order_by=["timestamp ASC"], return_type="list")] == ["OK", "ERROR"]
    pages = MlflowClient().search_traces(locations=[experiment.experiment_id], max_results=1)
    assert len(pages) == 1 and len(MlflowClient().search_traces(locations=[experiment.experiment_id], page_token=pages.token)) == 1
    with pytest.raises(MlflowException, match="Invalid attribute key"):
        mlflow.search_traces(filter_string="nonsense = 'x'")


def test_a_trace_belongs_to_its_run():
    with mlflow.start_run() as run:
        inside = traced()
    outside = traced()
    assert [t.info.trace_id for t in mlflow.search_traces(run_id=run.info.run_id, return_type="list")] == [inside]
    MlflowClient().link_traces_to_run([outside], run.info.run_id)
    assert {t.info.trace_id for t in mlflow.search_traces(run_id=run.info.run_id, return_type="list")} == {inside, outside}


def test_assessments_are_kept_changed_and_overridden():
    trace_id = traced()
    feedback = mlflow.log_feedback(trace_id=trace_id, name="good", value=True, rationale="ok", source=HUMAN, metadata={"m": "1"})
    expectation = mlflow.log_expectation(trace_id=trace_id, name="answer", value={"a": [1, 2]}, source=HUMAN)
    assert mlflow.get_assessment(trace_id, feedback.assessment_id).value is True
    assert mlflow.get_assessment(trace_id, expectation.assessment_id).value == {"a": [1, 2]}
    override = mlflow.override_feedback(trace_id=trace_id, assessment_id=feedback.assessment_id, value=False)
    assert mlflow.get_assessment(trace_id, feedback.assessment_id).valid is False
    mlflow.update_assessment(trace_id, override.assessment_id, Feedback(name="good", value="maybe", rationale="hm"))
    assert mlflow.get_assessment(trace_id, override.assessment_id).value == "maybe"
    assert {a.name for a in mlflow.get_trace(trace_id).info.assessments} == {"good", "answer"}
    mlflow.delete_assessment(trace_id, override.assessment_id)
    assert mlflow.get_assessment(trace_id, feedback.assessment_id).valid is True
    with pytest.raises(MlflowException, match="not found"):
        mlflow.get_assessment(trace_id, override.assessment_id)


def test_traces_and_tags_are_deleted(experiment):
    ids = [traced(n) for n in range(3)]
    mlflow.set_trace_tag(ids[0], "a", "b")
    mlflow.delete_trace_tag(ids[0], "a")
    assert "a" not in mlflow.get_trace(ids[0]).info.tags
    client = MlflowClient()
    assert client.delete_traces(experiment.experiment_id, trace_ids=ids[:1]) == 1
    assert client.delete_traces(experiment.experiment_id, max_timestamp_millis=2**52, max_traces=1) == 1
    assert [t.info.trace_id for t in mlflow.search_traces(return_type="list")] == ids[2:]


def test_other_programs_send_spans(store, experiment):
    """OpenTelemetry's protocol in JSON, as a program without MLflow sends it, a child before its root."""
    trace_id = uuid.uuid4().hex

    def span(name, span_id, parent=None, start=1_700_000_000, **attributes):
        return {"traceId": trace_id, "spanId": span_id, "parentSpanId": parent or "", "name": name, "startTimeUnixNano": str(start * 10**9),
                "endTimeUnixNano": str((start + 2) * 10**9),
                "attributes": [{"key": k.replace("__", "."), "value": {"stringValue": v}} for k, v in attributes.items()]}

    def send(*spans):
        body = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}, "scopeSpans": [{"spans": spans}]}]}
        request = urllib.request.Request(store.http_url + "/v1/traces", gzip.compress(json.dumps(body).encode()), {
            "Content-Type": "application/json", "Content-Encoding": "gzip", "x-mlflow-experiment-id": experiment.experiment_id})
        assert urllib.request.urlopen(request).status == 200

    usage = json.dumps({"input_tokens": 3, "output_tokens": 4, "total_tokens": 7})
    send(span("child", "00000000000000aa", "00000000000000bb", 1_700_000_001, mlflow__chat__tokenUsage=usage))
    info = mlflow.get_trace("tr-" + trace_id).info
    assert info.state == "IN_PROGRESS" and info.execution_duration == 2000
    send(span("root", "00000000000000bb", session__id="s1", mlflow__spanInputs="hello", mlflow__chat__tokenUsage=usage))
    trace = mlflow.get_trace("tr-" + trace_id)
    assert trace.info.state == "OK" and trace.info.execution_duration == 3000 and trace.info.request_preview == "hello"
    assert trace.info.tags["service.name"] == "shop" and trace.info.trace_metadata["mlflow.trace.session"] == "s1"
    assert trace.info.token_usage == {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}  # the root's is the sum
    assert [s.name for s in trace.data.spans] == ["root", "child"]


def test_evaluation_of_answers(experiment):
    @mlflow.genai.scorers.scorer
    def exact(outputs, expectations):
        return outputs == expectations["expected_response"]

    data = [{"inputs": {"q": q}, "expectations": {"expected_response": want}} for q, want in [("a", "A"), ("b", "X")]]
    result = mlflow.genai.evaluate(data=data, predict_fn=lambda q: q.upper(), scorers=[exact])
    assert result.metrics == {"exact/mean": 0.5}
    traces = mlflow.search_traces(run_id=result.run_id, return_type="list")
    assert sorted(a.value for t in traces for a in t.info.assessments if a.name == "exact") == [False, True]


def test_attachments_of_a_trace(store, tmp_path):
    trace_id = traced()
    location = MlflowClient().get_trace(trace_id).info.tags["mlflow.artifactLocation"]
    note = tmp_path / "note.txt"
    note.write_text("seen")
    get_artifact_repository(location).log_artifact(note, "attachments")
    url = f"{store.http_url}/ajax-api/2.0/mlflow/get-trace-artifact?request_id={trace_id}"
    assert urllib.request.urlopen(url + "&path=note.txt").read().decode() == "seen"
    spans = json.load(urllib.request.urlopen(url))["spans"]
    assert [s["name"] for s in spans] == ["add", "inner"]
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(url + "&path=../../../0/x")
    assert e.value.code == 400
