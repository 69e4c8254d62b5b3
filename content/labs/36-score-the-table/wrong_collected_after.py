import mlflow
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from sklearn.linear_model import LinearRegression

spark = SparkSession.builder.getOrCreate()

X = pd.DataFrame({"area": [50.0, 80.0, 120.0, 60.0], "rooms": [1.0, 3.0, 4.0, 2.0]})
with mlflow.start_run():
    model = LinearRegression().fit(X, X["area"] * 3 + X["rooms"] * 10)
    info = mlflow.sklearn.log_model(model, name="model", input_example=X)

df = spark.range(20_000).select((F.col("id") % 100 + 30.0).alias("area"), (F.col("id") % 5 + 1.0).alias("rooms"))

predict = mlflow.pyfunc.spark_udf(spark, info.model_uri, env_manager="local")
print(df.withColumn("prediction", predict(F.struct("area", "rooms"))).toPandas()["prediction"].mean())
