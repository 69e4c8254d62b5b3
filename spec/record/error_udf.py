"""Errors of Python functions."""

from error_cases import case


@case
def udf_raises(spark, dir):
    from pyspark.sql import functions as F

    @F.udf("int")
    def bad(x):
        raise ValueError("boom %d" % x)
    spark.range(3).select(bad("id")).collect()


@case
def udf_zero_division(spark, dir):
    from pyspark.sql import functions as F
    spark.range(3).select(F.udf(lambda x: 1 // x, "int")("id")).collect()


@case
def udf_wrong_type(spark, dir):
    from pyspark.sql import functions as F
    return spark.range(2).select(F.udf(lambda x: "text", "int", useArrow=False)("id").alias("v")).collect()


@case
def udf_wrong_type_arrow(spark, dir):
    from pyspark.sql import functions as F
    return spark.range(2).select(F.udf(lambda x: "text", "int", useArrow=True)("id").alias("v")).collect()


@case
def pandas_length(spark, dir):
    from pyspark.sql import functions as F
    import pandas as pd

    @F.pandas_udf("long")
    def short(s: pd.Series) -> pd.Series:
        return s[:1]
    spark.range(5).coalesce(1).select(short("id")).collect()


@case
def pandas_type(spark, dir):
    from pyspark.sql import functions as F
    import pandas as pd

    @F.pandas_udf("long")
    def wrong(s: pd.Series) -> pd.Series:
        return s.map(lambda v: "a%d" % v)
    spark.range(5).select(wrong("id")).collect()


@case
def pandas_not_series(spark, dir):
    from pyspark.sql import functions as F
    import pandas as pd

    @F.pandas_udf("long")
    def wrong(s: pd.Series) -> pd.Series:
        return 5
    spark.range(5).select(wrong("id")).collect()


@case
def apply_missing_column(spark, dir):
    import pandas as pd

    def f(g):
        return pd.DataFrame({"x": [1]})
    spark.range(3).groupBy("id").applyInPandas(f, "id long, y long").collect()


@case
def apply_not_frame(spark, dir):
    spark.range(3).groupBy("id").applyInPandas(lambda g: 5, "id long").collect()


@case
def map_missing_column(spark, dir):
    import pandas as pd

    def f(it):
        for g in it:
            yield pd.DataFrame({"x": g["id"]})
    spark.range(3).mapInPandas(f, "y long").collect()


@case
def map_not_iterator(spark, dir):
    spark.range(3).mapInPandas(lambda it: 5, "id long").collect()


@case
def iter_length(spark, dir):
    from typing import Iterator
    from pyspark.sql import functions as F
    import pandas as pd

    @F.pandas_udf("long")
    def short(it: Iterator[pd.Series]) -> Iterator[pd.Series]:
        for s in it:
            yield s[:1]
    spark.range(5).coalesce(1).select(short("id")).collect()


@case
def udf_exits(spark, dir):
    import os
    from pyspark.sql import functions as F
    spark.range(1).select(F.udf(lambda x: os._exit(3), "int")("id")).collect()


@case
def udf_name_absent(spark, dir):
    from pyspark.sql import functions as F

    @F.udf("int")
    def f(x):
        return undefined_name  # noqa: F821
    spark.range(1).select(f("id")).collect()


@case
def udf_module_absent(spark, dir):
    from pyspark.sql import functions as F

    @F.udf("int")
    def f(x):
        import no_such_module
        return 1
    spark.range(1).select(f("id")).collect()


@case
def udf_column_absent(spark, dir):
    from pyspark.sql import functions as F
    spark.range(1).select(F.udf(lambda x: x, "int")("nope")).collect()


@case
def udf_sql_not_registered(spark, dir):
    spark.sql("select my_missing_udf(1)").collect()


@case
def udf_null_input(spark, dir):
    from pyspark.sql import functions as F
    df = spark.createDataFrame([(None,), (1,)], "x int")
    return df.select(F.udf(lambda x: x is None, "boolean")("x").alias("n")).collect()
