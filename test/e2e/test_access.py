"""Access: users and tokens made on the command line, what the real clients may and may not do."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request

import mlflow
import pytest
from conftest import BINARY, ROOT, Server, clean_env, forget_sessions, until
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import PermissionDenied, Unauthenticated
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.utils.credentials import get_default_host_creds
from mlflow.utils.rest_utils import http_request, verify_rest_response

PASSWORD = "correct horse battery"
CREDENTIALS = ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")


class AuthServiceClient:
    """What MLflow's client of this name sends; importing that one needs mlflow[auth]."""

    def __init__(self, uri):
        self.uri = uri

    def send(self, method, endpoint, **body):
        part = {"params" if method == "GET" else "json": body}
        return verify_rest_response(http_request(get_default_host_creds(self.uri), endpoint, method, **part), endpoint).json()

    def grant_user_permission(self, user, kind, resource, permission):
        self.send("POST", "/api/3.0/mlflow/users/permissions/grant", username=user, resource_type=kind, resource_id=resource, permission=permission)

    def user(self, method, call, name, **more):
        return self.send(method, f"/api/2.0/mlflow/users/{call}", username=name, **more)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    s = Server(tmp_path_factory.mktemp("access") / "data", "--access", "on")
    s.command("user", "add", "alice", "--admin")
    s.command("user", "add", "bob")
    s.tokens = {name: s.command("token", "create", "--user", name).strip() for name in ("alice", "bob")}
    yield s
    s.kill()


@pytest.fixture
def as_user(guarded, monkeypatch):
    """Gives a client of a user."""

    def become(name=None, password=None):
        for v in CREDENTIALS:
            monkeypatch.delenv(v, raising=False)
        if password:
            monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
            monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", password)
        elif name:
            monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", guarded.tokens[name])
        mlflow.set_tracking_uri(guarded.http_url)
        return MlflowClient(guarded.http_url)

    yield become
    mlflow.set_tracking_uri("")


def refused(code, call, *args, **kwargs):
    with pytest.raises(MlflowException) as e:
        call(*args, **kwargs)
    assert e.value.error_code == code, e.value


def test_strangers_are_refused(guarded, as_user):
    refused("UNAUTHENTICATED", as_user().search_experiments)
    with pytest.raises(urllib.error.HTTPError) as e:
        urllib.request.urlopen(guarded.http_url + "/api/2.0/mlflow/experiments/get?experiment_id=0")
    assert e.value.code == 401 and e.value.headers["WWW-Authenticate"].startswith("Basic") and json.load(e.value)["error_code"] == "UNAUTHENTICATED"
    assert urllib.request.urlopen(guarded.http_url + "/health").status == 200
    page = urllib.request.urlopen(urllib.request.Request(guarded.http_url + "/experiments", headers={"Accept": "text/html"}))
    assert "/login?next=" in page.url and "Log in" in page.read().decode()


def test_permissions_of_experiments_and_models(guarded, as_user, tmp_path):
    alice = as_user("alice")
    secret, shared = alice.create_experiment("secret"), alice.create_experiment("shared")
    run = alice.create_run(shared).info.run_id
    alice.log_text(run, "for readers", "a.txt")
    hidden = alice.create_run(secret).info.run_id
    alice.log_text(hidden, "not for bob", "a.txt")
    alice.create_registered_model("model")
    auth = AuthServiceClient(guarded.http_url)
    auth.grant_user_permission("bob", "experiment", secret, "NO_PERMISSIONS")

    bob = as_user("bob")
    assert {e.name for e in bob.search_experiments()} == {"Default", "shared"}
    refused("PERMISSION_DENIED", bob.get_experiment, secret)
    refused("PERMISSION_DENIED", bob.get_run, hidden)
    refused("PERMISSION_DENIED", bob.search_runs, [secret])
    assert [r.info.run_id for r in bob.search_runs([secret, shared])] == [run]
    assert mlflow.artifacts.load_text(f"runs:/{run}/a.txt") == "for readers"
    with pytest.raises(Exception, match="403|denied|Forbidden"):
        mlflow.artifacts.load_text(f"mlflow-artifacts:/{secret}/{hidden}/artifacts/a.txt")
    refused("PERMISSION_DENIED", bob.log_metric, run, "m", 1)  # READ is the default
    refused("PERMISSION_DENIED", bob.set_registered_model_alias, "model", "a", "1")
    with pytest.raises(MlflowException):
        AuthServiceClient(guarded.http_url).grant_user_permission("bob", "experiment", secret, "MANAGE")

    as_user("alice")
    auth.grant_user_permission("bob", "experiment", shared, "EDIT")
    bob = as_user("bob")
    bob.log_metric(run, "m", 1)
    bob.log_text(run, "more", "b.txt")
    refused("PERMISSION_DENIED", bob.delete_experiment, shared)
    own = bob.create_experiment("bob's")
    bob.delete_experiment(own)  # who makes something manages it

    workspace = WorkspaceClient(config=Config(host=guarded.http_url, token=guarded.tokens["alice"]))

    def done():  # the record is written beside the answer
        records = workspace.api_client.do("GET", "/api/2.0/millpond/audit")["records"]
        return {(r["username"], r["action"], r["status"]) for r in records} >= {("bob", "deleteExperiment", 200), ("bob", "deleteExperiment", 403)}

    assert until(done)


