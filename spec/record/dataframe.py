"""Record what DataFrames give where SQL text cannot say it: spec/sql/dataframe.json. Arguments: the address of a Spark Connect server, the file.

test/e2e/test_dataframe.py runs the same cases.
"""
import datetime
import json
import sys
import tempfile

import pyspark.pandas as ps
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.ml.linalg import Vectors
from pyspark.sql import functions as F

from outcomes import outcome


def vectors():
    def on(make): return lambda spark: make(spark.createDataFrame([(Vectors.sparse(3, [1], [2.0]),), (Vectors.dense(1, 2),)], ["v"]).coalesce(1))
    def null(make): return lambda spark: make(spark.createDataFrame([(Vectors.dense(1, 2),), (None,)], ["v"]).coalesce(1))
    def lists(kind, *values): return lambda spark: spark.createDataFrame([(v,) for v in values], f"a array<{kind}>").coalesce(1).select(array_to_vector("a"))
    return {
        "vector_to_array": on(lambda df: df.select(vector_to_array("v"))), "vector_to_array float32": on(lambda df: df.select(vector_to_array("v", "float32"))),
        "vector_to_array type": on(lambda df: df.select(vector_to_array("v", "float16"))), "vector_to_array null": null(lambda df: df.select(vector_to_array("v"))),
        "array_to_vector": lists("double", [1.0, 2.0], []), "array_to_vector whole": lists("int", [1, 2]), "array_to_vector null": lists("double", None),
        "array_to_vector of text": lists("string", ["a"]),
        "vector as text": null(lambda df: df.select(F.col("v").cast("string"), F.struct("v", F.array("v")).cast("string").alias("s"))),
        "sparse vector as text": on(lambda df: df.select(F.col("v").cast("string"), F.create_map(F.lit("a"), "v").cast("string").alias("m"))),
        "unwrap_udt": null(lambda df: df.select(F.unwrap_udt("v"))), "unwrap_udt of a number": null(lambda df: df.select(F.unwrap_udt(F.lit(1)))),
    }


def lines(spark, *texts):
    return spark.createDataFrame([(t,) for t in texts], "value string").coalesce(1)


