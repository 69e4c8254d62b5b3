from pyspark.ml.feature import OneHotEncoder, StringIndexer
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()

flights = spark.createDataFrame(
    [("AA", 12.0), ("UA", 30.0), ("AA", 5.0), ("DL", 8.0), ("UA", 41.0), ("B6", 3.0)],
    ["carrier", "delay"],
)

encoder = OneHotEncoder(inputCol="carrier", outputCol="carrier_vec")
encoded = encoder.fit(flights).transform(flights)

encoded.show()