def test_the_history_of_a_stage_tells_who(guarded, as_user):
    alice = as_user("alice")
    alice.create_registered_model("staged")
    alice.create_model_version("staged", "s3://bucket/x")
    bob = WorkspaceClient(config=Config(host=guarded.http_url, token=guarded.tokens["bob"]))
    admin = WorkspaceClient(config=Config(host=guarded.http_url, token=guarded.tokens["alice"]))
    with pytest.raises(PermissionDenied):
        bob.model_registry.transition_stage("staged", "1", "Production", archive_existing_versions=False)
    bob.model_registry.create_transition_request("staged", "1", "Production", comment="please")  # a reader may ask
    with pytest.raises(PermissionDenied):
        bob.model_registry.approve_transition_request("staged", "1", "Production", archive_existing_versions=False)
    admin.model_registry.approve_transition_request("staged", "1", "Production", archive_existing_versions=False, comment="yes")
    history = bob.api_client.do("GET", "/api/2.0/millpond/model-versions/activities", query={"name": "staged", "version": "1"})["activities"]
    assert [(a["activity_type"], a["user_id"], a["from_stage"], a["to_stage"], a["comment"]) for a in history] == [
        ("APPROVED_REQUEST", "alice", "None", "Production", "yes"), ("REQUESTED_TRANSITION", "bob", "None", "Production", "please")]
    assert alice.get_model_version("staged", "1").user_id == "alice"


def test_users_and_passwords(guarded, as_user):
    as_user("alice")
    auth = AuthServiceClient(guarded.http_url)
    assert auth.user("POST", "create", "carol", password=PASSWORD)["user"]["username"] == "carol"
    carol = as_user("carol", PASSWORD)
    assert carol.search_experiments()
    auth.user("PATCH", "update-password", "carol", password=PASSWORD + "!")
    refused("UNAUTHENTICATED", as_user("carol", PASSWORD).search_experiments)
    as_user("alice")
    auth.user("PATCH", "update-admin", "carol", is_admin=True)
    as_user("carol", PASSWORD + "!")
    assert auth.user("GET", "get", "bob")["user"]["username"] == "bob"
    as_user("alice")
    auth.user("DELETE", "delete", "carol")
    refused("UNAUTHENTICATED", as_user("carol", PASSWORD + "!").search_experiments)
    assert [u["username"] for u in json.loads(guarded.command("user", "list", "--json"))] == ["alice", "bob"]


def test_tokens(guarded):
    workspace = WorkspaceClient(config=Config(host=guarded.http_url, token=guarded.tokens["bob"]))
    assert workspace.current_user.me().user_name == "bob"
    made = workspace.tokens.create(comment="for a test", lifetime_seconds=3600)
    other = WorkspaceClient(config=Config(host=guarded.http_url, token=made.token_value))
    assert other.current_user.me().user_name == "bob"
    assert "for a test" in [t.comment for t in workspace.tokens.list()]
    guarded.command("token", "revoke", str(made.token_info.token_id))  # by another process, while the server runs
    time.sleep(1.1)
    with pytest.raises((Unauthenticated, PermissionDenied)):
        other.current_user.me()
    assert made.token_value not in (guarded.data_dir / "millpond.db").read_bytes().decode("latin-1")


def test_programs_sign_in_by_oauth(guarded, as_user, monkeypatch):
    def sign_in(secret, name="bob"):
        return WorkspaceClient(config=Config(host=guarded.http_url, client_id=name, client_secret=secret))

    owner = WorkspaceClient(config=Config(host=guarded.http_url, token=guarded.tokens["bob"]))
    made = owner.tokens.create(comment="for a program", lifetime_seconds=3600)
    listed = len(list(owner.tokens.list()))
    program = sign_in(made.token_value)
    assert program.config.auth_type == "oauth-m2m" and program.current_user.me().user_name == "bob"
    lent = program.config.oauth_token()
    assert lent.access_token != made.token_value and lent.token_type == "Bearer"
    assert sign_in(made.token_value).config.oauth_token().access_token == lent.access_token  # not one more for each start
    assert len(list(owner.tokens.list())) == listed
    for name, secret in (("bob", "mpt_wrong"), ("alice", made.token_value), ("nobody", made.token_value)):
        with pytest.raises(ValueError, match="invalid_client"):
            sign_in(secret, name).current_user.me()
    as_user("alice")
    experiment = mlflow.create_experiment("by-oauth")
    as_user()
    with monkeypatch.context() as env:
        for name, value in (("HOST", guarded.http_url), ("CLIENT_ID", "bob"), ("CLIENT_SECRET", made.token_value)):
            env.setenv("DATABRICKS_" + name, value)
        client = MlflowClient("databricks")
        assert client.get_experiment(experiment).name == "by-oauth"
        refused("PERMISSION_DENIED", client.delete_experiment, experiment)
    owner.tokens.delete(made.token_info.token_id)
    with pytest.raises((Unauthenticated, PermissionDenied)):  # what was lent for a token ends with it
        WorkspaceClient(config=Config(host=guarded.http_url, token=lent.access_token)).current_user.me()


