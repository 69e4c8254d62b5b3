#!/usr/bin/env python3
"""Record what Apache Spark answers to the queries of fixture files.

  sql.py sc://host:port spec/sql/a.slt [...]      read the queries, (re)write the answers
  sql.py sc://host:port --examples spec/sql       write functions_*.slt from the examples that Spark's
                                                  own DESCRIBE FUNCTION EXTENDED gives, then record them

A fixture is a header of # lines and cases parted by empty lines. A case is

  <query, one or more lines>;
  schema                         | error CONDITION SQLSTATE
  <name>: <type> [not null]      |
  rows                           |
  <values parted by tabs>        |

Cases of one file run in one session, in order.
"""
import datetime, decimal, math, re, sys

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

CONF = {"spark.sql.ansi.enabled": "true", "spark.sql.session.timeZone": "UTC"}
# Examples whose answer is another one each time, or another one on each machine.
CHANGING = re.compile(r"current_|now\(|curdate|localtimestamp|uuid|\brand|shuffle|random|input_file|version\(|user|java_method|reflect|"
                      r"collations|unix_timestamp\(\)|to_unix_timestamp\(\)|monotonic|spark_partition|hll_|theta|kll|count_min|approx_top_k|tuple_|"
                      r"bitmap_|from_avro|to_avro|protobuf|st_|aes_|read_files|try_aes", re.I)


def text(v):
    """The canonical text of a value; the Go test prints the same."""
    if v is None: return "NULL"
    if isinstance(v, bool): return "true" if v else "false"
    if isinstance(v, int): return str(v)
    if isinstance(v, float):
        if math.isnan(v): return "NaN"
        if math.isinf(v): return "Infinity" if v > 0 else "-Infinity"
        return "%.13g" % (v + 0.0 if v else 0.0)
    if isinstance(v, decimal.Decimal): return format(v, "f")
    if isinstance(v, str): return '"' + v.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r") + '"'
    if isinstance(v, (bytes, bytearray)): return "X'" + bytes(v).hex() + "'"
    if isinstance(v, datetime.datetime): return v.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(v, datetime.date): return v.isoformat()
    if isinstance(v, datetime.timedelta): return "%dus" % ((v.days * 86400 + v.seconds) * 1000000 + v.microseconds)
    if isinstance(v, tuple): return " -> ".join(text(x) for x in v)     # an entry of a map
    if isinstance(v, list): return "[" + ", ".join(text(x) for x in v) + "]"
    if isinstance(v, dict): return "{" + ", ".join(text(x) for x in v.values()) + "}"
    return "?" + type(v).__name__


def answer(spark, query):
    try:
        df = spark.sql(query)
        table = df.toArrow()
    except PySparkException as e:
        return ["error %s %s" % (e.getCondition() or "-", e.getSqlState() or "-")]
    except Exception as e:  # types that Arrow cannot carry
        return ["skip " + str(e).strip().splitlines()[0][:120]]
    out = ["schema"]
    for f in df.schema.fields:
        out.append("%s: %s%s" % (text(f.name)[1:-1], f.dataType.simpleString(), "" if f.nullable else " not null"))
    out.append("rows")
    columns = []
    for c in table.columns:
        try: columns.append([text(v) for v in c.to_pylist()])
        except Exception as e: return ["skip " + str(e).strip().splitlines()[0][:120]]
    for row in zip(*columns): out.append("\t".join(row))
    return out


def cases(path):
    """The queries of a fixture."""
    block = []
    for line in open(path, encoding="utf-8").read().split("\n") + [""]:
        if line.startswith("#") and not block: continue
        if line.strip(): block.append(line); continue
        if block:
            query = []
            for l in block:
                query.append(l)
                if l.rstrip().endswith(";"): break
            yield "\n".join(query).rstrip().rstrip(";")
        block = []


def record(remote, path, queries=None):
    queries = list(queries if queries is not None else cases(path))
    spark = SparkSession.builder.remote(remote).create()
    for k, v in CONF.items(): spark.conf.set(k, v)
    head = "# Recorded by spec/record/sql.py from Apache Spark %s on %s; %s\n" % (
        spark.version, datetime.date.today().isoformat(), ", ".join("%s=%s" % kv for kv in CONF.items()))
    out, n = [head], 0
    for q in queries:
        a = answer(spark, q)
        if a[0].startswith("skip") and path.rsplit("/", 1)[-1].startswith("functions_"): continue
        out.append(q + ";\n" + "\n".join(a) + "\n"); n += 1
    open(path, "w", encoding="utf-8").write("\n".join(out))
    print(path, n)
    spark.stop()


def examples(remote, folder):
    spark = SparkSession.builder.remote(remote).create()
    names = sorted({r[0] for r in spark.sql("SHOW SYSTEM FUNCTIONS").collect()})
    groups = {}
    for n in names:
        try: text = "\n".join(r[0] for r in spark.sql("DESCRIBE FUNCTION EXTENDED `%s`" % n).collect())
        except PySparkException: continue
        found = re.findall(r"^\s*> (SELECT.*?);\s*$", text, re.M | re.S)
        found = [" ".join(q.split()) for q in found if "\n >" not in q]
        for q in found:
            if CHANGING.search(q): continue
            groups.setdefault(n, []).append(q)
    families = {}
    for n, qs in groups.items():
        families.setdefault(family(n), {}).update(dict.fromkeys(qs))
    spark.stop()
    for fam, qs in sorted(families.items()): record(remote, "%s/functions_%s.slt" % (folder, fam), qs)


FAMILIES = [("aggregate", r"^(any|any_value|approx.*|array_agg|avg|bit_(and|or|xor)|bool_.*|collect_.*|corr|count.*|covar.*|every|first.*|grouping.*|histogram.*|kurtosis|"
             r"last|last_value|listagg|string_agg|max|max_by|mean|median|min|min_by|mode|percentile.*|regr_.*|skewness|some|std.*|sum|try_avg|try_sum|var.*|product)$"),
            ("window", r"^(cume_dist|dense_rank|lag|lead|nth_value|ntile|percent_rank|rank|row_number|window.*|session_window)$"),
            ("json", r"json|schema_of|from_csv|to_csv|xpath|xml|variant"),
            ("array", r"^(array.*|explode.*|posexplode.*|inline.*|flatten|sequence|slice|sort_array|get|element_at|try_element_at|size|cardinality|reverse|filter|transform|aggregate|reduce|exists|forall|zip_with|stack)$"),
            ("map", r"map|struct"),
            ("datetime", r"date|time|day|month|year|hour|minute|second|week|quarter|interval|trunc$|extract|unix|convert_timezone|^months|add_months|last_day|next_day"),
            ("hash", r"hash|md5|sha|crc32"),
            ("math", r"^(abs|acos.*|asin.*|atan.*|bin|bround|cbrt|ceil.*|conv|cos.*|cot|csc|degrees|e|exp.*|factorial|floor|greatest|hex|hypot|least|ln|log.*|mod|negative|pi|pmod|positive|pow.*|"
             r"radians|rint|round|sec|sign.*|sin.*|sqrt|tan.*|try_.*|unhex|width_bucket|uniform|div|shift.*|bit_.*|getbit|[-+*/%&|^~<>=!]+)$")]


def family(name):
    for fam, pattern in FAMILIES:
        if re.search(pattern, name): return fam
    return "string_misc" if re.match(r"[a-z]", name) else "operator"


if __name__ == "__main__":
    if sys.argv[2] == "--examples": examples(sys.argv[1], sys.argv[3])
    else:
        for p in sys.argv[2:]: record(sys.argv[1], p)
