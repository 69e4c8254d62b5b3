"""Prints, as JSON, the functions that the tests run: name -> base64 of what a client sends."""
import base64, datetime, decimal, json, os, sys, time
import pandas as pd, pyarrow as pa, pyarrow.compute as pc
from pyspark import cloudpickle
from pyspark.sql.types import *
from pyspark.sql.types import _parse_datatype_string as ddl

cloudpickle.register_pickle_by_value(sys.modules["__main__"])
out = {"python": "%d.%d" % sys.version_info[:2]}


def add(name, f, t):
    t = t if isinstance(t, DataType) else {"long": LongType(), "double": DoubleType(), "string": StringType()}.get(t) or struct(t)
    out[name] = base64.b64encode(cloudpickle.dumps((f, t))).decode()


BASIC = {"long": LongType, "double": DoubleType, "string": StringType, "int": IntegerType, "timestamp": TimestampType, "date": DateType}


def struct(text):
    return StructType([StructField(n, BASIC[t]()) for n, t in (p.split() for p in text.split(", "))])


def iterate(f):
    def g(it):
        for x in it:
            yield f(x)
    return g


def boom(*a):
    return 1 // 0


def two(it):
    for a, b in it:
        yield a + b


def crash(*a):
    print("going down", file=sys.stderr, flush=True)
    os._exit(7)


def segfault(*a):
    import ctypes
    ctypes.string_at(0)


add("plus1", lambda x: x + 1, "long")
add("upper", lambda s: None if s is None else s.upper(), "string")
add("sub", lambda a, b: a - b, "long")
add("sum", lambda a, b: a + b, "double")
add("seven", lambda: 7, "long")
add("repr", lambda *a: repr(a), "string")
add("boom", boom, "long")
add("crash", crash, "long")
add("segfault", segfault, "long")
add("sleep", lambda x: time.sleep(600), "long")
add("pid", lambda x: os.getpid(), "long")
add("shout", lambda x: print("x" * 1000) or x, "long")
add("structsum", lambda d: d["a"] + d["b"].str.len(), "long")
add("tostruct", lambda x: pd.DataFrame({"a": x, "b": x.astype(str)}), "a long, b string")
add("torow", lambda x: (x, str(x)), "a long, b string")
add("short", lambda x: x.iloc[:1], "long")
add("tolist", lambda x: [x, None], ArrayType(LongType()))
add("tomap", lambda x: {str(x): x}, MapType(StringType(), LongType()))
add("todate", lambda x: datetime.date(2020, 1, int(x) + 1), DateType())
add("tostamp", lambda x: datetime.datetime(2020, 1, int(x) + 1, 2, 3, 4, 5), TimestampType())
add("todecimal", lambda x: decimal.Decimal(int(x)) / 8, DecimalType(10, 2))
add("wrong", lambda x: "text", "long")
add("numpy", lambda x: __import__("numpy").float64(x), "double")
add("cycle", lambda x: (lambda l: l.append(l) or l)([]), "string")
add("hour", lambda s: s.dt.hour, "long")
add("module", lambda x: __import__("mylib").answer() + x, "long")
add("iter_plus1", iterate(lambda s: s + 1), "long")
add("iter_sum", two, "double")
add("iter_arrow", iterate(lambda a: pc.add(a, 1)), "long")
add("arrow_plus1", lambda a: pc.add(a, 1), "long")
add("map_filter", iterate(lambda p: p[p.v > 1.5].rename(columns={"v": "w"})[["w", "k"]]), "k long, w double")
add("map_bad", iterate(lambda p: p.assign(z=1)), "k long, q double")
add("map_none", lambda it: iter([]), "k long")
add("map_first", lambda it: iter([next(it)]), "k long, v double")
add("map_count", lambda it: iter([pd.DataFrame({"n": [sum(len(p) for p in it)]})]), "n long")
add("map_arrow", iterate(lambda b: b.slice(0, 1)), "k long, v double")
add("map_arrow_bad", iterate(lambda b: pa.RecordBatch.from_pydict({"k": ["x"] * b.num_rows})), "k long")
add("map_explode", iterate(lambda p: pd.DataFrame({"k": range(2_000_000)})), "k long")
add("group_mean", lambda key, p: pd.DataFrame({"k": [key[0]], "m": [p.v.mean()]}), "k long, m double")
add("group_one", lambda p: p.assign(v=p.v - p.v.mean()), "k long, v double")
add("group_arrow", lambda key, t: pa.table({"k": pa.array([key[0].as_py()], pa.int64()), "m": [pc.mean(t["v"]).as_py()]}), "k long, m double")
add("group_arrow_iter", lambda key, it: iter([pa.RecordBatch.from_pydict({"k": pa.array([key[0].as_py()], pa.int64()), "m": [float(sum(b.num_rows for b in it))]})]), "k long, m double")
add("group_iter", lambda key, it: iter([pd.DataFrame({"k": [key[0]], "m": [float(sum(len(p) for p in it))]})]), "k long, m double")
add("cogroup", lambda key, l, r: pd.DataFrame({"k": [key[0]], "n": [len(l)], "m": [len(r)]}), "k long, n long, m long")
add("cogroup_arrow", lambda key, l, r: pa.table({"k": [key[0].as_py()], "n": [l.num_rows], "m": [r.num_rows]}), "k long, n long, m long")
add("agg_mean", lambda v: float(v.mean()), "double")
add("agg_count", lambda v: len(v), "long")
add("agg_iter", lambda it: float(sum(s.sum() for s in it)), "double")
add("agg_arrow", lambda a: pc.sum(a).as_py(), "double")
add("agg_arrow_iter", lambda it: float(sum(len(a) for a in it)), "double")
try:
    from pyspark.ml.linalg import Vectors, VectorUDT
    add("norm", lambda v: None if v is None else float(v.norm(1)), "double")
    add("tovector", lambda x: Vectors.dense([x, 1.0]), VectorUDT())
except ImportError:
    pass
print(json.dumps(out))
