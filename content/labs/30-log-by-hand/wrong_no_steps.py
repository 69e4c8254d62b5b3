import mlflow

alpha = 0.5
losses = [0.9, 0.6, 0.45, 0.4, 0.39]
rmse = 2.31

with mlflow.start_run(run_name="baseline"):
    mlflow.log_param("alpha", alpha)
    mlflow.log_metric("rmse", rmse)
    mlflow.log_metric("loss", losses[-1])
    mlflow.log_text("the first try", "notes.txt")
