"""Files that are malformed, of other types than asked for, or of less usual formats."""

import os

from error_cases import case, write


def schema_and_rows(df):
    return [df.schema.simpleString(), df.collect()]


# JSON: malformed records and values of other types.

LINES = '{"a": 1, "b": "x"}\n{bad\n{"a": "y", "b": "z"}\n\n[{"a": 5}, {"a": 6}]\n7\n{"b": {"c": [1]}}\n'
MODES = ("PERMISSIVE", "DROPMALFORMED", "FAILFAST")


@case
def json_inferred(spark, dir):
    return schema_and_rows(spark.read.json(write(dir, "a.json", '{"b": 1.5}\n{bad\n{"a": {"x": [1, null]}, "b": 2}\n')))


@case
def json_inferred_named(spark, dir):
    return schema_and_rows(spark.read.json(write(dir, "a.json", '{"b": 1.5}\n{bad\n'), columnNameOfCorruptRecord="oops"))


@case
def json_inferred_dropped(spark, dir):
    return schema_and_rows(spark.read.json(write(dir, "a.json", '{"b": 1.5}\n{bad\n'), mode="DROPMALFORMED"))


@case
def json_inferred_failfast(spark, dir):
    spark.read.json(write(dir, "a.json", '{"b": 1.5}\n{bad\n'), mode="FAILFAST").collect()


@case
def json_given(spark, dir):
    return spark.read.schema("a int, b string").json(write(dir, "a.json", LINES)).collect()


@case
def json_given_corrupt(spark, dir):
    return spark.read.schema("a int, b string, _corrupt_record string").json(write(dir, "a.json", LINES)).cache().collect()


@case
def json_given_corrupt_named(spark, dir):
    return spark.read.schema("oops string, a int").json(write(dir, "a.json", LINES), columnNameOfCorruptRecord="oops").cache().collect()


@case
def json_given_dropped(spark, dir):
    return spark.read.schema("a int, b string").json(write(dir, "a.json", LINES), mode="DROPMALFORMED").collect()


@case
def json_given_failfast(spark, dir):
    spark.read.schema("a int, b string").json(write(dir, "a.json", '{"a": "y"}\n'), mode="FAILFAST").collect()


@case
def json_only_corrupt(spark, dir):
    spark.read.schema("a int, _corrupt_record string").json(write(dir, "a.json", LINES)).select("_corrupt_record").collect()


@case
def json_corrupt_type(spark, dir):
    spark.read.schema("a int, _corrupt_record int").json(write(dir, "a.json", LINES)).collect()


@case
def csv_only_corrupt(spark, dir):
    spark.read.schema("a int, _corrupt_record string").csv(write(dir, "a.csv", "1\nx\n")).select("_corrupt_record").collect()


@case
def csv_corrupt_type(spark, dir):
    spark.read.schema("a int, _corrupt_record int").csv(write(dir, "a.csv", "1\nx\n")).collect()


@case
def json_multiline(spark, dir):
    return schema_and_rows(spark.read.json(write(dir, "a.json", '[{"a": 1},\n {"a": 2, "b": "x"}]'), multiLine=True))


@case
def json_multiline_bad(spark, dir):
    write(dir, "d/a.json", '{"a":\n 1}')
    write(dir, "d/b.json", '{"a":\n bad}')
    return sorted(spark.read.schema("a int, _corrupt_record string").json(dir + "/d", multiLine=True).cache().collect(), key=str)


@case
def json_types(spark, dir):
    p = write(dir, "a.json", '{"i": 1.0, "l": 12345678901, "d": "2020-01-02", "t": "2020-01-02T03:04:05Z", "s": {"x": 1, "y": "no"}, "a": [1, "x"], "m": {"k": 1}, "f": 1, "n": "1.25", "b": true}\n'
                         '{"i": 3000000000, "l": "5", "d": "nope", "t": "nope", "s": [], "a": {"x": 1}, "m": {"k": "v"}, "f": "NaN", "n": 2, "b": "true"}\n')
    return spark.read.schema("i int, l long, d date, t timestamp, s struct<x int, y int>, a array<int>, m map<string, int>, f double, n decimal(5,2), b boolean, "
                             "_corrupt_record string").json(p).cache().collect()


