"""Rows lie in partitions as Spark's do, for all who can see it: spec/record/partitions.py has the cases."""

import json
import pathlib

import pandas as pd
import partitions
import pytest
from pyspark.sql import functions as F

RECORDED = json.loads((pathlib.Path(__file__).parents[2] / "spec" / "sql" / "partitions.json").read_text())["cases"]
CASES = partitions.cases()


@pytest.mark.parametrize("name", CASES)
def test_as_recorded(spark, name):
    assert partitions.outcome(CASES[name], spark) == RECORDED[name]


def test_equal_keys_meet_in_one_call(spark):
    """Of many rows that are repartitioned by a key alone, a function may see several parts, but each key in one."""
    def keys(frames):
        seen = set()
        for f in frames:
            seen |= set(f["k"])
        yield pd.DataFrame({"k": sorted(seen)})
    df = spark.range(1_200_000).select((F.col("id") % 1000).alias("k")).repartition("k")
    assert df.mapInPandas(keys, "k long").count() == 1000


def test_a_partition_larger_than_memory_allows_is_read_while_it_is_sent(spark):
    df = spark.range(12_000_000).select("id", (F.col("id") * 2).alias("b")).coalesce(1)
    assert partitions.arrow_calls(df) == [[0, 12_000_000]]


def test_a_function_that_reads_only_some_rows(spark):
    def first(batches):
        yield next(iter(batches)).slice(0, 1)
    df = spark.range(0, 30_000_000, 1, 2)
    assert [r[0] for r in df.mapInArrow(first, "id long").collect()] == [0, 15_000_000]


def test_explain_shows_what_was_asked_for(spark, capsys):
    spark.range(5).repartition(8).repartition(4, "id").explain(True)
    said = capsys.readouterr().out
    assert "Repartition 8, true" in said and "RepartitionByExpression [id#" in said


def test_nobody_asks(spark, capsys):
    """A repartitioning that nobody sees leaves no trace in what is run."""
    spark.range(5).repartition(8).selectExpr("id + 1").explain()
    said = capsys.readouterr().out
    spark.range(5).selectExpr("id + 1").explain()
    assert said == capsys.readouterr().out
