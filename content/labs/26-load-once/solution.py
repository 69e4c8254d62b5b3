from typing import Iterator

import mlflow
import numpy as np
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from sklearn.linear_model import LinearRegression

spark = SparkSession.builder.getOrCreate()
spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 2500)  # small batches, so that waste shows

with mlflow.start_run():
    x = np.arange(100.0).reshape(-1, 1)
    uri = mlflow.sklearn.log_model(LinearRegression().fit(x, 2 * x.ravel()), name="model").model_uri

rows = spark.range(40000).select(F.col("id").cast("double").alias("x"))


def score(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    model = mlflow.sklearn.load_model(uri)
    for frame in frames:
        yield frame.assign(prediction=model.predict(frame[["x"]].to_numpy()))


predicted = rows.mapInPandas(score, schema="x double, prediction double")
print(predicted.agg(F.sum("prediction")).collect())
