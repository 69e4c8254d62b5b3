from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

flights = spark.range(500).select(
    (F.col("id") % 100 * 1.0 + F.col("id") % 7).alias("delay"),
    (F.col("id") % 100 * 20 + F.col("id") % 13).alias("distance"),
)

flights.summary().show()
