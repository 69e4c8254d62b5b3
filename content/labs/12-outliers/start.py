from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

payments = spark.range(1000).select(
    F.when(F.col("id") % 100 == 99, F.lit(50000.0)).otherwise(F.col("id") % 100 + 1.0).alias("amount")
)

# TODO: drop what is far away by the quartiles
print(payments.count(), "payments")
