"""Evaluation datasets and scorers of MLflow's own client, on both databases."""

import uuid

import mlflow
import mlflow.genai.datasets as datasets
import pytest
from mlflow.entities import Feedback
from mlflow.exceptions import MlflowException


@pytest.fixture(autouse=True)
def experiment(store):
    mlflow.set_tracking_uri(store.http_url)
    yield mlflow.set_experiment(f"evaluation-{uuid.uuid4().hex[:8]}")
    mlflow.set_tracking_uri("")


@mlflow.genai.scorers.scorer
def exact(outputs, expectations):
    return Feedback(value=outputs == expectations["expected_response"])


def test_records_of_a_dataset(experiment):
    made = datasets.create_dataset(name="questions", experiment_id=experiment.experiment_id, tags={"team": "blue"})
    made.merge_records([
        {"inputs": {"q": "a", "n": 1}, "expectations": {"expected_response": "A"}},
        {"inputs": {"q": "b", "n": 2.5}, "expectations": {"expected_response": "X"}, "tags": {"hard": "yes"}},
    ])
    made.merge_records([{"inputs": {"n": 1, "q": "a"}, "expectations": {"source": "book"}}])  # the same question
    frame = datasets.get_dataset(dataset_id=made.dataset_id).to_df()
    assert len(frame) == 2
    first = frame[frame.inputs.map(lambda i: i["q"]) == "a"].iloc[0]
    assert first.expectations == {"expected_response": "A", "source": "book"} and first.inputs == {"q": "a", "n": 1}
    again = datasets.get_dataset(dataset_id=made.dataset_id)
    assert again.tags["team"] == "blue" and '"n": "integer"' in again.schema.replace('":"', '": "') and "2" in again.profile
    assert again.experiment_ids == [experiment.experiment_id]

    result = mlflow.genai.evaluate(data=again, predict_fn=lambda q, n: q.upper(), scorers=[exact])
    assert result.metrics == {"exact/mean": 0.5}

    datasets.set_dataset_tags(dataset_id=made.dataset_id, tags={"team": "red", "level": "2"})
    datasets.delete_dataset_tag(dataset_id=made.dataset_id, key="level")
    assert datasets.get_dataset(dataset_id=made.dataset_id).tags["team"] == "red"
    other = mlflow.create_experiment(f"other-{uuid.uuid4().hex[:8]}")
    assert other in datasets.add_dataset_to_experiments(dataset_id=made.dataset_id, experiment_ids=[other]).experiment_ids
    assert other not in datasets.remove_dataset_from_experiments(dataset_id=made.dataset_id, experiment_ids=[other]).experiment_ids
    assert made.delete_records([frame.dataset_record_id[0]]) == 1
    assert len(datasets.get_dataset(dataset_id=made.dataset_id).to_df()) == 1
    datasets.delete_dataset(dataset_id=made.dataset_id)
    with pytest.raises(MlflowException, match="not found"):
        datasets.get_dataset(dataset_id=made.dataset_id)


def test_datasets_are_found(experiment):
    for name in ("one", "two"):
        datasets.create_dataset(name=name, experiment_id=experiment.experiment_id, tags={"size": name})
    search = lambda **kw: [d.name for d in datasets.search_datasets(experiment_ids=[experiment.experiment_id], **kw)]  # noqa: E731
    assert set(search()) == {"one", "two"}
    assert search(filter_string="name LIKE 'o%'") == ["one"] and search(filter_string="tags.size = 'two'") == ["two"]
    assert search(order_by=["name DESC"]) == ["two", "one"]
    with pytest.raises(MlflowException, match="Invalid attribute key"):
        search(filter_string="nonsense = 'x'")


def test_many_records_come_in_pages(experiment):
    made = datasets.create_dataset(name="many", experiment_id=experiment.experiment_id)
    made.merge_records([{"inputs": {"n": n}, "outputs": {"twice": 2 * n}} for n in range(1500)])
    frame = datasets.get_dataset(dataset_id=made.dataset_id).to_df()
    assert sorted(i["n"] for i in frame.inputs) == list(range(1500))


def test_scorers(experiment):
    from mlflow.genai.scorers import delete_scorer, get_scorer, list_scorers
    from mlflow.tracking._tracking_service.utils import _get_store

    store = _get_store()
    for version in (1, 2):
        assert store.register_scorer(experiment.experiment_id, "judge", f'{{"name": "judge", "v": {version}}}').scorer_version == version
    assert [v.scorer_version for v in store.list_scorer_versions(experiment.experiment_id, "judge")] == [1, 2]
    assert '"v": 1' in store.get_scorer(experiment.experiment_id, "judge", 1)._serialized_scorer
    store.delete_scorer(experiment.experiment_id, "judge", 1)
    assert [v.scorer_version for v in store.list_scorers(experiment.experiment_id)] == [2]
    store.delete_scorer(experiment.experiment_id, "judge")
    with pytest.raises(MlflowException, match="not found") as e:
        store.get_scorer(experiment.experiment_id, "judge")
    assert (e.value.error_class, e.value.sqlstate) == ("RESOURCE_NOT_FOUND", "KAM00")

    guidelines = mlflow.genai.scorers.Guidelines(name="polite", guidelines="Be polite.", model="openai:/none").register()
    assert [s.name for s in list_scorers()] == ["polite"] and get_scorer(name="polite").guidelines == guidelines.guidelines
    scorer_id = store.get_scorer(experiment.experiment_id, "polite").scorer_id
    assert store.get_online_scoring_configs([scorer_id]) == []
    config = store.upsert_online_scoring_config(experiment.experiment_id, "polite", 0.0, "status = 'OK'")
    assert store.get_online_scoring_configs([scorer_id, "none"]) == [config]
    assert (config.scorer_id, config.sample_rate, config.experiment_id, config.filter_string) == (scorer_id, 0.0, experiment.experiment_id, "status = 'OK'")
    for rate, text, said in ((0.5, None, "gateway model"), (1.5, None, "between 0.0 and 1.0"), (0.0, "nonsense", "Invalid")):
        with pytest.raises(MlflowException, match=said):
            store.upsert_online_scoring_config(experiment.experiment_id, "polite", rate, text)
    delete_scorer(name="polite", version="all")
    assert list_scorers() == []
    with pytest.raises(MlflowException, match="Custom scorer registration"):  # whoever loads it would run its code
        store.register_scorer(experiment.experiment_id, "code", '{"name": "code", "call_source": "return 1"}')
    with pytest.raises(MlflowException, match="GatewayEndpoint not found"):
        mlflow.genai.scorers.Guidelines(name="polite", guidelines="Be polite.", model="gateway:/none").register()
