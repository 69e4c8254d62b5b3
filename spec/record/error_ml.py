"""Errors that a learner of Spark ML meets."""

from pyspark.ml import classification as C, clustering as K, evaluation as E, feature as F, regression as R
from pyspark.ml.linalg import DenseVector, SparseVector, Vectors

from error_cases import case


def texts(spark):
    return spark.createDataFrame([("a", 1.0), ("b", 0.0), ("a", 1.0)], "s string, label double")


def vectors(spark, labels=(0.0, 1.0, 0.0, 1.0)):
    rows = [(Vectors.dense([float(i), float(i * i)]), y) for i, y in enumerate(labels)]
    return spark.createDataFrame(rows, ["features", "label"])


@case
def encoder_text(spark, dir):
    F.OneHotEncoder(inputCols=["s"], outputCols=["o"]).fit(texts(spark))


@case
def encoder_fraction(spark, dir):
    F.OneHotEncoder(inputCols=["x"], outputCols=["o"]).fit(spark.createDataFrame([(1.5,)], "x double"))


@case
def encoder_negative(spark, dir):
    F.OneHotEncoder(inputCols=["x"], outputCols=["o"]).fit(spark.createDataFrame([(-1.0,)], "x double"))


@case
def encoder_unseen(spark, dir):
    m = F.OneHotEncoder(inputCols=["x"], outputCols=["o"]).fit(spark.createDataFrame([(0.0,), (1.0,)], "x double"))
    m.transform(spark.createDataFrame([(5.0,)], "x double")).collect()


@case
def encoder_null(spark, dir):
    F.OneHotEncoder(inputCols=["x"], outputCols=["o"]).fit(spark.createDataFrame([(None,), (1.0,)], "x double"))


@case
def encoder_lengths(spark, dir):
    F.OneHotEncoder(inputCols=["x", "y"], outputCols=["o"]).fit(spark.createDataFrame([(0.0, 1.0)], "x double, y double"))


@case
def encoder_output_exists(spark, dir):
    F.OneHotEncoder(inputCols=["x"], outputCols=["x"]).fit(spark.createDataFrame([(0.0,)], "x double"))


@case
def encoder_absent(spark, dir):
    F.OneHotEncoder(inputCols=["nope"], outputCols=["o"]).fit(texts(spark))


@case
def indexer_unseen(spark, dir):
    m = F.StringIndexer(inputCol="s", outputCol="i").fit(texts(spark))
    m.transform(spark.createDataFrame([("z",)], "s string")).collect()


@case
def indexer_null(spark, dir):
    m = F.StringIndexer(inputCol="s", outputCol="i").fit(texts(spark))
    m.transform(spark.createDataFrame([(None,)], "s string")).collect()


@case
def indexer_skip(spark, dir):
    m = F.StringIndexer(inputCol="s", outputCol="i", handleInvalid="skip").fit(texts(spark))
    return m.transform(spark.createDataFrame([("z",), ("a",), (None,)], "s string")).collect()


@case
def indexer_keep(spark, dir):
    m = F.StringIndexer(inputCol="s", outputCol="i", handleInvalid="keep").fit(texts(spark))
    return m.transform(spark.createDataFrame([("z",), ("a",), (None,)], "s string")).collect()


@case
def indexer_absent(spark, dir):
    F.StringIndexer(inputCol="nope", outputCol="i").fit(texts(spark))


@case
def indexer_output_exists(spark, dir):
    F.StringIndexer(inputCol="s", outputCol="label").fit(texts(spark))


@case
def indexer_vector(spark, dir):
    F.StringIndexer(inputCol="features", outputCol="i").fit(vectors(spark))


@case
def indexer_no_output(spark, dir):
    F.StringIndexer(inputCol="s").fit(texts(spark)).transform(texts(spark)).columns


@case
def indexer_no_input(spark, dir):
    F.StringIndexer(outputCol="i").fit(texts(spark))


@case
def indexer_both(spark, dir):
    F.StringIndexer(inputCol="s", outputCol="i", inputCols=["s"], outputCols=["i"]).fit(texts(spark))


@case
def indexer_order_wrong(spark, dir):
    F.StringIndexer(inputCol="s", outputCol="i", stringOrderType="nope").fit(texts(spark))


@case
def indexer_invalid_wrong(spark, dir):
    F.StringIndexer(inputCol="s", outputCol="i", handleInvalid="nope").fit(texts(spark))


@case
def indexer_empty(spark, dir):
    m = F.StringIndexer(inputCol="s", outputCol="i").fit(spark.createDataFrame([], "s string"))
    return m.labels


