"""Rows of y that are far off: signal where X foretells them, else outliers."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning

from skffnn import FFNNEnsembleRegressor, FFNNRegressor
from skffnn.preprocessing import outliers, scaling
from skffnn.preprocessing.checks import Table
from skffnn.preprocessing.encoding import raw_data

FAR = [1e4, 1e20]


def scales(X, *targets, weight=None):
    """The robust scale of each target, and what becomes of it."""
    Y = np.column_stack(targets)
    rows = range(len(Y)) if weight is None else np.flatnonzero(weight)
    x = scaling.input_statistics(X, rows, weight, scaling.extremes(X, rows))
    y = scaling.robust_statistics(Y, rows, weight)
    table = Table(X, Y, weight, 2, False)
    inputs = raw_data(None, table.rows, x)
    return y[1], outliers.reaching(table, inputs, rows, scaling.Scaling(*x, *y))


def rare(rng, n=3000, noise=1e-5, share=0.03):
    """Most rows are noise; what counts is where the first column is extreme."""
    X = rng.uniform(-1, 1, (n, 3))
    there = np.abs(X[:, 0]) > 1 - share
    y = np.where(there, np.sign(X[:, 0]) * X[:, 1], noise * rng.normal(size=n))
    return X, y, there


def spoilt(rng, far, share, n=1000):
    """A smooth function, and some rows of it that are far off."""
    X = rng.uniform(-2, 2, (n, 2))
    truth = np.sin(2 * X[:, 0]) + X[:, 1]
    y, wrong = truth.copy(), rng.permutation(n)[: max(1, round(share * n))]
    y[wrong] = far * rng.normal(size=len(wrong))
    return X, y, truth, np.setdiff1d(np.arange(n), wrong)


# The rule -----------------------------------------------------------------------------


@pytest.mark.parametrize("far", FAR)
@pytest.mark.parametrize("share", [0.001, 0.01, 0.03, 0.1, 0.2])
def test_rows_that_lie_anywhere_are_outliers(rng, far, share):
    X, y, *_ = spoilt(rng, far, share, n=2000)
    before, after = scales(X, y)
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("far", FAR)
def test_outliers_on_one_side_are_outliers(rng, far):
    X, y, truth, _ = spoilt(rng, far, 0.03)
    before, after = scales(X, np.where(y == truth, y, far))
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("n_far", [5, 6, 8, 12])
def test_a_handful_of_rows_is_foretold_by_no_chance(n_far):
    for seed in range(4):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(200, 3)), rng.normal(size=200)
        y[rng.permutation(200)[:n_far]] = 1e4
        before, after = scales(X, y)
        np.testing.assert_array_equal(after, before)
        noise = 1e-5 * rng.normal(size=200)
        there = X[:, 0] >= np.sort(X[:, 0])[-n_far]
        before, after = scales(X, np.where(there, 2.0, noise))
        assert after > before or n_far < 8


@pytest.mark.parametrize("noise", [0.0, 1e-300, 1e-9, 1e-5, 1e-3])
def test_rows_that_x_foretells_are_signal_whatever_the_others_are(rng, noise):
    """As equal ones, as nearly equal ones."""
    X, y, there = rare(rng, noise=noise)
    _, after = scales(X, y)
    typical = np.median(np.abs(y[there]))
    assert 0.8 * typical < after[0] < 1.2 * typical


def test_the_scale_grows_without_a_jump(rng):
    X, found = rng.uniform(-1, 1, (1000, 2)), []
    noise, there = rng.normal(size=1000), np.abs(X[:, 0]) > 0.95
    for distance in np.geomspace(5, 1e4, 25):
        before, after = scales(X, np.where(there, distance, noise))
        found.append((distance, after[0] / before[0]))
    for (d, scale), (wider_d, wider) in pairwise(found):
        assert scale <= wider <= scale + 1.1 * (wider_d - d)
    assert found[0][1] == 1
    assert found[-1][1] > 9000


def test_heavy_tails_have_no_gap_and_are_left_alone(rng):
    X = rng.normal(size=(2000, 3))
    skewed = np.exp(X[:, 0]), np.exp(2 * X[:, 0])
    for y in (rng.standard_cauchy(2000), *skewed, X[:, 0] ** 3):
        before, after = scales(X, y)
        np.testing.assert_array_equal(after, before)


def test_distances_that_no_float_holds_are_those_of_outliers(rng):
    X, y, there = rare(rng)
    y[there] = np.where(y[there] > 0, 1.7e308, -1.7e308)
    y[~there] -= 1e308
    before, after = scales(X, y)
    np.testing.assert_array_equal(after, before)


def test_each_output_has_its_own_scale(rng):
    X, y, _ = rare(rng)
    before, after = scales(X, y, X[:, 0])
    assert after[0] > 1000 * before[0]
    assert after[1] == before[1]


def test_x_may_be_sparse_far_off_or_wide(rng):
    X, y, _ = rare(rng)
    _, expected = scales(X, y)
    wide = np.c_[X, rng.normal(size=(3000, 100))]
    for same in (csr_array(X), X * [1e100, 1e-100, 1], X.astype(np.float32), wide):
        np.testing.assert_allclose(scales(same, y)[1], expected, rtol=1e-2)


def test_rows_of_no_weight_say_nothing(rng):
    X, y, there = rare(rng)
    before, after = scales(X, y, weight=np.where(there, 0.0, 1.0))
    np.testing.assert_array_equal(after, before)


# Fits ---------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [0.0, 1e-5])
def test_huber_learns_rare_signal_as_squared_errors_do(rng, noise):
    X, y, _ = rare(rng, n=2000, noise=noise, share=0.1)
    for loss in ("squared_error", "huber"):
        model = FFNNRegressor(
            (32, 32), loss=loss, random_state=0, learning_rate=0.01, weight_decay=0.1
        )
        assert model.fit(X[:1500], y[:1500]).score(X[1500:], y[1500:]) > 0.85


@pytest.mark.parametrize("loss", ["huber", "absolute_error", "quantile"])
@pytest.mark.parametrize("far", FAR)
def test_robust_losses_are_not_led_astray_by_outliers(rng, loss, far):
    X, y, truth, right = spoilt(rng, far, 0.03)
    model = FFNNRegressor(32, loss=loss, random_state=0, weight_decay=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, y)
    assert model.score(X[right], truth[right]) > 0.98


def test_signal_that_a_loss_does_not_learn_is_warned_of(rng):
    X, y, _ = rare(rng)
    model = FFNNRegressor(loss="absolute_error", random_state=0, weight_decay=0.1)
    with pytest.warns(ConvergenceWarning, match="no better.*loss='squared_error'"):
        model.fit(X, y)
    assert model._advice[0] == "loss='squared_error'"


def test_other_losses_and_given_scales_are_left_alone(rng):
    X, y, _ = rare(rng, n=500)
    given = {"y_mean": 0.0, "y_scale": 1e-5}
    for parameters in ({"loss": "squared_error"}, {"standardize": given}):
        model = FFNNRegressor(
            **{"loss": "huber", "max_iter": 1, "random_state": 0, **parameters}
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, y)
        expected = 1e-5 if "standardize" in parameters else y.std()
        np.testing.assert_allclose(model.y_scale_, expected)


def test_an_ensemble_has_the_same_scale(rng):
    X, y, _ = rare(rng)
    network = FFNNRegressor(8, loss="huber", max_iter=1, weight_decay=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        alone = network.set_params(random_state=0).fit(X, y)
        several = FFNNEnsembleRegressor(network, 2, random_state=0).fit(X, y)
    for each in several.estimators_:
        np.testing.assert_array_equal(each.y_scale_, alone.y_scale_)
