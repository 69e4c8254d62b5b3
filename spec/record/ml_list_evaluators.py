"""Record the evaluators of lists: spec/ml/{Multilabel...,RankingEvaluator}.json (the argument is the directory)."""
import datetime
import json
import random
import sys

from pyspark.ml.evaluation import MultilabelClassificationEvaluator, RankingEvaluator
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
q = random.Random(8)
pick = lambda lo: [float(x) for x in q.sample(range(8), q.randint(lo, 6))]
rows = [(pick(0), pick(1)) for _ in range(60)]
rows += [(x, x) for _, x in rows[:5]] + [([], [1.0]), ([2.0, 3.0], [])]
df = spark.createDataFrame(rows, "prediction array<double>, label array<double>").coalesce(1)


def record(cls, metrics, **extra):
    e = cls()
    params = []
    for p in e._java_obj.params():
        d = e._java_obj.getDefault(p)
        params.append({"name": p.name(), "doc": p.doc(), "default": d.get() if d.isDefined() else None})
    cases = []
    for m in metrics:
        e = cls(metricName=m, **extra)
        try:
            cases.append({"class": cls.__name__, "params": {"metricName": m, **extra}, "value": e.evaluate(df), "larger": e.isLargerBetter()})
        except Exception as x:
            cases.append({"class": cls.__name__, "params": {"metricName": m, **extra}, "error": str(x)[:300]})
    errors = {}
    for name, kw in (("type", {"labelCol": "s"}), ("label", {"metricLabel": 77.0, "metricName": "recallByLabel"} if "metricLabel" in extra else {"k": 0})):
        try:
            cls(**kw).evaluate(df.selectExpr("*", "1.0 as s"))
        except Exception as x:
            errors[name] = str(x)[:300]
    with open(f"{sys.argv[1]}/{cls.__name__}.json", "w") as f:
        json.dump({"of": f"Apache Spark {spark.version}, classic, local[1], one partition", "by": "spec/record/ml_list_evaluators.py",
                   "date": datetime.date.today().isoformat(), "rows": rows, "params": params, "cases": cases, "errors": errors}, f, separators=(",", ":"))


record(MultilabelClassificationEvaluator, ["subsetAccuracy", "accuracy", "hammingLoss", "precision", "recall", "f1Measure", "precisionByLabel", "recallByLabel",
                                           "f1MeasureByLabel", "microPrecision", "microRecall", "microF1Measure"], metricLabel=2.0)
record(RankingEvaluator, ["meanAveragePrecision", "meanAveragePrecisionAtK", "precisionAtK", "ndcgAtK", "recallAtK"], k=3)
spark.stop()
