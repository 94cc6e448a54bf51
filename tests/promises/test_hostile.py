"""Scales and shapes that ruin other networks: the same quality, and never a NaN."""

import numpy as np
import pytest
from sklearn.datasets import make_friedman1

from skffnn import FFNNRegressor

N = 300


@pytest.fixture(scope="module")
def problem():
    return make_friedman1(2 * N, noise=0.5, random_state=0)


def error(X, y):
    """Test RMSE in standard deviations of y; half of the rows are for testing."""
    model = FFNNRegressor((32, 32), max_iter=100, random_state=0).fit(X[:N], y[:N])
    residual = model.predict(X[N:]) - y[N:]
    assert np.isfinite(model.theta_).all()
    return np.sqrt(np.mean(residual**2)) / y.std()


@pytest.fixture(scope="module")
def plain(problem):
    """The error of the well-scaled problem."""
    return error(*problem)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 1e6), (1e-6, 0.0), (1e6, -1e9)])
def test_the_scale_of_y_does_not_matter(problem, plain, scale, shift):
    X, y = problem
    y = (y - y.mean()) / y.std() * scale + shift
    assert error(X, y) == pytest.approx(plain, rel=0.02)


def test_the_scales_of_features_do_not_matter(problem, plain):
    X, y = problem
    scales = np.array([1e9, 1e-9] * 5)
    assert error(X * scales, y) == pytest.approx(plain, rel=0.02)


@pytest.mark.parametrize("column", ["constant", "rare category", "cauchy"])
def test_a_column_that_says_nothing_costs_little(problem, plain, column, rng):
    X, y = problem
    extra = {
        "constant": np.full(2 * N, 7.0),
        "rare category": np.isin(np.arange(2 * N), [5, N + 5]).astype(float),
        "cauchy": rng.standard_cauchy(2 * N),
    }[column]
    assert error(np.column_stack([X, extra]), y) < 1.15 * plain


def test_heavy_tails_of_a_feature_that_matters(problem, plain):
    X, y = problem
    heavy = X.copy()
    heavy[:, 3] = np.tan(np.pi * (X[:, 3] - 0.5))  # a Cauchy variable; it matters most
    assert error(heavy, y) < 1.5 * plain


def test_heavy_tails_of_the_noise(problem, rng):
    X, y = problem
    y = y + 0.1 * rng.standard_cauchy(2 * N)
    model = FFNNRegressor((32, 32), max_iter=100, random_state=0).fit(X[:N], y[:N])
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize("n", [3, 10])
def test_a_handful_of_rows(n, rng):
    X = rng.normal(size=(n, 3))
    model = FFNNRegressor(random_state=0).fit(X, X[:, 0])
    assert np.isfinite(model.predict(rng.normal(size=(50, 3)))).all()
    assert np.abs(model.predict(X) - X[:, 0]).max() < 3 * X[:, 0].std()


def test_more_columns_than_rows(rng):
    factors = rng.normal(size=(240, 5))  # what wide tables have in place of rows
    X = factors @ rng.normal(size=(5, 300)) + rng.normal(size=(240, 300))
    y = factors[:, 0] + np.abs(factors[:, 1])
    model = FFNNRegressor((32, 32), random_state=0).fit(X[:120], y[:120])
    residual = model.predict(X[120:]) - y[120:]
    assert np.sqrt(np.mean(residual**2)) < 0.5 * y.std()
