import uuid

import mlflow
import pandas as pd
from mlflow import MlflowClient
from sklearn.linear_model import LinearRegression

name = f"lab_stages_{uuid.uuid4().hex[:8]}"
X, client = pd.DataFrame({"area": [50.0, 80.0, 120.0]}), MlflowClient()
for slope in (2.0, 3.0):
    with mlflow.start_run():
        model = LinearRegression().fit(X, X["area"] * slope)
        mlflow.sklearn.log_model(model, name="model", input_example=X, registered_model_name=name)
client.transition_model_version_stage(name, "1", "Production")

client.transition_model_version_stage(name, "2", "Production")
print(mlflow.pyfunc.load_model(f"models:/{name}/Production").predict(X))
