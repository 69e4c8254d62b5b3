"""pyspark.ml.stat answers as Spark does: spec/record/ml_stat.py has the cases."""

import json
import math
import pathlib

import ml_stat
import pytest

RECORDED = json.loads((pathlib.Path(__file__).parents[2] / "spec" / "ml" / "stat.json").read_text())["cases"]
CASES = ml_stat.cases()


def near(got, want):
    if isinstance(want, float) and isinstance(got, (int, float)):
        return math.isclose(got, want, rel_tol=1e-6, abs_tol=1e-9)
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(near, got, want))
    if isinstance(want, dict):
        return isinstance(got, dict) and got.keys() == want.keys() and all(near(got[k], want[k]) for k in want)
    return got == want


@pytest.mark.parametrize("name", CASES)
def test_as_recorded(spark, name):
    got, want = ml_stat.outcome(CASES[name], spark), RECORDED[name]
    assert near(got, want), f"{got}\nwant {want}"
