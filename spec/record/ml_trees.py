"""Record what Spark's tree learners make of small data: spec/ml/trees_<Estimator>.json (the argument is the directory).

Classic Spark, one thread and one partition: then bagging and feature sampling are deterministic as well.
"""
import datetime
import json
import random
import sys

from pyspark.ml.classification import (DecisionTreeClassifier, GBTClassifier, RandomForestClassifier)
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import DecisionTreeRegressor, GBTRegressor, RandomForestRegressor
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

OUT = sys.argv[1]
spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.default.parallelism", "1").config("spark.sql.shuffle.partitions", "1").getOrCreate())
spark.sparkContext.setLogLevel("OFF")
ARITY = [0, 0, 5, 12, 0, 0, 3]


def rows(n):
    r = random.Random(7)
    out = []
    for _ in range(n):
        x = [round(r.gauss(0, 3), 2), float(max(0, r.randrange(-8, 10))), float(r.randrange(5)), float(r.randrange(12)),
             r.random(), 0.0, float(r.randrange(3))]
        y = x[0] * (1 + x[2]) + (3 if x[3] in (1, 4, 7, 10) else 0) + x[1] * x[4] + r.gauss(0, 1)
        late = float(y + r.gauss(0, 2) > 3)
        cls = float((y > 0) + (y > 6)) if r.random() > 0.1 else float(r.randrange(3))
        out.append((x, y, float(round(y)), late, cls, r.choice([0.5, 1.0, 2.0, 3.25]), r.random() < 0.25))
    return out


def frame(data):
    names = [f"x{i}" for i in range(len(ARITY))]
    df = spark.createDataFrame([(*x, y, yr, late, cls, w, v) for x, y, yr, late, cls, w, v in data],
                               names + ["y", "yr", "late", "cls", "w", "valid"]).coalesce(1)
    for i, a in enumerate(ARITY):
        if a:
            md = {"ml_attr": {"type": "nominal", "name": names[i], "vals": [f"v{k}" for k in range(a)]}}
            df = df.withColumn(names[i], F.col(names[i]).alias(names[i], metadata=md))
    return VectorAssembler(inputCols=names, outputCol="features").transform(df).cache()


def node(n):
    stats = [float(x) for x in n.impurityStats().stats()]
    out = {"prediction": n.prediction(), "impurity": n.impurity(), "stats": stats, "raw": n.impurityStats().rawCount()}
    if n.getClass().getSimpleName() == "InternalNode":
        s = n.split()
        out.update(gain=n.gain(), feature=s.featureIndex(), left=node(n.leftChild()), right=node(n.rightChild()))
        if s.getClass().getSimpleName() == "ContinuousSplit":
            out["threshold"] = s.threshold()
        else:
            out["categories"] = sorted(float(x) for x in s.leftCategories())
    return out


def case(name, est, df, label, **params):
    est = est.copy()
    est._set(labelCol=label, featuresCol="features", **params)
    m = est.fit(df)
    j = m._java_obj
    p = m.setLeafCol("leaf").transform(df)
    rows = p.select([c for c in ("prediction", "rawPrediction", "probability", "leaf") if c in p.columns]).limit(25).collect()
    plain = lambda v: float(v) if isinstance(v, (int, float)) else [float(x) for x in v]
    trees = list(j.trees()) if hasattr(m, "trees") else [j]
    r = {"name": name, "class": type(est).__name__, "label": label, "params": {"labelCol": label, **params},
         "uid": m.uid, "debug": m.toDebugString, "string": j.toString(), "importances": [float(x) for x in m.featureImportances.toArray()],
         "numFeatures": m.numFeatures, "rows": [{k: plain(v) for k, v in row.asDict().items()} for row in rows],
         "trees": [node(t.rootNode()) for t in trees]}
    if hasattr(m, "trees"):
        r["treeWeights"] = [float(x) for x in m.treeWeights]
        r["totalNumNodes"] = m.totalNumNodes
    else:
        r["depth"], r["numNodes"] = m.depth, m.numNodes
    if hasattr(m, "evaluateEachIteration"):
        r["eachIteration"] = [float(x) for x in (m.evaluateEachIteration(df) if "Classification" in type(m).__name__ else m.evaluateEachIteration(df, "squared"))]
    if type(m).__name__ == "RandomForestClassificationModel" and label == "cls":
        s = m.summary
        r["summary"] = {"accuracy": s.accuracy, "weightedRecall": s.weightedRecall, "labels": s.labels, "precisionByLabel": s.precisionByLabel,
                        "fMeasureByLabel": s.fMeasureByLabel(), "weightedFMeasure": s.weightedFMeasure(2.0)}
    if type(m).__name__ == "RandomForestClassificationModel" and label == "late":
        s = m.summary
        r["summary"] = {"accuracy": s.accuracy, "areaUnderROC": s.areaUnderROC, "roc": [list(x) for x in s.roc.limit(10).collect()]}
    return r