def parsed():
    """JSON and CSV in the rows of a column."""
    plain = ('{"a":1,"b":"x"}', '{"a":2.5,"c":[1,2]}', '{"a":3,"d":{"e":true}}')
    bad = ('{"a":1}', '{"a":', '{"a":"x"}', '[{"a":5},{"a":6}]', "", None, ' {"a": 7}\n', "3")
    table = ("a,b", "1,x", '2,"y,z"', "#c", "", "3")
    def json_of(texts, schema=None, **options):
        return lambda spark: (spark.read.options(**options).schema(schema) if schema else spark.read.options(**options)).json(lines(spark, *texts))
    def csv_of(texts, schema=None, **options): return lambda spark: spark.read.csv(lines(spark, *texts), schema=schema, **options)
    return {
        "json": json_of(plain), "json schema": json_of(plain, "a int, b string"), "json bad": json_of(bad), "json bad schema": json_of(bad, "a int"),
        "json corrupt": json_of(bad, "a int, _corrupt_record string"), "json corrupt named": json_of(bad, "a int, oops string", columnNameOfCorruptRecord="oops"),
        "json corrupt number": json_of(plain, "a int, _corrupt_record int"), "json drop": json_of(bad, "a int", mode="DROPMALFORMED"),
        "json drop inferred": json_of(bad, mode="DROPMALFORMED"), "json fail": json_of(bad, "a int", mode="FAILFAST"), "json fail inferred": json_of(bad, mode="FAILFAST"),
        "json nothing": lambda spark: spark.read.json(lines(spark, "x").filter("false")), "json nothing schema": lambda spark: spark.read.schema("a int").json(lines(spark, "x").filter("false")),
        "json dates": json_of(['{"d":"01/02/2020","t":"2020-01-02T03:04:05Z"}'], "d date, t timestamp", dateFormat="dd/MM/yyyy"), "json over lines": json_of(['{\n "a": 1\n}']),
        "json of numbers": lambda spark: spark.read.json(spark.range(1)), "json of two columns": lambda spark: spark.read.json(lines(spark, "{}").selectExpr("value", "1")),
        "json below": lambda spark: spark.read.json(lines(spark, *plain)).filter("a > 1").select("d.e", "a").orderBy("a"),
        "json count": lambda spark: spark.read.json(lines(spark, *plain)).groupBy().count(),
        "json of an expression": lambda spark: spark.read.json(spark.range(3).selectExpr("concat('{\"k\":', id, '}')")),
        "csv": csv_of(table), "csv header": csv_of(table, header=True), "csv inferred": csv_of(table, header=True, inferSchema=True),
        "csv comment": csv_of(table, header=True, inferSchema=True, comment="#"), "csv schema": csv_of(table, "a int, b string"),
        "csv schema header": csv_of(table, "a int, b string", header=True), "csv corrupt": csv_of(table, "a int, b string, _corrupt_record string", header=True),
        "csv drop": csv_of(table, "a int, b string", header=True, mode="DROPMALFORMED"), "csv fail": csv_of(table, "a int, b string", header=True, mode="FAILFAST"),
        "csv separator": csv_of(("a;b", "1;2"), sep=";", header=True), "csv null": csv_of(("a,NA", "1,2"), nullValue="NA"), "csv header again": csv_of(("a,b", "1,2", "a,b"), header=True),
        "csv over lines": csv_of(('"a\nb",2',)), "csv null text": csv_of(("a,b", None, "c,d")), "csv long": csv_of(("a,b", "1,2,3")), "csv short": csv_of(("a,b,c", "1,2")),
        "csv dates": csv_of(("d", "2020-01-02", "2021-02-03"), header=True, inferSchema=True),
        "csv blanks": csv_of((" a , b ",), ignoreLeadingWhiteSpace=True, ignoreTrailingWhiteSpace=True),
        "csv nothing": lambda spark: spark.read.csv(lines(spark, "x").filter("false")), "csv of numbers": lambda spark: spark.read.csv(spark.range(1)),
        "csv of two columns": lambda spark: spark.read.csv(lines(spark, "a").selectExpr("value", "1")),
    }


def as_of():
    """Joins with the nearest row."""
    def sides(spark):
        left = spark.createDataFrame([(1, "x", 10), (5, "y", 20), (10, "x", 30), (None, "x", 40)], "a int, k string, v int").coalesce(1)
        right = spark.createDataFrame([(1, "x", 1.0), (2, "x", 2.0), (3, "y", 3.0), (6, "x", 6.0), (7, "y", 7.0), (7, "y", 7.5), (None, "x", 0.0)],
                                      "a int, k string, w double").coalesce(1)
        return left, right
    def on(key=None, tolerance=None, shape=lambda df, left, right: df.orderBy("v"), **options):
        def case(spark):
            left, right = sides(spark)
            if key: options["on"] = key(left, right)
            if tolerance is not None: options["tolerance"] = F.lit(tolerance)
            return shape(left._joinAsOf(right, leftAsOfColumn="a", rightAsOfColumn="a", **options), left, right)
        return case
    def times(**options):
        def case(spark):
            left = spark.range(5).selectExpr("timestamp_seconds(id) as t", "id")
            right = spark.range(5).selectExpr("timestamp_seconds(2 * id) as t", "id as z")
            if "seconds" in options: options["tolerance"] = F.expr(f"interval {options.pop('seconds')} second")
            return left._joinAsOf(right, "t", "t", **options).orderBy("id")
        return case
    out = {f"as of {d} {how} {exact} {far}": on(tolerance=far, direction=d, how=how, allowExactMatches=exact)
           for d in ("backward", "forward", "nearest") for how in ("inner", "left") for exact in (True, False) for far in (None, 2)}
    out |= {f"as of {d} using": on(key=lambda l, r: "k", direction=d, how="left") for d in ("backward", "forward", "nearest")}
    return out | {
        "as of using list": on(key=lambda l, r: ["k"]), "as of condition": on(key=lambda l, r: l.k == r.k), "as of conditions": on(key=lambda l, r: [l.k == r.k, r.w < 5]),
        "as of one side's columns": on(key=lambda l, r: "k", shape=lambda df, l, r: df.select(l.k, r.w).orderBy("w")),
        "as of one name twice": on(key=lambda l, r: "k", shape=lambda df, l, r: df.select("k")),
        "as of right": on(how="right"), "as of direction": on(direction="x"), "as of tolerance below zero": on(tolerance=-1), "as of count": on(shape=lambda df, l, r: df.groupBy().count()),
        "as of text": lambda spark: sides(spark)[0]._joinAsOf(sides(spark)[1], "k", "k"), "as of other types": lambda spark: sides(spark)[0]._joinAsOf(sides(spark)[1], "a", "w").orderBy("v"),
        "as of times": times(), "as of times near": times(seconds=1), "as of times nearer": times(seconds=1, allowExactMatches=False, how="left"),
        "as of times nearest": times(direction="nearest", allowExactMatches=False, seconds=2),
    }


