"""What an ordinary notebook of MLflow 2 does. test_mlflow.py runs it with an MLflow 2 client."""

import os
import tempfile
import uuid

import mlflow
import numpy as np
from mlflow import MlflowClient
from sklearn.linear_model import Ridge

assert mlflow.__version__.startswith("2."), mlflow.__version__
name = "mlflow2-" + uuid.uuid4().hex[:8]
mlflow.set_experiment(name)
client = MlflowClient()

rng = np.random.default_rng(0)
x = rng.normal(size=(200, 3))
y = x @ [1.0, 2.0, 3.0] + 4

mlflow.sklearn.autolog()
with mlflow.start_run(run_name="auto") as auto:
    fitted = Ridge(alpha=0.5).fit(x, y)
mlflow.sklearn.autolog(disable=True)
done = client.get_run(auto.info.run_id)
assert done.data.params["alpha"] == "0.5"
assert done.data.metrics["training_r2_score"] > 0.99
assert np.allclose(mlflow.sklearn.load_model(f"runs:/{auto.info.run_id}/model").predict(x), fitted.predict(x))

with mlflow.start_run(run_name="parent") as parent:
    mlflow.log_params({"a": 1, "b": "two"})
    mlflow.set_tag("kind", "manual")
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    with mlflow.start_run(run_name="child", nested=True) as child:
        mlflow.log_metric("loss", 0.5)
    with tempfile.TemporaryDirectory() as d:
        with open(os.path.join(d, "note.txt"), "w") as f:
            f.write("hello")
        mlflow.log_artifact(os.path.join(d, "note.txt"), "notes")
    mlflow.sklearn.log_model(fitted, "model", registered_model_name=name)
assert [m.value for m in client.get_metric_history(parent.info.run_id, "loss")] == [1 / (s + 1) for s in range(5)]
with open(mlflow.artifacts.download_artifacts(f"runs:/{parent.info.run_id}/notes/note.txt")) as f:
    assert f.read() == "hello"

frame = mlflow.search_runs(experiment_names=[name], filter_string="metrics.loss < 0.3 and tags.kind = 'manual'")
assert list(frame["run_id"]) == [parent.info.run_id]
frame = mlflow.search_runs(experiment_names=[name], filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'")
assert list(frame["run_id"]) == [child.info.run_id]

client.transition_model_version_stage(name, "1", "Production")
client.set_registered_model_alias(name, "champion", "1")
for uri in (f"models:/{name}/1", f"models:/{name}/Production", f"models:/{name}@champion"):
    assert np.allclose(mlflow.pyfunc.load_model(uri).predict(x), fitted.predict(x)), uri
assert [v.version for v in client.get_latest_versions(name, ["Production"])] == ["1"]
copied = client.copy_model_version(f"models:/{name}@champion", name + "-copy")
assert np.allclose(mlflow.pyfunc.load_model(f"models:/{copied.name}/{copied.version}").predict(x), fitted.predict(x))
client.delete_registered_model(copied.name)

mlflow.register_prompt(name=name + "-prompt", template="Hi {{who}}", commit_message="first")
mlflow.set_prompt_alias(name + "-prompt", alias="live", version=1)
assert mlflow.load_prompt(f"prompts:/{name}-prompt@live").format(who="you") == "Hi you"
assert not client.search_registered_models(f"name = '{name}-prompt'")

with mlflow.start_run(run_name="evaluated") as evaluated:
    data = mlflow.data.from_numpy(x, targets=y, name="made up")
    mlflow.log_input(data, context="testing")
    result = mlflow.evaluate(f"models:/{name}/1", data, model_type="regressor", evaluator_config={"log_model_explainability": False})
    mlflow.log_table({"a": [1, 2]}, "table.json")
assert result.metrics["r2_score"] > 0.99
assert [i.dataset.name for i in client.get_run(evaluated.info.run_id).inputs.dataset_inputs][0] == "made up"
assert list(mlflow.load_table("table.json", run_ids=[evaluated.info.run_id])["a"]) == [1, 2]
client.delete_registered_model(name)
client.delete_run(child.info.run_id)
client.delete_experiment(client.get_experiment_by_name(name).experiment_id)
print("all is well")
