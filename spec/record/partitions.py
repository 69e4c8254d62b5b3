#!/usr/bin/env python3
"""Records how rows lie in partitions, and who sees it: spec/sql/partitions.json.

    python partitions.py sc://127.0.0.1:15102 ../sql/partitions.json

The server must be Apache Spark itself on this machine (see the header of conditions.py for how to
start one). What a server is free to choose (which row a round robin gives to which partition, into
how many partitions a source is cut) is not recorded.
"""

import json
import os
import pathlib
import re
import sys
import tempfile

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def number():
    return F.spark_partition_id().alias("p")


def growing_id():
    return F.monotonically_increasing_id().alias("m")


def one(s, n):
    """Numbers in one partition."""
    return s.range(0, n, 1, 1)


def table(s):
    return s.createDataFrame([(1, "a", 1.5), (2, "b", None), (None, "c", -0.0), (3, None, 2.5), (2, "é", 1.5), (7, "b", float("nan"))],
                             "k int, t string, x double")


def sizes(df):
    """How many rows each partition has, the partitions in any order."""
    return sorted(r["n"] for r in df.groupBy(number()).agg(F.count("*").alias("n")).collect())


def rows(df):
    return sorted((list(r) for r in df.collect()), key=lambda r: json.dumps(r, default=str))


def inside(df, *columns):
    """Which rows are in which partition."""
    return rows(df.select(number(), *columns))


def numbers(df):
    """The numbers of the partitions that have rows."""
    return sorted(r[0] for r in df.select(number()).distinct().collect())


def calls(df, column="id"):
    """For each call of a function over a partition: the partition's number and the rows, in order."""
    def told(frames):
        from pyspark import TaskContext
        seen = []
        for f in frames:
            seen += f[column].tolist()
        yield pd.DataFrame({"p": [TaskContext.get().partitionId()], "seen": [json.dumps(seen)]})
    return sorted([r["p"], json.loads(r["seen"])] for r in df.mapInPandas(told, "p int, seen string").collect())


def sorted_calls(df):
    return [[p, sorted(seen)] for p, seen in calls(df)]


def arrow_calls(df):
    def told(batches):
        import pyarrow as pa
        from pyspark import TaskContext
        n = sum(b.num_rows for b in batches)
        yield pa.RecordBatch.from_pydict({"p": pa.array([TaskContext.get().partitionId()], pa.int32()), "n": pa.array([n], pa.int64())})
    return rows(df.mapInArrow(told, "p int, n long"))


def each_partition(df):
    """How many rows each call of foreachPartition sees."""
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o777)

        def f(found):
            import uuid
            n = sum(1 for _ in found)
            with open(f"{d}/{uuid.uuid4()}", "w") as out:
                out.write(str(n))
        df.foreachPartition(f)
        return sorted(int(p.read_text()) for p in pathlib.Path(d).iterdir())


def written(df, how=lambda w, path: w.parquet(path), read=None):
    """The files of a write by directory: the partition that each is named after, and its rows in order."""
    spark = df.sparkSession
    with tempfile.TemporaryDirectory() as d:
        path = d + "/out"
        how(df.write, path)
        out = {}
        for f in sorted(pathlib.Path(path).rglob("part-*")):
            assert re.fullmatch(r"part-\d{5}-[0-9a-f-]{36}(-|\.)c000(\.snappy)?\.[a-z]+", f.name), f.name
            got = (read or spark.read.parquet)(str(f)).collect()
            out.setdefault(str(f.parent.relative_to(path)), []).append([int(f.name[5:10]), [r[0] for r in got]])
        return out


def file_sizes(df, **more):
    return {d: [[n, len(values)] for n, values in files] for d, files in written(df, **more).items()}


def configured(s, settings, case):
    for k, v in settings.items():
        s.conf.set(k, v)
    try:
        return case()
    finally:
        for k in settings:
            s.conf.unset(k)


FIXED = {"spark.sql.adaptive.enabled": "false", "spark.sql.shuffle.partitions": "7"}
UNCOALESCED = {"spark.sql.adaptive.coalescePartitions.enabled": "false", "spark.sql.shuffle.partitions": "5"}


def view(s, df):
    df.createOrReplaceTempView("v")
    return s


def kept(df):
    df.cache().count()
    return df


