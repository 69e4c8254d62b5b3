import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.functions import pandas_udf

spark = SparkSession.builder.getOrCreate()

df = spark.range(30_000).select("id", (F.col("id") % 10).cast("double").alias("x"))


@pandas_udf("double")
def score(x: pd.Series) -> pd.Series:
    return x * 2.5


scored = df.select("id", score("x").alias("score"))
print(scored.agg(F.count("*"), F.sum("score")).first())
