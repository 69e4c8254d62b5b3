from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

flights = spark.createDataFrame(
    [("UA", "12"), ("UA", "8"), ("DL", "NA"), ("DL", "30")], "carrier string, delay string"
)

flights = flights.withColumn("minutes", F.expr("try_cast(delay AS double)"))
for row in flights.groupBy("carrier").agg(F.avg("minutes")).collect():
    print(row)
