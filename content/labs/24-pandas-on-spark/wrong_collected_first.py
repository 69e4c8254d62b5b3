from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

sdf = spark.range(50_000).select(
    F.element_at(F.array(F.lit("Oslo"), F.lit("Rome"), F.lit("Cairo")), (F.col("id") % 3 + 1).cast("int")).alias("city"),
    (F.col("id") % 100).cast("double").alias("amount"),
)

means = sdf.pandas_api().to_pandas().groupby("city")["amount"].mean()
print(means.sort_index())