@case
def json_nested_types(spark, dir):
    p = write(dir, "a.json", '{"s": {"x": 1, "y": "no"}, "a": [{"x": 1}, {"x": "no"}]}\n')
    return spark.read.schema("s struct<x int, y int>, a array<struct<x int>>").json(p).collect()


@case
def json_quotes(spark, dir):
    return schema_and_rows(spark.read.json(write(dir, "a.json", "{'a': 1}\n{\"a\": NaN}\n")))


# Parquet: columns of other types than asked for.

def parquet_as(made, asked):
    def run(spark, dir):
        spark.sql("select " + made + " as x from range(1)").write.parquet(dir + "/p")
        return [list(r) for r in spark.read.schema("x " + asked).parquet(dir + "/p").selectExpr("cast(x as string)").collect()]
    return run


PARQUET = {
    "int_as_long": ("cast(7 as int)", "long"), "int_as_double": ("cast(7 as int)", "double"), "int_as_float": ("cast(7 as int)", "float"),
    "int_as_string": ("cast(7 as int)", "string"), "int_as_short": ("cast(7 as int)", "short"), "int_as_byte": ("cast(7 as int)", "byte"),
    "int_as_boolean": ("cast(7 as int)", "boolean"), "int_as_date": ("cast(7 as int)", "date"), "int_as_decimal": ("cast(7 as int)", "decimal(10,0)"),
    "int_as_decimal_wide": ("cast(7 as int)", "decimal(20,2)"), "int_as_decimal_narrow": ("cast(7 as int)", "decimal(5,0)"), "int_as_timestamp": ("cast(7 as int)", "timestamp"),
    "byte_as_int": ("cast(7 as tinyint)", "int"), "byte_as_short": ("cast(7 as tinyint)", "short"), "short_as_long": ("cast(7 as smallint)", "long"),
    "short_as_double": ("cast(7 as smallint)", "double"),
    "long_as_int": ("cast(7 as bigint)", "int"), "long_as_double": ("cast(7 as bigint)", "double"), "long_as_string": ("cast(7 as bigint)", "string"),
    "long_as_decimal": ("cast(7 as bigint)", "decimal(20,0)"), "long_as_timestamp": ("cast(7 as bigint)", "timestamp"),
    "float_as_double": ("cast(1.5 as float)", "double"), "float_as_int": ("cast(1.5 as float)", "int"), "double_as_float": ("cast(1.5 as double)", "float"),
    "double_as_int": ("cast(1.5 as double)", "int"), "double_as_string": ("cast(1.5 as double)", "string"), "double_as_decimal": ("cast(1.5 as double)", "decimal(10,2)"),
    "string_as_int": ("'x'", "int"), "string_as_binary": ("'x'", "binary"), "string_as_date": ("'2020-01-01'", "date"), "string_as_boolean": ("'true'", "boolean"),
    "string_as_struct": ("'x'", "struct<a int>"), "string_as_array": ("'x'", "array<string>"),
    "binary_as_string": ("cast('x' as binary)", "string"), "boolean_as_int": ("true", "int"), "boolean_as_string": ("true", "string"),
    "date_as_timestamp": ("date'2020-01-02'", "timestamp"), "date_as_timestamp_ntz": ("date'2020-01-02'", "timestamp_ntz"), "date_as_string": ("date'2020-01-02'", "string"),
    "date_as_int": ("date'2020-01-02'", "int"), "timestamp_as_date": ("timestamp'2020-01-02 03:04:05'", "date"), "timestamp_as_long": ("timestamp'2020-01-02 03:04:05'", "long"),
    "timestamp_as_ntz": ("timestamp'2020-01-02 03:04:05'", "timestamp_ntz"), "timestamp_ntz_as_timestamp": ("timestamp_ntz'2020-01-02 03:04:05'", "timestamp"),
    "timestamp_as_string": ("timestamp'2020-01-02 03:04:05'", "string"),
    "decimal_as_decimal_wide": ("cast(1.25 as decimal(5,2))", "decimal(10,4)"), "decimal_as_decimal_narrow": ("cast(1.25 as decimal(10,4))", "decimal(5,2)"),
    "decimal_as_decimal_scale": ("cast(1.25 as decimal(5,2))", "decimal(6,4)"), "decimal_as_double": ("cast(1.25 as decimal(5,2))", "double"),
    "decimal_as_int": ("cast(1.25 as decimal(5,2))", "int"), "decimal_long_as_wide": ("cast(1.25 as decimal(15,2))", "decimal(38,2)"),
    "decimal_binary_as_wide": ("cast(1.25 as decimal(30,2))", "decimal(38,4)"), "decimal_as_long": ("cast(5 as decimal(5,0))", "long"),
    "array_as_array": ("array(1)", "array<bigint>"), "array_as_array_string": ("array(1)", "array<string>"), "array_as_int": ("array(1)", "int"),
    "struct_as_struct": ("named_struct('a', 1)", "struct<a long>"), "struct_as_struct_string": ("named_struct('a', 1)", "struct<a string>"),
    "struct_as_more": ("named_struct('a', 1)", "struct<a int, b int>"), "struct_as_int": ("named_struct('a', 1)", "int"), "map_as_map": ("map('a', 1)", "map<string, bigint>"),
    "int_as_array": ("cast(7 as int)", "array<int>"),
}
for _name, _pair in PARQUET.items():
    _run = parquet_as(*_pair)
    _run.__name__ = "parquet_" + _name
    case(_run)