@case
def index_to_string_no_labels(spark, dir):
    F.IndexToString(inputCol="label", outputCol="o").transform(texts(spark)).collect()


@case
def assembler_text(spark, dir):
    F.VectorAssembler(inputCols=["s", "label"], outputCol="f").transform(texts(spark)).collect()


@case
def assembler_null(spark, dir):
    df = spark.createDataFrame([(1.0, None), (2.0, 3.0)], "a double, b double")
    F.VectorAssembler(inputCols=["a", "b"], outputCol="f").transform(df).collect()


@case
def assembler_nan(spark, dir):
    df = spark.createDataFrame([(1.0, float("nan"))], "a double, b double")
    F.VectorAssembler(inputCols=["a", "b"], outputCol="f").transform(df).collect()


@case
def assembler_keep(spark, dir):
    df = spark.createDataFrame([(1.0, None), (2.0, 3.0)], "a double, b double")
    return F.VectorAssembler(inputCols=["a", "b"], outputCol="f", handleInvalid="keep").transform(df).collect()


@case
def assembler_skip(spark, dir):
    df = spark.createDataFrame([(1.0, None), (2.0, 3.0)], "a double, b double")
    return F.VectorAssembler(inputCols=["a", "b"], outputCol="f", handleInvalid="skip").transform(df).collect()


@case
def assembler_absent(spark, dir):
    F.VectorAssembler(inputCols=["nope"], outputCol="f").transform(texts(spark)).collect()


@case
def assembler_exists(spark, dir):
    F.VectorAssembler(inputCols=["label"], outputCol="label").transform(texts(spark)).collect()


@case
def scaler_not_vector(spark, dir):
    F.StandardScaler(inputCol="label", outputCol="o").fit(texts(spark))


@case
def scaler_empty(spark, dir):
    F.StandardScaler(inputCol="features", outputCol="o").fit(vectors(spark).where("label > 9"))


@case
def minmax_bounds(spark, dir):
    F.MinMaxScaler(inputCol="features", outputCol="o", min=2.0, max=1.0).fit(vectors(spark))


@case
def imputer_text(spark, dir):
    F.Imputer(inputCols=["s"], outputCols=["o"]).fit(texts(spark))


@case
def imputer_all_null(spark, dir):
    F.Imputer(inputCols=["x"], outputCols=["o"]).fit(spark.createDataFrame([(None,), (None,)], "x double"))


@case
def imputer_strategy(spark, dir):
    F.Imputer(inputCols=["label"], outputCols=["o"], strategy="nope").fit(texts(spark))


@case
def bucketizer_splits(spark, dir):
    F.Bucketizer(inputCol="label", outputCol="o", splits=[0.0, 0.0, 1.0]).transform(texts(spark)).collect()


@case
def bucketizer_outside(spark, dir):
    F.Bucketizer(inputCol="label", outputCol="o", splits=[5.0, 6.0, 7.0]).transform(texts(spark)).collect()


@case
def pca_too_many(spark, dir):
    F.PCA(k=10, inputCol="features", outputCol="o").fit(vectors(spark))


@case
def tokenizer_number(spark, dir):
    F.Tokenizer(inputCol="label", outputCol="o").transform(texts(spark)).collect()


ESTIMATORS = {
    "linear": lambda **k: R.LinearRegression(maxIter=3, **k),
    "logistic": lambda **k: C.LogisticRegression(maxIter=3, **k),
    "tree_classifier": lambda **k: C.DecisionTreeClassifier(**k),
    "tree_regressor": lambda **k: R.DecisionTreeRegressor(**k),
    "forest_regressor": lambda **k: R.RandomForestRegressor(numTrees=2, **k),
    "gbt_classifier": lambda **k: C.GBTClassifier(maxIter=2, **k),
    "gbt_regressor": lambda **k: R.GBTRegressor(maxIter=2, **k),
    "kmeans": lambda **k: K.KMeans(k=2, **{a: b for a, b in k.items() if a != "labelCol"}),
}


def each(name):
    """Makes a case of a function for every estimator."""

    def wrap(fn):
        for key, make in ESTIMATORS.items():
            def one(spark, dir, make=make):
                return fn(spark, make)
            one.__name__ = f"{name}_{key}"
            case(one)
        return fn
    return wrap


@each("features_absent")
def _(spark, make):
    make().fit(texts(spark))


@each("features_text")
def _(spark, make):
    make(featuresCol="s").fit(texts(spark))


@each("features_number")
def _(spark, make):
    make(featuresCol="label", labelCol="label").fit(texts(spark))


