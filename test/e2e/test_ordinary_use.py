"""Ordinary use of DataFrames: snippets of notebooks answer as Apache Spark answered them (spec/ordinary/*.json)."""

import json
import os
import pathlib
import time

import pytest

import ordinary_cases

SPEC = pathlib.Path(__file__).parents[2] / "spec" / "ordinary"


def recorded(file):
    return json.loads((SPEC / f"{file}.json").read_text())["cases"]


def cases():
    for file in ordinary_cases.FILES:
        for n, code in enumerate(recorded(file)):
            yield pytest.param(file, code, id=f"{file}/{n}")


@pytest.fixture(scope="module")
def answers(server, tmp_path_factory):
    """Runs a file's snippets, which build on one another, when the first of its tests asks."""
    os.environ["TZ"] = "UTC"  # in which the client shows instants
    time.tzset()
    seen = {}

    def of(file):
        if file not in seen:
            session = server.session()
            got = ordinary_cases.run(file, session, tmp_path_factory.mktemp(file))
            seen[file] = json.loads(json.dumps(got))
            session.stop()
        return seen[file]

    return of


@pytest.mark.parametrize("file,code", list(cases()))
def test_as_spark(answers, file, code):
    assert answers(file).get(code) == recorded(file)[code], code


def test_every_snippet_is_recorded():
    for file in ordinary_cases.FILES:
        there = {c for c in ordinary_cases.snippets(file) if not c.startswith("@shared")}
        assert there == set(recorded(file)), file
