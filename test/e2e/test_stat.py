"""pyspark.ml.stat answers as Spark does: spec/record/ml_stat.py has the cases."""

import json
import pathlib

import ml_stat
import outcomes
import pytest

RECORDED = json.loads((pathlib.Path(__file__).parents[2] / "spec" / "ml" / "stat.json").read_text())["cases"]
CASES = ml_stat.cases()


@pytest.mark.parametrize("name", CASES)
def test_as_recorded(spark, name):
    got, want = outcomes.outcome(CASES[name], spark), RECORDED[name]
    assert outcomes.near(got, want), f"{got}\nwant {want}"
