from pyspark.ml import Pipeline
from pyspark.ml.classification import DecisionTreeClassifier
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

df = spark.range(300).select(
    (F.col("id") % 10).cast("double").alias("a"),
    (F.col("id") % 7).cast("double").alias("b"),
    (F.col("id") % 10 > 5).cast("double").alias("label"),
)
train, test = df.randomSplit([0.8, 0.2], seed=11)

pipeline = Pipeline(stages=[
    VectorAssembler(inputCols=["a", "b"], outputCol="features"),
    DecisionTreeClassifier(),
])
model = pipeline.fit(test)
model.transform(test).select("label", "prediction").show()