def placement():
    """Which partition rows are in."""
    return {
        "deal": lambda s: sizes(one(s, 100).repartition(8)),
        "deal_one": lambda s: sizes(one(s, 100).repartition(1)),
        "deal_twice": lambda s: sizes(one(s, 99).repartition(8).repartition(3)),
        "deal_seen_above": lambda s: len(numbers(one(s, 100).repartition(8).select("id", (F.col("id") + 1).alias("m")).where("m > 3").withColumn("z", F.lit(1)).alias("q").drop("m"))),
        "deal_grouped": lambda s: sizes(one(s, 100).repartition(8).where("id >= 0")),
        "hash": lambda s: inside(one(s, 20).repartition(4, "id"), "id"),
        "hash_int": lambda s: inside(table(s).repartition(5, "k"), "k"),
        "hash_text": lambda s: inside(table(s).repartition(5, "t"), "t"),
        "hash_double": lambda s: inside(table(s).na.drop().repartition(3, "x"), "t"),
        "hash_two": lambda s: inside(table(s).repartition(6, "k", "t"), "k", "t"),
        "hash_computed": lambda s: inside(one(s, 20).repartition(3, F.col("id") % 5), "id"),
        "hash_one": lambda s: inside(one(s, 5).repartition(1, "id"), "id"),
        "hash_dropped": lambda s: inside(one(s, 20).select("id", (F.col("id") * 2).alias("two")).repartition(4, "id").select("two"), "two"),
        "hash_filtered": lambda s: inside(one(s, 20).repartition(4, "id").where(F.spark_partition_id() == 2), "id"),
        "hash_sorted_by_number": lambda s: [list(r) for r in one(s, 9).repartition(4, "id").select("id", number()).orderBy(F.spark_partition_id(), "id").collect()],
        "unnumbered": lambda s: inside(one(s, 20).repartition("id"), "id"),
        "unnumbered_fixed": lambda s: configured(s, FIXED, lambda: inside(one(s, 20).repartition("id"), "id")),
        "unnumbered_uncoalesced": lambda s: configured(s, UNCOALESCED, lambda: inside(one(s, 20).repartition("id"), "id")),
        "range": lambda s: inside(one(s, 10).repartitionByRange(4, "id"), "id"),
        "range_descending": lambda s: inside(one(s, 10).repartitionByRange(3, F.col("id").desc()), "id"),
        "range_ties": lambda s: inside(one(s, 30).repartitionByRange(4, F.col("id") % 7), "id"),
        "range_few_keys": lambda s: inside(one(s, 30).repartitionByRange(8, F.col("id") % 3), "id"),
        "range_skewed": lambda s: inside(one(s, 40).withColumn("k", F.when(F.col("id") < 30, 0).otherwise(F.col("id"))).repartitionByRange(5, "k"), "id"),
        "range_more_than_rows": lambda s: inside(one(s, 3).repartitionByRange(8, "id"), "id"),
        "range_text": lambda s: inside(table(s).repartitionByRange(3, "t"), "t"),
        "range_nulls_last": lambda s: inside(table(s).repartitionByRange(3, F.col("k").asc_nulls_last()), "k"),
        "range_two": lambda s: inside(table(s).repartitionByRange(4, "k", F.desc("t")), "k", "t"),
        "range_unnumbered": lambda s: numbers(one(s, 20).repartitionByRange("id")),
        "range_unnumbered_fixed": lambda s: configured(s, FIXED, lambda: inside(one(s, 20).repartitionByRange("id"), "id")),
        "id": lambda s: inside(one(s, 10).repartitionById(3, F.col("id").cast("int")), "id"),
        "id_null": lambda s: inside(table(s).repartitionById(3, F.col("k") - 5), "k"),
        "slices": lambda s: inside(s.range(0, 10, 1, 3), "id"),
        "slices_down": lambda s: inside(s.range(10, -4, -3, 2), "id"),
        "slices_few": lambda s: inside(s.range(5, 7, 1, 4), "id"),
        "slices_none": lambda s: inside(s.range(5, 5, 1, 4), "id"),
        "slices_filtered": lambda s: inside(s.range(0, 20, 1, 4).where("id % 3 = 0"), "id"),
        "coalesce": lambda s: inside(s.range(0, 10, 1, 5).coalesce(2), "id"),
        "coalesce_uneven": lambda s: inside(s.range(0, 14, 1, 7).coalesce(3), "id"),
        "coalesce_more": lambda s: numbers(s.range(0, 10, 1, 4).coalesce(10)),
        "coalesce_one": lambda s: inside(s.range(0, 10, 1, 4).coalesce(1), "id"),
        "coalesce_dealt": lambda s: len(numbers(one(s, 100).repartition(8).coalesce(3))),
        "coalesce_then_deal": lambda s: sizes(one(s, 100).repartition(8).coalesce(3).repartition(5)),
    }