@case
def parquet_absent_column(spark, dir):
    spark.range(2).write.parquet(dir + "/p")
    return spark.read.schema("id long, other string").parquet(dir + "/p").collect()


@case
def parquet_other_case(spark, dir):
    spark.range(2).write.parquet(dir + "/p")
    return sorted_rows(spark.read.schema("ID long").parquet(dir + "/p"))


# libsvm.

SVM = "1 1:0.5 3:2.0\n# a comment\n0 2:1.5\n\n-1 1:1 2:2 3:3\n"


@case
def libsvm(spark, dir):
    return schema_and_rows(spark.read.format("libsvm").load(write(dir, "a.txt", SVM)))


@case
def libsvm_metadata(spark, dir):
    return [f.jsonValue()["metadata"] for f in spark.read.format("libsvm").load(write(dir, "a.txt", SVM)).schema.fields]


@case
def libsvm_features(spark, dir):
    return spark.read.format("libsvm").option("numFeatures", "7").load(write(dir, "a.txt", SVM)).collect()


@case
def libsvm_dense(spark, dir):
    return spark.read.format("libsvm").option("vectorType", "dense").load(write(dir, "a.txt", SVM)).collect()


@case
def libsvm_few_features(spark, dir):
    spark.read.format("libsvm").option("numFeatures", "2").load(write(dir, "a.txt", SVM)).collect()


@case
def libsvm_comment_at_end(spark, dir):
    spark.read.format("libsvm").option("numFeatures", "3").load(write(dir, "a.txt", "1 1:1 # tail\n")).collect()


@case
def libsvm_vector_type(spark, dir):
    spark.read.format("libsvm").option("vectorType", "nope").load(write(dir, "a.txt", SVM)).collect()


@case
def libsvm_num_features_wrong(spark, dir):
    spark.read.format("libsvm").option("numFeatures", "0").load(write(dir, "a.txt", SVM)).collect()


@case
def libsvm_unordered(spark, dir):
    spark.read.format("libsvm").load(write(dir, "a.txt", "1 3:1 2:1\n")).collect()


@case
def libsvm_zero_index(spark, dir):
    spark.read.format("libsvm").load(write(dir, "a.txt", "1 0:1\n")).collect()


@case
def libsvm_garbage(spark, dir):
    spark.read.format("libsvm").option("numFeatures", "3").load(write(dir, "a.txt", "x 1:1\n")).collect()


@case
def libsvm_empty(spark, dir):
    spark.read.format("libsvm").load(write(dir, "a.txt", "")).collect()


@case
def libsvm_schema(spark, dir):
    spark.read.format("libsvm").schema("a int").load(write(dir, "a.txt", SVM)).collect()


@case
def libsvm_two(spark, dir):
    a, b = write(dir, "d/a.txt", SVM), write(dir, "d/b.txt", "5 4:1\n")
    return sorted((list(r) for r in spark.read.format("libsvm").load([a, b]).collect()), key=str)