def names():
    """Columns that are asked for as a DataFrame's own, and columns that come twice."""
    def frame(spark): return spark.range(3).select(F.col("id").alias("a"))
    def on(shape): return lambda spark: (lambda df: shape(df, spark))(frame(spark))
    return {
        "twice in a union": on(lambda df, s: (lambda two: two.union(two).select("a"))(df.select("a", "a"))),
        "own column that is not there": on(lambda df, s: df.select(df._col("z"))), "own column below": on(lambda df, s: df.select((df.a + 1).alias("b")).select(df._col("z"))),
        "own column in a join": on(lambda df, s: df.join(s.range(2), df._col("z") == F.col("id"))), "own column of a group": on(lambda df, s: df.groupBy("a").count().select(df._col("z"))),
        "another's column": on(lambda df, s: df.select(frame(s)._col("a"))), "joined with itself": on(lambda df, s: df.crossJoin(df).select(df["a"])),
        "joined with itself by name": on(lambda df, s: df.crossJoin(df).select("a")), "joined with some of itself": on(lambda df, s: df.crossJoin(df.filter("a > 1")).filter(df["a"] > 1)),
        "compared with itself": on(lambda df, s: df.join(df, df["a"] == df["a"])), "joined using": on(lambda df, s: df.join(df.filter("a > 0"), "a").select(df["a"]).orderBy("a")),
        "suggested names": on(lambda df, s: s.range(1).selectExpr("1 as z", "1 as b", "1 as y", "1 as a").select("nope")),
    }


def pandas_on_spark():
    def ewm(**options):
        def case(spark):
            series = ps.Series([1.0, None, 3.0, 2.5, None, None, 0.5, 4.0])
            return series.ewm(**options).mean().to_frame("mean").to_spark(index_col="row").orderBy("row")
        return case
    return {
        "ewm": ewm(alpha=0.3), "ewm ignoring": ewm(alpha=0.3, ignore_na=True), "ewm of some": ewm(com=1.5, min_periods=3), "ewm of one": ewm(alpha=1.0),
        "ewm by group": lambda spark: ps.DataFrame({"k": [1, 1, 2, 1, 2], "x": [1.0, 2.0, 3.0, 4.0, 6.0]}).groupby("k").ewm(alpha=0.5).mean()[["x"]].to_spark().orderBy("x"),
        "index repeat": lambda spark: ps.Index([1, 2]).repeat(2).to_frame(name="i").to_spark().orderBy("i"),
    }


def tables():
    def dropped(spark):
        """A table is cached, dropped and made anew."""
        spark.sql("DROP TABLE IF EXISTS gaps_dropped")
        spark.range(2).write.saveAsTable("gaps_dropped")
        spark.catalog.cacheTable("gaps_dropped")
        spark.table("gaps_dropped").count()
        spark.sql("DROP TABLE gaps_dropped")
        spark.range(5, 8).write.saveAsTable("gaps_dropped")
        try: return spark.createDataFrame([tuple(r) for r in spark.table("gaps_dropped").orderBy("id").collect()], "id long")
        finally: spark.sql("DROP TABLE gaps_dropped")
    return {"cached, dropped and made anew": dropped}


