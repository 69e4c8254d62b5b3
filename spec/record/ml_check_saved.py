"""Loads in real Spark what Millpond saved, and compares the rows that it makes.

    SAVE_FOR_SPARK=DIR go test ./internal/ml/conformance -run SaveForSpark
    python spec/record/ml_check_saved.py DIR

Needs pyspark with its jars and Java 17 (classic, local[2]).
"""
import importlib
import json
import math
import os
import sys

from pyspark.ml.linalg import DenseVector, SparseVector, Vectors
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

HERE = os.path.dirname(os.path.abspath(__file__))
root = sys.argv[1]
spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "2").getOrCreate())
spark.sparkContext.setLogLevel("FATAL")
index = json.load(open(os.path.join(root, "index.json")))
data = {}
for name in os.listdir(os.path.join(HERE, "..", "ml")):
    if name.startswith("data_"):
        data.update(json.load(open(os.path.join(HERE, "..", "ml", name)))["data"])


def number(x):
    return float(x.replace("Infinity", "inf")) if isinstance(x, str) and x in ("NaN", "Infinity", "-Infinity") else x


def value(v, t):
    if isinstance(v, dict):
        vals = [float(number(x)) for x in v["v"]]
        return Vectors.dense(vals) if v["t"] == 1 else Vectors.sparse(v["n"], v["i"], vals)
    return float(number(v)) if t == "double" and v is not None else v


frames = {}


def frame(name):
    if name not in frames:
        schema = StructType.fromJson(data[name]["schema"])
        kinds = [f.dataType.typeName() for f in schema.fields]
        rows = [tuple(value(v, k) for v, k in zip(r, kinds)) for r in data[name]["rows"]]
        frames[name] = spark.createDataFrame(rows, schema).coalesce(1).cache()
    return frames[name]


def plain(v):
    if isinstance(v, DenseVector):
        return [1, [float(x) for x in v.values]]
    if isinstance(v, SparseVector):
        return [0, int(v.size), [int(i) for i in v.indices], [float(x) for x in v.values]]
    return v


def ours(v):
    if isinstance(v, dict):
        vals = [number(x) for x in v["v"]]
        return [1, vals] if v["t"] == 1 else [0, v["n"], v["i"], vals]
    return number(v)


def same(a, b):
    if isinstance(a, (list, tuple)):
        return isinstance(b, (list, tuple)) and len(a) == len(b) and all(same(x, y) for x, y in zip(a, b))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b or (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-13)
    return a == b


bad = 0
for e in index:
    module, cls = e["Class"].removeprefix("org.apache.spark.").rsplit(".", 1)
    path = os.path.join(root, e["Dir"])
    try:
        model = getattr(importlib.import_module("pyspark." + module), cls).load(path)
        if not e["Data"]:
            continue
        df = frame(e["Data"])
        out = model.transform(df)
        got = [[plain(x) for x in r] for r in out.select(*[c for c in out.columns if c not in df.columns]).collect()]
        want = [[ours(x) for x in r] for r in e["Rows"] or []]
        if not same(got, want):
            bad += 1
            at = next((i for i, (a, b) in enumerate(zip(got, want)) if not same(a, b)), -1)
            print("DIFFERS", e["Dir"], len(got), len(want), got[at], want[at])
    except Exception as ex:
        bad += 1
        print("FAILED", e["Dir"], type(ex).__name__, str(ex)[:300].replace("\n", " "))
print(len(index), "operators and models,", bad, "bad")
spark.stop()
sys.exit(1 if bad else 0)
