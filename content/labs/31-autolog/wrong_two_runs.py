import mlflow
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

X, y = load_diabetes(return_X_y=True)
model = Ridge(alpha=0.3)

mlflow.autolog()
model.fit(X, y)
mlflow.autolog(disable=True)
with mlflow.start_run():
    mlflow.log_metric("saved_hours", 12.5)
