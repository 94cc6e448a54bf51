"""A small model, and what two of them have in common, as functions to call."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skffnn import FFNNRegressor


def _model_of(**parameters):
    defaults = {
        "hidden_layer_sizes": 10, "max_iter": 10, "random_state": 0,
        "learning_rate_schedule": "constant", "weight_decay": 0.1,
    }  # fmt: skip
    return FFNNRegressor(**{**defaults, **parameters})


def _fitted(model, X, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


def _assert_same_state(a, b):
    """Equal in weights, optimizer, shuffling and history."""
    np.testing.assert_array_equal(a.theta_, b.theta_)
    memory = a._state["memory"], b._state["memory"]
    assert memory[0].keys() == memory[1].keys()
    for name, remembered in memory[0].items():
        for key, value in remembered.items():
            np.testing.assert_array_equal(value, memory[1][name][key])
    for name in ("order", "dropout"):
        assert a._state[name].bit_generator.state == b._state[name].bit_generator.state
    assert a.history_["rmse"] == b.history_["rmse"]
    assert a.history_["epoch"] == b.history_["epoch"]


@pytest.fixture(scope="session")
def model_of():
    return _model_of


@pytest.fixture(scope="session")
def fitted():
    return _fitted


@pytest.fixture(scope="session")
def assert_same():
    return _assert_same_state
