from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

houses = spark.range(400).select(
    (F.col("id") % 90 + 40).alias("area"),
    (F.col("id") % 7 + 1).alias("rooms"),
    ((F.col("id") % 90 + 40) * 3.0 + (F.col("id") % 7) * 25 + F.col("id") % 3).alias("price"),
)
train, test = houses.randomSplit([0.8, 0.2], seed=5)

assembler = VectorAssembler(inputCols=["area"], outputCol="features")
train, test = assembler.transform(train), assembler.transform(test)
model = LinearRegression(featuresCol="features", labelCol="price").fit(train)
rmse = RegressionEvaluator(labelCol="price", metricName="rmse").evaluate(model.transform(test))
print(f"RMSE {rmse:.2f}")
