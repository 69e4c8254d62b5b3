from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

houses = spark.range(500).select(
    (F.col("id") % 90 + 10).cast("double").alias("area"),
    F.exp((F.col("id") % 90 + 10) / 15.0 + (F.col("id") % 7) / 100.0).alias("price"),
).withColumn("log_price", F.log("price"))
houses = VectorAssembler(inputCols=["area"], outputCol="features").transform(houses)
train, test = houses.randomSplit([0.8, 0.2], seed=6)
out = LinearRegression(labelCol="log_price").fit(train).transform(test)

rmse = RegressionEvaluator(labelCol="log_price", metricName="rmse").evaluate(out)
print(f"RMSE {rmse:.2f}")
