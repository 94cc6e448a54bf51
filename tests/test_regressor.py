"""What goes in, what comes out, and in which units."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LinearRegression
from sklearn.metrics import root_mean_squared_error

from skffnn import FFNNRegressor
from skffnn.core.losses import LOSSES


def small(**parameters):
    return FFNNRegressor(
        **{"hidden_layer_sizes": 10, "max_iter": 40, "random_state": 0, **parameters}
    )


# Data of every kind ------------------------------------------------------------------


def test_frames_lists_and_orders_give_the_same_network_as_arrays(table, tmp_path):
    polars = pytest.importorskip("polars")
    X, y = table
    frame = pd.DataFrame(X, columns=list("abcd"))
    on_disk = np.memmap(tmp_path / "X", dtype=X.dtype, mode="w+", shape=X.shape)
    on_disk[...] = X
    fortran_on_disk = np.memmap(
        tmp_path / "F", dtype=X.dtype, mode="w+", shape=X.shape, order="F"
    )
    fortran_on_disk[...] = X
    expected = small().fit(X, y).theta_
    kinds = {
        "pandas": (frame, pd.Series(y)),
        "polars": (polars.DataFrame(frame), polars.Series(y)),
        "list": (X.tolist(), y.tolist()),
        "Fortran": (np.asfortranarray(X), y),
        "Fortran memory map": (fortran_on_disk, y),
        "memory map": (on_disk, y),
        "strided": (np.repeat(X, 2, axis=1)[:, ::2], np.repeat(y, 2)[::2]),
        "byte-swapped": (X.astype(">f8"), y.astype(">f8")),
    }
    for kind, data in kinds.items():
        np.testing.assert_array_equal(small().fit(*data).theta_, expected, kind)


def test_sparse_equals_dense(rng):
    X = sparse.csr_array(np.where(rng.random((120, 8)) < 0.3, 1 + rng.random(8), 0))
    y = X.toarray() @ np.arange(1.0, 9.0)
    dense = small(batch_size=50).fit(X.toarray(), y)
    for kind in ("csr", "csc"):
        model = small(batch_size=50).fit(X.asformat(kind), y)
        np.testing.assert_array_equal(model.theta_, dense.theta_)
        np.testing.assert_array_equal(
            model.predict(X.asformat(kind)), dense.predict(X.toarray())
        )


def test_a_memory_map_is_not_copied(table, tmp_path, monkeypatch):
    X, y = table
    on_disk = np.memmap(tmp_path / "X", dtype=X.dtype, mode="w+", shape=X.shape)
    on_disk[...] = X
    seen = []
    monkeypatch.setattr(
        "skffnn.core.data.Data.gather_inputs",
        lambda self, rows, a: seen.append(np.may_share_memory(self.X, on_disk)),
    )
    with np.errstate(all="ignore"), pytest.raises((FloatingPointError, ValueError)):
        # Whatever the unfilled buffer holds: only the origin of X counts here.
        small(max_iter=1, learning_rate=1e300).fit(on_disk, y)
    assert seen
    assert all(seen)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_byte_order_does_not_matter(table, dtype):
    X, y = (array.astype(dtype) for array in table)
    swapped = [array.astype(array.dtype.newbyteorder()) for array in (X, y)]
    model = FFNNRegressor(8, max_iter=20, random_state=0).fit(X, y)
    other = FFNNRegressor(8, max_iter=20, random_state=0).fit(*swapped)
    assert other.theta_.dtype == dtype
    np.testing.assert_array_equal(other.predict(swapped[0]), model.predict(X))


@pytest.mark.parametrize("loss", list(LOSSES))
def test_the_order_of_several_targets_in_memory_does_not_matter(table, loss):
    X, y = table
    Y = np.exp(np.c_[y / 50, -y / 50])
    model = FFNNRegressor(8, loss=loss, max_iter=20, random_state=0)
    expected = model.fit(X, Y).predict(X)
    y_hat = model.fit(X, np.asfortranarray(Y)).predict(X)
    np.testing.assert_array_equal(y_hat, expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_X_decides_the_networks(table, dtype):
    X, y = table
    model = small().fit(X.astype(dtype), y)
    assert model.theta_.dtype == dtype
    assert model._state["memory"]["adam"]["m"].dtype == dtype
    assert model.predict(X).dtype == np.float64
    assert model.y_mean_.dtype == model.x_mean_.dtype == np.float64
    assert small().fit(X.astype(int), y).theta_.dtype == np.float64


def test_outputs_of_different_scale_are_all_learnt(table):
    X, y = table
    Y = np.c_[y * 1e6, X[:, 0] * 1e-6]
    model = small(max_iter=100).fit(X, Y)
    residuals = np.var(Y - model.predict(X), axis=0) / np.var(Y, axis=0)
    assert (residuals < 0.05).all()


# Scales ------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [2.0**-20, 2.0**20])
def test_powers_of_two_in_X_and_y_change_nothing_but_the_units(table, factor):
    X, y = table
    model = small().fit(X, y)
    scaled = small().fit(X * factor, y * factor)
    np.testing.assert_allclose(
        scaled.predict(X * factor), model.predict(X) * factor, rtol=1e-9
    )
    np.testing.assert_allclose(
        scaled.history_["rmse"], np.multiply(model.history_["rmse"], factor), rtol=1e-9
    )


def test_without_standardisation_the_data_reach_the_network_as_they_are(rng):
    X = rng.normal(size=(50, 2))
    model = small(standardize=False).fit(X, X[:, 0])
    np.testing.assert_array_equal(model.x_mean_, [0, 0])
    np.testing.assert_array_equal(model.y_scale_, [1])


def test_a_network_without_hidden_layers_is_linear_regression(table):
    X, y = table
    model = FFNNRegressor(
        (), solver="lbfgs", weight_decay=0.0, tol=0.0, max_iter=500
    ).fit(X, y)
    linear = LinearRegression().fit(X, y)
    np.testing.assert_allclose(model.predict(X), linear.predict(X), rtol=1e-6)


# Losses and outputs ------------------------------------------------------------------


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
def test_the_quantile_loss_learns_the_quantile(rng, q):
    X = rng.uniform(size=(2000, 1))
    y = 10 * X[:, 0] + rng.exponential(size=2000)
    model = small(loss="quantile", quantile=q).fit(X, y)
    assert abs((y <= model.predict(X)).mean() - q) < 0.03


def test_absolute_and_huber_losses_resist_outliers(rng):
    X = rng.normal(size=(400, 1))
    y = X[:, 0].copy()
    y[:20] += 100
    errors = {
        loss: np.abs(
            small(loss=loss, huber_delta=0.05, weight_decay=0.1).fit(X, y).predict(X)
            - X[:, 0]
        )
        for loss in ("squared_error", "absolute_error", "huber")
    }
    assert errors["absolute_error"].mean() < errors["squared_error"].mean() / 3
    assert errors["huber"].mean() < errors["squared_error"].mean() / 3


def test_the_poisson_loss_learns_rates(rng):
    X = rng.uniform(-1, 1, size=(2000, 1))
    rate = 1000 * np.exp(2 * X[:, 0])
    model = small(loss="poisson").fit(X, rng.poisson(rate))
    np.testing.assert_allclose(model.predict(X), rate, rtol=0.2)
    assert model.y_mean_ == 0
    assert model.predict([[-100.0]]) >= 0


def test_the_root_mean_squared_error_is_a_loss_too(table):
    X, y = table
    model = small(loss="root_mean_squared_error", max_iter=100).fit(X, y)
    assert model.score(X, y) > 0.9


def test_a_logistic_output_stays_in_its_range(rng):
    X = rng.normal(size=(200, 2))
    y = (X[:, 0] > 0).astype(float)
    model = small(output_activation="logistic", max_iter=100).fit(X, y)
    y_hat = model.predict(10 * X)
    assert y_hat.min() >= 0
    assert y_hat.max() <= 1
    assert model.score(X, y) > 0.8


# Sample weights ----------------------------------------------------------------------


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("loss", ["squared_error", "huber", "root_mean_squared_error"])
def test_weights_equal_repeated_rows_when_one_batch_holds_all(table, solver, loss):
    X, y = table
    weight = np.random.default_rng(1).integers(0, 4, size=len(y))
    parameters = {"solver": solver, "loss": loss, "batch_size": 1000, "tol": 0.05}
    weighted = small(**parameters).fit(X, y, sample_weight=weight * 0.37)
    repeated = small(**parameters).fit(X.repeat(weight, axis=0), y.repeat(weight))
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-7)
    np.testing.assert_allclose(weighted.loss_, repeated.loss_, rtol=1e-7)


def test_rows_of_weight_zero_are_not_there(table):
    X, y = table
    weight = np.r_[np.ones(100), np.zeros(50)]
    wrong = np.r_[y[:100], np.full(50, 1e9)]
    model = small().fit(X, wrong, sample_weight=weight)
    expected = small().fit(X[:100], y[:100])
    np.testing.assert_allclose(model.theta_, expected.theta_, rtol=1e-9)


# Reproducibility and budgets ---------------------------------------------------------


def test_the_seed_decides_the_weights(table):
    parameters = {"dropout": 0.2, "validation_fraction": 0.2}
    a, b, c = (small(random_state=seed, **parameters).fit(*table) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a.theta_, b.theta_)
    np.testing.assert_array_equal(a.validation_indices_, b.validation_indices_)
    assert (a.theta_ != c.theta_).any()
    state = np.random.RandomState(0)
    first, second = (small(random_state=state).fit(*table) for _ in range(2))
    assert (first.theta_ != second.theta_).any()


def test_reported_errors_are_those_of_sklearn(table):
    X, y = table
    weight = np.random.default_rng(0).uniform(0.5, 2, size=len(y))
    model = small(solver="lbfgs", tol=0.01).fit(X, y, sample_weight=weight)
    expected = root_mean_squared_error(y, model.predict(X), sample_weight=weight)
    np.testing.assert_allclose(model.history_["rmse"][-1], expected, rtol=1e-9)
    np.testing.assert_allclose(model.loss_, expected**2 / 2, rtol=1e-9)
