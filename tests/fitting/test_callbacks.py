"""scikit-learn's callbacks, where scikit-learn has them."""

import warnings

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import BayesianFFNNRegressor, FFNNRegressor
from skffnn.fitting.callbacks import AVAILABLE, progress_bar

needs_callbacks = pytest.mark.skipif(
    not AVAILABLE, reason="scikit-learn has no callbacks yet"
)


def model_of():
    return FFNNRegressor(hidden_layer_sizes=5, max_iter=40, random_state=0)


class StopAt:
    """Ask to stop at an epoch; keep what the model predicts after each."""

    def __init__(self, epoch, X):
        self.epoch, self.X, self.predictions = epoch, X, []

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name == "epoch":
            self.predictions.append(fitted_estimator)
            return len(self.predictions) == self.epoch
        return False


@needs_callbacks
def test_a_callback_that_asks_to_stop_is_obeyed(table):
    X, y = table
    callback = StopAt(7, X)
    model = model_of().set_callbacks(callback).fit(X, y)
    assert model.n_iter_ == 7
    seen = [fitted.predict(X) for fitted in callback.predictions]
    np.testing.assert_array_equal(seen[-1], model.predict(X))
    # What a callback has seen is not overwritten by later epochs.
    assert (seen[0] != seen[1]).any()
    lengths = [len(fitted.history_["rmse"]) for fitted in callback.predictions]
    assert lengths == [fitted.n_iter_ for fitted in callback.predictions]
    steps = [fitted._state["memory"]["adam"]["t"] for fitted in callback.predictions]
    assert steps == sorted(set(steps))


@needs_callbacks
def test_what_a_callback_keeps_is_a_model_of_its_own(table):
    """No array that training goes on to write is shared."""
    X, y = table
    callback = StopAt(5, X)
    model = model_of().set_callbacks(callback).fit(X, y)
    for fitted in callback.predictions:
        for name, value in vars(fitted).items():
            if isinstance(value, np.ndarray):
                assert not np.shares_memory(value, vars(model)[name])
        assert fitted.kept_iter_ == fitted.n_iter_ == len(fitted.history_["epoch"])
        assert fitted.score(X, y) == pytest.approx(fitted.score(X, y))
        np.testing.assert_array_equal(fitted.coefs_[0].ravel(), fitted.theta_[:20])


@needs_callbacks
@pytest.mark.parametrize("n_epochs", [20, 40])
def test_one_subcontext_an_epoch(table, n_epochs):
    class Count(StopAt):
        names = ()

        def on_fit_task_begin(self, estimator, context):
            self.names = (*self.names, context.task_name)

    callback = Count(100, table[0])
    model_of().set_params(max_iter=n_epochs).set_callbacks(callback).fit(*table)
    assert callback.names == ("fit", *["epoch"] * n_epochs)


def progress_of(estimator, table, capsys, **options):
    from sklearn.callback import ProgressBar

    estimator.set_callbacks(ProgressBar(**options)).fit(*table)
    return capsys.readouterr().out


@needs_callbacks
@pytest.mark.parametrize("wrap", ["alone", "pipeline", "search", "search of pipelines"])
def test_progress_bar(table, capsys, wrap):
    pytest.importorskip("rich")
    model, name = model_of(), "learning_rate"
    if "pipeline" in wrap:
        # Steps that know no callbacks are warned of by scikit-learn itself.
        model, name = make_pipeline(model), "ffnnregressor__learning_rate"
    if "search" in wrap:
        model = GridSearchCV(model, {name: [0.02, 0.05]}, cv=2)
    out = progress_of(model, table, capsys, max_propagation_depth=None)
    assert type(model).__name__ in out
    assert "FFNNRegressor" in out
    assert "epoch" in out or "100%" in out


@needs_callbacks
def test_progress_bar_of_the_command_is_one_for_the_whole_search(table, capsys):
    pytest.importorskip("rich")
    search = GridSearchCV(model_of(), {"learning_rate": [0.02, 0.05]}, cv=2)
    progress_bar(search).fit(*table)
    out = capsys.readouterr().out
    assert "GridSearchCV" in out
    assert "FFNNRegressor" not in out


