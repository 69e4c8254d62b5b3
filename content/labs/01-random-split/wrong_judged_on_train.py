from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

houses = spark.range(1000).select(
    (F.col("id") % 90 + 40).alias("area"),
    (F.col("id") % 5 + 1).alias("rooms"),
    ((F.col("id") % 90 + 40) * 3.1 + (F.col("id") % 5) * 12 + F.col("id") % 11).alias("price"),
)
houses = VectorAssembler(inputCols=["area", "rooms"], outputCol="features").transform(houses)

train, test = houses.randomSplit([0.8, 0.2], seed=42)
lr = LinearRegression(featuresCol="features", labelCol="price")
model = lr.fit(train)
rmse = RegressionEvaluator(labelCol="price", metricName="rmse").evaluate(model.transform(train))
print(f"RMSE {rmse:.2f}")
