"""Millpond's errors beside those that Apache Spark gave: spec/errors/*.json.

known_errors.txt lists the cases that still differ, with the reason; one that has come to agree must leave the list.
"""

import importlib
import json
import pathlib

import pytest

import error_cases

HERE = pathlib.Path(__file__).parent
SPEC = HERE.parents[1] / "spec" / "errors"
KNOWN = {line.split()[0] for line in (HERE / "known_errors.txt").read_text().splitlines() if line.strip() and not line.startswith("#")}


def cases():
    for part in ("wire", "sql", "udf", "ml", "read"):
        error_cases.CASES.clear()
        importlib.import_module("error_" + part)
        recorded = json.loads((SPEC / f"{part}.json").read_text())["cases"]
        for name, fn in error_cases.CASES.items():
            yield pytest.param(fn, recorded[name], id=f"{part}/{name}")


@pytest.fixture(scope="module")
def session(server):
    s = server.session()
    s.conf.set("spark.sql.session.timeZone", "UTC")
    yield s
    s.stop()


@pytest.mark.parametrize("fn,want", list(cases()))
def test_as_spark(request, session, tmp_path, fn, want):
    got = error_cases.outcome(fn, session, str(tmp_path))
    diff = error_cases.differences(want, json.loads(json.dumps(got)))
    name = request.node.callspec.id
    if name in KNOWN:
        assert diff, f"{name} agrees with Spark now: take it off known_errors.txt"
        pytest.skip("known to differ")
    assert not diff, diff
