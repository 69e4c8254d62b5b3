"""Webhooks of MLflow 3's client and of databricks-sdk: events, signatures, receivers that are slow or away."""

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
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import DatabricksError, InvalidParameterValue, NotImplemented, ResourceDoesNotExist
from databricks.sdk.service.ml import HttpUrlSpec, JobSpec, RegistryWebhookEvent, RegistryWebhookStatus
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


@pytest.fixture
def registry(open_server):
    return WorkspaceClient(config=Config(host=open_server.http_url, token="any")).model_registry


def messages(receiver):
    """What the receiver was sent by the workspace's registry, all of it signed."""
    out = []
    for headers, body in receiver.got:
        assert headers["X-Databricks-Signature"] == hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        out.append(json.loads(body))
    return sorted(out, key=lambda m: (m["event_timestamp"], m["event"]))


def test_the_workspace_registry_tells_all_its_events(open_server, registry, receiver):
    client = MlflowClient(open_server.http_url)
    every = registry.create_webhook(list(RegistryWebhookEvent), description="d", http_url_spec=HttpUrlSpec(url=receiver.url, secret=SECRET)).webhook
    assert every.status == RegistryWebhookStatus.ACTIVE and every.http_url_spec.url == receiver.url and every.http_url_spec.enable_ssl_verification
    client.create_registered_model("m")
    client.create_model_version("m", "s3://bucket/x")
    client.create_model_version("m", "s3://bucket/y")
    client.set_model_version_tag("m", "1", "k", "v")
    registry.transition_stage("m", "1", "Production", archive_existing_versions=False)
    registry.create_transition_request("m", "2", "Production", comment="please")
    registry.create_comment("m", "2", "looks good")
    registry.approve_transition_request("m", "2", "Production", archive_existing_versions=True)
    registry.create_transition_request("m", "1", "Staging")
    registry.create_transition_request("m", "2", "Archived")
    registry.transition_stage("m", "1", "Staging", archive_existing_versions=False)
    registry.transition_stage("m", "1", "Staging", archive_existing_versions=False)  # it is there: nothing happens
    assert until(lambda: len(receiver.got) == 19, 20), [m["event"] for m in messages(receiver)]
    got = messages(receiver)
    assert {m["event"] for m in got} == {e.value for e in RegistryWebhookEvent}
    assert all(m["webhook_id"] == every.id and m["model_name"] == "m" and "'m'" in m["text"] for m in got)
    moved = [(m["version"], m["from_stage"], m["to_stage"]) for m in got if m["event"] == "MODEL_VERSION_TRANSITIONED_STAGE"]
    assert sorted(moved) == [("1", "Archived", "Staging"), ("1", "None", "Production"), ("1", "Production", "Archived"), ("2", "None", "Production")]
    assert [(m["version"], m["to_stage"]) for m in got if m["event"] == "TRANSITION_REQUEST_TO_PRODUCTION_CREATED"] == [("2", "Production")]
    assert [(m["version"], m["comment"]) for m in got if m["event"] == "COMMENT_CREATED"] == [("2", "looks good")]
    assert [m["tags"] for m in got if m["event"] == "MODEL_VERSION_TAG_SET"] == [[{"key": "k", "value": "v"}]]
    assert next(m["text"] for m in got if m["event"] == "MODEL_VERSION_TRANSITIONED_TO_ARCHIVED") == "Registered model 'm' version 1 transitioned from Production to Archived."
    assert client.list_webhooks() == []  # MLflow's stand apart