def above():
    """What other relations make of partitions."""
    return {
        "limit": lambda s: numbers(one(s, 100).repartition(8).limit(50)),
        "offset": lambda s: numbers(one(s, 100).repartition(8).offset(5)),
        "sort": lambda s: numbers(one(s, 100).repartition(8).orderBy("id")),
        "group": lambda s: numbers(one(s, 100).repartition(8).groupBy((F.col("id") % 10).alias("g")).count()),
        "distinct": lambda s: numbers(one(s, 100).repartition(8).distinct()),
        "window": lambda s: numbers(one(s, 100).repartition(8).selectExpr("id", "row_number() over (order by id) as n").where("n > 0")),
        "explode": lambda s: inside(one(s, 4).repartition(3, "id").select("id", F.explode(F.array(F.lit(1), F.lit(2))).alias("e")), "id", "e"),
        "sample": lambda s: len(numbers(one(s, 1000).repartition(4).sample(0.5, seed=1))),
        "fill": lambda s: inside(table(s).repartition(5, "k").na.fill("?"), "k"),
        "named": lambda s: inside(table(s).repartition(5, "k").toDF("a", "b", "c").withColumnRenamed("a", "z"), "z"),
        "union": lambda s: inside(one(s, 4).repartition(2, "id").union(one(s, 4).repartition(3, (F.col("id") + 1))), "id"),
        "cached": lambda s: inside(kept(one(s, 10).repartition(4, "id")), "id"),
        "cached_dealt": lambda s: sizes(kept(one(s, 90).repartition(6))),
        "cached_dropped": lambda s: len(numbers(kept(one(s, 90).withColumn("m", F.col("id") * 3).repartition(6, "id").drop("id")))),
        "cached_slices": lambda s: inside(kept(s.range(0, 11, 1, 3)), "id"),
        "checkpoint": lambda s: inside(one(s, 10).repartition(4, "id").localCheckpoint(), "id"),
        "join_small": lambda s: inside(one(s, 10).repartition(4, "id").join(F.broadcast(one(s, 10)), "id"), "id"),
        "scalar_function": lambda s: inside(one(s, 10).repartition(4, "id").withColumn("u", F.udf(lambda x: x + 1, "long")("id")), "u"),
    }


def growing():
    """monotonically_increasing_id, and sorting within partitions."""
    return {
        "ids": lambda s: [list(r) for r in s.range(0, 10, 1, 3).select("id", growing_id()).collect()],
        "ids_filtered": lambda s: [list(r) for r in s.range(0, 10, 1, 3).where("id % 2 = 0").select("id", growing_id()).collect()],
        "ids_dealt": lambda s: sorted(r[0] % (1 << 33) for r in one(s, 10).repartition(4).select(growing_id()).collect()),
        "ids_hashed": lambda s: rows(one(s, 10).repartition(4, "id").select(growing_id())),
        "ids_one": lambda s: rows(one(s, 4).repartition(1).select(growing_id())),
        "sort": lambda s: [list(r) for r in one(s, 12).repartition(3, "id").sortWithinPartitions(F.desc("id")).select(number(), "id").collect()],
        "sort_slices": lambda s: [list(r) for r in s.range(0, 10, 1, 3).sortWithinPartitions(F.desc("id")).select(number(), "id").collect()],
        "sort_one": lambda s: [r[0] for r in one(s, 10).sortWithinPartitions(F.desc("id")).collect()],
        "sort_ids": lambda s: [list(r) for r in s.range(0, 7, 1, 3).sortWithinPartitions(F.desc("id")).select("id", growing_id()).collect()],
        "sort_unnumbered": lambda s: [r[0] for r in one(s, 10).repartition("id").sortWithinPartitions(F.desc("id")).collect()],
    }


