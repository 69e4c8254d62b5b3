"""An ordinary notebook for Databricks. The tests run it with DATABRICKS_HOST and DATABRICKS_TOKEN set and nothing else."""

import mlflow
import pandas as pd
from mlflow import MlflowClient
from sklearn.ensemble import RandomForestClassifier

mlflow.set_tracking_uri("databricks")
mlflow.set_registry_uri("databricks-uc")
mlflow.set_experiment("/Users/me/x")
mlflow.sklearn.autolog(log_datasets=False)

x = pd.DataFrame({"a": range(40), "b": [i % 7 for i in range(40)]})
y = (x.a > 20).astype(int)
with mlflow.start_run(run_name="forest") as run:
    model = RandomForestClassifier(n_estimators=5, random_state=0).fit(x, y)
    mlflow.log_metric("extra", 0.5)
    mlflow.log_text("how it went", "notes/how.txt")
    mlflow.sklearn.log_model(model, name="model", input_example=x.head(2), registered_model_name="main.default.m")

client = MlflowClient()
client.set_registered_model_alias("main.default.m", "champion", 1)
client.set_model_version_tag("main.default.m", "1", "checked", "yes")
client.update_registered_model("main.default.m", description="whether a is large")
loaded = mlflow.pyfunc.load_model("models:/main.default.m@champion")
assert list(loaded.predict(x)) == list(model.predict(x))
assert list(mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model").predict(x)) == list(model.predict(x))

version = client.get_model_version_by_alias("main.default.m", "champion")
assert version.run_id == run.info.run_id and version.tags == {"checked": "yes"} and version.status == "READY", version
assert [v.version for v in client.search_model_versions("name='main.default.m'")] == ["1"]
assert [m.name for m in client.search_registered_models()] == ["main.default.m"]
found = mlflow.search_runs(experiment_names=["/Users/me/x"])
assert found.loc[0, "metrics.extra"] == 0.5 and found.loc[0, "params.n_estimators"] == "5"
assert [f.path for f in client.list_artifacts(run.info.run_id, "notes")] == ["notes/how.txt"]
assert mlflow.artifacts.load_text(run.info.artifact_uri + "/notes/how.txt") == "how it went"


@mlflow.trace
def ask(question):
    return question.upper()


ask("why")
mlflow.flush_trace_async_logging()
trace = mlflow.get_trace(mlflow.get_last_active_trace_id())
assert trace.data.spans[0].outputs == "WHY", trace
assert len(mlflow.search_traces(return_type="list")) == 1
print(run.info.run_id)
