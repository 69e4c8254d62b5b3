from pyspark.ml.feature import Imputer
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

people = spark.range(500).select(
    F.when(F.col("id") % 6 != 0, (F.col("id") % 47 + 18).cast("double")).alias("age"),
    (F.col("id") % 2).alias("label"),
)
train, test = people.randomSplit([0.8, 0.2], seed=7)

model = Imputer(inputCols=["age"], outputCols=["age"]).fit(train)
filled = model.transform(test)

print(filled.filter("age IS NULL").count(), "ages are still missing")
