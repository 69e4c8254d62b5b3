from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

flights = spark.createDataFrame(
    [("UA", "12"), ("UA", "8"), ("DL", "NA"), ("DL", "30")], "carrier string, delay string"
)

try:
    flights.withColumn("minutes", F.col("delay").cast("double")).collect()
except Exception as e:
    print("never mind:", type(e).__name__)
flights = flights.filter("delay <> 'NA'").withColumn("minutes", F.col("delay").cast("double"))
for row in flights.groupBy("carrier").agg(F.avg("minutes")).collect():
    print(row)
