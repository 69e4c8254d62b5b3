import mlflow

alpha = 0.5
losses = [0.9, 0.6, 0.45, 0.4, 0.39]
rmse = 2.31

with mlflow.start_run(run_name="baseline"):
    mlflow.log_param("alpha", alpha)
    mlflow.log_metric("rmse", rmse)
    for step, loss in enumerate(losses):
        mlflow.log_metric("loss", loss, step=step)
    mlflow.log_text("the first try", "notes.txt")