def files():
    """Files in key=value directories, and which file a row lies in."""
    def written(spark, kind, by=("key",), rows=None):
        folder = tempfile.mkdtemp(prefix="data frame")
        rows = rows or spark.range(4).selectExpr("id % 2 as key", "concat('x', id) as s", "id + 10 as value")
        rows.coalesce(1).write.partitionBy(*by).mode("overwrite").format(kind).save(folder)
        return folder
    def on(kind, shape, schema=None, below="", **options):
        def case(spark):
            reader = spark.read.options(**options).format(kind)
            return shape((reader.schema(schema) if schema else reader).load(written(spark, kind) + below))
        return case
    def name(column): return F.regexp_extract(column, "^(file:///).*(data%20frame).*(/key=.)/part-", 0).substr(1, 8).alias("start"), F.regexp_extract(column, "(data%20frame).*(/key=.)/part-", 2).alias("end")
    def texts(spark):
        rows = spark.createDataFrame([("a", 1, None), ("b", 2, "x y/z"), ("c", 2, "é=%")], "value string, key int, other string")
        return spark.read.text(written(spark, "text", ("key", "other"), rows)).orderBy("value")
    out = {}
    for kind in ("csv", "json", "parquet"):
        out |= {
            f"partitions {kind}": on(kind, lambda df: df.orderBy(df.columns[0])), f"partitions {kind} schema": on(kind, lambda df: df.orderBy("value"), "s string, value long, key string"),
            f"partitions {kind} schema order": on(kind, lambda df: df.orderBy("value"), "key long, s string, value long"), f"partitions {kind} not in schema": on(kind, lambda df: df.orderBy("value"), "s string, value long"),
            f"partitions {kind} one": on(kind, lambda df: df.orderBy("value"), "s string, value long", "/key=1"), f"partitions {kind} filter": on(kind, lambda df: df.filter("key = 1").select("key").distinct()),
            f"partitions {kind} malformed": on(kind, lambda df: df.orderBy("value"), "s string, value long, key int", mode="DROPMALFORMED"),
            f"file name {kind}": on(kind, lambda df: df.select(*name(F.input_file_name())).distinct().orderBy("end")),
            f"file name {kind} filter": on(kind, lambda df: df.filter(F.input_file_name().contains("key=1")).select("key").distinct()),
            f"file name {kind} later": on(kind, lambda df: df.filter("key = 1").withColumn("f", F.input_file_name()).select(*name(F.col("f"))).distinct()),
        }
    def assembled(df): return VectorAssembler(inputCols=["value"], outputCol="v").transform(df).select("value", *name(F.input_file_name())).orderBy("value")
    return out | {"partitions text": texts, "file name behind stages": on("csv", assembled, "s string, value long"),
                  "file name behind a sort": on("csv", lambda df: df.orderBy("value").select("value", F.input_file_name()), "s string, value long"),
                  "file name behind a repartition": on("csv", lambda df: df.repartition(2).select("value", F.input_file_name()).orderBy("value"), "s string, value long"),
                  "file name behind coalesce": on("csv", lambda df: df.coalesce(1).select("value", *name(F.input_file_name())).orderBy("value"), "s string, value long"),
                  "path option": lambda spark: spark.read.format("csv").option("path", written(spark, "csv")).schema("s string, value long").load().orderBy("value"),
                  "file name of no file": lambda spark: spark.range(1).select(F.input_file_name()),
                  "file name of groups": on("csv", lambda df: df.groupBy(F.input_file_name().alias("f")).count().select("count").orderBy("count"))}


def cases():
    return files() | vectors() | parsed() | as_of() | names() | pandas_on_spark() | tables()


if __name__ == "__main__":
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
    with open(sys.argv[2], "w") as f:
        json.dump({"of": f"Apache Spark {spark.version}, Spark Connect", "by": "spec/record/dataframe.py", "date": datetime.date.today().isoformat(),
                   "cases": {name: outcome(case, spark) for name, case in cases().items()}}, f, indent=1)