def sql():
    """Clauses and hints."""
    def q(text):
        return lambda s: rows(view(s, one(s, 20)).sql(text))

    def error(text):
        return lambda s: view(s, one(s, 20)).sql(text).collect()
    return {
        "distribute": q("select spark_partition_id() p, id from (select * from v distribute by id)"),
        "distribute_fixed": lambda s: configured(s, FIXED, lambda: q("select spark_partition_id() p, id from (select * from v distribute by id)")(s)),
        "distribute_sort_fixed": lambda s: configured(s, FIXED, lambda: [list(r) for r in view(s, one(s, 20)).sql("select spark_partition_id() p, id from (select * from v distribute by id sort by id desc)").collect()]),
        "cluster": lambda s: [r[0] for r in view(s, one(s, 9)).sql("select 10 - id as d from v cluster by d").collect()],
        "cluster_fixed": lambda s: configured(s, FIXED, lambda: [list(r) for r in view(s, one(s, 20)).sql("select spark_partition_id() p, id from (select * from v cluster by id)").collect()]),
        "sort": lambda s: [r[0] for r in view(s, one(s, 9)).sql("select id from v sort by id desc").collect()],
        "hint_repartition": lambda s: sizes(view(s, one(s, 20)).sql("select /*+ repartition(5) */ * from v")),
        "hint_repartition_by": q("select spark_partition_id() p, id from (select /*+ REPARTITION(3, id) */ * from v)"),
        "hint_repartition_column": q("select spark_partition_id() p, id from (select /*+ REPARTITION(id) */ * from v)"),
        "hint_bare": q("select spark_partition_id() p, id from (select /*+ REPARTITION */ * from v)"),
        "hint_range": q("select spark_partition_id() p, id from (select /*+ REPARTITION_BY_RANGE(3, id) */ * from v)"),
        "hint_coalesce": lambda s: len(numbers(view(s, s.range(0, 20, 1, 4)).sql("select /*+ COALESCE(2) */ * from v"))),
        "hint_rebalance": q("select spark_partition_id() p, id from (select /*+ REBALANCE(3, id) */ * from v)"),
        "hints": q("select spark_partition_id() p, id from (select /*+ REPARTITION(3, id), BROADCAST(v) */ * from v)"),
        "hint_unknown": q("select /*+ SKEW('v', 3) NOSUCH(a, b) */ id from v"),
        "hint_grouped": q("select /*+ COALESCE(2) */ id % 3 as k, count(*) as n from v group by 1 order by k"),
        "hint_frame": lambda s: sizes(one(s, 20).hint("repartition", 5)),
        "hint_frame_by": lambda s: inside(one(s, 20).hint("repartition", 3, F.col("id")), "id"),
        "hint_frame_coalesce": lambda s: numbers(s.range(0, 20, 1, 4).hint("coalesce", 2)),
        "hint_frame_range": lambda s: inside(one(s, 20).hint("repartition_by_range", 3, F.col("id")), "id"),
        "error_coalesce_bare": error("select /*+ COALESCE */ * from v"),
        "error_coalesce_column": error("select /*+ COALESCE(id) */ * from v"),
        "error_coalesce_more": error("select /*+ COALESCE(2, id) */ * from v"),
        "error_coalesce_zero": error("select /*+ COALESCE(0) */ * from v"),
        "error_repartition_zero": error("select /*+ REPARTITION(0) */ * from v"),
        "error_repartition_negative": error("select /*+ REPARTITION(-1) */ * from v"),
        "hint_text": q("select spark_partition_id() p, id from (select /*+ REPARTITION(3, 'id') */ * from v)"),
        "hint_range_text": q("select spark_partition_id() p, id from (select /*+ REPARTITION_BY_RANGE(3, 'id') */ * from v)"),
        "hint_range_bare": lambda s: sizes(view(s, one(s, 21)).sql("select /*+ REPARTITION_BY_RANGE(3) */ * from v")),
        "hint_frame_text": lambda s: inside(one(s, 20).hint("repartition", 3, "id"), "id"),
        "error_repartition_function": error("select /*+ REPARTITION(3, abs(id)) */ * from v"),
        "error_repartition_fraction": error("select /*+ REPARTITION(1.5) */ * from v"),
        "error_coalesce_function": error("select /*+ COALESCE(abs(id)) */ * from v"),
        "error_repartition_computed": error("select /*+ REPARTITION(3, id + 1, abs(id)) */ * from v"),
        "error_repartition_column": error("select /*+ REPARTITION(3, nosuch) */ * from v"),
        "error_order_and_distribute": error("select * from v order by id distribute by id"),
        "error_cluster_and_distribute": error("select * from v cluster by id distribute by id"),
        "error_order_and_sort": error("select * from v order by id sort by id"),
        "error_cluster_and_sort": error("select * from v cluster by id sort by id"),
        "error_distribute_column": error("select id from v distribute by nosuch"),
        "error_shuffle_partitions": lambda s: configured(s, {"spark.sql.shuffle.partitions": "0"}, lambda: one(s, 3).repartition("id").collect()),
        "error_zero": lambda s: one(s, 3).repartition(0),
        "error_range_none": lambda s: one(s, 3).repartitionByRange(3),
        "error_order": lambda s: one(s, 3).repartition(3, F.col("id").desc(), F.col("id")).collect(),
        "order_is_a_range": lambda s: inside(one(s, 10).repartition(3, F.col("id").desc()), "id"),
        "error_column": lambda s: one(s, 3).repartition(3, "nosuch").collect(),
        "map": lambda s: one(s, 3).select("id", F.create_map(F.lit(1), F.col("id")).alias("m")).repartition(3, "m").mapInPandas(lambda frames: frames, "id long, m map<int,long>").count(),
        "error_range_map": lambda s: one(s, 3).select(F.create_map(F.lit(1), F.col("id")).alias("m")).repartitionByRange(3, "m").collect(),
        "error_id_text": lambda s: table(s).repartitionById(3, "t").collect(),
        "error_id_long": lambda s: one(s, 3).repartitionById(3, "id").collect(),
        "error_aggregate": lambda s: one(s, 3).repartition(3, F.sum("id")).collect(),
        "error_number_of_arguments": error("select spark_partition_id(1) from v"),
        "slices_zero": lambda s: rows(s.range(0, 3, 1, 0)),
        "slices_negative": lambda s: rows(s.range(0, 3, 1, -2)),
    }


