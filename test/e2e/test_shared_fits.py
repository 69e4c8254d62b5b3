"""What fits over the same cached rows share gives what each finds by itself."""

import pytest
from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression, RandomForestClassifier
from pyspark.ml.feature import Imputer, StandardScaler, StringIndexer, VectorAssembler
from pyspark.ml.regression import DecisionTreeRegressor, LinearRegression
from pyspark.sql import functions as F


def rows(spark):
    """70,000 rows: more than a batch has."""
    df = spark.range(70_000).select(
        ((F.col("id") * 37) % 101).cast("double").alias("a"), ((F.col("id") * 91) % 53).cast("double").alias("b"),
        F.when(F.col("id") % 7 == 0, None).otherwise((F.col("id") % 11).cast("double")).alias("gap"),
        F.concat(F.lit("k"), (F.col("id") * 17) % 5).alias("k"), (F.col("id") % 3).cast("double").alias("w"))
    df = df.withColumn("y", 3 * F.col("a") - F.col("b") + F.col("w"))
    df = df.withColumn("c", F.pmod(F.col("y"), F.lit(2.0)).cast("double"))
    return VectorAssembler(inputCols=["a", "b"], outputCol="features").transform(df)


@pytest.fixture
def both(spark):
    cached = rows(spark).cache()
    cached.count()
    yield rows(spark), cached
    cached.unpersist()


def linear(df, label="y", **more):
    m = LinearRegression(labelCol=label, regParam=0.1, **more).fit(df)
    return list(m.coefficients) + [m.intercept, m.summary.r2, m.summary.rootMeanSquaredError]


FITS = {
    "one label": lambda df: linear(df),
    "another label": lambda df: linear(df, "a"),
    "a computed label": lambda df: linear(df.withColumn("z", F.log(F.col("y") + 100)), "z"),
    "the same rows, weighted": lambda df: linear(df, weightCol="w"),
    "some rows": lambda df: linear(df.filter("a < 40")),
    "some rows in order": lambda df: linear(df.filter("a < 40").withColumn("z", F.col("y") * 2), "z"),
    "repartitioned": lambda df: linear(df.repartition(7, "k").withColumn("z", F.col("y") + 1), "z"),
    "ordered": lambda df: linear(df.orderBy("k", "y").withColumn("z", F.col("y") + 1), "z"),
    "joined": lambda df: linear(df.join(df.groupBy("k").agg(F.avg("y").alias("mean")), "k").withColumn("z", F.col("y") - F.col("mean")), "z"),
    "another model": lambda df: [round(x, 6) for x in LogisticRegression(labelCol="c", maxIter=5).fit(df).coefficients],
    "a tree": lambda df: DecisionTreeRegressor(labelCol="y", maxDepth=3).fit(df).toDebugString.split("\n")[1:],
    "a tree of a computed label": lambda df: DecisionTreeRegressor(labelCol="z", maxDepth=3).fit(df.withColumn("z", -F.col("y"))).toDebugString.split("\n")[1:],
    "a forest": lambda df: list(RandomForestClassifier(labelCol="c", numTrees=3, seed=5).fit(df).featureImportances),
}


@pytest.mark.parametrize("name", FITS)
def test_cached_and_not(both, name):
    plain, cached = both
    want = FITS[name](plain)
    FITS["one label"](cached)
    FITS["a tree"](cached)
    for _ in range(2):  # these find what the others left
        assert FITS[name](cached) == (want if isinstance(want[0], str) else pytest.approx(want, rel=1e-9, abs=1e-9))


def test_feature_stages(both):
    """Stages behind other stages count what does not come from those once, too."""
    def values(df, missing):
        stages = [Imputer(inputCols=["gap"], outputCols=["gap"], strategy="median", missingValue=missing),
                  StringIndexer(inputCol="k", outputCol="ki"),
                  VectorAssembler(inputCols=["gap", "ki"], outputCol="v"), StandardScaler(inputCol="v", outputCol="s", withMean=True)]
        m = Pipeline(stages=stages).fit(df)
        return [m.stages[0].surrogateDF.first()[0], *m.stages[1].labels, *m.stages[3].mean, *m.stages[3].std]
    plain, cached = both
    for missing in (float("nan"), 5.0):
        want = values(plain, missing)
        for _ in range(2):
            got = values(cached, missing)
            assert got[:6] == want[:6]
            assert got[6:] == pytest.approx(want[6:], rel=1e-12)
    assert values(cached, 5.0) != values(cached, float("nan"))


def test_indexer_that_skips_rows(spark):
    """A stage that drops rows makes others of those behind it."""
    df = spark.createDataFrame([("a", "x"), ("b", "y"), ("c", "y"), ("a", "z")], "k string, other string").cache()
    known = StringIndexer(inputCol="k", outputCol="ki", handleInvalid="skip").fit(df.filter("k <> 'c'"))
    whole = StringIndexer(inputCol="other", outputCol="i").fit(df)
    some = StringIndexer(inputCol="other", outputCol="i").fit(known.transform(df))
    assert whole.labels == ["y", "x", "z"]
    assert some.labels == ["x", "y", "z"]


def test_bad_rows_fail_each_time(spark):
    df = spark.createDataFrame([(1.0, 2.0), (float("nan"), 3.0)], "a double, y double")
    df = VectorAssembler(inputCols=["a"], outputCol="features", handleInvalid="keep").transform(df).cache()
    for label in ("y", "a", "y"):
        with pytest.raises(Exception, match="NaN"):
            LinearRegression(labelCol=label).fit(df)
    assert LinearRegression(labelCol="y").fit(df.filter("not isnan(a)")).intercept == 2.0


@pytest.mark.parametrize("make", [lambda: LogisticRegression(labelCol="c", maxIter=3), lambda: RandomForestClassifier(labelCol="c", numTrees=3, seed=5)])
def test_columns_of_predictions_alone(both, make):
    """A model makes the columns that are asked for, as it makes all of them."""
    plain, cached = both
    out = make().fit(cached).transform(cached.filter("a < 3"))
    names = ["prediction", "probability", "rawPrediction"]
    whole = {n: [r[n] for r in out.select("a", *names).collect()] for n in names}
    for n in names:
        assert [r[n] for r in out.select(n).collect()] == whole[n]
        assert [r[0] for r in out.select(n, "b").filter("b < 100").cache().select(n).collect()] == whole[n]
    assert out.select("b").count() == out.count() == len(whole["prediction"])
    # Of what a second model reads only one column comes from the first.
    more = VectorAssembler(inputCols=["prediction", "a"], outputCol="both").transform(out)
    assert [list(r[0])[0] for r in more.select("both").collect()] == whole["prediction"]
    assert sorted(more.columns) == sorted([*out.columns, "both"])
