"""The API's own document, and whether any request that it allows makes the server fail."""

import json
import os
import subprocess
import urllib.request

import pytest
from conftest import Server


def document(server):
    return json.load(urllib.request.urlopen(server.http_url + "/api/millpond/openapi.json"))


def test_the_document_is_whole(server):
    doc = document(server)
    batch = doc["paths"]["/api/2.0/mlflow/runs/log-batch"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert batch["required"] == ["run_id"] and batch["properties"]["metrics"]["items"]["$ref"] == "#/components/schemas/tracking.batchMetric"
    get = doc["paths"]["/api/2.0/mlflow/runs/get"]["get"]
    assert {"name": "run_id", "in": "query", "required": True, "schema": {"type": "string"}} in get["parameters"]
    ids = [op["operationId"] for item in doc["paths"].values() for op in item.values()]
    assert len(ids) == len(set(ids)) > 200
    text = json.dumps(doc)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in doc["components"]["schemas"]


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_no_request_makes_the_server_fail(store, request, tmp_path):
    """schemathesis sends what the document allows, and what it does not. SCHEMATHESIS names the program."""
    program = os.environ.get("SCHEMATHESIS")
    if not program:
        pytest.skip("SCHEMATHESIS is not set (make test-e2e installs it)")
    # What cannot be done is said so, by 501.
    (tmp_path / "schemathesis.toml").write_text('[checks.not_a_server_error]\nexpected-statuses = ["2xx", "3xx", "4xx", "501"]\n')
    flags = ["--store", request.getfixturevalue("postgres")] if store == "postgres" else []
    s = Server(tmp_path / "data", *flags)
    try:
        p = subprocess.run([program, "run", s.http_url + "/api/millpond/openapi.json", "--checks", "not_a_server_error", "--max-examples", "5",
                            "--exclude-path-regex", "/ajax-api|/changes", "--phases", "fuzzing", "--mode", "all", "--suppress-health-check", "all", "--workers", "2",
                            "--no-color"], capture_output=True, text=True, timeout=300, cwd=tmp_path)
        failures = p.stdout.split("== FAILURES ==")[-1].split("== WARNINGS ==")[0]
        assert p.returncode == 0, failures[:8000] + s.said()
        assert s.process.poll() is None and "level=ERROR" not in s.said(), s.said()
    finally:
        s.kill()
