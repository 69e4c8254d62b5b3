from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

payments = spark.range(1000).select(
    F.when(F.col("id") % 100 == 99, F.lit(50000.0)).otherwise(F.col("id") % 100 + 1.0).alias("amount")
)

q1, q3 = payments.approxQuantile("amount", [0.25, 0.75], 0.0)
low, high = q1 - 1.5 * (q3 - q1), q3 + 1.5 * (q3 - q1)
print(payments.filter((F.col("amount") >= low) & (F.col("amount") <= high)).count(), "payments")
