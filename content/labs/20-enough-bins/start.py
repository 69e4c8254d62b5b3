from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.ml.regression import DecisionTreeRegressor
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

df = spark.range(600).select(F.concat(F.lit("city"), F.col("id") % 60).alias("city"), ((F.col("id") % 60) * 1.5).alias("label"))
df = StringIndexer(inputCol="city", outputCol="city_ix").fit(df).transform(df)
df = VectorAssembler(inputCols=["city_ix"], outputCol="features").transform(df)

# TODO: 60 cities, 32 bins
model = DecisionTreeRegressor().fit(df)
print("depth", model.depth)
