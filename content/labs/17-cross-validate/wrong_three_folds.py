from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import DecisionTreeRegressor
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

df = spark.range(500).select(
    (F.col("id") % 60).cast("double").alias("x"),
    (F.sin((F.col("id") % 60) / 8.0) * 10 + F.col("id") % 3).alias("label"),
)
df = VectorAssembler(inputCols=["x"], outputCol="features").transform(df)
train, test = df.randomSplit([0.8, 0.2], seed=8)
tree, rmse = DecisionTreeRegressor(), RegressionEvaluator(metricName="rmse")

grid = ParamGridBuilder().addGrid(tree.maxDepth, [2, 4, 6]).build()
model = CrossValidator(estimator=tree, estimatorParamMaps=grid, evaluator=rmse, seed=1).fit(train)
print("RMSE", rmse.evaluate(model.transform(test)))
