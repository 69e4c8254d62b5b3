"""Errors of queries, files and settings."""

from error_cases import case, write


@case
def column_absent(spark, dir):
    spark.range(3).select("nope").collect()


@case
def column_absent_in_filter(spark, dir):
    spark.range(3).where("nope > 1").collect()


@case
def column_of_other_frame(spark, dir):
    a, b = spark.range(3), spark.range(4).withColumnRenamed("id", "x")
    a.select(b["x"]).collect()


@case
def column_ambiguous(spark, dir):
    a = spark.createDataFrame([(1, 2)], "k int, v int")
    b = spark.createDataFrame([(1, 3)], "k int, v int")
    a.join(b, a["k"] == b["k"]).select("v").collect()


@case
def getitem_absent(spark, dir):
    spark.range(3)["nope"]


@case
def field_absent(spark, dir):
    spark.sql("select named_struct('a', 1) s").select("s.b").collect()


@case
def table_absent(spark, dir):
    spark.table("no_such_table").collect()


@case
def table_absent_sql(spark, dir):
    spark.sql("select * from no_such_table").collect()


@case
def function_absent(spark, dir):
    spark.sql("select no_such_function(1)").collect()


@case
def function_arity(spark, dir):
    spark.sql("select substring('a')").collect()


@case
def syntax(spark, dir):
    spark.sql("selec 1")


@case
def syntax_middle(spark, dir):
    spark.sql("select 1 from where x")


@case
def type_mismatch(spark, dir):
    spark.sql("select array(1) + 1").collect()


@case
def type_mismatch_filter(spark, dir):
    spark.range(3).where("id + 1").collect()


@case
def type_mismatch_function(spark, dir):
    spark.sql("select sqrt(array(1))").collect()


@case
def divide_by_zero(spark, dir):
    spark.sql("select 1/0").collect()


@case
def divide_by_zero_column(spark, dir):
    spark.range(3).selectExpr("10 % id").collect()


@case
def divide_by_zero_dataframe(spark, dir):
    from pyspark.sql import functions as F
    spark.range(3).select(F.lit(1) / F.col("id")).collect()


@case
def overflow_int(spark, dir):
    spark.sql("select 2147483647 + 1").collect()


@case
def overflow_long(spark, dir):
    spark.sql("select sum(x) from values (9223372036854775807L), (1L) t(x)").collect()


@case
def cast_invalid(spark, dir):
    spark.sql("select cast('abc' as int)").collect()


@case
def cast_invalid_column(spark, dir):
    spark.createDataFrame([("1",), ("x",)], "s string").selectExpr("cast(s as double)").collect()


@case
def cast_invalid_date(spark, dir):
    spark.sql("select cast('2020-13-45' as date)").collect()


@case
def cast_overflow(spark, dir):
    spark.sql("select cast(300 as tinyint)").collect()


@case
def cast_not_allowed(spark, dir):
    spark.sql("select cast(array(1) as int)").collect()


@case
def array_index(spark, dir):
    spark.sql("select array(1,2)[5]").collect()


@case
def element_at_index(spark, dir):
    spark.sql("select element_at(array(1,2), 5)").collect()


@case
def element_at_zero(spark, dir):
    spark.sql("select element_at(array(1,2), 0)").collect()


@case
def map_key_absent(spark, dir):
    return spark.sql("select map('a', 1)['b']").collect()


@case
def raise_error(spark, dir):
    spark.sql("select raise_error('mine')").collect()


@case
def assert_true(spark, dir):
    spark.sql("select assert_true(1 > 2)").collect()


@case
def group_by_missing(spark, dir):
    spark.sql("select id, count(*) from range(3)").collect()


@case
def aggregate_in_where(spark, dir):
    spark.sql("select id from range(3) where sum(id) > 1").collect()


@case
def union_columns(spark, dir):
    spark.range(3).union(spark.sql("select 1, 2")).collect()


