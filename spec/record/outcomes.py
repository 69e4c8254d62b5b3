"""What a DataFrame gives, in a form that JSON holds: its schema and rows, or its error."""
import datetime
import decimal
import math
import re

from pyspark.errors import PySparkException
from pyspark.ml.linalg import DenseMatrix
from pyspark.sql import Row


def plain(v):
    """A value as JSON can hold it."""
    if isinstance(v, float):
        return v if math.isfinite(v) else repr(v)
    if isinstance(v, DenseMatrix):
        return {"rows": v.numRows, "columns": v.numCols, "values": [plain(float(x)) for x in v.values], "transposed": bool(v.isTransposed)}
    if hasattr(v, "toArray"):
        return {"vector": [plain(float(x)) for x in v.toArray()], "dense": type(v).__name__ == "DenseVector"}
    if isinstance(v, Row):
        return {k: plain(x) for k, x in v.asDict().items()} if len(set(v.__fields__)) == len(v) else [plain(x) for x in v]
    if isinstance(v, (bytes, bytearray)):
        return "X'" + bytes(v).hex() + "'"
    if isinstance(v, (datetime.date, datetime.timedelta, decimal.Decimal)):
        return str(v)
    if isinstance(v, dict):
        return {str(k): plain(x) for k, x in v.items()}
    return [plain(x) for x in v] if isinstance(v, list) else v


def why(text):
    """The message without what belongs to a cluster: which task of which stage failed on which machine, the stack, the plan, the place of the call."""
    text = re.sub(r"Lambda(\$\d+)?/0x\w+|Lambda\$\d+/0x\w+", "Lambda", text)
    text = re.sub(r"Task \d+ in stage .*?executor driver\): ", "", text, flags=re.S)
    return re.split(r"\n\s*at |\n\nJVM|\n\n== |; line|;\n|SQLSTATE: \w+; '", text.split("\n\nDriver stacktrace")[0])[0].strip()


def outcome(case, spark):
    """The schema and rows of a case, or its error."""
    try:
        df = case(spark)
        schema = [[f.name, f.dataType.simpleString(), f.nullable] for f in df.schema.fields]
        return {"schema": schema, "rows": [plain(r) for r in df.collect()]}
    except PySparkException as e:
        return {"error": type(e).__name__, "condition": None if str(e.getCondition()).startswith("_LEGACY") else e.getCondition(), "message": why(str(e))}


def near(got, want):
    """Whether two outcomes are the same, numbers to 1e-6."""
    if isinstance(want, float) and isinstance(got, (int, float)):
        return math.isclose(got, want, rel_tol=1e-6, abs_tol=1e-9)
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(near, got, want))
    if isinstance(want, dict):
        return isinstance(got, dict) and got.keys() == want.keys() and all(near(got[k], want[k]) for k in want)
    return got == want
