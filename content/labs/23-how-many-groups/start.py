from pyspark.ml.clustering import KMeans
from pyspark.ml.evaluation import ClusteringEvaluator
from pyspark.ml.feature import PCA, VectorAssembler
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

df = spark.range(300).select(
    (F.col("id") % 3 * 10 + F.col("id") % 5 * 0.3).alias("a"),
    (F.col("id") % 3 * -7 + F.col("id") % 7 * 0.2).alias("b"),
    (F.col("id") % 2 * 0.1).alias("c"),
)
df = VectorAssembler(inputCols=["a", "b", "c"], outputCol="features").transform(df)

# TODO: compare 2, 3, 4 and 5 groups; then two principal components
model = KMeans(k=2, seed=1).fit(df)
print(2, ClusteringEvaluator().evaluate(model.transform(df)))