@case
def union_by_name_missing(spark, dir):
    spark.range(3).unionByName(spark.sql("select 1 as x")).collect()


@case
def union_types(spark, dir):
    spark.sql("select array(1)").union(spark.sql("select 1")).collect()


@case
def scalar_subquery(spark, dir):
    spark.sql("select (select id from range(3))").collect()


@case
def view_exists(spark, dir):
    spark.range(1).createOrReplaceTempView("v_exists")
    spark.range(1).createTempView("v_exists")


@case
def write_exists(spark, dir):
    spark.range(1).write.parquet(dir + "/w")
    spark.range(1).write.parquet(dir + "/w")


@case
def write_duplicate_columns(spark, dir):
    spark.sql("select 1 a, 2 a").write.parquet(dir + "/dup")


@case
def write_csv_nested(spark, dir):
    spark.sql("select array(1) a").write.csv(dir + "/nested")


@case
def write_text_two(spark, dir):
    spark.sql("select 'a' a, 'b' b").write.text(dir + "/text")


@case
def write_text_int(spark, dir):
    spark.sql("select 1 a").write.text(dir + "/text")


@case
def write_format_absent(spark, dir):
    spark.range(1).write.format("nope").save(dir + "/x")


@case
def write_partition_absent(spark, dir):
    spark.range(1).write.partitionBy("nope").parquet(dir + "/x")


@case
def write_mode_wrong(spark, dir):
    spark.range(1).write.mode("nope").parquet(dir + "/x")


@case
def read_absent(spark, dir):
    spark.read.parquet(dir + "/absent").collect()


@case
def read_csv_absent(spark, dir):
    spark.read.csv(dir + "/absent.csv", header=True).collect()


@case
def read_format_absent(spark, dir):
    spark.read.format("nope").load(dir).collect()


@case
def read_empty_directory(spark, dir):
    spark.read.parquet(dir).collect()


@case
def read_parquet_corrupt(spark, dir):
    write(dir, "a.parquet", "this is no parquet file at all")
    spark.read.parquet(dir + "/a.parquet").collect()


