"""Clients of Databricks: MLflow with a tracking address of "databricks", and databricks-sdk."""

import hashlib
import io
import os
import pathlib
import subprocess
import sys

import mlflow
import pytest
from conftest import clean_env
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import AlreadyExists, BadRequest, NotFound, NotImplemented, PermissionDenied, ResourceAlreadyExists, ResourceDoesNotExist
from databricks.sdk.service.ml import ActivityType
from mlflow import MlflowClient

HERE = pathlib.Path(__file__).parent


def run_notebook(server, name):
    env = clean_env(DATABRICKS_HOST=server.http_url, DATABRICKS_TOKEN="any", MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false")
    p = subprocess.run([sys.executable, HERE / name], env=env, capture_output=True, text=True, timeout=180)
    assert p.returncode == 0, p.stdout + p.stderr
    return p.stdout.split()[-1]


@pytest.fixture
def workspace(server):
    return WorkspaceClient(config=Config(host=server.http_url, token="any"))


def test_a_notebook_runs_unedited_and_mlflow_reads_what_it_made(new_server):
    run_id = run_notebook(new_server, "databricks_notebook.py")
    client = MlflowClient(new_server.http_url)
    run = client.get_run(run_id)
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")  # for those who are not Databricks' clients
    mlflow.set_tracking_uri(new_server.http_url)
    try:
        assert mlflow.pyfunc.load_model("models:/main.default.m@champion").metadata.run_id == run_id
        assert len(mlflow.search_traces(locations=[run.info.experiment_id], return_type="list")) == 1
    finally:
        mlflow.set_tracking_uri("")


def test_who_and_where(workspace, server):
    me = workspace.current_user.me()
    assert me.active and me.user_name and workspace.get_workspace_id() == 1
    MlflowClient(server.http_url).create_experiment("/Shared/team/one")
    assert workspace.workspace.get_status("/Shared/team").object_type.value == "DIRECTORY"
    status = workspace.api_client.do("GET", "/api/2.0/workspace/get-status", query={"path": "/Shared/team/one"})
    assert status["object_type"] == "MLFLOW_EXPERIMENT" and status["resource_id"] == str(status["object_id"])
    assert [o.path for o in workspace.workspace.list("/Shared/team")] == ["/Shared/team/one"]
    with pytest.raises(ResourceDoesNotExist):
        workspace.workspace.get_status("/Shared/none")


def test_files(workspace):
    root = "/Volumes/main/default/files"
    workspace.files.upload(root + "/a b/ü.txt", io.BytesIO(b"hello world"), overwrite=True)
    assert workspace.files.download(root + "/a b/ü.txt").contents.read() == b"hello world"
    with pytest.raises(AlreadyExists):
        workspace.files.upload(root + "/a b/ü.txt", io.BytesIO(b"again"), overwrite=False)
    meta = workspace.files.get_metadata(root + "/a b/ü.txt")
    assert meta.content_length == 11 and meta.last_modified
    workspace.files.create_directory(root + "/empty")
    workspace.files.get_directory_metadata(root + "/empty")
    assert [(e.name, e.is_directory) for e in workspace.files.list_directory_contents(root)] == [("a b", True), ("empty", True)]
    assert list(workspace.files.list_directory_contents(root + "/empty")) == []
    workspace.files.delete_directory(root + "/empty")
    workspace.files.delete(root + "/a b/ü.txt")
    for missing in (root + "/a b/ü.txt", "/Nowhere/x", "/Volumes/main/default/files/../../../../0/x"):
        with pytest.raises(Exception) as e:
            workspace.files.download(missing)
        assert isinstance(e.value, NotFound) or "Invalid path" in str(e.value) or "No API" in str(e.value), e.value


@pytest.mark.parametrize("parallel", [False, True])
def test_a_large_file_goes_in_parts(workspace, parallel):
    data = os.urandom(1 << 20) * 61
    path = "/Volumes/main/default/files/large.bin"
    workspace.files.upload(path, io.BytesIO(data), overwrite=True, use_parallel=parallel)
    back = workspace.files.download(path).contents.read()
    assert hashlib.sha256(back).digest() == hashlib.sha256(data).digest()


def test_files_of_a_version_do_not_change(new_server):
    run_notebook(new_server, "databricks_notebook.py")
    workspace = WorkspaceClient(config=Config(host=new_server.http_url, token="any"))
    assert "MLmodel" in [e.name for e in workspace.files.list_directory_contents("/Models/main/default/m/1")]
    with pytest.raises(PermissionDenied):
        workspace.files.upload("/Models/main/default/m/1/MLmodel", io.BytesIO(b"x"), overwrite=True)


def test_stages_as_the_workspace_registry_has_them(workspace, server):
    registry = workspace.model_registry
    client = MlflowClient(server.http_url)
    client.create_registered_model("delays")
    for _ in range(2):
        client.create_model_version("delays", "s3://bucket/model")
    registry.transition_stage("delays", "1", "Production", archive_existing_versions=False, comment="go")
    asked = registry.create_transition_request("delays", "2", "Production", comment="please").request
    assert asked.to_stage == "Production" and asked.comment == "please"
    with pytest.raises(ResourceAlreadyExists):
        registry.create_transition_request("delays", "2", "Production")
    assert [r.to_stage for r in registry.list_transition_requests("delays", "2")] == ["Production"]
    done = registry.approve_transition_request("delays", "2", "Production", archive_existing_versions=True, comment="yes").activity
    assert done.activity_type == ActivityType.APPROVED_REQUEST and done.from_stage == "None" and done.to_stage == "Production"
    assert [client.get_model_version("delays", v).current_stage for v in "12"] == ["Archived", "Production"]
    registry.create_transition_request("delays", "1", "Staging")
    assert registry.reject_transition_request("delays", "1", "Staging", comment="no").activity.activity_type == ActivityType.REJECTED_REQUEST
    with pytest.raises(ResourceDoesNotExist):
        registry.approve_transition_request("delays", "1", "Staging", archive_existing_versions=False)
    registry.create_transition_request("delays", "1", "Staging")
    assert registry.delete_transition_request("delays", "1", "Staging", creator=asked.user_id or "local").activity is not None
    comment = registry.create_comment("delays", "1", "looks old").comment
    assert registry.update_comment(comment.id, "is old").comment.comment == "is old"
    history = workspace.api_client.do("GET", "/api/2.0/millpond/model-versions/activities", query={"name": "delays", "version": "1"})["activities"]
    assert [a["activity_type"] for a in history] == ["NEW_COMMENT", "CANCELLED_REQUEST", "REQUESTED_TRANSITION", "REJECTED_REQUEST", "REQUESTED_TRANSITION",
                                                     "SYSTEM_TRANSITION", "APPLIED_TRANSITION"]
    assert history[-1]["comment"] == "go" and history[-1]["from_stage"] == "None" and history[-2]["to_stage"] == "Archived"
    registry.delete_comment(comment.id)
    assert registry.get_model("delays").registered_model_databricks.name == "delays"


def test_workspace_registry_as_mlflow_uses_it(new_server, monkeypatch):
    """set_registry_uri("databricks"): versions refer to the run's files, which are read by signed addresses."""
    from sklearn.linear_model import LinearRegression

    monkeypatch.setenv("DATABRICKS_HOST", new_server.http_url)
    monkeypatch.setenv("DATABRICKS_TOKEN", "any")
    mlflow.set_tracking_uri("databricks")
    mlflow.set_registry_uri("databricks")
    try:
        mlflow.set_experiment("/Shared/w")
        model = LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0])
        with mlflow.start_run():
            mlflow.sklearn.log_model(model, name="model", registered_model_name="plain")
        MlflowClient().transition_model_version_stage("plain", "1", "Staging")
        assert mlflow.pyfunc.load_model("models:/plain/Staging").predict([[3.0]])[0] == pytest.approx(3)
    finally:
        mlflow.set_tracking_uri("")
        mlflow.set_registry_uri("")


