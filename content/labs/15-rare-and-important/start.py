from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

payments = spark.range(3000).select(
    (F.col("id") % 50 == 7).cast("double").alias("label"),
    (F.when(F.col("id") % 50 == 7, F.col("id") % 13 + 6.0).otherwise(F.col("id") % 11 * 1.0)).alias("amount"),
)
payments = VectorAssembler(inputCols=["amount"], outputCol="features").transform(payments)
train, test = payments.randomSplit([0.7, 0.3], seed=9)

# TODO: fraud is rare, and it is what matters
model = LogisticRegression().fit(train)
print(MulticlassClassificationEvaluator(metricName="accuracy").evaluate(model.transform(test)))
