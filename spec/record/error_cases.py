"""What goes wrong, case by case: every case runs something on a Spark session and its outcome is kept.

A case is a function of (spark, dir); what it returns is its answer, what it raises is its error.
The recorder runs the cases on Apache Spark, the end-to-end tests run them on Millpond.
"""

import json
import os
import re

CASES = {}


def case(fn):
    CASES[fn.__name__] = fn
    return fn


def outcome(fn, spark, dir):
    """Runs a case and tells how it ended, without what differs from run to run."""
    os.makedirs(dir, exist_ok=True)
    try:
        return {"answer": plain(fn(spark, dir), dir)}
    except Exception as e:  # any error is an outcome
        out = {"exception": type(e).__name__}
        for key, get in (("condition", "getCondition"), ("sqlstate", "getSqlState"), ("parameters", "getMessageParameters")):
            try:
                out[key] = getattr(e, get)() if hasattr(e, get) else None
            except Exception:
                out[key] = None
        text = getattr(e, "_message", None) or str(e)
        out["message"] = tidy(text, dir)
        out["parameters"] = {k: tidy(v, dir) for k, v in sorted((out["parameters"] or {}).items())}
        out["contexts"] = [context(c) for c in (e.getQueryContext() if hasattr(e, "getQueryContext") else [])]
        return out


def context(c):
    """The place in a query that an error is about."""
    if str(c.contextType()) == "QueryContextType.SQL":
        return {"kind": "SQL", "fragment": c.fragment(), "start": c.startIndex(), "stop": c.stopIndex(), "object": [c.objectType(), c.objectName()], "summary": c.summary()}
    site = r".*/([\w.]+):\d+"
    return {"kind": "DataFrame", "fragment": c.fragment(), "site": re.sub(site, r"\1", c.callSite()), "summary": re.sub(site, r"\1", c.summary())}


def differences(want, got):
    """Tells where two outcomes differ."""
    return {k: (want.get(k), got.get(k)) for k in ("answer", "exception", "condition", "sqlstate", "parameters", "message", "contexts") if want.get(k) != got.get(k)}


def plain(v, dir):
    if isinstance(v, list):
        return [plain(x, dir) for x in v]
    if isinstance(v, dict):
        return {k: plain(x, dir) for k, x in v.items()}
    if hasattr(v, "asDict"):
        return [plain(x, dir) for x in v]
    if isinstance(v, float):
        return repr(v)
    if v is None or isinstance(v, (int, bool)):
        return v
    return tidy(str(v), dir)


def tidy(text, dir):
    text = text.split("\n\nJVM stacktrace")[0].split("\nJVM stacktrace")[0]
    text = text.replace(os.path.realpath(dir), "<dir>").replace(dir, "<dir>")
    text = re.sub(r"\b([A-Za-z]+)_[0-9a-f]{12,20}\b", r"\1_<id>", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<uuid>", text)
    text = re.sub(r"part-\d+-<uuid>[-\w.]*", "<part>", text)
    text = re.sub(r"#\d+L?", "#n", text)
    text = re.sub(r"\(TID \d+\)|\[plan_id=\d+\]|stage \d+\.\d+|task \d+\.\d+", "<n>", text)
    text = re.sub(r'File "[^"]*", line \d+', 'File "<file>"', text)
    # Names that the JVM makes anew in each run, its stack and its tasks.
    text = re.sub(r"\$\$Lambda\$\d+/0x[0-9a-f]+", "$$Lambda", text)
    text = re.sub(r"(Udt|UDT)@[0-9a-f]+", r"\1", text)
    text = re.sub(r"\n\s*at [\w.$/]+\(.*|\nDriver stacktrace:|\n\t\.\.\. \d+ more", "", text)
    text = re.sub(r"Task \d+ in (?:<n>|stage \S+) failed 1 times, most recent failure: Lost .*?\(localhost executor driver\): ", "", text)
    # The query's own text and the plan that follow a message are not part of it.
    text = re.split(r"\n== (?:SQL|DataFrame)", text)[0]
    text = re.sub(r"(SQLSTATE: \w{5})(?:;.*| \(line .*)", r"\1", text, flags=re.S)
    return text.strip()


def write(dir, name, text):
    path = os.path.join(dir, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


def main(remote, out):
    """Runs all cases on a server and writes their outcomes to a file."""
    import tempfile
    from pyspark.sql import SparkSession
    spark = SparkSession.builder.remote(remote).getOrCreate()
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    results = {}
    with tempfile.TemporaryDirectory() as tmp:
        for name, fn in CASES.items():
            results[name] = outcome(fn, spark, os.path.join(tmp, name))
    with open(out, "w") as f:
        json.dump({"spark": spark.version, "cases": results}, f, indent=1, sort_keys=True)
        f.write("\n")
    return results
