import mlflow
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

X, y = load_diabetes(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)


def rmse_of(alpha):
    return root_mean_squared_error(y_test, Ridge(alpha=alpha).fit(X_train, y_train).predict(X_test))


with mlflow.start_run(run_name="ridge"):
    for alpha in [0.01, 0.1, 1.0]:
        with mlflow.start_run(nested=True):
            score = rmse_of(alpha)
            mlflow.log_param("alpha", alpha)
            mlflow.log_metric("rmse", score)
    mlflow.log_metric("best_rmse", score)
