"""Overfitting in sight: curves, validation rows, early stopping."""

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

from skffnn import FFNNRegressor


def model_of(**parameters):
    return FFNNRegressor(
        **{"hidden_layer_sizes": 20, "max_iter": 50, "random_state": 0, **parameters}
    )


def split(model, n):
    held_out = model.validation_indices_
    return np.setdiff1d(np.arange(n), held_out), held_out


def test_history_is_a_table_of_plain_floats(table):
    history = model_of(validation_fraction=0.2).fit(*table).history_
    frame = pd.DataFrame(history)
    assert list(frame) == [
        "epoch", "learning_rate", "loss", "rmse", "validation_loss",
        "validation_rmse",
    ]  # fmt: skip
    assert len(frame) == 50
    assert frame["epoch"].tolist() == list(range(1, 51))
    assert {type(v) for name, values in history.items() for v in values} <= {float, int}
    assert frame.notna().all().all()


def test_the_time_of_each_epoch_is_known_in_memory_alone(table):
    model = model_of(warm_start=True).fit(*table)
    assert len(model.seconds_) == 50
    assert min(model.seconds_) > 0
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert np.isnan(other.seconds_).all()
        seconds = other.fit(*table).seconds_
        assert np.isnan(seconds).tolist() == [True] * 50 + [False] * 50
    assert not hasattr(model_of(), "seconds_")


def test_without_validation_rows_their_curves_are_nan_and_their_attribute_none(table):
    model = model_of().fit(*table)
    assert np.isnan(model.history_["validation_rmse"]).all()
    assert model.validation_loss_curve_ is None
    assert model.validation_indices_ is None
    assert model.loss_curve_ == model.history_["loss"]


@pytest.mark.parametrize("outputs", [1, 2])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_reported_rmse_is_sklearns(table, outputs, dtype):
    X, y = table
    X, y = X.astype(dtype), np.c_[y, 100 * X[:, 0]] if outputs == 2 else y
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y))
    model = model_of(validation_fraction=0.3).fit(X, y, sample_weight=weight)
    for name, rows in zip(
        ("rmse", "validation_rmse"), split(model, len(y)), strict=True
    ):
        expected = root_mean_squared_error(
            y[rows], model.predict(X[rows]), sample_weight=weight[rows]
        )
        rtol = 1e-5 if dtype == np.float32 else 1e-10
        np.testing.assert_allclose(model.history_[name][-1], expected, rtol=rtol)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_validation_rows_change_nothing_but_the_report(table, solver):
    X, y = table
    solver = {"solver": solver, "tol": 0.01, "weight_decay": 0.01}
    model = model_of(validation_fraction=0.2, **solver).fit(X, y)
    train, held_out = split(model, len(y))
    assert len(held_out) == 30
    # The same rows in the same order, with validation rows of one's own or without.
    train, _ = train_test_split(
        np.arange(len(y)), test_size=0.2, random_state=split_seed(0)
    )
    passed = model_of(**solver).fit(
        X[train], y[train], X_val=X[held_out], y_val=y[held_out]
    )
    alone = model_of(**solver).fit(X[train], y[train])
    np.testing.assert_array_equal(model.theta_, alone.theta_)
    np.testing.assert_array_equal(passed.theta_, alone.theta_)
    assert model.validation_loss_curve_ == passed.validation_loss_curve_
    assert passed.validation_indices_ is None


def split_seed(random_state):
    return np.random.RandomState(random_state).randint(np.iinfo(np.int32).max)


def test_overfitting_is_visible(diabetes):
    model = model_of(
        hidden_layer_sizes=(100, 100), max_iter=150, validation_fraction=0.3,
        weight_decay=0.0,
    ).fit(*diabetes)  # fmt: skip
    history = model.history_
    assert history["rmse"][-1] < 0.5 * history["validation_rmse"][-1]
    assert history["validation_rmse"][-1] > 1.1 * min(history["validation_rmse"])


def test_the_training_curve_is_the_mean_over_the_minibatches(table):
    X, y = table
    # With a rate of almost nothing the network does not change during the epoch.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = model_of(max_iter=1, learning_rate=1e-15, batch_size=7).fit(X, y)
    np.testing.assert_allclose(
        model.history_["rmse"][0],
        root_mean_squared_error(y, model.predict(X)),
        rtol=1e-9,
    )
