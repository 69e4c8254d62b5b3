"""Records the feature estimators, LinearRegression and LogisticRegression of real Spark."""
from ml_common import *  # noqa: F403
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import *  # noqa: F403
from pyspark.ml.regression import LinearRegression

nan, inf = float("nan"), float("inf")

# ---- data
a, b, c, e = numbers(1, 120), numbers(2, 120), numbers(3, 120), numbers(4, 120)
rows = []
for i in range(120):
    s = "abcdeé"[(i * 7 + i // 5) % 6] if i % 11 else None
    rows.append((i, float(round(a[i] * 10, 3)), None if i % 9 == 4 else (nan if i % 17 == 3 else round(b[i] * 3 + i / 10, 3)), i % 5,
                 None if i % 13 == 2 else (i * 37) % 23, s, "xy"[i % 2], float((i * i) % 4), i % 3 == 0))
use("mixed", spark.createDataFrame(rows, "id int, a double, n double, small int, count bigint, s string, t string, k double, flag boolean"))
use("unseen", spark.createDataFrame([("a", "x", 1.0, 9.5), ("zz", "x", 7.0, nan), (None, "y", None, None)], "s string, t string, k double, n double"))
use("bad_index", spark.createDataFrame([(-1.0, 1.5)], "neg double, frac double"))

lin = []
for i in range(150):
    x = [a[i % 120], b[(i * 3) % 120] * 5 + 2, c[(i * 7) % 120] + 0.3 * a[i % 120], 1.0, float(i % 4 == 0)]
    y = 1.5 * x[0] - 0.4 * x[1] + 2.0 * x[2] + 3.0 + e[i % 120] * 0.7 + 0.001 * i
    lin.append((Vectors.dense(x) if i % 3 else Vectors.sparse(5, {j: v for j, v in enumerate(x) if v}), round(y, 5), round(0.5 + (i % 7) / 3, 4),
                float(x[0] + 0.5 * x[1] + e[i % 120] > 1), float((i * 5 + (x[0] > 0)) % 3), 7.0, 0.0, 1.0))
use("linear", spark.createDataFrame(lin, ["features", "label", "w", "late", "cls", "same", "zero", "one"]))
use("one_row", spark.createDataFrame(lin[:1], ["features", "label", "w", "late", "cls", "same", "zero", "one"]))
use("empty", DATA["linear"][0].limit(0))
wide = [(Vectors.sparse(30, {i % 30: 1.0, (i * 7 + 3) % 30: a[i]}), round(a[i] * 2 + (i % 30) / 10 + e[i], 4), float(a[i] + e[i] > 0)) for i in range(120)]
use("wide", spark.createDataFrame(wide, ["features", "label", "late"]))
use("bad_label", spark.createDataFrame([(Vectors.dense([1.0, 2.0]), nan, 1.5, -1.0, inf, "x", True, -1.0, None)],
                                       "features vector, nan double, frac double, neg double, inf double, text string, flag boolean, negw double, nul double")
    if False else spark.createDataFrame([(Vectors.dense([1.0, 2.0]), nan, 1.5, -1.0, inf, "x", True, -1.0)],
                                        ["features", "nan", "frac", "neg", "inf", "text", "flag", "negw"]))
use("nan_vector", spark.createDataFrame([(Vectors.dense([1.0, nan]), 1.0), (Vectors.sparse(2, [0], [inf]), 0.0)], ["features", "label"]))

# ---- features
case(Imputer, "mean", "mixed", dict(inputCols=["a", "n"], outputCols=["a2", "n2"]), ["surrogateDF"])
case(Imputer, "median", "mixed", dict(strategy="median", inputCols=["n", "small", "count"], outputCols=["n2", "s2", "c2"]), ["surrogateDF"])
case(Imputer, "exact median", "mixed", dict(strategy="median", inputCol="n", outputCol="n2", relativeError=0.0), ["surrogateDF"])
case(Imputer, "coarse median", "mixed", dict(strategy="median", inputCol="a", outputCol="a2", relativeError=0.2), ["surrogateDF"])
case(Imputer, "mode", "mixed", dict(strategy="mode", inputCols=["k", "small", "count"], outputCols=["k2", "s2", "c2"]), ["surrogateDF"])
case(Imputer, "missing value", "mixed", dict(inputCols=["small", "k"], outputCols=["s2", "k2"], missingValue=3.0), ["surrogateDF"])
case(Imputer, "string", "mixed", dict(inputCols=["s"], outputCols=["x"]))
case(Imputer, "lengths", "mixed", dict(inputCols=["a"], outputCols=["x", "y"]))
case(Imputer, "nothing left", "bad_label", dict(inputCols=["nan"], outputCols=["x"]))
case(Imputer, "missing column", "mixed", dict(inputCols=["zz"], outputCols=["x"]))

for order in ["frequencyDesc", "frequencyAsc", "alphabetDesc", "alphabetAsc"]:
    case(StringIndexer, order, "mixed", dict(inputCols=["s", "t"], outputCols=["si", "ti"], stringOrderType=order, handleInvalid="keep"), ["labelsArray"])
case(StringIndexer, "single skip", "mixed", dict(inputCol="s", outputCol="si", handleInvalid="skip"), ["labels", "labelsArray"])
case(StringIndexer, "numbers", "mixed", dict(inputCols=["k", "small"], outputCols=["ki", "mi"]), ["labelsArray"])
case(StringIndexer, "keep unseen", "mixed", dict(inputCols=["s", "t"], outputCols=["si", "ti"], handleInvalid="keep"), apply_to="unseen")
case(StringIndexer, "skip unseen", "mixed", dict(inputCols=["s", "t"], outputCols=["si", "ti"], handleInvalid="skip"), apply_to="unseen")
case(StringIndexer, "null", "mixed", dict(inputCol="s", outputCol="si"))
case(StringIndexer, "unseen", "mixed", dict(inputCol="k", outputCol="ki"), apply_to="unseen")
case(StringIndexer, "missing column at transform", "mixed", dict(inputCols=["t", "flag2"], outputCols=["ti", "fi"]))
case(StringIndexer, "boolean", "mixed", dict(inputCol="flag", outputCol="x"))
case(StringIndexer, "duplicate output", "mixed", dict(inputCols=["s", "t"], outputCols=["x", "x"]))
case(StringIndexer, "output exists", "mixed", dict(inputCol="s", outputCol="t"))
case(StringIndexer, "nothing set", "mixed", dict())

case(IndexToString, "labels", "mixed", dict(inputCol="small", outputCol="x", labels=["p", "q", "r", "s", "t"]), fit=False)
case(IndexToString, "out of range", "mixed", dict(inputCol="small", outputCol="x", labels=["p"]), fit=False)
case(IndexToString, "no labels", "mixed", dict(inputCol="small", outputCol="x"), fit=False)
case(IndexToString, "string", "mixed", dict(inputCol="s", outputCol="x"), fit=False)

clean = DATA["mixed"][0].na.drop()
indexed = StringIndexer(inputCols=["s", "t"], outputCols=["si", "ti"], handleInvalid="keep").fit(clean).transform(clean)
use("indexed", indexed)
case(IndexToString, "metadata", "indexed", dict(inputCol="si", outputCol="x"), fit=False)
for drop in [True, False]:
    for invalid in ["error", "keep"]:
        case(OneHotEncoder, f"dropLast={drop} {invalid}", "indexed", dict(inputCols=["si", "ti", "small"], outputCols=["so", "to", "mo"], dropLast=drop, handleInvalid=invalid), ["categorySizes"])
case(OneHotEncoder, "single", "mixed", dict(inputCol="small", outputCol="so"), ["categorySizes"])
case(OneHotEncoder, "unseen", "mixed", dict(inputCol="k", outputCol="ko"), apply_to="unseen")
case(OneHotEncoder, "keep unseen", "mixed", dict(inputCol="k", outputCol="ko", handleInvalid="keep"), apply_to="unseen")
case(OneHotEncoder, "string", "mixed", dict(inputCols=["s"], outputCols=["x"]))
case(OneHotEncoder, "fraction", "bad_index", dict(inputCols=["frac"], outputCols=["x"]))
case(OneHotEncoder, "negative", "bad_index", dict(inputCols=["neg"], outputCols=["x"]))
case(OneHotEncoder, "null", "mixed", dict(inputCols=["count"], outputCols=["x"]))
case(OneHotEncoder, "lengths", "mixed", dict(inputCols=["k"], outputCols=["x", "y"]))
case(OneHotEncoder, "both", "mixed", dict(inputCol="k", outputCol="x", inputCols=["k"], outputCols=["y"]))
encoded = OneHotEncoder(inputCols=["si", "ti", "small"], outputCols=["so", "to", "mo"]).fit(indexed).transform(indexed)
use("encoded", encoded)

case(VectorAssembler, "numbers", "encoded", dict(inputCols=["a", "n", "small", "flag"], outputCol="v"), fit=False)
case(VectorAssembler, "all", "encoded", dict(inputCols=["a", "so", "to", "si", "mo", "k"], outputCol="v"), fit=False)
for invalid in ["keep", "skip", "error"]:
    case(VectorAssembler, invalid, "mixed", dict(inputCols=["a", "n", "count"], outputCol="v", handleInvalid=invalid), fit=False)
case(VectorAssembler, "no metadata", "linear", dict(inputCols=["features", "w"], outputCol="v"), fit=False)
case(VectorAssembler, "keep unknown size", "linear", dict(inputCols=["features", "w"], outputCol="v", handleInvalid="keep"), fit=False)
case(VectorAssembler, "null", "mixed", dict(inputCols=["count"], outputCol="v"), fit=False)
case(VectorAssembler, "nan", "bad_label", dict(inputCols=["nan"], outputCol="v"), fit=False)
case(VectorAssembler, "string", "mixed", dict(inputCols=["a", "s"], outputCol="v"), fit=False)
case(VectorAssembler, "missing", "mixed", dict(inputCols=["a", "zz"], outputCol="v"), fit=False)
case(VectorAssembler, "output exists", "mixed", dict(inputCols=["a"], outputCol="k"), fit=False)

for mean in [True, False]:
    for std in [True, False]:
        case(StandardScaler, f"withMean={mean} withStd={std}", "linear", dict(inputCol="features", outputCol="x", withMean=mean, withStd=std), ["mean", "std"])
case(StandardScaler, "sparse", "wide", dict(inputCol="features", outputCol="x"), ["mean", "std"])
case(StandardScaler, "one row", "one_row", dict(inputCol="features", outputCol="x"), ["mean", "std"])
case(StandardScaler, "empty", "empty", dict(inputCol="features", outputCol="x"))
case(StandardScaler, "string", "mixed", dict(inputCol="s", outputCol="x"))
case(StandardScaler, "output exists", "linear", dict(inputCol="features", outputCol="label"))
case(MinMaxScaler, "default", "linear", dict(inputCol="features", outputCol="x"), ["originalMin", "originalMax"])
case(MinMaxScaler, "range", "wide", dict(inputCol="features", outputCol="x", min=-2.0, max=3.0), ["originalMin", "originalMax"])
case(MinMaxScaler, "nan", "nan_vector", dict(inputCol="features", outputCol="x"), ["originalMin", "originalMax"])
case(MinMaxScaler, "bad range", "linear", dict(inputCol="features", outputCol="x", min=2.0, max=1.0))
case(MaxAbsScaler, "default", "linear", dict(inputCol="features", outputCol="x"), ["maxAbs"])
case(MaxAbsScaler, "sparse", "wide", dict(inputCol="features", outputCol="x"), ["maxAbs"])
case(RobustScaler, "default", "linear", dict(inputCol="features", outputCol="x"), ["median", "range"])
case(RobustScaler, "centering", "linear", dict(inputCol="features", outputCol="x", withCentering=True, lower=0.1, upper=0.8, relativeError=0.0), ["median", "range"])

case(Bucketizer, "single", "mixed", dict(inputCol="a", outputCol="x", splits=[-inf, -5.0, 0.0, 7.5, inf]), fit=False)
case(Bucketizer, "bounded", "mixed", dict(inputCol="small", outputCol="x", splits=[0.0, 1.0, 2.5, 4.0]), fit=False)
for invalid in ["keep", "skip", "error"]:
    case(Bucketizer, "multi " + invalid, "mixed", dict(inputCols=["n", "k"], outputCols=["x", "y"], splitsArray=[[-inf, 1.0, 4.0, inf], [0.0, 1.0, 3.0]], handleInvalid=invalid), fit=False)
case(Bucketizer, "out of bounds", "mixed", dict(inputCol="a", outputCol="x", splits=[100.0, 101.0, 102.0]), fit=False)
case(Bucketizer, "order", "mixed", dict(inputCol="a", outputCol="x", splits=[1.0, 0.0, 2.0]), fit=False)
case(Bucketizer, "string", "mixed", dict(inputCol="s", outputCol="x", splits=[0.0, 1.0, 2.0]), fit=False)
case(QuantileDiscretizer, "single", "mixed", dict(inputCol="a", outputCol="x", numBuckets=5), ["getSplits"])
case(QuantileDiscretizer, "few values", "mixed", dict(inputCol="small", outputCol="x", numBuckets=8), ["getSplits"])
case(QuantileDiscretizer, "exact", "mixed", dict(inputCol="a", outputCol="x", numBuckets=7, relativeError=0.0), ["getSplits"])
case(QuantileDiscretizer, "coarse", "mixed", dict(inputCol="a", outputCol="x", numBuckets=7, relativeError=0.1), ["getSplits"])
case(QuantileDiscretizer, "multi keep", "mixed", dict(inputCols=["a", "n"], outputCols=["x", "y"], numBucketsArray=[3, 4], handleInvalid="keep"), ["getSplitsArray"])
case(QuantileDiscretizer, "multi skip", "mixed", dict(inputCols=["a", "n"], outputCols=["x", "y"], numBuckets=3, handleInvalid="skip"), ["getSplitsArray"])
case(QuantileDiscretizer, "string", "mixed", dict(inputCol="s", outputCol="x"))
case(PCA, "dense", "linear", dict(inputCol="features", outputCol="x", k=3), ["pc", "explainedVariance"])
case(PCA, "wide", "wide", dict(inputCol="features", outputCol="x", k=4), ["pc", "explainedVariance"])
case(PCA, "too many", "linear", dict(inputCol="features", outputCol="x", k=9))
case(PCA, "empty", "empty", dict(inputCol="features", outputCol="x", k=1))

case(Binarizer, "single", "mixed", dict(inputCol="a", outputCol="x", threshold=0.5), fit=False)
case(Binarizer, "multi", "mixed", dict(inputCols=["a", "k"], outputCols=["x", "y"], thresholds=[0.5, 2.0]), fit=False)
case(Binarizer, "vector", "wide", dict(inputCol="features", outputCol="x", threshold=0.2), fit=False)
for p in [1.0, 2.0, 3.0, inf]:
    case(Normalizer, f"p={p}", "linear", dict(inputCol="features", outputCol="x", p=p), fit=False)
case(Normalizer, "sparse", "wide", dict(inputCol="features", outputCol="x"), fit=False)
case(ElementwiseProduct, "dense", "linear", dict(inputCol="features", outputCol="x", scalingVec=Vectors.dense([1.0, 2.0, -1.0, 0.0, 0.5])), fit=False)
case(ElementwiseProduct, "sparse", "wide", dict(inputCol="features", outputCol="x", scalingVec=Vectors.sparse(30, {1: 2.0, 4: 3.0})), fit=False)
case(VectorSlicer, "indices", "linear", dict(inputCol="features", outputCol="x", indices=[4, 0, 2]), fit=False)
assembled = VectorAssembler(inputCols=["a", "so", "k"], outputCol="v").transform(encoded)
use("assembled", assembled)
case(VectorSlicer, "names", "assembled", dict(inputCol="v", outputCol="x", names=["k", "so_b"], indices=[0]), fit=False)
case(PolynomialExpansion, "degree 2", "linear", dict(inputCol="features", outputCol="x"), fit=False)
case(PolynomialExpansion, "degree 3", "one_row", dict(inputCol="features", outputCol="x", degree=3), fit=False)
case(VectorIndexer, "default", "linear", dict(inputCol="features", outputCol="x", maxCategories=4), ["numFeatures", "categoryMaps"])
case(Interaction, "numbers", "assembled", dict(inputCols=["a", "so", "k"], outputCol="x"), fit=False)
case(Interaction, "nominal", "assembled", dict(inputCols=["si", "v"], outputCol="x"), fit=False)
use("text", spark.createDataFrame([("Hi I heard about  Spark",), ("I wish Java could use case classes",), ("Logistic regression models ARE neat é",), ("",)], "s string"))
case(Tokenizer, "words", "text", dict(inputCol="s", outputCol="x"), fit=False)
case(RegexTokenizer, "default", "text", dict(inputCol="s", outputCol="x"), fit=False)
case(RegexTokenizer, "no gaps", "text", dict(inputCol="s", outputCol="x", pattern="[a-z]+", gaps=False, minTokenLength=3, toLowercase=False), fit=False)
words = Tokenizer(inputCol="s", outputCol="w").transform(DATA["text"][0])
use("words", words)
case(HashingTF, "default", "words", dict(inputCol="w", outputCol="x"), fit=False)
case(HashingTF, "small binary", "words", dict(inputCol="w", outputCol="x", numFeatures=8, binary=True), fit=False)
case(StopWordsRemover, "default", "words", dict(inputCol="w", outputCol="x"), fit=False)
case(StopWordsRemover, "own", "words", dict(inputCol="w", outputCol="x", stopWords=["SPARK", "i"], caseSensitive=False), fit=False)
case(NGram, "two", "words", dict(inputCol="w", outputCol="x"), fit=False)
counted = HashingTF(inputCol="w", outputCol="tf", numFeatures=32).transform(words)
use("counted", counted)
case(IDF, "default", "counted", dict(inputCol="tf", outputCol="x"), ["idf", "docFreq", "numDocs"])
case(IDF, "min", "counted", dict(inputCol="tf", outputCol="x", minDocFreq=2), ["idf", "docFreq", "numDocs"])

# ---- LinearRegression
M = ["coefficients", "intercept", "scale", "numFeatures"]
S = ["r2", "r2adj", "rootMeanSquaredError", "meanSquaredError", "meanAbsoluteError", "explainedVariance", "devianceResiduals", "coefficientStandardErrors",
     "tValues", "pValues", "objectiveHistory", "totalIterations", "numInstances", "degreesOfFreedom", "featuresCol", "labelCol", "predictionCol", "residuals"]
P = [("predict", [Vectors.dense([1.0, -2.0, 0.5, 1.0, 0.0])])]
for name, params in {
    "default": {}, "ridge": dict(regParam=0.3), "lasso": dict(regParam=0.2, elasticNetParam=1.0), "elastic net": dict(regParam=0.1, elasticNetParam=0.4),
    "no intercept": dict(fitIntercept=False), "no intercept ridge": dict(fitIntercept=False, regParam=0.5),
    "not standardized": dict(regParam=0.3, standardization=False), "not standardized elastic net": dict(regParam=0.3, elasticNetParam=0.5, standardization=False),
    "weights": dict(weightCol="w"), "weights ridge": dict(weightCol="w", regParam=0.2), "l-bfgs": dict(solver="l-bfgs"),
    "l-bfgs ridge weights": dict(solver="l-bfgs", regParam=0.1, weightCol="w"), "l-bfgs elastic net": dict(solver="l-bfgs", regParam=0.1, elasticNetParam=0.5),
    "l-bfgs no intercept": dict(solver="l-bfgs", fitIntercept=False), "l-bfgs not standardized": dict(solver="l-bfgs", regParam=0.2, elasticNetParam=0.5, standardization=False),
    "l-bfgs two steps": dict(solver="l-bfgs", maxIter=2), "huber": dict(loss="huber"), "huber ridge": dict(loss="huber", regParam=0.2, epsilon=1.1, weightCol="w"),
    "huber no intercept": dict(loss="huber", fitIntercept=False), "normal": dict(solver="normal", regParam=0.01), "same label": dict(labelCol="same"),
    "same label l-bfgs": dict(labelCol="same", solver="l-bfgs"), "zero label": dict(labelCol="zero"), "same label no intercept": dict(labelCol="same", fitIntercept=False),
}.items():
    case(LinearRegression, name, "linear", params, M, S, P)
case(LinearRegression, "wide", "wide", dict(regParam=0.05), M, S)
case(LinearRegression, "wide lasso", "wide", dict(regParam=0.1, elasticNetParam=1.0), M, S)
case(LinearRegression, "wide l-bfgs lasso", "wide", dict(regParam=0.1, elasticNetParam=1.0, solver="l-bfgs"), M, S)
case(LinearRegression, "one row", "one_row", {}, M)
case(LinearRegression, "empty", "empty", {})
case(LinearRegression, "constant label penalised", "linear", dict(labelCol="same", fitIntercept=False, regParam=0.1))
case(LinearRegression, "text features", "mixed", dict(featuresCol="s", labelCol="a"))
case(LinearRegression, "text label", "bad_label", dict(labelCol="text"))
case(LinearRegression, "boolean label", "bad_label", dict(labelCol="flag"))
case(LinearRegression, "no such label", "bad_label", dict(labelCol="zz"))
case(LinearRegression, "nan label", "bad_label", dict(labelCol="nan"))
case(LinearRegression, "infinite label", "bad_label", dict(labelCol="inf"))
case(LinearRegression, "negative weight", "bad_label", dict(labelCol="frac", weightCol="negw"))
case(LinearRegression, "nan features", "nan_vector", {})
case(LinearRegression, "huber normal", "linear", dict(loss="huber", solver="normal"))
case(LinearRegression, "huber lasso", "linear", dict(loss="huber", elasticNetParam=0.5))
case(LinearRegression, "prediction exists", "linear", dict(predictionCol="label"))
case(LinearRegression, "wrong size", "linear", {}, apply_to="wide", outputs=["prediction"])

# ---- LogisticRegression
M = ["coefficientMatrix", "interceptVector", "numClasses", "numFeatures", "coefficients", "intercept"]
S = ["accuracy", "labels", "truePositiveRateByLabel", "falsePositiveRateByLabel", "precisionByLabel", "recallByLabel", ("fMeasureByLabel", []), ("fMeasureByLabel", [0.5]),
     "weightedTruePositiveRate", "weightedFalsePositiveRate", "weightedRecall", "weightedPrecision", ("weightedFMeasure", []), ("weightedFMeasure", [2.0]), "objectiveHistory", "totalIterations",
     "featuresCol", "labelCol", "predictionCol", "probabilityCol"]
B = S + ["areaUnderROC", "roc", "pr", "fMeasureByThreshold", "precisionByThreshold", "recallByThreshold", "scoreCol"]
v = Vectors.dense([1.0, -2.0, 0.5, 1.0, 0.0])
P = [("predict", [v]), ("predictRaw", [v]), ("predictProbability", [v])]
for name, params in {
    "default": {}, "ridge": dict(regParam=0.1), "lasso": dict(regParam=0.05, elasticNetParam=1.0), "elastic net": dict(regParam=0.1, elasticNetParam=0.3),
    "no intercept": dict(fitIntercept=False, regParam=0.01), "not standardized": dict(regParam=0.2, standardization=False), "weights": dict(regParam=0.05, weightCol="w"),
    "not standardized elastic net": dict(regParam=0.1, elasticNetParam=0.5, standardization=False), "three steps": dict(maxIter=3), "threshold": dict(regParam=0.1, threshold=0.7),
    "thresholds": dict(regParam=0.1, thresholds=[0.2, 0.8]), "threshold 0": dict(regParam=0.1, threshold=0.0), "family multinomial": dict(regParam=0.1, family="multinomial"),
    "no raw column": dict(regParam=0.1, rawPredictionCol="", threshold=0.6),
    "bounds": dict(lowerBoundsOnCoefficients=DenseMatrix(1, 5, [0.0] * 5), upperBoundsOnCoefficients=DenseMatrix(1, 5, [1.0] * 5)),
    "bounds on intercept": dict(regParam=0.1, lowerBoundsOnIntercepts=Vectors.dense([0.5])),
}.items():
    case(LogisticRegression, name, "linear", dict(labelCol="late", **params), M, B, P)
for name, params in {
    "multinomial": {}, "multinomial ridge": dict(regParam=0.1), "multinomial lasso": dict(regParam=0.02, elasticNetParam=1.0), "multinomial no intercept": dict(fitIntercept=False, regParam=0.05),
    "multinomial weights": dict(weightCol="w", regParam=0.01), "multinomial thresholds": dict(regParam=0.1, thresholds=[0.1, 0.5, 0.4]), "multinomial not standardized": dict(regParam=0.1, standardization=False),
}.items():
    case(LogisticRegression, name, "linear", dict(labelCol="cls", **params), M, S, P)
case(LogisticRegression, "wide", "wide", dict(labelCol="late", regParam=0.02), M, B)
case(LogisticRegression, "wide lasso", "wide", dict(labelCol="late", regParam=0.05, elasticNetParam=1.0), M, B)
case(LogisticRegression, "only zeros", "linear", dict(labelCol="zero"), M, S)
case(LogisticRegression, "only ones", "linear", dict(labelCol="one"), M, S)
case(LogisticRegression, "only ones multinomial", "linear", dict(labelCol="one", family="multinomial"), M, S)
case(LogisticRegression, "only sevens", "linear", dict(labelCol="same"), M, S)
case(LogisticRegression, "only ones no intercept", "linear", dict(labelCol="one", fitIntercept=False, regParam=0.1), M, S)
case(LogisticRegression, "empty", "empty", dict(labelCol="late"))
case(LogisticRegression, "binomial of three", "linear", dict(labelCol="cls", family="binomial"))
case(LogisticRegression, "thresholds of three", "linear", dict(labelCol="late", thresholds=[0.1, 0.2, 0.7]))
case(LogisticRegression, "fraction", "bad_label", dict(labelCol="frac"))
case(LogisticRegression, "negative", "bad_label", dict(labelCol="neg"))
case(LogisticRegression, "nan", "bad_label", dict(labelCol="nan"))
case(LogisticRegression, "infinite", "bad_label", dict(labelCol="inf"))
case(LogisticRegression, "text label", "bad_label", dict(labelCol="text"))
case(LogisticRegression, "bounds shape", "linear", dict(labelCol="late", lowerBoundsOnCoefficients=DenseMatrix(1, 2, [0.0, 0.0])))

# ---- what a sweep against real Spark found: vectors of other sizes, NaN, nulls, rows that weigh nothing
for n in [2, 5]:
    forms = [tuple([1.0] * k + [0.0] * (n - k)) for k in range(n + 1)]
    use(f"forms of {n}", spark.createDataFrame(forms, [f"c{i}" for i in range(n)]))
    case(VectorAssembler, f"forms of {n}", f"forms of {n}", dict(inputCols=[f"c{i}" for i in range(n)], outputCol="v"), fit=False)
shorter = [Vectors.dense([1.0, 2.0]), Vectors.sparse(2, [1], [3.0])]
use("shorter", spark.createDataFrame([(v,) for v in shorter], ["features"]))
use("longer", spark.createDataFrame([(Vectors.sparse(7, [6], [1.0]),)], ["features"]))
use("null_vector", spark.createDataFrame([(None, 1), (Vectors.dense([1.0] * 5), 2)], ["features", "i"]).filter("i = 1").drop("i"))
for cls, params in [(StandardScaler, dict()), (StandardScaler, dict(withMean=True)), (StandardScaler, dict(withStd=False)), (MaxAbsScaler, dict()),
                    (MinMaxScaler, dict()), (RobustScaler, dict()), (IDF, dict()), (PCA, dict(k=2))]:
    case(cls, f"{params} of shorter", "linear", dict(inputCol="features", outputCol="x", **params), apply_to="shorter")
for cls, params in [(StandardScaler, dict(withStd=False)), (MinMaxScaler, dict()), (PCA, dict(k=2))]:  # others: a warm JVM leaves the index out
    case(cls, f"{params} of longer", "linear", dict(inputCol="features", outputCol="x", **params), apply_to="longer")
for cls, params in [(Normalizer, dict()), (VectorSlicer, dict(indices=[0])), (PolynomialExpansion, dict())]:
    case(cls, "null", "null_vector", dict(inputCol="features", outputCol="x", **params), fit=False)
case(RobustScaler, "nan", "nan_vector", dict(inputCol="features", outputCol="x"), ["median", "range"])
case(RobustScaler, "one row", "one_row", dict(inputCol="features", outputCol="x"), ["median", "range"])
case(IDF, "nan", "nan_vector", dict(inputCol="features", outputCol="x"), ["idf", "docFreq", "numDocs"])
case(VectorIndexer, "empty", "empty", dict(inputCol="features", outputCol="x"))
case(VectorIndexer, "one row keep", "one_row", dict(inputCol="features", outputCol="x", handleInvalid="keep"), ["numFeatures", "categoryMaps"])
case(VectorIndexer, "shorter", "linear", dict(inputCol="features", outputCol="x", maxCategories=4), apply_to="wide")
use("null_index", spark.sql("select cast(null as double) x"))
case(IndexToString, "null", "null_index", dict(inputCol="x", outputCol="y", labels=["p"]), fit=False)
case(IndexToString, "nan", "bad_label", dict(inputCol="nan", outputCol="y", labels=["p"]), fit=False)
case(StringIndexer, "labels of several", "mixed", dict(inputCols=["s", "t"], outputCols=["si", "ti"], handleInvalid="keep"), ["labels"])
case(StringIndexer, "lengths", "mixed", dict(inputCols=["s", "t"], outputCols=["si"]))
use("arrays", spark.sql("select array(1L) a"))
case(StringIndexer, "array", "arrays", dict(inputCol="a", outputCol="x"))
case(OneHotEncoder, "nan", "bad_label", dict(inputCol="nan", outputCol="x"))
case(Binarizer, "integers", "mixed", dict(inputCol="small", outputCol="x"), fit=False)
case(QuantileDiscretizer, "no values", "bad_label", dict(inputCol="nan", outputCol="x"))
case(QuantileDiscretizer, "both numbers", "mixed", dict(inputCols=["a", "n"], outputCols=["x", "y"], numBuckets=3, numBucketsArray=[3, 4]))
use("terms", spark.sql("""select array(1, 2, null, 1) i, array(1L, 30000000000L) l, array(1.5D, -0.0D) d, array(true, false) b,
                         array('a', null) s"""))
for c in "ildbs":
    case(HashingTF, "terms " + c, "terms", dict(inputCol=c, outputCol="x", numFeatures=100), fit=False)
M = ["coefficients", "intercept"]
S = ["numInstances", "degreesOfFreedom", "r2", "rootMeanSquaredError", "devianceResiduals"]
use("weights", spark.createDataFrame([(Vectors.dense([float(i), float(i * i % 5)]), float(i + i % 3), float(i % 3), 0.0) for i in range(12)], ["features", "label", "w", "none"]))
case(LinearRegression, "rows of no weight", "weights", dict(weightCol="w"), M, S + ["pValues"])
case(LinearRegression, "rows of no weight l-bfgs", "weights", dict(weightCol="w", solver="l-bfgs"), M, S)
case(LinearRegression, "no weight at all", "weights", dict(weightCol="none"))
case(LinearRegression, "no weight at all l-bfgs", "weights", dict(weightCol="none", solver="l-bfgs"))
case(LinearRegression, "same label of two features", "weights", dict(labelCol="none"), M)
use("three_rows", DATA["weights"][0].limit(3))
case(LinearRegression, "no freedom", "three_rows", dict(regParam=0.1), M, ["degreesOfFreedom", "pValues"])
M = ["coefficientMatrix", "interceptVector", "numClasses"]
case(LogisticRegression, "only zeros multinomial", "linear", dict(labelCol="zero", family="multinomial"), M, ["accuracy", "labels"])
case(LogisticRegression, "no step of three", "linear", dict(labelCol="cls", maxIter=0), M)
case(LogisticRegression, "only sevens matrix", "linear", dict(labelCol="same"), M)

write("ml_features.py", "data_features")
