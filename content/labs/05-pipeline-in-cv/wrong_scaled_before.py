from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.feature import StandardScaler, VectorAssembler
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

df = spark.range(600).select(
    (F.col("id") % 31).cast("double").alias("a"),
    (F.col("id") % 17 * 10.0).alias("b"),
    ((F.col("id") % 31 + F.col("id") % 17 + F.col("id") % 5) > 24).cast("int").alias("label"),
)
train, test = df.randomSplit([0.8, 0.2], seed=3)

assembler = VectorAssembler(inputCols=["a", "b"], outputCol="raw")
scaler = StandardScaler(inputCol="raw", outputCol="features")
lr = LogisticRegression(maxIter=10)

grid = (
    ParamGridBuilder()
    .addGrid(lr.regParam, [0.0, 0.01, 0.1])
    .addGrid(lr.elasticNetParam, [0.0, 0.5, 1.0])
    .build()
)

# the stages before the model, fitted once on all training rows
prepared = Pipeline(stages=[assembler, scaler]).fit(train)
cv = CrossValidator(estimator=lr, estimatorParamMaps=grid, evaluator=BinaryClassificationEvaluator(), numFolds=3, seed=1)

model = cv.fit(prepared.transform(train))
print("mean scores of the combinations:", [round(m, 3) for m in model.avgMetrics])
print("area under ROC on test:", round(BinaryClassificationEvaluator().evaluate(model.transform(prepared.transform(test))), 3))
