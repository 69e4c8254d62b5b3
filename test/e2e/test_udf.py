"""Python functions keep working after what befalls their workers."""

import json
import pathlib

import pandas as pd
import pytest
import udf_windows
from pyspark.sql import Window
from pyspark.sql import functions as F


def plus_one(column):
    return F.udf(lambda x: x + 1, "long")(column)


def test_pool_recovers_from_many_deaths(spark):
    @F.udf("int")
    def die(x):
        import os
        os._exit(9)
    for _ in range(4):
        with pytest.raises(Exception, match="Python worker exited unexpectedly"):
            spark.range(2).select(die("id")).collect()
    assert [r[0] for r in spark.range(3).select(plus_one("id")).collect()] == [1, 2, 3]


def test_error_in_the_midst_of_many_rows(spark):
    @F.udf("long")
    def late(x):
        if x == 150_000:
            raise ValueError("row 150000")
        return x
    with pytest.raises(Exception, match="row 150000"):
        spark.range(200_000).select(F.sum(late("id"))).collect()
    assert spark.range(200_000).select(F.sum(plus_one("id"))).collect()[0][0] == 200_000 * 200_001 // 2


def test_wrong_length_of_a_group(spark):
    def f(g: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"id": [1, 2, 3]})
    assert spark.range(4).groupBy("id").applyInPandas(f, "id long").count() == 12


def test_large_strings(spark):
    @F.udf("string")
    def big(x):
        return "y" * 2_000_000
    assert spark.range(5).select(F.length(big("id")).alias("n")).agg(F.sum("n")).collect()[0][0] == 10_000_000


def test_limit_over_a_slow_function(spark):
    @F.udf("long")
    def slow(x):
        import time
        time.sleep(0.001)
        return x
    assert len(spark.range(10_000_000).select(slow("id")).limit(5).collect()) == 5


def test_over_windows(spark):
    want = json.loads((pathlib.Path(__file__).parents[2] / "spec" / "udf" / "windows.json").read_text())["cases"]
    for name, case in udf_windows.cases().items():
        assert udf_windows.outcome(case, spark) == want[name], name


def test_over_windows_of_many_partitions(spark):
    @F.pandas_udf("double")
    def largest(v: pd.Series) -> float:
        return float(v.max())
    window = Window.partitionBy(F.col("id") % 5000).orderBy("id").rowsBetween(-1, 0)
    rows = spark.range(100_000).withColumn("m", largest("id").over(window)).agg(F.count("*"), F.sum(F.col("m") - F.col("id"))).first()
    assert tuple(rows) == (100_000, 0.0)
