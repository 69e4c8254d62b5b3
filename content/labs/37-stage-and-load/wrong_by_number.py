import mlflow
import pandas as pd
from sklearn.linear_model import LogisticRegression

X = pd.DataFrame({"visits": [1, 2, 3, 8, 9, 12], "minutes": [5.0, 3.0, 8.0, 30.0, 41.0, 22.0]})
y = [0, 0, 0, 1, 1, 1]

with mlflow.start_run() as run:
    mlflow.sklearn.log_model(LogisticRegression().fit(X, y), name="model", input_example=X)

version = mlflow.register_model(f"runs:/{run.info.run_id}/model", "churn")
client = mlflow.MlflowClient()
client.transition_model_version_stage("churn", version.version, stage="Production", archive_existing_versions=True)
print(mlflow.pyfunc.load_model(f"models:/churn/{version.version}").predict(X))
