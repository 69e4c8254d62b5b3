from pyspark.ml.feature import Bucketizer
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

people = spark.range(200).select((F.col("id") % 91).cast("double").alias("age"))

inf = float("inf")
groups = Bucketizer(splits=[-inf, 18, inf], inputCol="age", outputCol="group").transform(people)
for row in groups.groupBy("group").count().orderBy("group").collect():
    print(row["group"], row["count"])