def test_programs_sign_in_by_oauth(server):
    """Where everybody may do everything any client's id and secret will do, as any token does."""
    workspace = WorkspaceClient(config=Config(host=server.http_url, client_id="any", client_secret="any"))
    assert workspace.config.auth_type == "oauth-m2m" and workspace.current_user.me().active
    assert workspace.config.oauth_token().token_type == "Bearer"


def test_unity_catalog(workspace, server, tmp_path):
    models, versions = workspace.registered_models, workspace.model_versions
    made = models.create(catalog_name="main", schema_name="unity", name="delays", comment="first")
    assert (made.full_name, made.catalog_name, made.schema_name, made.name, made.comment) == ("main.unity.delays", "main", "unity", "delays", "first")
    assert made.created_at and made.updated_at
    with pytest.raises(ResourceAlreadyExists):
        models.create(catalog_name="main", schema_name="unity", name="delays")
    client = MlflowClient(server.http_url, registry_uri=server.http_url)
    for n in range(3):
        client.create_model_version("main.unity.delays", f"s3://bucket/{n}", description=f"number {n}")
    assert [v.version for v in versions.list("main.unity.delays", max_results=2)] == [3, 2, 1]
    alias = models.set_alias("main.unity.delays", "champion", 2)
    assert (alias.alias_name, alias.version_num) == ("champion", 2)
    assert client.get_model_version_by_alias("main.unity.delays", "champion").version == "2"
    got = versions.get("main.unity.delays", 2, include_aliases=True)
    assert (got.version, got.comment, got.source, got.status.value, got.model_name) == (2, "number 1", "s3://bucket/1", "READY", "delays")
    assert [a.alias_name for a in got.aliases] == ["champion"] and not versions.get("main.unity.delays", 2).aliases
    assert versions.get_by_alias("main.unity.delays", "champion").version == 2
    assert [(a.alias_name, a.version_num) for a in models.get("main.unity.delays", include_aliases=True).aliases] == [("champion", 2)]
    assert versions.update("main.unity.delays", 3, comment="newest").comment == "newest"
    versions.delete("main.unity.delays", 1)
    assert [v.version for v in versions.list("main.unity.delays")] == [3, 2]
    models.delete_alias("main.unity.delays", "champion")
    for missing in (lambda: versions.get_by_alias("main.unity.delays", "champion"), lambda: versions.get("main.unity.delays", 1), lambda: models.get("main.unity.none"),
                    lambda: versions.list("main.unity.none").__next__(), lambda: models.set_alias("main.unity.delays", "a", 9)):
        with pytest.raises(NotFound):
            missing()
    assert models.update("main.unity.delays", comment="changed").comment == "changed"
    renamed = models.update("main.unity.delays", new_name="late")
    assert renamed.full_name == "main.unity.late" and renamed.comment == "changed"

    client.create_registered_model("plain")  # of two levels or one: not in the catalog
    client.create_registered_model("main.unity.too.deep")
    models.create(catalog_name="main", schema_name="unity2", name="other")
    models.create(catalog_name="other", schema_name="unity", name="other")
    assert [m.full_name for m in models.list(catalog_name="main", schema_name="unity")] == ["main.unity.late"]
    assert {m.full_name for m in models.list(catalog_name="main", max_results=1)} >= {"main.unity.late", "main.unity2.other"}
    everything = {m.full_name for m in models.list()}
    assert everything >= {"main.unity.late", "main.unity2.other", "other.unity.other"} and not everything & {"plain", "main.unity.too.deep"}
    for bad in (lambda: models.get("plain"), lambda: models.create(catalog_name="a.b", schema_name="c", name="d"), lambda: list(models.list(schema_name="unity"))):
        with pytest.raises(BadRequest):
            bad()
    for unable in (lambda: models.update("main.unity.late", owner="me"),
                   lambda: models.create(catalog_name="main", schema_name="unity", name="x", storage_location="s3://bucket")):
        with pytest.raises(NotImplemented):
            unable()
    models.delete("main.unity.late")
    with pytest.raises(NotFound):
        models.get("main.unity.late")
