import mlflow
from mlflow import MlflowClient

for depth, rmse in [(2, 4.1), (4, 3.2), (6, 2.7), (8, 2.9), (10, 3.6)]:
    with mlflow.start_run(run_name=f"depth {depth}"):
        mlflow.log_param("depth", depth)
        mlflow.log_metric("rmse", rmse)

best = mlflow.search_runs(order_by=["metrics.rmse ASC"], max_results=1).iloc[0]
MlflowClient().set_tag(best.run_id, "choice", "best")
print(best["params.depth"], best["metrics.rmse"])
