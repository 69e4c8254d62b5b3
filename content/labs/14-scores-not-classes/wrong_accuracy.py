from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator, MulticlassClassificationEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

df = spark.range(600).select(
    (F.col("id") % 31).cast("double").alias("a"),
    (F.col("id") % 17).cast("double").alias("b"),
    (F.col("id") % 31 + F.col("id") % 17 + F.col("id") % 11 > 28).cast("double").alias("label"),
)
df = VectorAssembler(inputCols=["a", "b"], outputCol="features").transform(df)
train, test = df.randomSplit([0.7, 0.3], seed=4)
out = LogisticRegression(maxIter=20).fit(train).transform(test)

print("area", BinaryClassificationEvaluator().evaluate(out))
print("accuracy", MulticlassClassificationEvaluator(metricName="accuracy").evaluate(out))
