"""Record pyspark.ml.stat: spec/ml/stat.json. Arguments: the address of a Spark Connect server, the file.

test/e2e/test_stat.py runs the same cases. "numbers" holds bare numbers for the tests in Go.
"""
import datetime
import json
import random
import sys

from pyspark.ml.feature import VectorAssembler
from pyspark.ml.linalg import Vectors
from pyspark.ml.stat import ChiSquareTest, Correlation, KolmogorovSmirnovTest, Summarizer
from pyspark.sql import Window
from pyspark.sql import functions as F

from outcomes import outcome

METRICS = ["mean", "sum", "variance", "std", "count", "numNonZeros", "max", "min", "normL1", "normL2"]
NAN, INF = float("nan"), float("inf")
dense = Vectors.dense


def points():
    """Rows of five numbers: a dense mix with ties, a constant and mostly zeros."""
    q = random.Random(7)
    return [[q.gauss(3, 2), float(q.randint(0, 4)), 5.0, 0.0 if q.random() < 0.8 else q.random() * 9 - 4, -0.5 * i] for i in range(120)]


def samples():
    """Samples of several sizes and distances from the standard normal distribution."""
    q = random.Random(3)
    return [[q.gauss(m, s) for _ in range(n)] for n in (1, 2, 5, 40, 140, 141, 700) for m, s in ((0, 1), (0.3, 1), (0, 2), (4, 0.1))]


def frame(spark, *vectors):
    return spark.createDataFrame([(v,) for v in vectors], ["features"]).coalesce(1)


def mixed(spark):
    rows = [dense(p) if i % 3 else Vectors.sparse(5, {k: x for k, x in enumerate(p) if x}) for i, p in enumerate(points())]
    return spark.createDataFrame([(i % 4, float(i % 3), v, i % 5) for i, v in enumerate(rows)], ["g", "w", "features", "k"]).coalesce(1)


def labelled(spark, *rows):
    return spark.createDataFrame(list(rows), ["label", "features"]).coalesce(1)


def numbers(spark, *values, of="double"):
    return spark.createDataFrame([(v,) for v in values], f"x {of}").coalesce(1)


def summary(metrics=METRICS, weight=True):
    def case(spark):
        df = mixed(spark)
        return df.select(Summarizer.metrics(*metrics).summary(df.features, df.w) if weight else Summarizer.metrics(*metrics).summary(df.features))
    return case


def correlations():
    out = {}
    for method in ("pearson", "spearman"):
        def on(*vectors, method=method): return lambda spark: Correlation.corr(frame(spark, *vectors), "features", method)
        out |= {
            f"{method} mixed": lambda spark, method=method: Correlation.corr(mixed(spark), "features", method),
            f"{method} constant": on(dense(1, 2), dense(1, 3), dense(1, 5)),
            f"{method} ties": on(dense(1, 2), dense(1, 3), dense(2, 3), dense(2, 3), dense(-1, 0)),
            f"{method} nan": on(dense(1, NAN), dense(2, 3), dense(3, 1)),
            f"{method} nans": on(dense(1, NAN), dense(2, 3), dense(3, NAN), dense(0, -INF)),
            f"{method} infinite": on(dense(1, INF), dense(2, 3), dense(3, 1)),
            f"{method} one row": on(dense(1, 2)),
            f"{method} one column": on(dense(1), dense(2)),
            f"{method} other size": on(dense(1, 2), dense(1, 2, 3)),
            f"{method} no rows": lambda spark, method=method: Correlation.corr(mixed(spark).filter("g > 9"), "features", method),
            f"{method} null": lambda spark, method=method: Correlation.corr(spark.createDataFrame([(dense(1),), (None,)], ["features"]).coalesce(1), "features", method),
        }
    return out | {
        "correlation no column": lambda spark: Correlation.corr(mixed(spark), "nope"),
        "correlation of numbers": lambda spark: Correlation.corr(numbers(spark, 1.0, 2.0), "x"),
        "correlation method": lambda spark: Correlation.corr(mixed(spark), "features", "kendall"),
        "correlation below": lambda spark: Correlation.corr(mixed(spark), "features").selectExpr("`pearson(features)` as m", "1 as one"),
    }


def chi_squares():
    def on(*rows, flatten=True): return lambda spark: ChiSquareTest.test(labelled(spark, *rows), "features", "label", flatten)
    def many(features, label):
        def case(spark):
            df = spark.range(10001).selectExpr("cast(id as double) as id", "id % 2 as two")
            return ChiSquareTest.test(VectorAssembler(inputCols=[features], outputCol="v").transform(df), "v", label)
        return case
    return {
        "chi mixed": lambda spark: ChiSquareTest.test(mixed(spark), "features", "k"),
        "chi flat": lambda spark: ChiSquareTest.test(mixed(spark), "features", "k", True).orderBy("featureIndex"),
        "chi documented": on((0, dense(0, 0, 1)), (0, dense(1, 0, 1)), (1, dense(2, 1, 1)), (1, dense(3, 1, 1)), flatten=False),
        "chi fractions": on((0.5, dense(0.5, -1)), (1.5, dense(1.5, 2))),
        "chi nan": on((0.5, dense(NAN, -1)), (1.5, dense(1.5, 2))),
        "chi nan label": on((NAN, dense(0, -1)), (1.5, dense(1.5, 2))),
        "chi other size": on((0.5, dense(1, 1)), (1.5, dense(1, 2, 3))),
        "chi null": on((1, dense(1, 1)), (1, None)),
        "chi no rows": lambda spark: ChiSquareTest.test(mixed(spark).filter("g > 9"), "features", "k"),
        "chi label text": lambda spark: ChiSquareTest.test(mixed(spark).selectExpr("features", "string(g) as label"), "features", "label"),
        "chi no label": lambda spark: ChiSquareTest.test(mixed(spark), "features", "nope"),
        "chi of numbers": lambda spark: ChiSquareTest.test(mixed(spark), "g", "k"),
        "chi too many values": many("id", "two"),
        "chi too many labels": many("two", "id"),
    }


