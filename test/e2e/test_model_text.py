"""What models print. The texts are those of Apache Spark 4.3.0, with its uids left out."""

import re

import pytest
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.feature import StringIndexer, VectorAssembler
from pyspark.ml.regression import DecisionTreeRegressor, LinearRegression


@pytest.fixture
def data(spark):
    rows = spark.createDataFrame([(float(i), 2.0 * i, float(i % 2), "ab"[i % 2]) for i in range(9)], ["a", "label", "odd", "s"])
    return VectorAssembler(inputCols=["a"], outputCol="features").transform(rows)


# Made here, not by pytest's collection: an operator needs a session.
@pytest.mark.parametrize("estimator,text", [
    (lambda: LinearRegression(), "LinearRegressionModel: uid=_, numFeatures=1"),
    (lambda: LogisticRegression(labelCol="odd"), "LogisticRegressionModel: uid=_, numClasses=2, numFeatures=1"),
    (lambda: DecisionTreeRegressor(), "DecisionTreeRegressionModel: uid=_, depth=4, numNodes=17, numFeatures=1"),
    (lambda: StringIndexer(inputCol="s", outputCol="i"), "StringIndexerModel: uid=_, handleInvalid=error"),
    (lambda: StringIndexer(inputCols=["s"], outputCols=["i"], stringOrderType="alphabetAsc"),
     "StringIndexerModel: uid=_, handleInvalid=error, stringOrderType=alphabetAsc, numInputCols=1, numOutputCols=1"),
], ids=["linear", "logistic", "tree", "indexer", "indexer with an order"])
def test_repr(data, estimator, text):
    model = estimator().fit(data)
    assert re.sub("uid=[^,]+", "uid=_", repr(model)) == text
    assert str(model) == repr(model)
