from pyspark.ml.feature import OneHotEncoder, StringIndexer
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()

flights = spark.createDataFrame(
    [("AA", 12.0), ("UA", 30.0), ("AA", 5.0), ("DL", 8.0), ("UA", 41.0), ("B6", 3.0)],
    ["carrier", "delay"],
)

# a number for each string, but not a dense index: the vector is as long as the largest number
indexed = flights.selectExpr("*", "cast(pmod(hash(carrier), 50) AS double) AS carrier_idx")
encoder = OneHotEncoder(inputCol="carrier_idx", outputCol="carrier_vec")
encoded = encoder.fit(indexed).transform(indexed)

encoded.show()