@each("label_text")
def _(spark, make):
    make().fit(vectors(spark).selectExpr("features", "cast(label as string) label"))


@each("label_absent")
def _(spark, make):
    make(labelCol="nope").fit(vectors(spark))


@each("label_null")
def _(spark, make):
    make().fit(spark.createDataFrame([(Vectors.dense(1.0), None), (Vectors.dense(2.0), 1.0)], "features vector, label double")
               if False else vectors(spark).selectExpr("features", "case when label > 0 then label end label"))


@each("label_nan")
def _(spark, make):
    make().fit(vectors(spark).selectExpr("features", "case when label > 0 then double('NaN') else label end label"))


@each("label_infinite")
def _(spark, make):
    make().fit(vectors(spark).selectExpr("features", "case when label > 0 then double('Infinity') else label end label"))


@each("features_nan")
def _(spark, make):
    make().fit(spark.createDataFrame([(Vectors.dense([float("nan"), 1.0]), 1.0), (Vectors.dense([1.0, 1.0]), 0.0)], ["features", "label"]))


@each("features_infinite")
def _(spark, make):
    make().fit(spark.createDataFrame([(Vectors.dense([float("inf"), 1.0]), 1.0), (Vectors.dense([1.0, 1.0]), 0.0)], ["features", "label"]))


@each("features_null")
def _(spark, make):
    df = vectors(spark)
    from pyspark.sql import functions as SF
    make().fit(df.withColumn("features", SF.when(SF.col("label") > 0, SF.col("features"))))


@each("features_sizes")
def _(spark, make):
    make().fit(spark.createDataFrame([(Vectors.dense([1.0]), 1.0), (Vectors.dense([1.0, 2.0]), 0.0)], ["features", "label"]))


@each("rows_none")
def _(spark, make):
    make().fit(vectors(spark).where("label > 9"))


@each("label_one")
def _(spark, make):
    m = make().fit(vectors(spark, (1.0, 1.0, 1.0, 1.0)))
    return [r["prediction"] for r in m.transform(vectors(spark)).select("prediction").collect()]


@each("label_zero_only")
def _(spark, make):
    m = make().fit(vectors(spark, (0.0, 0.0, 0.0, 0.0)))
    return [r["prediction"] for r in m.transform(vectors(spark)).select("prediction").collect()]


@each("label_fraction")
def _(spark, make):
    make().fit(vectors(spark, (0.5, 1.0, 0.0, 1.0)))
    return "fitted"


@each("label_negative")
def _(spark, make):
    make().fit(vectors(spark, (-1.0, 1.0, 0.0, 1.0)))
    return "fitted"


@each("transform_absent")
def _(spark, make):
    make().fit(vectors(spark)).transform(texts(spark)).collect()


@each("transform_size")
def _(spark, make):
    m = make().fit(vectors(spark))
    m.transform(spark.createDataFrame([(Vectors.dense([1.0]), 1.0)], ["features", "label"])).collect()


@each("prediction_exists")
def _(spark, make):
    make(predictionCol="label").fit(vectors(spark))


PARAMS = {
    "max_iter_negative": lambda: R.LinearRegression(maxIter=-1),
    "reg_negative": lambda: R.LinearRegression(regParam=-0.5),
    "elastic_above": lambda: R.LinearRegression(elasticNetParam=2.0),
    "solver_wrong": lambda: R.LinearRegression(solver="nope"),
    "family_wrong": lambda: C.LogisticRegression(family="nope"),
    "threshold_above": lambda: C.LogisticRegression(threshold=1.5),
    "depth_negative": lambda: R.DecisionTreeRegressor(maxDepth=-1),
    "depth_above": lambda: R.DecisionTreeRegressor(maxDepth=31),
    "bins_one": lambda: R.DecisionTreeRegressor(maxBins=1),
    "impurity_wrong": lambda: C.DecisionTreeClassifier(impurity="nope"),
    "trees_zero": lambda: R.RandomForestRegressor(numTrees=0),
    "subset_wrong": lambda: R.RandomForestRegressor(featureSubsetStrategy="nope"),
    "rate_zero": lambda: R.RandomForestRegressor(subsamplingRate=0.0),
    "step_above": lambda: R.GBTRegressor(stepSize=1.5),
    "k_one": lambda: K.KMeans(k=1),
    "init_wrong": lambda: K.KMeans(initMode="nope"),
    "thresholds_count": lambda: C.LogisticRegression(thresholds=[0.1, 0.2, 0.7]),
    "binomial_many": lambda: C.LogisticRegression(family="binomial"),
}

