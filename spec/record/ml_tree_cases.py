"""Records the tree learners and KMeans of real Spark in the form that all operators share."""
from ml_common import *  # noqa: F403
from pyspark.ml.classification import DecisionTreeClassifier, GBTClassifier, RandomForestClassifier
from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import DecisionTreeRegressor, GBTRegressor, RandomForestRegressor

a, b, c, e = numbers(21, 90), numbers(22, 90), numbers(23, 90), numbers(24, 90)
rows = []
for i in range(90):
    x = (a[i], float(i * 7 % 5), round(b[i] * 4, 1), float(i * 11 % 3), max(0.0, c[i]))
    y = x[0] * (1 + x[1]) + (2 if x[3] == 1 else 0) + e[i] / 2
    rows.append((*x, round(y, 4), float(y + e[i] > 1), float(i * 5 % 3 if i % 6 == 0 else (y > 0) + (y > 3)), [0.5, 1.0, 2.0][i % 3], i % 4 == 0))
df = spark.createDataFrame(rows, ["x0", "x1", "x2", "x3", "x4", "y", "late", "cls", "w", "valid"])
for name, n in (("x1", 5), ("x3", 3)):
    df = df.withMetadata(name, {"ml_attr": {"type": "nominal", "name": name, "vals": [f"v{k}" for k in range(n)]}})
keep = ["features", "y", "late", "cls", "w", "valid"]
use("trees", VectorAssembler(inputCols=["x0", "x1", "x2", "x3", "x4"], outputCol="features").transform(df).select(*keep))
use("points", VectorAssembler(inputCols=["x0", "x2", "x4"], outputCol="features").transform(df).select("features", "w"))

tree = ["featureImportances", "numFeatures"]
one = tree + ["depth", "numNodes"]
many = tree + ["getNumTrees", "totalNumNodes", "treeWeights"]
case(DecisionTreeRegressor, "defaults", "trees", dict(labelCol="y", leafCol="leaf", varianceCol="spread"), one)
case(DecisionTreeRegressor, "weights", "trees", dict(labelCol="y", weightCol="w", maxDepth=3, minInstancesPerNode=4, minInfoGain=0.1), one)
case(DecisionTreeRegressor, "few bins", "trees", dict(labelCol="y", maxBins=4))
case(DecisionTreeClassifier, "defaults", "trees", dict(labelCol="late", leafCol="leaf"), one + ["numClasses"])
case(DecisionTreeClassifier, "three classes", "trees", dict(labelCol="cls", impurity="entropy", maxDepth=4), one + ["numClasses"])
case(DecisionTreeClassifier, "real label", "trees", dict(labelCol="y"))
case(RandomForestRegressor, "defaults", "trees", dict(labelCol="y", numTrees=6, seed=3, leafCol="leaf"), many)
case(RandomForestRegressor, "subsets", "trees", dict(labelCol="y", numTrees=3, seed=3, featureSubsetStrategy="2", subsamplingRate=0.7, weightCol="w"), many)
case(RandomForestClassifier, "defaults", "trees", dict(labelCol="late", numTrees=6, seed=3), many, ["accuracy", "areaUnderROC", "labels"])
case(RandomForestClassifier, "three classes", "trees", dict(labelCol="cls", numTrees=5, seed=4, maxDepth=4), many, ["accuracy", "weightedRecall", "labels"])
case(GBTRegressor, "defaults", "trees", dict(labelCol="y", maxIter=4, seed=3, maxDepth=3), many)
case(GBTRegressor, "validated", "trees", dict(labelCol="y", maxIter=12, seed=3, maxDepth=3, validationIndicatorCol="valid"), many)
case(GBTClassifier, "defaults", "trees", dict(labelCol="late", maxIter=4, seed=3, maxDepth=3), many + ["numClasses"])
case(GBTClassifier, "three classes", "trees", dict(labelCol="cls", maxIter=4))
case(KMeans, "defaults", "points", dict(k=3, seed=5), ["numFeatures"], ["trainingCost", "numIter", "k"])
case(KMeans, "cosine", "points", dict(k=2, seed=5, distanceMeasure="cosine", weightCol="w", initMode="random"), ["numFeatures"], ["trainingCost", "numIter"])
write("ml_tree_cases.py", "data_trees")
