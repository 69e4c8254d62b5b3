from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

flights = spark.range(90).select(
    F.element_at(F.array(F.lit("UA"), F.lit("DL"), F.lit("AA")), (F.col("id") % 3 + 1).cast("int")).alias("carrier")
)

flights.createOrReplaceTempView("flights")
spark.sql("SELECT carrier, count(*) AS n FROM flights GROUP BY carrier").show()
