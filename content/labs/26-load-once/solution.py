from typing import Iterator

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.functions import pandas_udf

spark = SparkSession.builder.getOrCreate()

df = spark.range(60_000).select((F.col("id") % 100).cast("double").alias("x"))


def load():
    import time

    time.sleep(0.05)
    return 1.5


@pandas_udf("double")
def score(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
    model = load()
    for x in batches:
        yield x * model


print(df.select(score("x").alias("s")).agg(F.sum("s")).first())
