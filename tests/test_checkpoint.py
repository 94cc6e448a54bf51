"""A process that is killed leaves a whole checkpoint, and loses nothing but time."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import FFNNEnsembleRegressor, FFNNRegressor, ModelCheckpoint
from skffnn.fitting.callbacks import AVAILABLE

pytestmark = pytest.mark.skipif(
    not AVAILABLE, reason="scikit-learn has no callbacks yet"
)


def network(**parameters):
    own = {"hidden_layer_sizes": 5, "max_iter": 20, "weight_decay": 0.1}
    return FFNNRegressor(**{**own, "random_state": 0, **parameters})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


class Epochs(ModelCheckpoint):
    """Keeps what was on disk after each epoch."""

    def __init__(self, path, every):
        super().__init__(path, every)
        self.on_disk = []

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        super().on_fit_task_end(estimator, context, fitted_estimator=fitted_estimator)
        there = os.path.exists(self.path)
        self.on_disk.append(FFNNRegressor.load(self.path).n_iter_ if there else 0)


def test_saves_every_few_epochs_and_at_the_end(table, path):
    callback = Epochs(path, every=6)
    model = network().set_callbacks(callback).fit(*table)
    assert callback.on_disk == [0] * 5 + [6] * 6 + [12] * 6 + [18] * 3 + [20]
    loaded = FFNNRegressor.load(path)
    np.testing.assert_array_equal(loaded.theta_, model.theta_)
    assert loaded._state["run"] is None
    np.testing.assert_array_equal(model.theta_, network().fit(*table).theta_)


@pytest.mark.parametrize(
    "parameters", [{}, {"early_stopping": True}, {"solver": "sgd", "dropout": 0.3}]
)
@pytest.mark.parametrize("epoch", [1, 13, 20])
def test_the_file_of_any_epoch_ends_as_the_fit_does(table, path, parameters, epoch):
    whole = network(**parameters).fit(*table)

    class Until(ModelCheckpoint):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            if fitted_estimator.n_iter_ == epoch and context.task_name == "epoch":
                fitted_estimator.save(self.path)

    network(**parameters).set_callbacks(Until(path)).fit(*table)
    model = FFNNRegressor.load(path)
    assert model.n_iter_ == epoch
    model.fit(*table, resume=True)
    np.testing.assert_array_equal(model.theta_, whole.theta_)
    assert model.kept_iter_ == whole.kept_iter_


def test_at_the_end_of_a_pipeline(table, path):
    steps = StandardScaler(), network().set_callbacks(ModelCheckpoint(path))
    pipeline = make_pipeline(*steps).fit(*table)
    loaded = FFNNRegressor.load(path)
    np.testing.assert_array_equal(loaded.theta_, pipeline[-1].theta_)


@pytest.mark.parametrize("epoch", [6, 12])
def test_a_table_as_it_is(rng, path, epoch):
    X = pd.DataFrame({"age": rng.uniform(0, 9, 80)})
    X["town"] = rng.choice(["Bonn", "Rome"], 80)
    X["street"] = rng.integers(0, 30, 80).astype(str)
    y = X["age"] + 5 * (X["town"] == "Rome")
    X.loc[::5, ["age", "town"]] = np.nan, None
    whole = network().fit(X, y)

    class Killed(ModelCheckpoint):
        def on_fit_task_end(self, estimator, context, *, fitted_estimator):
            super().on_fit_task_end(
                estimator, context, fitted_estimator=fitted_estimator
            )
            if context.task_name == "epoch" and fitted_estimator.n_iter_ == epoch:
                raise RuntimeError

    with pytest.raises(RuntimeError):
        network().set_callbacks(Killed(path, every=6)).fit(X, y)
    loaded = FFNNRegressor.load(path)
    assert loaded.n_iter_ == epoch
    resumed = loaded.fit(X, y, resume=True)
    np.testing.assert_array_equal(resumed.theta_, whole.theta_)
    np.testing.assert_array_equal(resumed.predict(X), whole.predict(X))


def test_a_disk_that_is_full_for_a_while_ends_no_training(table, path, monkeypatch):
    save, calls = FFNNRegressor.save, iter(range(20))

    def full(self, path):
        if next(calls) in (3, 4):
            raise OSError(28, "No space left on device")
        save(self, path)

    monkeypatch.setattr(FFNNRegressor, "save", full)
    model = network().set_callbacks(ModelCheckpoint(path, every=2))
    with pytest.warns(UserWarning, match=r"Epoch (8|10) was not saved: .*No space"):
        model.fit(*table)
    np.testing.assert_array_equal(FFNNRegressor.load(path).theta_, model.theta_)


def test_a_last_save_that_fails_is_an_error_and_the_model_is_fitted(table, path):
    model = network().set_callbacks(ModelCheckpoint(path.parent / "no" / "a", 100))
    with pytest.raises(FileNotFoundError):
        model.fit(*table)
    np.testing.assert_array_equal(model.theta_, network().fit(*table).theta_)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda c: make_pipeline(network()).set_callbacks(c), TypeError, "last step"),
        (
            lambda c: FFNNEnsembleRegressor(network()).set_callbacks(c),
            TypeError,
            "a network whose fit can be resumed, such as FFNNRegressor",
        ),
        (lambda c: network(solver="lbfgs").set_callbacks(c), ValueError, "lbfgs"),
        (
            lambda c: GridSearchCV(
                network().set_callbacks(c), {"tol": [0]}, error_score="raise"
            ),
            ValueError,
            "The fits of GridSearchCV would overwrite",
        ),
    ],
)
def test_where_it_makes_no_sense(table, path, make, error, message):
    with pytest.raises(error, match=message):
        make(ModelCheckpoint(path)).fit(*table)
    assert not path.exists()


@pytest.mark.parametrize("every", [0, -1, 1.5, True, "10"])
def test_every_is_a_number_of_epochs(path, every):
    with pytest.raises(ValueError, match="every must be a whole number"):
        ModelCheckpoint(path, every)


# SIGKILL ------------------------------------------------------------------------------

JOB = """
import sys
from pathlib import Path
import numpy as np
from skffnn import FFNNRegressor, ModelCheckpoint

