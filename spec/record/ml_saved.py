"""Saves models of real Spark (classic, local[2]) to spec/ml/saved, as files that Millpond must read.

    python spec/record/ml_saved.py
"""
import glob
import os
import shutil

from pyspark.ml.classification import DecisionTreeClassifier, LogisticRegression
from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import *  # noqa: F403
from pyspark.ml.linalg import Vectors
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ml", "saved")
spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "4").getOrCreate()
rows = [(float(i % 7), i, "abc"[i % 3], [None, 1.5, 2.5, float(i)][i % 4], float(i % 2)) for i in range(40)]
d = spark.createDataFrame(rows, "a double, b int, s string, n double, y double")
sim = StringIndexer(inputCols=["s"], outputCols=["si"], handleInvalid="keep").fit(d)
d = sim.transform(d)
d = StringIndexer(inputCol="s", outputCol="si1").fit(d).transform(d)
d = OneHotEncoder(inputCols=["si", "b"], outputCols=["so", "bo"]).fit(d).transform(d)
d = OneHotEncoder(inputCol="si1", outputCol="so1", handleInvalid="keep", dropLast=False).fit(d).transform(d)
d = Imputer(strategy="median", inputCols=["n"], outputCols=["ni"]).fit(d).transform(d)
d = VectorAssembler(inputCols=["a", "b", "ni"], outputCol="num").transform(d)
d = StandardScaler(inputCol="num", outputCol="num_s", withMean=True).fit(d).transform(d)
d = VectorAssembler(inputCols=["num_s", "so", "bo", "si", "so1"], outputCol="features").transform(d)
inf = float("inf")
saved = {
    "sim": sim,
    "im2": Imputer(strategy="mode", inputCols=["b", "n"], outputCols=["bi", "ni2"]).fit(d),
    "lrm": LinearRegression(labelCol="a", regParam=0.01).fit(d),
    "lg3m": LogisticRegression(labelCol="si1", featuresCol="num", regParam=0.01).fit(d),
    "bk2": Bucketizer(splitsArray=[[-inf, 1, 2, inf], [0.0, 20.0, 50.0]], inputCols=["a", "b"], outputCols=["bk", "bk2"], handleInvalid="keep"),
    "pcam": PCA(k=2, inputCol="num", outputCol="p").fit(d),
    "vi": VectorIndexer(inputCol="num", outputCol="vi", maxCategories=8).fit(d),
    "ep": ElementwiseProduct(inputCol="num", outputCol="ep", scalingVec=Vectors.dense([1, 2, 3])),
    "si": StringIndexer(inputCols=["s"], outputCols=["si"], handleInvalid="keep"),
    "ohe": OneHotEncoder(inputCols=["si", "b"], outputCols=["so", "bo"]),
    "om": OneHotEncoder(inputCols=["si", "b"], outputCols=["so2", "bo2"]).fit(d),
    "va": VectorAssembler(inputCols=["a", "b", "ni"], outputCol="num"),
    "i2s": IndexToString(inputCol="si", outputCol="sx"),
    "ss": StandardScaler(inputCol="num", outputCol="num_t", withMean=True).fit(d),
    "mm": MinMaxScaler(inputCol="num", outputCol="mm").fit(d),
    "ma": MaxAbsScaler(inputCol="num", outputCol="ma").fit(d),
    "rs": RobustScaler(inputCol="num", outputCol="rs").fit(d),
    "qd": QuantileDiscretizer(numBuckets=3, inputCol="a", outputCol="q"),
    "qdm": QuantileDiscretizer(numBuckets=3, inputCol="a", outputCol="q").fit(d),
    "idf": IDF(inputCol="tf", outputCol="idf").fit(HashingTF(inputCol="tk", outputCol="tf", numFeatures=16).transform(Tokenizer(inputCol="s", outputCol="tk").transform(d))),
    "lr": LinearRegression(labelCol="a", regParam=0.01),
    "lg": LogisticRegression(labelCol="y", regParam=0.01),
    "km": KMeans(k=2, featuresCol="num", seed=1).fit(d),
    "dt": DecisionTreeClassifier(labelCol="y", featuresCol="num").fit(d),
}
shutil.rmtree(OUT, ignore_errors=True)
for name, op in saved.items():
    op.save(os.path.join(OUT, name))
for crc in glob.glob(os.path.join(OUT, "**", ".*"), recursive=True):
    os.remove(crc)
spark.stop()