@case
def read_parquet_truncated(spark, dir):
    import glob
    spark.range(10000).coalesce(1).write.parquet(dir + "/whole")
    data = open(glob.glob(dir + "/whole/*.parquet")[0], "rb").read()
    write(dir, "cut.parquet", data[: len(data) // 2])
    spark.read.parquet(dir + "/cut.parquet").collect()


@case
def read_parquet_body(spark, dir):
    import glob
    spark.range(10000).coalesce(1).write.parquet(dir + "/whole")
    data = bytearray(open(glob.glob(dir + "/whole/*.parquet")[0], "rb").read())
    for i in range(30, len(data) - 1500):
        data[i] = 0xAB
    write(dir, "bad.parquet", bytes(data))
    spark.read.parquet(dir + "/bad.parquet").selectExpr("sum(id)").collect()


@case
def read_parquet_type(spark, dir):
    spark.range(10).selectExpr("cast(id as string) id").write.parquet(dir + "/s")
    spark.read.schema("id double").parquet(dir + "/s").collect()


@case
def read_schema_wrong(spark, dir):
    write(dir, "a.csv", "1,2\n")
    spark.read.schema("a int, b nope").csv(dir + "/a.csv").collect()


BAD = "a,b,c\n1,x,2.5\nnope,y,3.5\n3,z\n4,w,5.5,extra\n5,v,bad\n"
SCHEMA = "a int, b string, c double"


@case
def csv_permissive(spark, dir):
    p = write(dir, "a.csv", BAD)
    return spark.read.schema(SCHEMA).csv(p, header=True).collect()


@case
def csv_corrupt_record(spark, dir):
    p = write(dir, "a.csv", BAD)
    return spark.read.schema(SCHEMA + ", _corrupt_record string").csv(p, header=True).cache().collect()


@case
def csv_corrupt_record_named(spark, dir):
    p = write(dir, "a.csv", BAD)
    return spark.read.schema(SCHEMA + ", oops string").csv(p, header=True, columnNameOfCorruptRecord="oops").cache().collect()


@case
def csv_dropmalformed(spark, dir):
    p = write(dir, "a.csv", BAD)
    return spark.read.schema(SCHEMA).csv(p, header=True, mode="DROPMALFORMED").collect()


@case
def csv_failfast(spark, dir):
    p = write(dir, "a.csv", BAD)
    spark.read.schema(SCHEMA).csv(p, header=True, mode="FAILFAST").collect()


@case
def csv_failfast_short(spark, dir):
    p = write(dir, "a.csv", "a,b,c\n1,x,2.5\n3,z\n")
    spark.read.schema(SCHEMA).csv(p, header=True, mode="FAILFAST").collect()


@case
def csv_mode_wrong(spark, dir):
    p = write(dir, "a.csv", BAD)
    return spark.read.schema(SCHEMA).csv(p, header=True, mode="NOPE").collect()


@case
def csv_infer_bad(spark, dir):
    p = write(dir, "a.csv", BAD)
    df = spark.read.csv(p, header=True, inferSchema=True)
    return [df.schema.simpleString(), df.collect()]


@case
def csv_special_numbers(spark, dir):
    p = write(dir, "a.csv", "a,b\nNaN,1\nInf,2\n-Inf,3\n1.5,4\n")
    df = spark.read.csv(p, header=True, inferSchema=True)
    return [df.schema.simpleString(), df.collect()]


@case
def csv_sep_wrong(spark, dir):
    p = write(dir, "a.csv", BAD)
    spark.read.csv(p, sep="").collect()


@case
def csv_empty(spark, dir):
    p = write(dir, "a.csv", "")
    return spark.read.csv(p, header=True).columns


@case
def json_corrupt(spark, dir):
    p = write(dir, "a.json", '{"a": 1}\n{bad\n{"a": 3}\n')
    df = spark.read.json(p).cache()
    return [df.schema.simpleString(), df.collect()]


@case
def json_corrupt_schema(spark, dir):
    p = write(dir, "a.json", '{"a": 1}\n{bad\n{"a": "x"}\n')
    return spark.read.schema("a int, _corrupt_record string").json(p).cache().collect()


@case
def json_failfast(spark, dir):
    p = write(dir, "a.json", '{"a": 1}\n{bad\n')
    spark.read.schema("a int").option("mode", "FAILFAST").json(p).collect()


@case
def json_dropmalformed(spark, dir):
    p = write(dir, "a.json", '{"a": 1}\n{bad\n{"a": 3}\n')
    return spark.read.schema("a int").option("mode", "DROPMALFORMED").json(p).collect()


@case
def conf_absent(spark, dir):
    spark.conf.get("spark.no.such.conf")


@case
def conf_type(spark, dir):
    spark.conf.set("spark.sql.ansi.enabled", "maybe")


@case
def conf_int_type(spark, dir):
    spark.conf.set("spark.sql.shuffle.partitions", "many")


@case
def conf_static(spark, dir):
    spark.conf.set("spark.sql.warehouse.dir", "/x")


@case
def conf_core(spark, dir):
    spark.conf.set("spark.executor.memory", "1g")


@case
def conf_timezone(spark, dir):
    spark.conf.set("spark.sql.session.timeZone", "Mars/Base")


@case
def conf_modifiable(spark, dir):
    return [spark.conf.isModifiable(k) for k in ("spark.sql.shuffle.partitions", "spark.sql.warehouse.dir", "spark.executor.memory", "spark.no.such")]


@case
def conf_get_all(spark, dir):
    return "spark.sql.session.timeZone" in spark.conf.getAll


@case
def conf_unset(spark, dir):
    spark.conf.set("spark.sql.shuffle.partitions", "7")
    spark.conf.unset("spark.sql.shuffle.partitions")
    return spark.conf.get("spark.sql.shuffle.partitions") != "7"


@case
def ddl_wrong(spark, dir):
    spark.createDataFrame([(1,)], "a nope").collect()


@case
def range_step_zero(spark, dir):
    spark.range(0, 10, 0).collect()


@case
def sample_negative(spark, dir):
    spark.range(3).sample(-0.5).collect()


@case
def limit_negative(spark, dir):
    spark.range(3).limit(-1).collect()


@case
def random_split_negative(spark, dir):
    spark.range(3).randomSplit([-1.0, 2.0])


@case
def join_condition_absent(spark, dir):
    spark.range(3).join(spark.range(3), "nope").collect()


@case
def join_type_wrong(spark, dir):
    spark.range(3).join(spark.range(3), "id", "sideways").collect()


@case
def drop_duplicates_absent(spark, dir):
    spark.range(3).dropDuplicates(["nope"]).collect()


@case
def fillna_absent(spark, dir):
    spark.range(3).fillna(1, subset=["nope"]).collect()


@case
def dropna_absent(spark, dir):
    spark.range(3).dropna(subset=["nope"]).collect()


@case
def to_schema_absent(spark, dir):
    from pyspark.sql.types import StructType
    spark.range(3).to(StructType().add("nope", "int", False)).collect()


@case
def corr_absent(spark, dir):
    spark.range(3).stat.corr("id", "nope")


@case
def quantile_text(spark, dir):
    spark.sql("select 'a' s").approxQuantile("s", [0.5], 0.0)


@case
def pivot_too_many(spark, dir):
    spark.range(10001).groupBy().pivot("id").count().collect()


@case
def nan_rows(spark, dir):
    df = spark.createDataFrame([(float("nan"),), (float("inf"),), (float("-inf"),), (1.0,), (None,)], "x double")
    return [df.orderBy("x").collect(), df.selectExpr("min(x)", "max(x)", "sum(x)", "count(x)").collect(), df.where("x > 1").collect(),
            df.where("x = double('NaN')").count(), df.groupBy("x").count().orderBy("x").collect(), df.na.drop().count(), df.na.fill(0.0).orderBy("x").collect()]


@case
def empty_frames(spark, dir):
    df = spark.createDataFrame([], "a int, b string")
    return [df.collect(), df.count(), df.selectExpr("sum(a)", "max(b)", "count(*)").collect(), df.groupBy("b").count().collect(), df.describe().collect(),
            df.join(df, "a").count(), df.orderBy("a").head() is None, df.toPandas().shape[0]]


@case
def null_columns(spark, dir):
    df = spark.createDataFrame([(None, None), (None, None)], "a double, b string")
    return [df.selectExpr("avg(a)", "stddev(a)", "min(b)", "count(a)").collect(), df.describe().collect(), df.groupBy("b").agg({"a": "sum"}).collect(),
            df.approxQuantile("a", [0.5], 0.0), df.stat.corr("a", "a")]


@case
def void_column(spark, dir):
    df = spark.sql("select null as n")
    return [df.schema.simpleString(), df.collect()]


@case
def with_columns_deep(spark, dir):
    from pyspark.sql import functions as F
    df = spark.range(2)
    for i in range(150):
        df = df.withColumn("id", F.col("id") + 1)
    return df.collect()


# Where in the query an error arose.

@case
def place_in_lines(spark, dir):
    spark.sql("select\n  1,\n  id / 0\nfrom range(3)").collect()


@case
def place_in_long_line(spark, dir):
    spark.sql("select 'a text that is long enough to be cut off', 1 / 0, 'another text that is long enough to be cut off'").collect()


@case
def place_over_lines(spark, dir):
    spark.sql("select 1 /\n  (1 - 1) as x").collect()


@case
def place_of_letters(spark, dir):
    spark.sql("select 'äöü', 1/0, '日本'").collect()


@case
def place_in_function(spark, dir):
    spark.sql("select upper(concat('a', cast(cast('x' as int) as string)))").collect()


@case
def place_of_implicit_cast(spark, dir):
    spark.sql("select 'x' + 1").collect()


@case
def place_in_subquery(spark, dir):
    spark.sql("select * from (select 1 / id as q from range(3)) where q > 0").collect()


@case
def place_in_expression_text(spark, dir):
    from pyspark.sql import functions as F
    spark.range(3).select(F.expr("10 % id") + 1).collect()


@case
def place_in_condition_text(spark, dir):
    spark.range(3).where("1/id > 0").collect()


@case
def place_of_cast(spark, dir):
    from pyspark.sql import functions as F
    spark.createDataFrame([("x",)], "s string").withColumn("d", F.col("s").cast("int") + 1).collect()


@case
def place_of_item(spark, dir):
    from pyspark.sql import functions as F
    spark.range(1).select(F.array(F.lit(1))[F.lit(5)]).collect()


@case
def place_of_function_call(spark, dir):
    from pyspark.sql import functions as F
    spark.range(1).select(F.element_at(F.array(F.lit(1)), F.lit(5))).collect()


@case
def place_of_column_in_sum(spark, dir):
    from pyspark.sql import functions as F
    spark.range(3).select(F.col("nope") + 1).collect()


@case
def place_of_column_in_lines(spark, dir):
    spark.sql("select id,\n   nope from range(3)").collect()


@case
def place_of_double_colon(spark, dir):
    spark.sql("select 'x'::int").collect()


@case
def place_of_division(spark, dir):
    spark.sql("select (-9223372036854775807L-1L) div -1").collect()


# Overflow.

def overflow(text):
    def run(spark, dir):
        return [list(r) for r in spark.sql(text).collect()]
    return run


def wraps(text):
    def run(spark, dir):
        spark.conf.set("spark.sql.ansi.enabled", "false")
        try:
            return [list(r) for r in spark.sql(text).collect()]
        finally:
            spark.conf.set("spark.sql.ansi.enabled", "true")
    return run


LONGS = "from values (9223372036854775807L, 2L), (1L, 3L) t(a, b)"
for _name, _run in {
    "long_add": overflow(f"select a + b {LONGS}"), "long_subtract": overflow(f"select -a - b {LONGS}"), "long_multiply": overflow(f"select a * b {LONGS}"),
    "int_multiply": overflow("select 2147483647 * 2, 1"), "int_subtract": overflow("select -2147483647 - 3"), "nested": overflow(f"select (a - b) * (b + 1) + b {LONGS}"),
    "in_where": overflow(f"select b {LONGS} where a + b > 0"), "in_aggregate": overflow(f"select max(a * b) {LONGS}"), "negate": overflow("select -(cast(-9223372036854775807 - 1 as bigint))"),
    "abs": overflow("select abs(cast(-2147483648 as int))"), "short": overflow("select 32767S + 1S"),
    "wraps_int": wraps("select 2147483647 + 1, -2147483648 - 1, 65536 * 65536, -(-2147483648), abs(cast(-2147483648 as int))"),
    "wraps_long": wraps(f"select a + b, -a - b, a * b, (a - b) * (b + 1) + b, -(-a - 1), a * a {LONGS}"),
    "wraps_narrow": wraps("select 32767S + 1S, 127Y * 2Y, -128Y - 1Y, -cast(-128 as tinyint)"),
    "wraps_sum": wraps(f"select sum(a), sum(a) over (order by b), sum(b) {LONGS}"),
    "wraps_div": wraps("select (-9223372036854775807L - 1L) div -1, 7L div 0L, -7L div 2L"),
    "wraps_null": wraps(f"select a + cast(null as bigint), cast(null as int) * 2 {LONGS}"),
}.items():
    _run.__name__ = "overflow_" + _name
    case(_run)
