"""What notebooks do with DataFrames gives what Spark gives: spec/record/dataframe.py has the cases."""

import json
import pathlib

import dataframe
import outcomes
import pytest

RECORDED = json.loads((pathlib.Path(__file__).parents[2] / "spec" / "sql" / "dataframe.json").read_text())["cases"]
CASES = dataframe.cases()


@pytest.mark.parametrize("name", CASES)
def test_as_recorded(spark, name):
    got, want = outcomes.outcome(CASES[name], spark), RECORDED[name]
    assert outcomes.near(got, want), f"{got}\nwant {want}"
