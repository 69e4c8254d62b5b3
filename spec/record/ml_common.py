"""What the ml_*.py recorders share: a session on real Spark Connect, data, and how values are written.

    SPARK_REMOTE=sc://localhost:PORT python spec/record/ml_features.py

starts from a running Spark Connect server of the version that is recorded (see real_spark.sh of the
acceptance programs). Each script writes spec/ml/<Estimator>.json and the data it used to spec/ml/data_*.json.
"""
import datetime
import json
import math
import os
import random

from pyspark.ml.linalg import DenseMatrix, DenseVector, Matrix, SparseVector, Vectors, VectorUDT
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ml")
spark = SparkSession.builder.remote(os.environ["SPARK_REMOTE"]).getOrCreate()


def plain(v):
    """A value as JSON: doubles that JSON lacks as strings, vectors and matrices as objects."""
    if isinstance(v, bool) or v is None or isinstance(v, (int, str)):
        return v
    if isinstance(v, float):
        if math.isnan(v):
            return "NaN"
        if math.isinf(v):
            return "Infinity" if v > 0 else "-Infinity"
        return v
    if isinstance(v, DenseVector):
        return {"t": 1, "v": [plain(float(x)) for x in v.values]}
    if isinstance(v, SparseVector):
        return {"t": 0, "n": int(v.size), "i": [int(x) for x in v.indices], "v": [plain(float(x)) for x in v.values]}
    if isinstance(v, Matrix):
        dense = v.toArray()
        return {"rows": v.numRows, "cols": v.numCols, "transposed": bool(v.isTransposed), "sparse": not isinstance(v, DenseMatrix),
                "values": [[plain(float(x)) for x in row] for row in dense]}
    if isinstance(v, DataFrame):
        return frame(v)
    if isinstance(v, Row):
        return [plain(x) for x in v]
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    return plain(v.item())  # numpy scalars


def frame(df):
    return {"schema": json.loads(df.schema.json()), "rows": [plain(r) for r in df.collect()]}


def error(e):
    return {"python": type(e).__name__, "message": str(e).split("\n\nJVM stacktrace")[0]}


RECORDINGS = {}
DATA = {}


def use(name, df):
    """Registers data under a name; the recording keeps its schema and rows."""
    df = df.coalesce(1)
    DATA[name] = (df, frame(df))
    return name


def case(cls, name, data, params, attrs=(), summary=(), calls=(), apply_to=None, outputs=None, fit=True):
    """Fits (or just applies) cls(**params) and records attributes, transformed rows, or the error."""
    rec = {"name": name, "data": data, "params": plain(params)}
    RECORDINGS.setdefault(cls.__name__, []).append(rec)
    try:
        op = cls(**params)
        df = DATA[data][0]
        model = op.fit(df) if fit else op
        rec["attrs"] = {}
        for a in attrs:
            try:
                v = getattr(model, a)
                rec["attrs"][a] = plain(v() if callable(v) and not isinstance(v, DataFrame) else v)
            except Exception as e:
                rec["attrs"][a] = {"error": error(e)}
        for a, args in calls:
            rec.setdefault("calls", []).append({"name": a, "args": plain(list(args)), "value": plain(getattr(model, a)(*args))})
        if summary:
            rec["summary"] = {}
            for a in summary:
                a, args = a if isinstance(a, tuple) else (a, None)
                key = a if args is None else f"{a}({','.join(map(str, args))})"
                try:
                    v = getattr(model.summary, a)
                    v = v(*args) if args is not None else (v() if callable(v) and not isinstance(v, DataFrame) else v)
                    rec["summary"][key] = plain(v)
                except Exception as e:
                    rec["summary"][key] = {"error": error(e)}
        target = apply_to or data
        rec["apply_to"] = target
        out = model.transform(DATA[target][0])
        if outputs:
            out = out.select(*outputs)
        else:
            out = out.select(*[c for c in out.columns if c not in DATA[target][0].columns])
        rec["output"] = frame(out)
    except Exception as e:
        rec["error"] = error(e)
    print(cls.__name__, name, "error: " + rec["error"]["message"][:150] if "error" in rec else "ok", flush=True)


def write(script, data_name):
    """Writes all recordings made."""
    header = {"spark": spark.version, "date": datetime.date.today().isoformat(), "script": "spec/record/" + script,
              "configuration": "Spark Connect, local[2], spark.sql.shuffle.partitions=4, data in one partition"}
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, data_name + ".json"), "w") as f:
        f.write('{"header": %s,\n "data": {\n' % json.dumps(header))
        f.write(",\n".join('"%s": %s' % (n, json.dumps(d)) for n, (_, d) in DATA.items()) + "\n}}\n")
    for cls, cases in RECORDINGS.items():
        with open(os.path.join(OUT, cls + ".json"), "w") as f:
            f.write('{"header": %s,\n "data": "%s",\n "cases": [\n' % (json.dumps(header), data_name))
            f.write(",\n".join(json.dumps(c) for c in cases) + "\n]}\n")
    print("wrote", len(RECORDINGS), "recordings")


def numbers(seed, n):
    """Repeatable numbers with few digits, so that a recording stays small."""
    r = random.Random(seed)
    return [round(r.gauss(0, 1), 4) for _ in range(n)]