@needs_callbacks
def test_scores_of_every_epoch_of_a_search_in_two_processes(table):
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring="r2")
    pipeline = make_pipeline(StandardScaler(), model_of().set_callbacks(monitor))
    grid = {"ffnnregressor__learning_rate": [0.02, 0.05]}
    search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2, refit=False)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The estimator StandardScaler does not")
        search.fit(*table)
    logs = monitor.get_logs(include_lineage=True).data_as_pandas
    epochs = logs[logs["task_name"] == "epoch"]
    assert len(epochs) == 2 * 3 * 40
    assert np.isfinite(epochs["r2"]).all()
    of_a_fit = epochs.groupby("parent_task_id_path")["r2"]
    assert (of_a_fit.last() > of_a_fit.first()).all()


@needs_callbacks
def test_callbacks_change_no_weight(table):
    watched = model_of().set_callbacks(StopAt(100, table[0])).fit(*table)
    np.testing.assert_array_equal(watched.theta_, model_of().fit(*table).theta_)


def test_without_callbacks_there_is_no_progress_bar(monkeypatch):
    monkeypatch.setattr("skffnn.fitting.callbacks.AVAILABLE", False)
    model = model_of()
    assert progress_bar(model) is model
    assert not hasattr(model, "_skl_callbacks")


# A committee --------------------------------------------------------------------------


def committee_of(**params):
    return BayesianFFNNRegressor(
        **{"hidden_layer_sizes": 4, "n_restarts": 3, "random_state": 0, **params}
    )


@needs_callbacks
def test_a_callback_sees_each_step_of_a_committee(table):
    """The model it is shown has one network, that of the step."""
    X, y = table
    callback = StopAt(10**6, X)
    model = committee_of().set_callbacks(callback).fit(X, y)
    np.testing.assert_array_equal(model.theta_, committee_of().fit(X, y).theta_)
    assert len(callback.predictions) == len(model.history_["rmse"])
    for k, fitted in enumerate(callback.predictions):
        y_hat, std = fitted.predict(X, return_std=True)
        assert len(fitted.history_["rmse"]) == k + 1
        rmse = np.sqrt(np.mean((y_hat - y) ** 2))
        assert fitted.history_["rmse"][-1] == pytest.approx(rmse)
        assert (std > 0).all()


@needs_callbacks
def test_a_run_of_a_committee_ends_when_it_is_asked_to(table):
    X, y = table
    model = committee_of().set_callbacks(StopAt(5, X)).fit(X, y)
    assert model.history_["restart"].count(1) == 5
    whole = committee_of().fit(X, y).history_["restart"]
    assert model.history_["restart"].count(2) == whole.count(2)


class StopRuns(StopAt):
    """Ask for no more runs after the first."""

    def __init__(self):
        self.names = []

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        self.names.append(context.task_name)
        return context.task_name == "restart"


@needs_callbacks
@pytest.mark.parametrize("size", [4, "auto"])
def test_a_committee_starts_no_run_that_nobody_wants(table, size):
    X, y = table
    callback = StopRuns()
    model = committee_of(hidden_layer_sizes=size).set_callbacks(callback).fit(X, y)
    assert max(model.history_["restart"]) == 1
    assert callback.names.count("restart") == 1
    assert callback.names[-1] == "fit"
    assert len(model.evidence_by_size_) == 1


@needs_callbacks
def test_progress_bar_of_a_committee(table, capsys):
    pytest.importorskip("rich")
    out = progress_of(committee_of(), table, capsys)
    assert out.count("restart") == 3
    X = np.linspace(-10, 10, 101)[:, np.newaxis]
    model = committee_of(hidden_layer_sizes=(10, 10), n_restarts=4)
    out = progress_of(model, (X, np.sin(X[:, 0])), capsys)
    assert "further restarts" in out