for _name, _make in PARAMS.items():
    def _param(spark, dir, make=_make):
        est = make()
        labels = (0.0, 1.0, 2.0, 1.0) if est.isDefined("family") and est.getOrDefault("family") == "binomial" else (0.0, 1.0, 0.0, 1.0)
        est.fit(vectors(spark, labels))
        return "fitted"
    _param.__name__ = "param_" + _name
    case(_param)


def predictions(spark):
    return spark.createDataFrame([(1.0, 1.0), (0.0, 1.0)], "prediction double, label double")


@case
def evaluator_f1_regression(spark, dir):
    E.RegressionEvaluator(metricName="f1").evaluate(predictions(spark))


@case
def evaluator_rmse_multiclass(spark, dir):
    E.MulticlassClassificationEvaluator(metricName="rmse").evaluate(predictions(spark))


@case
def evaluator_binary_metric(spark, dir):
    E.BinaryClassificationEvaluator(metricName="accuracy").evaluate(predictions(spark))


@case
def evaluator_prediction_absent(spark, dir):
    E.RegressionEvaluator().evaluate(texts(spark))


@case
def evaluator_label_absent(spark, dir):
    E.RegressionEvaluator(labelCol="nope").evaluate(predictions(spark))


@case
def evaluator_label_text(spark, dir):
    E.RegressionEvaluator(labelCol="s").evaluate(predictions(spark).selectExpr("prediction", "'a' s"))


@case
def evaluator_raw_absent(spark, dir):
    E.BinaryClassificationEvaluator().evaluate(predictions(spark))


@case
def evaluator_raw_text(spark, dir):
    E.BinaryClassificationEvaluator(rawPredictionCol="s").evaluate(predictions(spark).selectExpr("label", "'a' s"))


@case
def evaluator_empty_regression(spark, dir):
    return E.RegressionEvaluator().evaluate(predictions(spark).where("label > 9"))


@case
def evaluator_empty_multiclass(spark, dir):
    return E.MulticlassClassificationEvaluator().evaluate(predictions(spark).where("label > 9"))


@case
def evaluator_empty_binary(spark, dir):
    return E.BinaryClassificationEvaluator(rawPredictionCol="prediction").evaluate(predictions(spark).where("label > 9"))


@case
def evaluator_one_class(spark, dir):
    return [E.BinaryClassificationEvaluator(rawPredictionCol="prediction", metricName=m).evaluate(predictions(spark)) for m in ("areaUnderROC", "areaUnderPR")]


@case
def evaluator_one_class_zero(spark, dir):
    df = predictions(spark).selectExpr("prediction", "0.0D label")
    return [E.BinaryClassificationEvaluator(rawPredictionCol="prediction", metricName=m).evaluate(df) for m in ("areaUnderROC", "areaUnderPR")]


@case
def evaluator_silhouette_one(spark, dir):
    return E.ClusteringEvaluator().evaluate(vectors(spark).selectExpr("features", "1 prediction"))


@case
def tree_bins_categories(spark, dir):
    df = spark.range(100).selectExpr("cast(id as string) s", "cast(id as double) label")
    df = F.StringIndexer(inputCol="s", outputCol="i").fit(df).transform(df)
    df = F.VectorAssembler(inputCols=["i"], outputCol="features").transform(df)
    R.DecisionTreeRegressor().fit(df)


@case
def gbt_classifier_three(spark, dir):
    C.GBTClassifier(maxIter=1).fit(vectors(spark, (0.0, 1.0, 2.0, 1.0)))


@case
def kmeans_more_than_rows(spark, dir):
    return K.KMeans(k=10, seed=1).fit(vectors(spark)).summary.k


@case
def load_absent(spark, dir):
    R.LinearRegressionModel.load(dir + "/absent")


@case
def load_other_class(spark, dir):
    R.LinearRegression().fit(vectors(spark)).save(dir + "/m")
    C.LogisticRegressionModel.load(dir + "/m")


@case
def save_exists(spark, dir):
    m = R.LinearRegression().fit(vectors(spark))
    m.save(dir + "/m")
    m.save(dir + "/m")


@case
def pipeline_stage_text(spark, dir):
    from pyspark.ml import Pipeline
    stages = [F.VectorAssembler(inputCols=["s"], outputCol="features"), R.LinearRegression()]
    Pipeline(stages=stages).fit(texts(spark))


@case
def summary_absent(spark, dir):
    R.LinearRegression().fit(vectors(spark)).save(dir + "/m")
    return R.LinearRegressionModel.load(dir + "/m").summary