def functions():
    """How often functions over partitions are called."""
    return {
        "pandas_deal": lambda s: [[p, len(seen)] for p, seen in calls(one(s, 12).repartition(4))],
        "pandas_hash": lambda s: sorted_calls(one(s, 20).repartition(4, "id")),
        "pandas_empty": lambda s: sorted_calls(one(s, 2).repartition(6, "id")),
        "pandas_none": lambda s: sorted_calls(one(s, 5).where("id > 7").repartition(3)),
        "pandas_one": lambda s: [[p, len(seen)] for p, seen in calls(one(s, 30_000).repartition(1))],
        "pandas_coalesced": lambda s: calls(s.range(0, 10, 1, 4).coalesce(1)),
        "pandas_slices": lambda s: calls(s.range(0, 11, 1, 3)),
        "pandas_sorted": lambda s: calls(one(s, 12).repartition(3, "id").sortWithinPartitions(F.desc("id"))),
        "pandas_filtered": lambda s: calls(s.range(0, 11, 1, 3).where("id % 2 = 1").withColumn("id", F.col("id") * 10)),
        "pandas_unnumbered": lambda s: sorted_calls(one(s, 20).repartition("id")),
        "pandas_unnumbered_fixed": lambda s: configured(s, FIXED, lambda: sorted_calls(one(s, 20).repartition("id"))),
        "pandas_range": lambda s: sorted_calls(one(s, 12).repartitionByRange(4, "id")),
        "pandas_after_limit": lambda s: [[p, len(seen)] for p, seen in calls(one(s, 40).repartition(4).limit(10))],
        "pandas_seen_above": lambda s: inside(one(s, 8).repartition(3, "id").mapInPandas(lambda frames: frames, "id long"), "id"),
        "pandas_twice": lambda s: sorted_calls(one(s, 8).repartition(3, "id").mapInPandas(lambda frames: frames, "id long")),
        "arrow_deal": lambda s: arrow_calls(one(s, 20).repartition(4)),
        "arrow_empty": lambda s: arrow_calls(one(s, 2).repartition(6, "id")),
        "arrow_cached": lambda s: arrow_calls(kept(one(s, 20).repartition(4))),
        "foreach": lambda s: each_partition(one(s, 20).repartition(4)),
        "foreach_empty": lambda s: each_partition(one(s, 3).repartition(5, "id")),
    }


