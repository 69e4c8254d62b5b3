"""Webhooks of MLflow 3's client: events, signatures, receivers that are slow or away."""

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time

import mlflow
import pytest
from conftest import Server, until
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

SECRET = "s3cret"


class Receiver:
    """Keeps what it is sent; may be slow, or away."""

    def __init__(self):
        self.got, self.delay, self.status = [], 0, 200
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(outer.delay)
                outer.got.append((dict(self.headers), body))
                self.send_response(outer.status)
                self.end_headers()
                self.wfile.write(b"seen")

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def events(self):
        return [(m["entity"], m["action"], m["data"]) for m in (json.loads(body) for _, body in self.got)]


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.server.shutdown()


@pytest.fixture
def open_server(tmp_path):
    s = Server(tmp_path / "data", "--webhooks-private")
    yield s
    s.kill()


def test_events_are_signed_and_survive(open_server, receiver):
    client = MlflowClient(open_server.http_url)
    events = ["registered_model.created", "model_version.created", "model_version_tag.set", "model_version_tag.deleted", "model_version_alias.created",
              "model_version_alias.deleted"]
    hook = client.create_webhook("hook", receiver.url, events, description="d", secret=SECRET)
    result = client.test_webhook(hook.webhook_id)
    assert result.success and result.response_status == 200 and result.response_body == "seen"
    receiver.got.clear()
    receiver.delay = 2
    start = time.time()
    client.create_registered_model("m", tags={"a": "b"})
    client.create_model_version("m", "s3://bucket/x", description="first")
    client.set_model_version_tag("m", "1", "k", "v")
    client.delete_model_version_tag("m", "1", "k")
    client.set_registered_model_alias("m", "champion", "1")
    client.delete_registered_model_alias("m", "champion")
    assert time.time() - start < 2, "a write waits for the receiver"
    assert until(lambda: len(receiver.got) == 6, 20), receiver.events()
    assert sorted(receiver.events(), key=str) == sorted([
        ("registered_model", "created", {"name": "m", "tags": {"a": "b"}, "description": ""}),
        ("model_version", "created", {"name": "m", "version": "1", "source": "s3://bucket/x", "run_id": None, "tags": {}, "description": "first"}),
        ("model_version_tag", "set", {"name": "m", "version": "1", "key": "k", "value": "v"}),
        ("model_version_tag", "deleted", {"name": "m", "version": "1", "key": "k"}),
        ("model_version_alias", "created", {"name": "m", "alias": "champion", "version": "1"}),
        ("model_version_alias", "deleted", {"name": "m", "alias": "champion"})], key=str)
    for headers, body in receiver.got:
        signed = f"{headers['X-Mlflow-Delivery-Id']}.{headers['X-Mlflow-Timestamp']}.{body.decode()}".encode()
        assert headers["X-Mlflow-Signature"] == "v1," + base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()

    receiver.got.clear()
    receiver.delay, receiver.status = 0, 503
    client.set_registered_model_alias("m", "later", "1")
    assert until(lambda: receiver.got, 10)
    open_server.kill()  # what was not heard is not lost
    receiver.got.clear()
    receiver.status = 200
    open_server.start()
    assert until(lambda: receiver.events(), 60)
    assert receiver.events()[0] == ("model_version_alias", "created", {"name": "m", "alias": "later", "version": "1"})


def test_prompts_have_events_of_their_own(open_server, receiver):
    client = MlflowClient(open_server.http_url)
    client.create_webhook("hook", receiver.url, ["prompt.created", "prompt_version.created", "prompt_alias.created"])
    mlflow.set_tracking_uri(open_server.http_url)
    try:
        mlflow.genai.register_prompt(name="greet", template="Hi {{name}}")
        mlflow.genai.set_prompt_alias("greet", alias="live", version=1)
    finally:
        mlflow.set_tracking_uri("")
    assert until(lambda: len(receiver.got) == 3, 10), receiver.events()
    events = {entity: data for entity, _, data in receiver.events()}
    assert events["prompt_version"]["template"] == "Hi {{name}}" and events["prompt_alias"]["alias"] == "live"


def test_addresses_inside_are_refused(server):
    client = MlflowClient(server.http_url)
    for url in ("https://127.0.0.1/x", "https://localhost/x", "https://169.254.169.254/latest/meta-data", "http://example.com/", "https://[::1]/"):
        with pytest.raises(MlflowException) as e:
            client.create_webhook("hook", url, ["registered_model.created"])
        assert e.value.error_code == "INVALID_PARAMETER_VALUE"
    assert client.list_webhooks() == []