rng = np.random.default_rng(0)
X = rng.normal(size=(2000, 6))
y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * rng.normal(size=2000)
path = Path(sys.argv[1])
model = FFNNRegressor(
    (32, 32), max_iter=int(sys.argv[2]), weight_decay=0.1, random_state=0,
    early_stopping=True,
)
if path.exists():
    model = FFNNRegressor.load(path)
if len(sys.argv) < 4:
    model.set_callbacks(ModelCheckpoint(path))
print("ready", flush=True)
model.fit(X, y, resume=True)
model.save(path)
"""


def job(path, max_iter, *options):
    """Start it; it is about to fit, and may be killed."""
    command = [sys.executable, "-c", JOB, str(path), str(max_iter), *options]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout.readline() == "ready\n"
    return process


def end_of(process):
    """Its exit code; negative if it was killed."""
    code = process.wait()
    process.stdout.close()
    return code


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
@pytest.mark.slow
def test_killed_at_random_moments(tmp_path, record_property):
    kills, max_iter = 50, 1500
    path, whole = tmp_path / "killed.npz", tmp_path / "whole.npz"
    assert end_of(job(whole, max_iter, "without a checkpoint")) == 0
    rng, killed, epochs = np.random.default_rng(), 0, []
    while killed < kills or not epochs:
        process = job(path, max_iter)
        time.sleep(rng.uniform(0, 0.4))
        process.kill()
        assert end_of(process) == -signal.SIGKILL, "it was complete before all kills"
        killed += 1
        if path.exists():
            epochs.append(FFNNRegressor.load(path).n_iter_)
    assert epochs == sorted(epochs)
    assert epochs[-1] > 0  # a file that was there was whole, and some epochs old
    assert end_of(job(path, max_iter)) == 0
    a, b = FFNNRegressor.load(path), FFNNRegressor.load(whole)
    np.testing.assert_array_equal(a.theta_, b.theta_)
    for name in a.history_:
        np.testing.assert_array_equal(a.history_[name], b.history_[name])
    assert a.kept_iter_ == b.kept_iter_
    record_property("kills", killed)
