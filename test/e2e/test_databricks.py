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
from databricks.sdk.errors import AlreadyExists, NotFound, PermissionDenied, ResourceAlreadyExists, ResourceDoesNotExist
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