data = rows(240)
df = frame(data)
DTR, DTC, RFR, RFC = DecisionTreeRegressor(), DecisionTreeClassifier(), RandomForestRegressor(), RandomForestClassifier()
GR, GC = GBTRegressor(), GBTClassifier()
cases = [
    case("defaults", DTR, df, "y"), case("whole labels", DTR, df, "yr"), case("stump", DTR, df, "y", maxDepth=0),
    case("deep", DTR, df, "y", maxDepth=12), case("few bins", DTR, df, "y", maxBins=12),
    case("constraints", DTR, df, "y", maxDepth=8, minInstancesPerNode=7, minInfoGain=0.3),
    case("weights", DTR, df, "y", weightCol="w", minWeightFractionPerNode=0.06),
    case("binary", DTC, df, "late"), case("binary deep", DTC, df, "late", maxDepth=10), case("binary entropy", DTC, df, "late", impurity="entropy", maxDepth=7),
    case("multiclass", DTC, df, "cls", maxDepth=6), case("multiclass weights", DTC, df, "cls", weightCol="w", maxDepth=6, minWeightFractionPerNode=0.02),
    case("multiclass entropy few bins", DTC, df, "cls", impurity="entropy", maxBins=12, maxDepth=8),
    case("thresholds", DTC, df, "cls", thresholds=[0.2, 0.5, 0.1], maxDepth=4),
    case("forest", RFR, df, "y", numTrees=3, seed=5), case("forest of twenty", RFR, df, "y", seed=42, maxDepth=6),
    case("forest all", RFR, df, "y", numTrees=7, seed=1, featureSubsetStrategy="all", subsamplingRate=0.6, weightCol="w"),
    case("forest without replacement", RFR, df, "y", numTrees=4, seed=1, featureSubsetStrategy="0.5", subsamplingRate=0.6, bootstrap=False),
    case("forest", RFC, df, "late", numTrees=12, seed=3), case("forest", RFC, df, "cls", numTrees=9, seed=42, featureSubsetStrategy="log2", maxDepth=7),
    case("forest weights", RFC, df, "cls", numTrees=5, seed=11, featureSubsetStrategy="4", weightCol="w", impurity="entropy"),
    case("boosting", GR, df, "y", maxIter=6, seed=2), case("boosting absolute", GR, df, "y", maxIter=5, lossType="absolute", stepSize=0.3, maxDepth=3),
    case("boosting sampled", GR, df, "y", maxIter=6, seed=9, subsamplingRate=0.7, featureSubsetStrategy="onethird"),
    case("boosting weights", GR, df, "y", maxIter=4, weightCol="w", maxDepth=4),
    case("boosting validated", GR, df, "y", maxIter=40, validationIndicatorCol="valid", stepSize=0.5, maxDepth=3),
    case("boosting", GC, df, "late", maxIter=6, maxDepth=4), case("boosting validated", GC, df, "late", maxIter=30, validationIndicatorCol="valid", stepSize=0.4, validationTol=0.005),
    case("boosting weights", GC, df, "late", maxIter=4, weightCol="w", seed=1, subsamplingRate=0.8),
]
# Over the sampling threshold: rows by formula, x0 = (i*7919 mod 10007)/100, x1 = i*31 mod 97, y = x0*((x1 mod 5)+1) + (i mod 11).
big = spark.range(0, 20000, 1, 1).selectExpr("cast((id*7919)%10007 as double)/100 as x0", "cast((id*31)%97 as double) as x1", "id")
big = big.selectExpr("x0", "x1", "x0*((x1 % 5)+1) + (id % 11) as y")
big = VectorAssembler(inputCols=["x0", "x1"], outputCol="features").transform(big)
sampled = [case("sampled thresholds", DTR, big, "y", seed=17), case("sampled forest", RFR, big, "y", seed=17, numTrees=2, maxDepth=4)]
for name in sorted({c["class"] for c in cases}):
    with open(f"{OUT}/trees_{name}.json", "w") as f:
        json.dump({"of": "Apache Spark " + spark.version + ", classic, local[1], one partition", "by": "spec/record/ml_trees.py",
                   "date": datetime.date.today().isoformat(), "arity": ARITY,
                   "data": [[x, y, yr, late, cls, w, v] for x, y, yr, late, cls, w, v in data],
                   "cases": [c for c in cases if c["class"] == name], "sampled": [c for c in sampled if c["class"] == name]},
                  f, separators=(",", ":"))
spark.stop()
