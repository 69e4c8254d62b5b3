from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

houses = spark.range(500).select(
    (F.col("id") % 90 + 40).alias("area"),
    ((F.col("id") % 90 + 40) * 3.1 + F.col("id") % 29).alias("price"),
)
houses = VectorAssembler(inputCols=["area"], outputCol="features").transform(houses)
train, test = houses.randomSplit([0.8, 0.2], seed=2)
model = LinearRegression(labelCol="price").fit(train)

for metric in ("rmse", "mae"):
    print(metric, RegressionEvaluator(labelCol="price", metricName=metric).evaluate(model.transform(test)))
