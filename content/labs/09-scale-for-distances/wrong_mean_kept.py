from pyspark.ml.clustering import KMeans
from pyspark.ml.evaluation import ClusteringEvaluator
from pyspark.ml.feature import StandardScaler, VectorAssembler
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()

customers = spark.range(300).select(
    (F.col("id") % 2 * 40 + 20 + F.col("id") % 5).alias("age"),
    (F.col("id") % 97 * 1000 + 20000).alias("income"),
)
customers = VectorAssembler(inputCols=["age", "income"], outputCol="raw").transform(customers)

scaler = StandardScaler(inputCol="raw", outputCol="features")
rows, column = scaler.fit(customers).transform(customers), "features"
model = KMeans(k=2, seed=1, featuresCol=column).fit(rows)
silhouette = ClusteringEvaluator(featuresCol=column).evaluate(model.transform(rows))
print(f"silhouette {silhouette:.3f}, centres {[c.round(1).tolist() for c in model.clusterCenters()]}")