def kolmogorov_smirnovs():
    def on(values, *args, of="double"): return lambda spark: KolmogorovSmirnovTest.test(numbers(spark, *values, of=of), "x", *args)
    three = (-1.0, 0.0, 1.0)
    return {f"ks sample {i}": on(s, "norm", 0.0, 1.0) for i, s in enumerate(samples())} | {
        "ks standard": on(three, "norm"), "ks other": on(three, "norm", 0.5, 3.0), "ks integers": on(range(5), "norm", 2, 1, of="int"),
        "ks decimals": lambda spark: KolmogorovSmirnovTest.test(numbers(spark, 1.0, 2.0).selectExpr("cast(x as decimal(9,2)) as x"), "x", "norm", 1.0, 2.0),
        "ks ties": on((0.0, 0.0, 1.0, 1.0), "norm"), "ks infinite": on((INF, 0.0, -INF), "norm"), "ks nan": on((NAN, 0.0), "norm"), "ks no rows": on((), "norm"),
        "ks null": on((None, 1.0), "norm"), "ks text": on(("a",), "norm", of="string"), "ks no column": lambda spark: KolmogorovSmirnovTest.test(numbers(spark, 1.0), "y", "norm"),
        "ks one parameter": on(three, "norm", 0.0), "ks three parameters": on(three, "norm", 0.0, 1.0, 2.0), "ks deviation": on(three, "norm", 0.0, -1.0),
        "ks distribution": on(three, "exp", 0.0, 1.0),
    }


def summarizers():
    def of(df, *args): return df.select(Summarizer.metrics(*METRICS).summary(*args))
    def window(spark):
        df = mixed(spark)
        return df.select("g", Summarizer.metrics("mean", "count").summary(df.features, df.w).over(Window.partitionBy("g")).alias("s")).distinct().orderBy("g")
    def grouped(spark):
        df = mixed(spark)
        return df.groupBy("g").agg(Summarizer.mean(df.features, df.w), F.count("*"), Summarizer.metrics("max", "numNonZeros").summary(df.features)).orderBy("g")
    def on(*vectors, weight=1.0):
        def case(spark):
            df = frame(spark, *vectors)
            return of(df, df.features, F.lit(weight))
        return case
    out = {f"summary {m}": summary([m]) for m in METRICS}
    out |= {f"single {m}": lambda spark, m=m: mixed(spark).select(getattr(Summarizer, m)(F.col("features"), F.col("w")), getattr(Summarizer, m)(F.col("features"))) for m in METRICS}
    return out | {
        "summary all": summary(), "summary unweighted": summary(weight=False), "summary grouped": grouped, "summary window": window,
        "summary nan": on(dense(1, NAN), dense(2, 3)), "summary one row": on(dense(1, -2)), "summary other size": on(dense(1, 2), dense(1, 2, 3)),
        "summary no weight": on(dense(1, 2), weight=0.0), "summary weight": on(dense(1, 2), weight=-1.0), "summary null weight": on(dense(1, 2), weight=None),
        "summary text weight": on(dense(1, 2), weight="a"), "summary whole weight": on(dense(1, 2), dense(4, 4), weight=3),
        "summary null": lambda spark: of(spark.createDataFrame([(dense(1),), (None,)], ["features"]).coalesce(1), F.col("features")),
        "summary no rows": lambda spark: of(mixed(spark).filter("g > 9"), F.col("features")),
        "summary count of no rows": lambda spark: mixed(spark).filter("g > 9").select(Summarizer.metrics("count").summary(F.col("features"))),
        "summary no groups": lambda spark: mixed(spark).filter("g > 9").groupBy("g").agg(Summarizer.mean(F.col("features"))),
        "summary metric": summary(["median"]), "summary of numbers": lambda spark: of(mixed(spark), F.col("g")),
        "summary part": lambda spark: mixed(spark).select(Summarizer.metrics("mean", "count").summary(F.col("features"))["mean"], F.sum("w")),
    }


def cases():
    return correlations() | chi_squares() | kolmogorov_smirnovs() | summarizers()


if __name__ == "__main__":
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
    recorded = {name: outcome(case, spark) for name, case in cases().items()}
    bare = {"points": points(), "samples": samples(), "labels": [i % 5 for i in range(len(points()))],
            "pearson": recorded["pearson mixed"]["rows"][0]["pearson(features)"]["values"], "spearman": recorded["spearman mixed"]["rows"][0]["spearman(features)"]["values"],
            "chi": [[r["statistic"], r["pValue"], r["degreesOfFreedom"]] for r in recorded["chi flat"]["rows"]],
            "ks": [[recorded[f"ks sample {i}"]["rows"][0][k] for k in ("statistic", "pValue")] for i in range(len(samples()))]}
    with open(sys.argv[2], "w") as f:
        json.dump({"of": f"Apache Spark {spark.version}, Spark Connect", "by": "spec/record/ml_stat.py", "date": datetime.date.today().isoformat(),
                   "numbers": bare, "cases": recorded}, f, indent=1)
