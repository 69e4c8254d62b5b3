from pyspark.ml.feature import OneHotEncoder, StringIndexer
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()

flights = spark.createDataFrame(
    [("AA", 12.0), ("UA", 30.0), ("AA", 5.0), ("DL", 8.0), ("UA", 41.0), ("B6", 3.0)],
    ["carrier", "delay"],
)

indexed = StringIndexer(inputCol="carrier", outputCol="carrier_idx").fit(flights).transform(flights)
encoder = OneHotEncoder(inputCol="carrier_idx", outputCol="carrier_vec")
encoded = encoder.fit(indexed).transform(indexed)

encoded.show()
