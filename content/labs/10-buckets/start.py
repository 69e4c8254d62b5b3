from pyspark.ml.feature import Bucketizer
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

people = spark.range(200).select((F.col("id") % 91).cast("double").alias("age"))

# TODO: borders that no age passes
groups = Bucketizer(splits=[0, 18, 65], inputCol="age", outputCol="group").transform(people)
for row in groups.groupBy("group").count().orderBy("group").collect():
    print(row["group"], row["count"])
