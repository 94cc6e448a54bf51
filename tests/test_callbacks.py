"""scikit-learn's callbacks, where scikit-learn has them."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from skffnn import FFNNRegressor
from skffnn.callbacks import AVAILABLE, progress_bar

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
    steps = [fitted._state["adam"]["t"] for fitted in callback.predictions]
    assert steps == sorted(set(steps))


@needs_callbacks
def test_progress_is_drawn_for_an_estimator_and_a_search(table, capsys):
    pytest.importorskip("rich")
    progress_bar(model_of()).fit(*table)
    assert "FFNNRegressor" in capsys.readouterr().out
    search = GridSearchCV(model_of(), {"learning_rate": [0.02, 0.05]}, cv=2)
    progress_bar(search).fit(*table)
    assert "GridSearchCV" in capsys.readouterr().out


@needs_callbacks
def test_callbacks_change_no_weight(table):
    watched = model_of().set_callbacks(StopAt(100, table[0])).fit(*table)
    np.testing.assert_array_equal(watched.theta_, model_of().fit(*table).theta_)


def test_without_callbacks_there_is_no_progress_bar(monkeypatch):
    monkeypatch.setattr("skffnn.callbacks.AVAILABLE", False)
    model = model_of()
    assert progress_bar(model) is model
    assert not hasattr(model, "_skl_callbacks")
