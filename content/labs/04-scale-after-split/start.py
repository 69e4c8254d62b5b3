from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.feature import StandardScaler, VectorAssembler
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

calls = spark.range(800).select(
    (F.col("id") % 60).cast("double").alias("minutes"),
    (F.col("id") % 13 * 1000.0).alias("distance"),
    ((F.col("id") % 60 + F.col("id") % 13 * 3 + F.col("id") % 7) > 50).cast("int").alias("label"),
)
calls = VectorAssembler(inputCols=["minutes", "distance"], outputCol="raw").transform(calls)
scaler = StandardScaler(inputCol="raw", outputCol="features", withMean=True)

scaled = scaler.fit(calls).transform(calls)
train, test = scaled.randomSplit([0.7, 0.3], seed=1)

model = LogisticRegression().fit(train)
auc = BinaryClassificationEvaluator().evaluate(model.transform(test))
print(f"area under ROC {auc:.3f}")
