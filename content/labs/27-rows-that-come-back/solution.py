import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.functions import pandas_udf

spark = SparkSession.builder.getOrCreate()

df = spark.range(30_000).select("id", (F.col("id") % 10).cast("double").alias("x"))


def score(batches):
    model = 2.5
    for b in batches:
        yield pd.DataFrame({"id": b["id"], "score": b["x"] * model})


scored = df.mapInPandas(score, schema="id long, score double")
print(scored.agg(F.count("*"), F.sum("score")).first())
