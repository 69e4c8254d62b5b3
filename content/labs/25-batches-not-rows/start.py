import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.functions import pandas_udf, udf

spark = SparkSession.builder.getOrCreate()

weather = spark.range(20_000).select((F.col("id") % 40).cast("double").alias("celsius"))


# TODO: once a batch instead of once a row
@udf("double")
def fahrenheit(celsius):
    return celsius * 9 / 5 + 32


print(weather.select(fahrenheit("celsius").alias("f")).agg(F.avg("f")).first())
