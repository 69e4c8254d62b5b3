import mlflow
import pandas as pd
from sklearn.linear_model import LinearRegression, Ridge

X = pd.DataFrame({"area": [50.0, 80.0, 120.0]})
ids = {}
for name, model, rmse in [("ridge", Ridge(alpha=100), 5.0), ("linear", LinearRegression(), 2.0)]:
    with mlflow.start_run(run_name=name) as run:
        mlflow.log_metric("rmse", rmse)
        mlflow.sklearn.log_model(model.fit(X, [100.0, 160.0, 240.0]), name="model", input_example=X)
        ids[name] = run.info.run_id

version = mlflow.register_model(f"runs:/{ids['ridge']}/model", "lab_houses")
print(version.name, version.version)
