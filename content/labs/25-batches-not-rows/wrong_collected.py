import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.functions import pandas_udf, udf

spark = SparkSession.builder.getOrCreate()

weather = spark.range(20_000).select((F.col("id") % 40).cast("double").alias("celsius"))


celsius = weather.toPandas()["celsius"]
print((celsius * 9 / 5 + 32).mean())