def files():
    """The files of a write."""
    parted = lambda w, path: w.partitionBy("b").parquet(path)  # noqa: E731
    return {
        "deal": lambda s: file_sizes(one(s, 20).repartition(4)),
        "hash": lambda s: {d: [[n, sorted(v)] for n, v in f] for d, f in written(one(s, 20).repartition(4, "id")).items()},
        "empty_partitions": lambda s: written(one(s, 2).repartition(6, "id")),
        "no_rows": lambda s: written(one(s, 2).where("id > 5").repartition(3, "id")),
        "no_rows_csv": lambda s: file_sizes(one(s, 2).where("id > 5").repartition(3, "id"), how=lambda w, p: w.csv(p), read=lambda p: s.read.schema("id long").csv(p)),
        "one": lambda s: file_sizes(one(s, 20).repartition(1)),
        "coalesced": lambda s: written(s.range(0, 10, 1, 4).coalesce(2)),
        "coalesced_one": lambda s: written(s.range(0, 10, 1, 4).coalesce(1)),
        "slices": lambda s: written(s.range(0, 10, 1, 3)),
        "unnumbered": lambda s: file_sizes(one(s, 20).repartition("id")),
        "unnumbered_fixed": lambda s: configured(s, FIXED, lambda: file_sizes(one(s, 20).repartition("id"))),
        "range": lambda s: {d: [[n, sorted(v)] for n, v in f] for d, f in written(one(s, 12).repartitionByRange(4, "id")).items()},
        "sorted": lambda s: written(one(s, 20).repartition(3, "id").sortWithinPartitions(F.desc("id"))),
        "filtered": lambda s: written(s.range(0, 12, 1, 4).where("id >= 4").withColumn("id", F.col("id") + 100)),
        "csv": lambda s: written(s.range(0, 6, 1, 3), how=lambda w, p: w.option("header", True).csv(p), read=lambda p: s.read.schema("id long").option("header", True).csv(p)),
        "json": lambda s: written(s.range(0, 6, 1, 3), how=lambda w, p: w.json(p), read=lambda p: s.read.schema("id long").json(p)),
        "text": lambda s: written(s.range(0, 6, 1, 3).selectExpr("cast(id as string) id"), how=lambda w, p: w.text(p), read=lambda p: s.read.text(p)),
        "directories": lambda s: written(s.range(0, 12, 1, 3).selectExpr("id", "id % 2 as b"), how=parted),
        "directories_by_value": lambda s: {d: [len(v) for _, v in f] for d, f in written(one(s, 12).selectExpr("id", "id % 3 as b").repartition(4, "b"), how=parted).items()},
        "directories_no_rows": lambda s: written(s.range(0, 4, 1, 2).where("id > 8").selectExpr("id", "id % 2 as b"), how=parted),
        "limited": lambda s: file_sizes(one(s, 40).repartition(4).limit(10)),
        "mapped": lambda s: {d: [[n, sorted(v)] for n, v in f] for d, f in written(one(s, 8).repartition(3, "id").mapInPandas(lambda frames: frames, "id long")).items()},
        "cached": lambda s: {d: [[n, sorted(v)] for n, v in f] for d, f in written(kept(one(s, 9).repartition(3, "id"))).items()},
    }


def cases():
    """All cases by group and name."""
    return {f"{group.__name__}/{name}": case for group in (placement, above, growing, sql, functions, files) for name, case in group().items()}


def outcome(case, spark):
    """What a case answers, or the error that it ends with."""
    try:
        return json.loads(json.dumps(case(spark)))
    except Exception as e:
        if not hasattr(e, "getCondition"):
            raise
        said = {"error": type(e).__name__, "condition": e.getCondition()}
        if e.getCondition() != "PARSE_SYNTAX_ERROR":  # whose words are the parser generator's
            said["message"] = re.sub(r";\n.*|\n\nJVM.*|\n== SQL.*", "", str(e), flags=re.S).strip()
        return said
    finally:
        spark.catalog.clearCache()


if __name__ == "__main__":
    remote, out = sys.argv[1:3]
    session = SparkSession.builder.remote(remote).getOrCreate()
    session.conf.set("spark.sql.shuffle.partitions", "4")
    with open(out, "w") as f:
        lines = [f"  {json.dumps(name)}: {json.dumps(outcome(c, session), ensure_ascii=False)}" for name, c in cases().items()]
        f.write(f'{{"spark": "{session.version}", "cases": {{\n' + ",\n".join(lines) + "\n}}\n")
