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

for k in (2, 3, 4, 5):
    model = KMeans(k=k, seed=1).fit(df)
    print(k, ClusteringEvaluator().evaluate(model.transform(df)))
PCA(k=2, inputCol="features", outputCol="pca").fit(df).transform(df).select("pca").show(5, truncate=False)