def test_models_of_unity_catalog_are_guarded(guarded, as_user):
    bob, admin = (WorkspaceClient(config=Config(host=guarded.http_url, token=guarded.tokens[n])) for n in ("bob", "alice"))
    admin.registered_models.create(catalog_name="main", schema_name="guarded", name="hidden")
    admin.registered_models.create(catalog_name="main", schema_name="guarded", name="seen")
    as_user("alice")
    AuthServiceClient(guarded.http_url).grant_user_permission("bob", "registered_model", "main.guarded.hidden", "NO_PERMISSIONS")
    assert [m.name for m in bob.registered_models.list(catalog_name="main", schema_name="guarded")] == ["seen"]
    admin.registered_models.update("main.guarded.hidden", new_name="elsewhere")  # the permissions go with it
    for call in (lambda: bob.registered_models.get("main.guarded.elsewhere"), lambda: list(bob.model_versions.list("main.guarded.elsewhere")),
                 lambda: bob.registered_models.update("main.guarded.seen", comment="mine"), lambda: bob.registered_models.delete("main.guarded.seen"),
                 lambda: bob.registered_models.set_alias("main.guarded.seen", "a", 1)):
        with pytest.raises(PermissionDenied):
            call()
    own = bob.registered_models.create(catalog_name="main", schema_name="guarded", name="own")
    with pytest.raises(PermissionDenied):  # bob may not do anything with a name that is hidden from him
        bob.registered_models.update(own.full_name, new_name="elsewhere")
    bob.registered_models.delete(own.full_name)  # who makes something manages it


def test_spark_connect_needs_a_token(guarded):
    from pyspark.errors.exceptions.connect import SparkConnectGrpcException
    from pyspark.sql import SparkSession

    try:
        with pytest.raises(SparkConnectGrpcException, match="UNAUTHENTICATED|not valid|token"):
            SparkSession.builder.remote(f"sc://localhost:{guarded.port}").create().range(3).count()
        with pytest.raises(SparkConnectGrpcException, match="UNAUTHENTICATED|not valid"):
            SparkSession.builder.remote(f"sc://localhost:{guarded.port}/;token=mpt_wrong").create().range(3).count()
        spark = SparkSession.builder.remote(f"sc://localhost:{guarded.port}/;token={guarded.tokens['bob']}").create()
        assert spark.range(3).count() == 3
        spark.stop()
    finally:
        forget_sessions()


@pytest.mark.parametrize("lab", ["26-load-once", "37-stage-and-load"])
def test_a_learner_who_signs_in_is_judged(guarded, tmp_path, monkeypatch, lab):
    """The first lab's model is loaded by Python workers, which sign in as the learner, too."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "python" / "src"))
    learn = [BINARY, "learn", "--server", guarded.http_url, "--json"]
    run = {"capture_output": True, "text": True, "timeout": 300}
    stranger = subprocess.run([*learn, "labs"], env=clean_env(), **run)
    assert stranger.returncode != 0 and "not authenticated" in stranger.stderr
    env = clean_env(MLFLOW_TRACKING_TOKEN=guarded.tokens["bob"])
    file = tmp_path / "solution.py"
    file.write_text("import millpond\n" + (ROOT / "content" / "labs" / lab / "solution.py").read_text())
    name = lab.partition("-")[2]
    started = subprocess.run([*learn, "start", name, "--dir", str(tmp_path)], env=env, **run)
    assert started.returncode == 0, started.stderr
    for f in json.loads(started.stdout)["files"][1:]:
        (tmp_path / f["name"]).write_text(f["text"])
    p = subprocess.run([*learn, "check", name, "--file", str(file), "--python", sys.executable], env=env, **run)
    assert p.returncode == 0, p.stdout + p.stderr
    assert "Python functions of Spark sessions" in [
        t.comment for t in WorkspaceClient(config=Config(host=guarded.http_url, token=guarded.tokens["bob"])).tokens.list()] or lab != "26-load-once"


def test_others_can_reach_it_so_tokens_are_needed(tmp_path):
    s = Server(tmp_path / "data")
    s.stop()
    s._flags = ("--http", f"0.0.0.0:{s.http}")
    s.start()
    try:
        with pytest.raises(urllib.error.HTTPError) as e:
            urllib.request.urlopen(s.http_url + "/api/2.0/mlflow/experiments/get?experiment_id=0")
        assert e.value.code == 401
        assert "millpond user add" in s.said()
    finally:
        s.kill()
