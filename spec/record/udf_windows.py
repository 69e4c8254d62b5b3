#!/usr/bin/env python3
"""Records what grouped-aggregate Python functions give over windows: spec/udf/windows.json.

    python udf_windows.py sc://127.0.0.1:15102 ../udf/windows.json

The server must be Apache Spark itself (see the header of conditions.py for how to start one).
"""

import json
import sys

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

def frame(spark):
    return spark.createDataFrame([(1, 1, 1.0), (1, 2, 2.0), (1, 2, 4.0), (2, 1, 3.0), (2, 5, 5.0), (2, 6, 10.0), (None, 1, 7.0)],
                                 "k int, t int, v double")


def cases():
    """Queries by name. They are made once there is a session, whose kind the functions take."""
    by_k = Window.partitionBy("k")
    by_t, by_tv = by_k.orderBy("t"), by_k.orderBy("t", "v")

    @F.pandas_udf("double")
    def mean(v: pd.Series) -> float:
        return v.mean()

    @F.pandas_udf("double")
    def ends(a: pd.Series, b: pd.Series) -> float:
        return float(a.iloc[0] * 100 + b.iloc[-1]) if len(a) else -1.0

    @F.arrow_udf("double")
    def arrow_mean(v: pa.Array) -> float:
        return pc.mean(v).as_py() if len(v) else -1.0

    @F.udf("double")
    def plus(x):
        return x + 1.0

    return {
        "partition": lambda s: frame(s).select("k", "t", mean("v").over(by_k).alias("m")),
        "names": lambda s: frame(s).select("k", mean("v").over(by_k), mean("v").over(by_t)),
        "growing": lambda s: frame(s).select("k", "t", mean("v").over(by_t).alias("m")),
        "growing_arrow": lambda s: frame(s).select("k", "t", arrow_mean("v").over(by_t).alias("m")),
        "rows": lambda s: frame(s).select("k", "t", "v", mean("v").over(by_tv.rowsBetween(-1, 0)).alias("m"),
                                          ends("v", "t").over(by_tv.rowsBetween(-1, 1)).alias("e"), F.sum("v").over(by_tv).alias("q")),
        "range": lambda s: frame(s).select("k", "t", "v", mean("v").over(by_t.rangeBetween(-1, 0)).alias("m")),
        "rows_arrow": lambda s: frame(s).select("k", "v", arrow_mean("v").over(by_tv.rowsBetween(1, 2)).alias("a")),
        "empty_frames": lambda s: frame(s).select("k", "v", ends("v", "t").over(by_tv.rowsBetween(2, 3)).alias("e")),
        "keywords": lambda s: frame(s).select("k", ends(b=F.col("t"), a=F.col("v") + 1).over(by_tv.rowsBetween(0, 1)).alias("e")),
        "all_rows": lambda s: frame(s).select("k", mean("v").over(Window.partitionBy()).alias("m")),
        "no_rows": lambda s: frame(s).where("k > 5").select("k", mean("v").over(by_k).alias("m")),
        "beside_scalar": lambda s: frame(s).select("k", mean(plus("v")).over(by_k).alias("a"), plus(mean("v").over(by_k)).alias("b"),
                                                   (mean("v").over(by_k) * 2).alias("c")),
        "computed_keys": lambda s: frame(s).select("k", mean("v").over(Window.partitionBy(F.col("t") % 2).orderBy(-F.col("v"))).alias("m")),
        "filtered": lambda s: frame(s).withColumn("m", mean("v").over(by_k)).where("m > 3").select("k", "m"),
        "two_windows": lambda s: frame(s).select("k", "t", mean("v").over(by_k).alias("m"), mean("v").over(Window.partitionBy("t")).alias("n")),
        "of_an_aggregate": lambda s: frame(s).groupBy("k").agg(F.sum("v").alias("z"), mean(F.sum("v")).over(Window.orderBy("k")).alias("m")),
        "window_of_window": lambda s: frame(s).select("k", "v", F.max(mean("v").over(by_tv)).over(by_k).alias("m")),
        "scalar_function": lambda s: frame(s).select(plus("v").over(by_k)),
    }


def outcome(case, spark):
    """The schema and sorted rows of a case, or the condition that it ends with."""
    try:
        df = case(spark)
        rows = [list(r) for r in df.collect()]
    except Exception as e:
        return {"condition": e.getCondition()}
    return {"schema": df.schema.simpleString(), "rows": sorted(rows, key=json.dumps)}


if __name__ == "__main__":
    remote, out = sys.argv[1:3]
    spark = SparkSession.builder.remote(remote).getOrCreate()
    with open(out, "w") as f:
        json.dump({"spark": spark.version, "cases": {name: outcome(c, spark) for name, c in cases().items()}}, f, indent=1)
        f.write("\n")
