import mlflow
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

X, y = load_diabetes(return_X_y=True)
model = Ridge(alpha=0.3)

# TODO: let MLflow record the training, and add saved_hours
model.fit(X, y)
print(model.score(X, y))
