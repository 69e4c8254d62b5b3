from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

flats = spark.range(400).select(
    (F.col("id") % 90 + 30).cast("double").alias("area"),
    F.exp((F.col("id") % 90 + 30) / 40 + F.col("id") % 7 / 20).alias("price"),
)
flats = flats.withColumn("log_price", F.log("price"))
flats = VectorAssembler(inputCols=["area"], outputCol="features").transform(flats)
train, test = flats.randomSplit([0.8, 0.2], seed=5)

model = LinearRegression(labelCol="log_price", predictionCol="log_prediction").fit(train)
predicted = model.transform(test)

# TODO: this is the error of logarithms
rmse = RegressionEvaluator(labelCol="log_price", predictionCol="log_prediction", metricName="rmse").evaluate(predicted)

print(f"RMSE {rmse:.3f}")