def test_a_webhook_of_one_model_is_tested_changed_and_deleted(open_server, registry, receiver):
    client = MlflowClient(open_server.http_url)
    for name in ("m", "other"):
        client.create_registered_model(name)
    hook = registry.create_webhook([RegistryWebhookEvent.MODEL_VERSION_CREATED], model_name="m", status=RegistryWebhookStatus.TEST_MODE,
                                   http_url_spec=HttpUrlSpec(url=receiver.url, secret=SECRET, authorization="Bearer abc")).webhook
    client.create_model_version("m", "s3://bucket/x")  # in test mode nothing is told
    tested = registry.test_registry_webhook(hook.id)
    assert (tested.status_code, tested.body) == (200, "seen")
    assert [m["event"] for m in messages(receiver)] == ["MODEL_VERSION_CREATED"] and receiver.got[0][0]["Authorization"] == "Bearer abc"
    receiver.got.clear()
    updated = registry.update_webhook(hook.id, status=RegistryWebhookStatus.ACTIVE, description="now for good").webhook
    assert updated.description == "now for good" and updated.model_name == "m" and updated.last_updated_timestamp >= updated.creation_timestamp
    client.rename_registered_model("m", "renamed")
    client.create_model_version("other", "s3://bucket/x")
    client.create_model_version("renamed", "s3://bucket/x")
    assert until(lambda: receiver.got, 10)
    assert [(m["model_name"], m["version"]) for m in messages(receiver)] == [("renamed", "2")]
    all_models = registry.create_webhook([RegistryWebhookEvent.COMMENT_CREATED], http_url_spec=HttpUrlSpec(url=receiver.url)).webhook
    assert [w.id for w in registry.list_webhooks(max_results=1)] == [all_models.id, hook.id]
    assert [w.id for w in registry.list_webhooks(model_name="renamed")] == [hook.id]
    assert [w.id for w in registry.list_webhooks(events=[RegistryWebhookEvent.COMMENT_CREATED])] == [all_models.id]
    registry.delete_webhook(all_models.id)
    with pytest.raises(ResourceDoesNotExist):
        registry.delete_webhook(all_models.id)
    client.delete_registered_model("renamed")
    assert list(registry.list_webhooks()) == []  # it goes with its model
    with pytest.raises(NotImplemented, match="job_spec"):
        registry.create_webhook([RegistryWebhookEvent.COMMENT_CREATED], job_spec=JobSpec(job_id="1", access_token="x"))
    with pytest.raises(ResourceDoesNotExist):
        registry.create_webhook([RegistryWebhookEvent.COMMENT_CREATED], model_name="none", http_url_spec=HttpUrlSpec(url=receiver.url))
    with pytest.raises(InvalidParameterValue):
        registry.create_webhook([RegistryWebhookEvent.REGISTERED_MODEL_CREATED], model_name="other", http_url_spec=HttpUrlSpec(url=receiver.url))
    receiver.server.server_close()
    receiver.server.shutdown()
    gone = registry.create_webhook([RegistryWebhookEvent.COMMENT_CREATED], http_url_spec=HttpUrlSpec(url=receiver.url)).webhook
    with pytest.raises(DatabricksError, match="could not be reached"):
        registry.test_registry_webhook(gone.id)


def test_secrets_lie_encrypted_and_move_with_a_backup(open_server, receiver, tmp_path):
    client = MlflowClient(open_server.http_url)
    secret = "a-secret-that-is-looked-for"
    hook = client.create_webhook("hook", receiver.url, ["registered_model.created"], secret=secret)
    client.create_registered_model("m")
    assert until(lambda: receiver.got, 10)
    open_server.stop()
    key = open_server.data_dir / "secret.key"
    assert key.stat().st_mode & 0o777 == 0o600
    for file in open_server.data_dir.rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes(), file
    open_server.command("backup", str(tmp_path / "b.tar.gz"))
    open_server.data_dir = tmp_path / "restored"
    open_server.command("restore", str(tmp_path / "b.tar.gz"))
    assert (open_server.data_dir / "secret.key").stat().st_mode & 0o777 == 0o600
    open_server.start()
    receiver.got.clear()
    assert client.test_webhook(hook.webhook_id).success
    headers, body = receiver.got[0]
    signed = f"{headers['X-Mlflow-Delivery-Id']}.{headers['X-Mlflow-Timestamp']}.{body.decode()}".encode()
    assert headers["X-Mlflow-Signature"] == "v1," + base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()

    open_server.stop()
    (open_server.data_dir / "secret.key").unlink()
    open_server.start()  # without the key nothing goes out unsigned
    receiver.got.clear()
    assert not client.test_webhook(hook.webhook_id).success and receiver.got == []
    client.update_webhook(hook.webhook_id, secret=secret)
    assert client.test_webhook(hook.webhook_id).success
