from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

df = spark.range(400).select(
    (F.col("id") % 50).cast("double").alias("area"),
    (F.col("id") * 7919 % 13).cast("double").alias("noise"),
    ((F.col("id") % 50) * 2.0 + F.col("id") % 4).alias("label"),
)
df = VectorAssembler(inputCols=["area", "noise"], outputCol="features").transform(df)
train, test = df.randomSplit([0.8, 0.2], seed=1)

# TODO: a lasso penalty of strength 0.5
model = LinearRegression().fit(train)
print("coefficients", model.coefficients)
