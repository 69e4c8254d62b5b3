"""Load models that Millpond saved with real Spark: the argument is a directory of them.

Prints {name: {debug, rows}} as JSON: what each model says of the rows of spec/ml/tree_params.json.
"""
import json
import os
import sys

from pyspark.ml.classification import DecisionTreeClassificationModel, GBTClassificationModel, RandomForestClassificationModel
from pyspark.ml.clustering import KMeansModel
from pyspark.ml.linalg import Vectors
from pyspark.ml.regression import DecisionTreeRegressionModel, GBTRegressionModel, RandomForestRegressionModel
from pyspark.sql import SparkSession

HERE = os.path.dirname(os.path.abspath(__file__))
rows = json.load(open(HERE + "/../ml/tree_params.json"))["features"]
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
df = spark.createDataFrame([(Vectors.dense(r),) for r in rows], ["features"]).coalesce(1)
classes = {c.__name__: c for c in (DecisionTreeClassificationModel, GBTClassificationModel, RandomForestClassificationModel, KMeansModel,
                                   DecisionTreeRegressionModel, GBTRegressionModel, RandomForestRegressionModel)}
out = {}
for name in sorted(os.listdir(sys.argv[1])):
    m = classes[name].load(sys.argv[1] + "/" + name)
    if name != "KMeansModel":
        m.setLeafCol("leaf")
    got = m.transform(df)
    cols = [c for c in ("prediction", "rawPrediction", "probability", "leaf") if c in got.columns]
    plain = lambda v: [float(x) for x in v] if hasattr(v, "toArray") else float(v)
    out[name] = {"debug": getattr(m, "toDebugString", ""), "rows": [{k: plain(v) for k, v in r.asDict().items()} for r in got.select(*cols).collect()],
                 "members": [t.uid for t in getattr(m, "trees", [])]}
    m.write().overwrite().save(sys.argv[1] + "/../again/" + name)
print("RESULT" + json.dumps(out))
spark.stop()
