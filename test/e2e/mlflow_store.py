"""Logs to a store of MLflow's own: run as `python mlflow_store.py URI`. Tests import what it wrote."""

import os
import sys

os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow
import pandas as pd
from mlflow import MlflowClient
from sklearn.linear_model import LinearRegression

mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("flights")
client = MlflowClient()
data = pd.DataFrame({"x": [1.0, 2.0], "y": [1.0, 2.0]})
for n in range(2):
    with mlflow.start_run(run_name=f"run {n}"):
        mlflow.log_params({"alpha": n, "long/key": "v" * 300})
        for step in range(150):
            mlflow.log_metric("rmse", 1 / (step + 1 + n), step=step)
        mlflow.log_metric("nan", float("nan"))
        mlflow.set_tag("team", "blue")
        mlflow.log_text("hello ü", "notes/odd näme.txt")
        mlflow.log_text("no address can name it", "other/back\\slash.txt")
        mlflow.log_input(mlflow.data.from_pandas(data, name="small"), context="training")
        mlflow.sklearn.log_model(LinearRegression().fit(data[["x"]], data.y), name="model", registered_model_name="delay", pip_requirements=[],
                                 input_example=data[["x"]])
client.set_registered_model_alias("delay", "champion", "2")
client.transition_model_version_stage("delay", "1", "Production")
client.set_model_version_tag("delay", "1", "checked", "yes")
client.set_registered_model_tag("delay", "owner", "me")
client.update_registered_model("delay", description="how late")
gone = client.create_experiment("gone", tags={"why": "test"})
client.delete_run(client.create_run(gone).info.run_id)
client.delete_experiment(gone)

if sys.argv[1].startswith("sqlite"):

    @mlflow.trace(span_type="CHAIN", attributes={"n": 5, "f": 1.5, "list": [1, "a", None], "dict": {"k": None}})
    def ask(question):
        with mlflow.start_span("inner", span_type="TOOL") as span:
            span.set_inputs({"question": question})
            span.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3})
        mlflow.update_current_trace(tags={"team": "blue"}, metadata={"mlflow.trace.session": "s1"})
        if question == "bad":
            raise ValueError("ü")
        return question.upper()

    ask("why")
    try:
        ask("bad")
    except ValueError:
        pass
    mlflow.flush_trace_async_logging()
    last = mlflow.get_last_active_trace_id()
    mlflow.log_feedback(trace_id=last, name="good", value=False, rationale="no answer", metadata={"m": "1"})
    mlflow.log_expectation(trace_id=last, name="answer", value={"a": [1]})
    mlflow.log_feedback(trace_id=last, name="failed", error=ValueError("bad"))