@case
def libsvm_two_features(spark, dir):
    a, b = write(dir, "d/a.txt", SVM), write(dir, "d/b.txt", "5 4:1\n")
    return sorted((list(r) for r in spark.read.format("libsvm").option("numFeatures", 4).load([a, b]).collect()), key=str)


@case
def libsvm_written(spark, dir):
    import glob
    spark.read.format("libsvm").load(write(dir, "a.txt", SVM)).coalesce(1).write.format("libsvm").save(dir + "/out")
    return [open(f).read() for f in glob.glob(dir + "/out/part*")]


@case
def libsvm_written_dense(spark, dir):
    import glob
    spark.read.format("libsvm").option("vectorType", "dense").load(write(dir, "a.txt", SVM)).coalesce(1).write.format("libsvm").save(dir + "/out")
    return [open(f).read() for f in glob.glob(dir + "/out/part*")]


@case
def libsvm_written_wrong(spark, dir):
    spark.range(2).write.format("libsvm").save(dir + "/out")


# binaryFile.

def files(dir):
    for name, data in (("a.bin", b"\x00\xff"), ("b.txt", b"hello"), ("sub/c.bin", b"")):
        os.utime(write(dir, "d/" + name, data), (1700000000, 1700000000))
    return dir + "/d"


def sorted_rows(df):
    return [df.schema.simpleString(), sorted((list(r) for r in df.collect()), key=str)]


@case
def binary_file(spark, dir):
    return sorted_rows(spark.read.format("binaryFile").load(files(dir)))


@case
def binary_file_glob(spark, dir):
    return sorted_rows(spark.read.format("binaryFile").option("pathGlobFilter", "*.bin").load(files(dir)))


@case
def binary_file_recursive(spark, dir):
    return sorted_rows(spark.read.format("binaryFile").option("recursiveFileLookup", "true").option("pathGlobFilter", "*.bin").load(files(dir)).select("path", "length"))


@case
def binary_file_filter(spark, dir):
    return sorted_rows(spark.read.format("binaryFile").load(files(dir)).where("length > 3").selectExpr("length", "modificationTime", "cast(content as string)"))


@case
def binary_file_schema(spark, dir):
    return sorted_rows(spark.read.format("binaryFile").schema("length long, path string").load(files(dir)))


@case
def binary_file_schema_wrong(spark, dir):
    spark.read.format("binaryFile").schema("a int").load(files(dir)).collect()


@case
def binary_file_write(spark, dir):
    spark.read.format("binaryFile").load(files(dir)).write.format("binaryFile").save(dir + "/out")


@case
def glob_filter_csv(spark, dir):
    write(dir, "d/a.csv", "1\n")
    write(dir, "d/b.txt", "2\n")
    return spark.read.csv(dir + "/d", pathGlobFilter="*.csv").collect()


@case
def text_source(spark, dir):
    return sorted_rows(spark.read.format("text").load(write(dir, "a.txt", "a\n\nb\r\nc")))


@case
def text_line_sep(spark, dir):
    return sorted_rows(spark.read.format("text").option("lineSep", ";").load(write(dir, "a.txt", "a;b;;c;")))


@case
def text_whole(spark, dir):
    return sorted_rows(spark.read.text(write(dir, "a.txt", "a\n\nb\n"), wholetext=True))


# Files sent to the server's file system.

@case
def copy_to_local(spark, dir):
    spark.copyFromLocalToFs(write(dir, "a.txt", "x"), dir + "/copied/a.txt")


@case
def copy_to_local_allowed(spark, dir):
    spark.conf.set("spark.sql.artifact.copyFromLocalToFs.allowDestLocal", "true")
    try:
        spark.copyFromLocalToFs(write(dir, "a.txt", "x"), dir + "/copied/a.txt")
        spark.copyFromLocalToFs(write(dir, "b.txt", "y"), dir + "/copied/a.txt")
        return open(dir + "/copied/a.txt").read()
    finally:
        spark.conf.unset("spark.sql.artifact.copyFromLocalToFs.allowDestLocal")


@case
def copy_of_absent(spark, dir):
    spark.copyFromLocalToFs(dir + "/absent.txt", dir + "/a.txt")


@case
def copy_relative(spark, dir):
    spark.copyFromLocalToFs(write(dir, "a.txt", "x"), "a.txt")
