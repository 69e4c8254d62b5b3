from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder, TrainValidationSplit
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

df = spark.range(300).select((F.col("id") % 23).cast("double").alias("x"), (F.col("id") % 23 * 2.0 + F.col("id") % 5).alias("label"))
df = VectorAssembler(inputCols=["x"], outputCol="features").transform(df)
lr, rmse = LinearRegression(), RegressionEvaluator()

grid = ParamGridBuilder().addGrid(lr.regParam, [0.0, 0.1, 1.0]).addGrid(lr.elasticNetParam, [0.0, 0.5]).build()
model = CrossValidator(estimator=lr, estimatorParamMaps=grid, evaluator=rmse, numFolds=3, seed=1).fit(df)
print("best regParam", model.bestModel.getRegParam())
