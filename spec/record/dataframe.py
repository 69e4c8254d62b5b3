"""Record what DataFrames give where SQL text cannot say it: spec/sql/dataframe.json. Arguments: the address of a Spark Connect server, the file.

test/e2e/test_dataframe.py runs the same cases.
"""
import datetime
import json
import sys

from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.ml.linalg import Vectors
from pyspark.sql import functions as F

from outcomes import outcome


def vectors():
    def on(make): return lambda spark: make(spark.createDataFrame([(Vectors.sparse(3, [1], [2.0]),), (Vectors.dense(1, 2),)], ["v"]).coalesce(1))
    def null(make): return lambda spark: make(spark.createDataFrame([(Vectors.dense(1, 2),), (None,)], ["v"]).coalesce(1))
    def lists(kind, *values): return lambda spark: spark.createDataFrame([(v,) for v in values], f"a array<{kind}>").coalesce(1).select(array_to_vector("a"))
    return {
        "vector_to_array": on(lambda df: df.select(vector_to_array("v"))), "vector_to_array float32": on(lambda df: df.select(vector_to_array("v", "float32"))),
        "vector_to_array type": on(lambda df: df.select(vector_to_array("v", "float16"))), "vector_to_array null": null(lambda df: df.select(vector_to_array("v"))),
        "array_to_vector": lists("double", [1.0, 2.0], []), "array_to_vector whole": lists("int", [1, 2]), "array_to_vector null": lists("double", None),
        "array_to_vector of text": lists("string", ["a"]),
        "vector as text": null(lambda df: df.select(F.col("v").cast("string"), F.struct("v", F.array("v")).cast("string").alias("s"))),
        "sparse vector as text": on(lambda df: df.select(F.col("v").cast("string"), F.create_map(F.lit("a"), "v").cast("string").alias("m"))),
        "unwrap_udt": null(lambda df: df.select(F.unwrap_udt("v"))), "unwrap_udt of a number": null(lambda df: df.select(F.unwrap_udt(F.lit(1)))),
    }


def cases():
    return vectors()


if __name__ == "__main__":
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
    with open(sys.argv[2], "w") as f:
        json.dump({"of": f"Apache Spark {spark.version}, Spark Connect", "by": "spec/record/dataframe.py", "date": datetime.date.today().isoformat(),
                   "cases": {name: outcome(case, spark) for name, case in cases().items()}}, f, indent=1)
