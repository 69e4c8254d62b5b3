"""Traces of the server's own requests, sent by OpenTelemetry's protocol."""

import http.server
import threading
import urllib.request

import pytest
from conftest import Server, until
from mlflow import MlflowClient
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@pytest.fixture
def collector():
    """Receives spans; gives their names with their attributes."""
    spans = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            request = ExportTraceServiceRequest()
            request.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
            for r in request.resource_spans:
                service = next(a.value.string_value for a in r.resource.attributes if a.key == "service.name")
                spans.extend((service, span) for s in r.scope_spans for span in s.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.spans = spans
    yield server
    server.shutdown()


def test_requests_are_traced(collector, tmp_path, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "mill")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    s = Server(tmp_path / "data")
    try:
        monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT")  # the clients here send none
        request = urllib.request.Request(s.http_url + "/api/2.0/mlflow/experiments/get?experiment_id=0",
                                         headers={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
        urllib.request.urlopen(request)
        MlflowClient(s.http_url).search_experiments()
        spark = s.session()
        assert spark.range(3).count() == 3
        spark.stop()
        names = lambda: {span.name for _, span in collector.spans}  # noqa: E731
        assert until(lambda: {"GET /api/2.0/mlflow/experiments/get", "POST /api/2.0/mlflow/experiments/search"} <= names()
                     and any("ExecutePlan" in n for n in names()), 10), names()
        get = next(span for _, span in collector.spans if span.name == "GET /api/2.0/mlflow/experiments/get")
        assert get.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c" and get.parent_span_id.hex() == "b7ad6b7169203331"
        attributes = {a.key: a.value for a in get.attributes}
        assert attributes["http.response.status_code"].int_value == 200 and attributes["http.route"].string_value == "/api/2.0/mlflow/experiments/get"
        assert {service for service, _ in collector.spans} == {"mill"}
        assert not any("health" in n for n in names())
    finally:
        assert s.stop() == 0


def test_a_receiver_that_is_away_harms_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    s = Server(tmp_path / "data")
    try:
        assert MlflowClient(s.http_url).search_experiments()
    finally:
        assert s.stop() == 0
