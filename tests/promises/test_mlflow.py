"""MLflow records of a search side by side what it records of scikit-learn's."""

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("mlflow")

# In a process of its own: autolog changes scikit-learn's classes.
RECORD = """
import json, sys, warnings
import mlflow
import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from skffnn import FFNNEnsembleRegressor, FFNNGridSearchCV, FFNNRegressor

warnings.simplefilter("ignore")
X = np.random.default_rng(0).normal(size=(120, 3))
y = X[:, 0] * X[:, 1]
client = mlflow.MlflowClient()


def network(**parameters):
    return FFNNRegressor(
        8, max_iter=20, weight_decay=0.1, random_state=0, **parameters
    )


ESTIMATORS = {
    "network": (network(), "learning_rate"),
    "pipeline": (
        make_pipeline(MinMaxScaler(), network()), "ffnnregressor__learning_rate"
    ),
    "not stacked": (network(solver="lbfgs"), "tol"),
}


def record(model):
    with mlflow.start_run() as run:
        model.fit(X, y)
    run_id, experiment = run.info.run_id, run.info.experiment_id
    runs = client.search_runs(
        [experiment], f"tags.mlflow.parentRunId='{run_id}'",
        order_by=["attributes.run_name"],
    )
    found = {
        "candidates": sorted(map(plain, runs), key=str),
        "files": [file.path for file in client.list_artifacts(run_id)],
        "models": {},
        **plain(client.get_run(run_id)),
    }
    for logged in mlflow.search_logged_models(
        experiment_ids=[experiment], filter_string=f"source_run_id='{run_id}'",
        output_format="list",
    ):
        loaded = mlflow.sklearn.load_model(logged.model_uri)
        same = np.array_equal(loaded.predict(X), model.predict(X))
        found["models"][logged.name] = type(loaded).__name__, same
    return found


def plain(run):
    data = run.data
    metrics = {k: v for k, v in data.metrics.items() if not k.endswith("_time")}
    return {"params": data.params, "metrics": metrics,
            "class": data.tags.get("estimator_name")}


kind = sys.argv[1]
mlflow.sklearn.autolog(max_tuning_runs=None, log_models=kind != "not stacked")
if kind == "alone":
    pipeline = make_pipeline(network())
    ensemble = FFNNEnsembleRegressor(network(), n_estimators=2)
    answer = [record(model) for model in (network(), ensemble, pipeline)]
elif kind == "skops":
    names = ["skffnn.regressor.FFNNRegressor"]
    model = make_pipeline(network()).fit(X, y)
    logged = mlflow.sklearn.log_model(
        model, serialization_format="skops", skops_trusted_types=names
    )
    loaded = mlflow.sklearn.load_model(logged.model_uri)
    answer = np.array_equal(loaded.predict(X), model.predict(X))
else:
    estimator, name = ESTIMATORS[kind]
    grid = {name: [0.01, 0.02]}
    answer = [
        record(search(estimator, grid, cv=2))
        for search in (GridSearchCV, FFNNGridSearchCV)
    ]
print(json.dumps(answer))
"""


def recorded(kind, folder):
    database = f"sqlite:///{folder / 'runs.db'}"
    done = subprocess.run(
        [sys.executable, "-c", RECORD, kind],
        cwd=folder,
        env={**os.environ, "MLFLOW_TRACKING_URI": database},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("kind", ["network", "pipeline", "not stacked"])
def test_autolog_records_what_it_records_of_grid_search_cv(kind, tmp_path):
    theirs, ours = recorded(kind, tmp_path)
    assert theirs.pop("class") == "GridSearchCV"
    assert ours.pop("class") == "FFNNGridSearchCV"
    models = [found.pop("models") for found in (theirs, ours)]
    assert ours == theirs
    assert len(ours["candidates"]) == 2
    assert ours["params"]["cv"] == "2"
    assert "best_cv_score" in ours["metrics"]
    if kind != "not stacked":
        best = "FFNNRegressor" if kind == "network" else "Pipeline"
        assert models == [
            {"model": [search, True], "best_estimator": [best, True]}
            for search in ("GridSearchCV", "FFNNGridSearchCV")
        ]


def test_autolog_sees_a_pipeline_and_no_network_alone(tmp_path):
    network, ensemble, pipeline = recorded("alone", tmp_path)
    for unseen in (network, ensemble):
        assert not unseen["params"]
        assert not unseen["metrics"]
    assert pipeline["params"]["ffnnregressor__max_iter"] == "20"
    assert pipeline["metrics"]["training_r2_score"] > 0
    assert pipeline["models"] == {"model": ["Pipeline", True]}


def test_a_model_may_be_logged_without_pickle(tmp_path):
    pytest.importorskip("skops")
    assert recorded("skops", tmp_path) is True
