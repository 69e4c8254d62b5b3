#!/usr/bin/env python3
"""Fit the study guide's estimators on the flights: through Spark Connect, and by scikit-learn or LightGBM on the same numbers.

    python bench/fits.py sc://127.0.0.1:15002 FLIGHTS_CSV OUT.json

Same rows, same settings, same number of threads (all of the machine's cores); the median of some runs after a first one.
The data lie ready in each: cached in the server, numpy and CSR arrays here.
"""
import json
import os
import statistics
import sys
import time

import lightgbm
import numpy as np
import scipy.sparse
import sklearn.cluster
import sklearn.decomposition
import sklearn.ensemble
import sklearn.linear_model
import sklearn.tree
from pyspark.ml import Pipeline
from pyspark.ml.classification import DecisionTreeClassifier, GBTClassifier, LogisticRegression, RandomForestClassifier
from pyspark.ml.clustering import KMeans
from pyspark.ml.feature import PCA, OneHotEncoder, StandardScaler, StringIndexer, VectorAssembler
from pyspark.ml.functions import vector_to_array
from pyspark.ml.regression import DecisionTreeRegressor, GBTRegressor, LinearRegression, RandomForestRegressor
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

REMOTE, CSV, OUT = sys.argv[1:4]
RUNS = 5
THREADS = os.cpu_count()
NUMBERS, WORDS = ["dep_delay", "distance", "hour", "month", "air_time"], ["carrier", "origin", "dest"]

spark = SparkSession.builder.remote(REMOTE).getOrCreate()
flights = spark.read.csv(CSV, header=True, inferSchema=True, nullValue="NA").dropna(subset=["arr_delay", "air_time"])
flights = flights.select(F.col("arr_delay").cast("double").alias("label"), (F.col("arr_delay") > 15).cast("double").alias("late"),
                         *[F.col(c).cast("double") for c in NUMBERS], *WORDS)
stages = [StringIndexer(inputCols=WORDS, outputCols=[w + "_i" for w in WORDS]),
          OneHotEncoder(inputCols=[w + "_i" for w in WORDS], outputCols=[w + "_o" for w in WORDS]),
          VectorAssembler(inputCols=NUMBERS, outputCol="numbers"),
          StandardScaler(inputCol="numbers", outputCol="scaled", withMean=True),
          VectorAssembler(inputCols=["scaled"] + [w + "_o" for w in WORDS], outputCol="wide"),
          VectorAssembler(inputCols=NUMBERS + ["carrier_i", "origin_i"], outputCol="narrow")]
data = Pipeline(stages=stages).fit(flights).transform(flights).select("label", "late", "scaled", "wide", "narrow").cache()
rows = data.count()

table = data.select("label", "late", *[vector_to_array(c).alias(c) for c in ("scaled", "wide", "narrow")]).toArrow().combine_chunks()
label, late = (table[c].to_numpy() for c in ("label", "late"))
scaled, wide, narrow = (table[c].chunk(0).values.to_numpy().reshape(rows, -1) for c in ("scaled", "wide", "narrow"))
wide = scipy.sparse.csr_matrix(wide)

TREES = dict(featuresCol="narrow", maxDepth=5, seed=42)
LGB = dict(n_estimators=20, max_depth=5, num_leaves=32, max_bin=32, n_jobs=THREADS, verbose=-1, random_state=42)
HIST = dict(max_depth=5, max_bins=32, early_stopping=False, random_state=42)
sk = sklearn
CASES = [  # name, our estimator, {peer: its fit}
    ("linear regression", LinearRegression(featuresCol="wide", regParam=0.01),
     {"scikit-learn Ridge": lambda: sk.linear_model.Ridge(alpha=0.01 * rows).fit(wide, label)}),
    ("linear regression, elastic net", LinearRegression(featuresCol="wide", regParam=0.3, elasticNetParam=0.8),
     {"scikit-learn ElasticNet": lambda: sk.linear_model.ElasticNet(alpha=0.3, l1_ratio=0.8).fit(wide, label)}),
    ("logistic regression", LogisticRegression(featuresCol="wide", labelCol="late", maxIter=50, regParam=0.001),
     {"scikit-learn LogisticRegression": lambda: sk.linear_model.LogisticRegression(C=1 / (0.001 * rows), max_iter=50).fit(wide, late)}),
    ("decision tree, regression", DecisionTreeRegressor(**TREES),
     {"scikit-learn": lambda: sk.tree.DecisionTreeRegressor(max_depth=5).fit(narrow, label)}),
    ("decision tree, classification", DecisionTreeClassifier(labelCol="late", **TREES),
     {"scikit-learn": lambda: sk.tree.DecisionTreeClassifier(max_depth=5).fit(narrow, late)}),
    ("random forest of 20, regression", RandomForestRegressor(numTrees=20, **TREES),
     {"scikit-learn": lambda: sk.ensemble.RandomForestRegressor(20, max_depth=5, max_features=1 / 3, n_jobs=THREADS).fit(narrow, label),
      "LightGBM rf": lambda: lightgbm.LGBMRegressor(boosting_type="rf", bagging_freq=1, bagging_fraction=0.632, feature_fraction=1 / 3, **LGB).fit(narrow, label)}),
    ("random forest of 20, classification", RandomForestClassifier(labelCol="late", numTrees=20, **TREES),
     {"scikit-learn": lambda: sk.ensemble.RandomForestClassifier(20, max_depth=5, max_features="sqrt", n_jobs=THREADS).fit(narrow, late),
      "LightGBM rf": lambda: lightgbm.LGBMClassifier(boosting_type="rf", bagging_freq=1, bagging_fraction=0.632, feature_fraction=0.4, **LGB).fit(narrow, late)}),
    ("gradient boosting, 20 trees, regression", GBTRegressor(maxIter=20, **TREES),
     {"LightGBM": lambda: lightgbm.LGBMRegressor(**LGB).fit(narrow, label),
      "scikit-learn Hist": lambda: sk.ensemble.HistGradientBoostingRegressor(max_iter=20, **HIST).fit(narrow, label)}),
    ("gradient boosting, 20 trees, classification", GBTClassifier(labelCol="late", maxIter=20, **TREES),
     {"LightGBM": lambda: lightgbm.LGBMClassifier(**LGB).fit(narrow, late),
      "scikit-learn Hist": lambda: sk.ensemble.HistGradientBoostingClassifier(max_iter=20, **HIST).fit(narrow, late)}),
    ("k-means, 5 clusters", KMeans(featuresCol="scaled", k=5, seed=42),
     {"scikit-learn": lambda: sk.cluster.KMeans(5, n_init=1, max_iter=20, tol=1e-4, random_state=42).fit(scaled)}),
    ("PCA, 3 components", PCA(k=3, inputCol="scaled", outputCol="p"),
     {"scikit-learn": lambda: sk.decomposition.PCA(3).fit(scaled)}),
]


def seconds(f):
    f()
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        f()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


out = []
for name, estimator, peers in CASES:
    ours = seconds(lambda: estimator.fit(data))
    for peer, fit in peers.items():
        theirs = seconds(fit)
        out.append({"fit": name, "ours": ours, "peer": peer, "theirs": theirs})
        print(f"{name:45s} {ours:7.3f} s   {peer:32s} {theirs:7.3f} s   ours/theirs {ours / theirs:5.2f}", flush=True)
json.dump({"rows": rows, "threads": THREADS, "fits": out}, open(OUT, "w"), indent=1)
spark.stop()
