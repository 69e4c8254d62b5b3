from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import DecisionTreeRegressor, GBTRegressor, RandomForestRegressor
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

df = spark.range(800).select(
    (F.col("id") % 41).cast("double").alias("a"),
    (F.col("id") % 29).cast("double").alias("b"),
    ((F.col("id") % 41) * (F.col("id") % 29) / 20.0 + F.col("id") % 7).alias("label"),
)
df = VectorAssembler(inputCols=["a", "b"], outputCol="features").transform(df)
train, test = df.randomSplit([0.75, 0.25], seed=3)
rmse = RegressionEvaluator(metricName="rmse")

print("forest", rmse.evaluate(RandomForestRegressor(numTrees=20, seed=1).fit(train).transform(test)))
print("boosted", rmse.evaluate(GBTRegressor(maxIter=10, seed=1).fit(train).transform(test)))
