import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.functions import pandas_udf

spark = SparkSession.builder.getOrCreate()

df = spark.range(30_000).select("id", (F.col("id") % 10).cast("double").alias("x"))


# TODO: nothing comes back from here
def score(rows):
    model = 2.5
    for row in rows:
        row["x"] * model


scored = df.foreachPartition(score)
print(scored.agg(F.count("*"), F.sum("score")).first())
