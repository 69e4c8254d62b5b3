"""Record parameters, schemas, errors and saved models of the tree learners, KMeans and the evaluators.

    python ml_tree_facts.py spec/ml      # classic Spark: parameters, schemas, saved models, KMeans, evaluators
    SPARK_REMOTE=sc://localhost:15102 python ml_tree_facts.py spec/ml   # Connect: the errors' words
"""
import datetime
import json
import os
import random
import shutil
import sys

from pyspark.ml.classification import *  # noqa: F403
from pyspark.ml.clustering import KMeans
from pyspark.ml.evaluation import *  # noqa: F403
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.linalg import Vectors
from pyspark.ml.regression import *  # noqa: F403
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

OUT, REMOTE = sys.argv[1], os.environ.get("SPARK_REMOTE")
builder = SparkSession.builder
if REMOTE:
    spark = builder.remote(REMOTE).getOrCreate()
else:
    spark = (builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.default.parallelism", "1")
             .config("spark.sql.shuffle.partitions", "1").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
HEAD = {"of": f"Apache Spark {spark.version}, {'Connect' if REMOTE else 'classic, local[1], one partition'}",
        "by": "spec/record/ml_tree_facts.py", "date": datetime.date.today().isoformat()}


def write(name, body):
    with open(f"{OUT}/{name}.json", "w") as f:
        json.dump({**HEAD, **body}, f, separators=(",", ":"))


def plain(v):
    if hasattr(v, "toArray"):
        return [float(x) for x in v.toArray()]
    return v


r = random.Random(3)
ROWS = [(Vectors.dense([round(r.gauss(0, 1), 3), float(r.randrange(4)), r.random()]), float(r.randrange(2)), r.gauss(0, 1), float(r.randrange(3))) for _ in range(60)]


def small():
    df = spark.createDataFrame([(float(v[0]), float(v[1]), float(v[2]), a, b, c) for v, a, b, c in ROWS], ["a", "b", "c", "late", "y", "cls"])
    if not REMOTE:
        df = df.coalesce(1)
    md = {"ml_attr": {"type": "nominal", "name": "b", "vals": ["p", "q", "r", "s"]}}
    return VectorAssembler(inputCols=["a", "b", "c"], outputCol="features").transform(df.withMetadata("b", md))


ESTIMATORS = [DecisionTreeRegressor, RandomForestRegressor, GBTRegressor, DecisionTreeClassifier, RandomForestClassifier, GBTClassifier]


def params(j):
    out = []
    for p in j.params():
        d = j.getDefault(p)
        v = d.get() if d.isDefined() else None
        out.append({"name": p.name(), "doc": p.doc(), "type": p.getClass().getSimpleName(), "default": v if isinstance(v, (int, float, str, bool, type(None))) else str(v)})
    return out


def classic():
    df = small()
    tables, schemas = {}, {}
    shutil.rmtree(OUT + "/saved_trees", ignore_errors=True)
    for cls in ESTIMATORS:
        est = cls(labelCol="y" if "Regressor" in cls.__name__ else "late", maxDepth=3, seed=5)
        if "Forest" in cls.__name__:
            est.setNumTrees(3)
        if "GBT" in cls.__name__:
            est.setMaxIter(3)
        m = est.fit(df)
        name = cls.__name__
        tables[name], tables[type(m).__name__] = params(est._java_obj), params(m._java_obj)
        out = m.setLeafCol("leaf").transform(df)
        schemas[name] = json.loads(out.schema.json())["fields"][6:]
        path = f"{OUT}/saved_trees/{name}"
        m.write().overwrite().save(path)
        cols = [c for c in ("prediction", "rawPrediction", "probability", "leaf") if c in out.columns]
        with open(path + ".json", "w") as f:
            json.dump({**HEAD, "debug": m.toDebugString, "rows": [{k: plain(v) for k, v in x.asDict().items()} for x in out.select(*cols).collect()]}, f)
    km = KMeans(k=3, seed=4)
    m = km.fit(df)
    tables["KMeans"], tables["KMeansModel"] = params(km._java_obj), params(m._java_obj)
    schemas["KMeans"] = json.loads(m.transform(df).schema.json())["fields"][6:]
    m.write().overwrite().save(OUT + "/saved_trees/KMeans")
    for cls in (RegressionEvaluator, BinaryClassificationEvaluator, MulticlassClassificationEvaluator, ClusteringEvaluator):
        e = cls()
        tables[cls.__name__] = params(e._java_obj)
    write("tree_params", {"params": tables, "schemas": schemas, "features": [list(map(float, v[0].toArray())) for v in ROWS],
                          "late": [x[1] for x in ROWS], "y": [x[2] for x in ROWS], "cls": [x[3] for x in ROWS]})
    kmeans()
    evaluators()


def kmeans():
    q = random.Random(11)
    centres = [(0, 0, 5), (6, 1, 0), (-4, 4, -3), (2, -7, 1)]
    pts = [([round(c + q.gauss(0, 1.2), 4) for c in q.choice(centres)], q.choice([0.5, 1.0, 2.0])) for _ in range(200)]
    df = spark.createDataFrame([(Vectors.dense(p), w) for p, w in pts], ["features", "w"]).coalesce(1).cache()
    cases = []
    for kw in (dict(k=4, seed=1), dict(k=2, seed=9), dict(k=4, seed=7, initMode="random"), dict(k=3, seed=3, distanceMeasure="cosine"), dict(k=6, seed=21, weightCol="w", maxIter=4),
               dict(k=4, seed=1, solver="block"), dict(k=4, seed=13, initSteps=5, tol=0.1), dict(k=5, seed=2, distanceMeasure="cosine", weightCol="w", initMode="random")):
        m = KMeans(**kw).fit(df)
        s = m.summary
        cases.append({"params": kw, "centers": [[float(x) for x in c] for c in m.clusterCenters()], "cost": s.trainingCost, "sizes": s.clusterSizes,
                      "numIter": s.numIter, "k": s.k, "predictions": [x[0] for x in m.transform(df).select("prediction").collect()]})
    write("kmeans_cases", {"points": pts, "cases": cases})


def evaluators():
    q = random.Random(5)
    rows = []
    for _ in range(300):
        y, w = q.gauss(2, 3), q.choice([0.5, 1.0, 3.0])
        late, cls = float(q.random() < 0.4), float(q.randrange(3))
        score = round(q.gauss(late, 1), 1)
        p = [q.random() + (k == cls) for k in range(3)]
        p = [x / sum(p) for x in p]
        rows.append((y, y + q.gauss(0, 1), late, score, cls, float(p.index(max(p))), p, w, [q.gauss(3 * cls, 1), q.gauss(-cls, 1), 1.0 + q.random()]))
    df = spark.createDataFrame([(y, yp, late, s, Vectors.dense([-s, s]), c, cp, Vectors.dense(p), w, Vectors.dense(f)) for y, yp, late, s, c, cp, p, w, f in rows],
                               ["y", "yp", "late", "score", "raw", "cls", "clsp", "p", "w", "features"]).coalesce(1).cache()
    cases = []

    def add(e, **kw):
        e = e(**kw)
        cases.append({"class": type(e).__name__, "params": kw, "value": e.evaluate(df), "larger": e.isLargerBetter()})

    for w in ({}, {"weightCol": "w"}):
        for m in ("rmse", "mse", "r2", "mae", "var"):
            add(RegressionEvaluator, labelCol="y", predictionCol="yp", metricName=m, **w)
        add(RegressionEvaluator, labelCol="y", predictionCol="yp", metricName="r2", throughOrigin=True, **w)
        for m in ("areaUnderROC", "areaUnderPR"):
            for raw in ("raw", "score"):
                for bins in (1000, 0, 10):
                    add(BinaryClassificationEvaluator, labelCol="late", rawPredictionCol=raw, metricName=m, numBins=bins, **w)
        for m in ("f1", "accuracy", "weightedPrecision", "weightedRecall", "weightedTruePositiveRate", "weightedFalsePositiveRate", "weightedFMeasure",
                  "truePositiveRateByLabel", "falsePositiveRateByLabel", "precisionByLabel", "recallByLabel", "fMeasureByLabel", "logLoss", "hammingLoss"):
            add(MulticlassClassificationEvaluator, labelCol="cls", predictionCol="clsp", probabilityCol="p", metricName=m, metricLabel=1.0, beta=2.0, **w)
        for d in ("squaredEuclidean", "cosine"):
            add(ClusteringEvaluator, predictionCol="cls", distanceMeasure=d, **w)
    for name in sorted({c["class"] for c in cases}):
        write(name, {"rows": rows, "columns": ["y", "yp", "late", "score", "cls", "clsp", "p", "w", "features"], "cases": [c for c in cases if c["class"] == name]})


def errors():
    df, cases = small().cache(), []

    def fails(name, f):
        try:
            f()
            cases.append({"name": name, "error": None})
        except Exception as e:
            cases.append({"name": name, "type": type(e).__name__, "condition": getattr(e, "getCondition", lambda: None)(), "error": str(e).split("\n\nJVM")[0][:900]})

    for cls in ESTIMATORS:
        n, label = cls.__name__, "y" if "Regressor" in cls.__name__ else "late"
        kw = {"labelCol": label}
        fails(n + " few bins", lambda: cls(maxBins=2, **kw).fit(df))
        fails(n + " features not a vector", lambda: cls(featuresCol="a", **kw).fit(df))
        fails(n + " no features column", lambda: cls(featuresCol="zzz", **kw).fit(df))
        fails(n + " no label column", lambda: cls(labelCol="zzz").fit(df))
        fails(n + " string label", lambda: cls(**kw).fit(df.withColumn(label, F.lit("x"))))
        fails(n + " null label", lambda: cls(**kw).fit(df.withColumn(label, F.when(F.col("a") < 0, F.col(label)))))
        fails(n + " fractional label", lambda: cls(**kw).fit(df.withColumn(label, F.lit(0.5))))
        fails(n + " negative label", lambda: cls(**kw).fit(df.withColumn(label, F.lit(-1.0))))
        fails(n + " label two", lambda: cls(**kw).fit(df.withColumn(label, F.lit(2.0))))
        fails(n + " many classes", lambda: cls(**kw).fit(df.withColumn(label, F.lit(150.0))))
        fails(n + " one class", lambda: cls(**kw).fit(df.withColumn(label, F.lit(0.0))))
        fails(n + " empty", lambda: cls(**kw).fit(df.filter("a > 100")))
        fails(n + " negative weight", lambda: cls(weightCol="y", **kw).fit(df))
        fails(n + " nan features", lambda: cls(**kw).fit(VectorAssembler(inputCols=["x"], outputCol="features", handleInvalid="keep").transform(df.drop("features").withColumn("x", F.lit(float("nan"))))))
        fails(n + " bad category", lambda: cls(**kw).fit(VectorAssembler(inputCols=["b"], outputCol="features").transform(
            df.drop("features").withMetadata("b", {"ml_attr": {"type": "nominal", "name": "b", "vals": ["p", "q"]}}))))
        fails(n + " nominal without values", lambda: cls(**kw).fit(VectorAssembler(inputCols=["b"], outputCol="features").transform(
            df.drop("features").withMetadata("b", {"ml_attr": {"type": "nominal", "name": "b"}}))))
        fails(n + " maxDepth", lambda: cls(maxDepth=31, **kw).fit(df))
        fails(n + " impurity", lambda: cls(impurity="zzz", **kw).fit(df))
        fails(n + " minInstancesPerNode", lambda: cls(minInstancesPerNode=0, **kw).fit(df))
        fails(n + " prediction column taken", lambda: cls(predictionCol="c", **kw).fit(df).transform(df).collect())
        fails(n + " leaf column taken", lambda: cls(leafCol="c", **kw).fit(df).transform(df).collect())
        m = cls(**kw).fit(df)
        fails(n + " other size", lambda: m.transform(VectorAssembler(inputCols=["a", "b"], outputCol="features").transform(df.drop("features"))).collect())
        fails(n + " predict other size", lambda: m.predict(Vectors.dense([1.0])))
        if "Forest" in n or "GBT" in n:
            fails(n + " subset", lambda: cls(featureSubsetStrategy="zzz", **kw).fit(df))
            fails(n + " subset 0", lambda: cls(featureSubsetStrategy="0", **kw).fit(df))
            fails(n + " subsamplingRate", lambda: cls(subsamplingRate=0.0, **kw).fit(df))
        if "Classifier" in n:
            one = cls(**kw).fit(df.withColumn(label, F.lit(0.0)))
            cases.append({"name": n + " of one class", "numClasses": one.numClasses, "row": [str(x) for x in one.transform(df).select("rawPrediction", "probability", "prediction").first()], "error": None})
            fails(n + " thresholds", lambda: cls(thresholds=[0.1, 0.2, 0.3], **kw).fit(df))
            fails(n + " thresholds transform", lambda: m.setThresholds([0.1, 0.2, 0.3]).transform(df).collect())
        if "GBT" in n:
            fails(n + " loss", lambda: cls(lossType="zzz", **kw).fit(df))
            fails(n + " validation column", lambda: cls(validationIndicatorCol="a", **kw).fit(df))
            fails(n + " nothing to validate", lambda: cls(validationIndicatorCol="v", **kw).fit(df.withColumn("v", F.lit(False))))
            fails(n + " only validation", lambda: cls(validationIndicatorCol="v", **kw).fit(df.withColumn("v", F.lit(True))))
            fails(n + " stepSize", lambda: cls(stepSize=0.0, **kw).fit(df))
            fails(n + " maxIter", lambda: cls(maxIter=0, **kw).fit(df))
            fails(n + " each iteration", lambda: m.evaluateEachIteration(df, "zzz") if "Regressor" in n else m.evaluateEachIteration(df.filter("a > 100")))
        fails(n + " no such attribute", lambda: m._call_java("zzz"))
    fails("KMeans k", lambda: KMeans(k=0).fit(df))
    fails("KMeans empty", lambda: KMeans().fit(df.filter("a > 100")))
    fails("KMeans string", lambda: KMeans(featuresCol="s").fit(df.withColumn("s", F.lit("x"))))
    fails("KMeans double", lambda: KMeans(featuresCol="a").fit(df))
    fails("KMeans initMode", lambda: KMeans(initMode="zzz").fit(df))
    fails("KMeans solver", lambda: KMeans(solver="zzz").fit(df))
    fails("KMeans zero cosine", lambda: KMeans(distanceMeasure="cosine").fit(spark.createDataFrame([(Vectors.dense([0.0, 0.0]),), (Vectors.dense([1.0, 0.0]),)], ["features"])))
    fails("KMeans array", lambda: KMeans(featuresCol="arr", k=2, seed=1).fit(df.select(F.array("a", "c").alias("arr"))).transform(df.select(F.array("a", "c").alias("arr"))).collect())
    fails("KMeans negative weight", lambda: KMeans(weightCol="y").fit(df))
    fails("KMeans predict", lambda: KMeans(k=2, seed=1).fit(df).predict(Vectors.dense([1.0])))
    fails("regression f1", lambda: RegressionEvaluator(metricName="f1", labelCol="y", predictionCol="a").evaluate(df))
    fails("regression type", lambda: RegressionEvaluator(labelCol="features", predictionCol="a").evaluate(df))
    fails("regression prediction type", lambda: RegressionEvaluator(labelCol="y", predictionCol="features").evaluate(df))
    fails("regression prediction int", lambda: RegressionEvaluator(labelCol="y", predictionCol="i").evaluate(df.withColumn("i", F.lit(1))))
    fails("regression missing", lambda: RegressionEvaluator(labelCol="zzz", predictionCol="a").evaluate(df))
    fails("regression empty", lambda: RegressionEvaluator(labelCol="y", predictionCol="a").evaluate(df.filter("a > 100")))
    fails("regression null", lambda: RegressionEvaluator(labelCol="y", predictionCol="n").evaluate(df.withColumn("n", F.lit(None).cast("double"))))
    fails("binary rmse", lambda: BinaryClassificationEvaluator(metricName="rmse", labelCol="late", rawPredictionCol="a").evaluate(df))
    fails("binary string", lambda: BinaryClassificationEvaluator(labelCol="late", rawPredictionCol="s").evaluate(df.withColumn("s", F.lit("x"))))
    fails("binary int raw", lambda: BinaryClassificationEvaluator(labelCol="late", rawPredictionCol="s").evaluate(df.withColumn("s", F.lit(1))))
    fails("binary label", lambda: BinaryClassificationEvaluator(labelCol="cls", rawPredictionCol="a").evaluate(df))
    fails("binary string label", lambda: BinaryClassificationEvaluator(labelCol="s", rawPredictionCol="a").evaluate(df.withColumn("s", F.lit("x"))))
    fails("binary bins", lambda: BinaryClassificationEvaluator(labelCol="late", rawPredictionCol="a", numBins=-1).evaluate(df))
    fails("binary three", lambda: BinaryClassificationEvaluator(labelCol="late", rawPredictionCol="features").evaluate(df))
    fails("binary empty", lambda: BinaryClassificationEvaluator(labelCol="late", rawPredictionCol="a").evaluate(df.filter("a > 100")))
    fails("multiclass rmse", lambda: MulticlassClassificationEvaluator(metricName="rmse", labelCol="cls", predictionCol="late").evaluate(df))
    fails("multiclass label", lambda: MulticlassClassificationEvaluator(metricName="recallByLabel", metricLabel=7.0, labelCol="cls", predictionCol="late").evaluate(df))
    fails("multiclass precision label", lambda: MulticlassClassificationEvaluator(metricName="precisionByLabel", metricLabel=7.0, labelCol="cls", predictionCol="late").evaluate(df))
    fails("multiclass beta", lambda: MulticlassClassificationEvaluator(beta=0.0, labelCol="cls", predictionCol="late").evaluate(df))
    fails("multiclass eps", lambda: MulticlassClassificationEvaluator(eps=0.7, labelCol="cls", predictionCol="late").evaluate(df))
    fails("multiclass logLoss", lambda: MulticlassClassificationEvaluator(metricName="logLoss", labelCol="cls", predictionCol="late").evaluate(df))
    fails("multiclass logLoss label", lambda: MulticlassClassificationEvaluator(metricName="logLoss", labelCol="i", predictionCol="late", probabilityCol="features").evaluate(df.withColumn("i", F.lit(9.0))))
    fails("multiclass prediction type", lambda: MulticlassClassificationEvaluator(labelCol="cls", predictionCol="i").evaluate(df.withColumn("i", F.lit(1))))
    fails("multiclass empty", lambda: MulticlassClassificationEvaluator(labelCol="cls", predictionCol="late").evaluate(df.filter("a > 100")))
    fails("clustering one", lambda: ClusteringEvaluator(predictionCol="o").evaluate(df.withColumn("o", F.lit(0))))
    fails("clustering features", lambda: ClusteringEvaluator(predictionCol="cls", featuresCol="a").evaluate(df))
    fails("clustering metric", lambda: ClusteringEvaluator(predictionCol="cls", metricName="zzz").evaluate(df))
    fails("clustering measure", lambda: ClusteringEvaluator(predictionCol="cls", distanceMeasure="zzz").evaluate(df))
    fails("clustering string", lambda: ClusteringEvaluator(predictionCol="s").evaluate(df.withColumn("s", F.lit("x"))))
    write("tree_errors", {"cases": cases})


errors() if REMOTE else classic()
spark.stop()
