"""The learning-rate range test, its picture and its two numbers."""

from warnings import catch_warnings, simplefilter

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skffnn import FFNNRegressor, LearningRateDisplay
from skffnn.inspection.range_test import _read, range_test

pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def _agg():
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def friedman():
    return make_friedman1(n_samples=600, noise=1.0, random_state=0)


def display_of(model, X, y, **options):
    return LearningRateDisplay.from_estimator(model, X, y, **options)


def test_targets_that_are_far_off_hide_no_rate(friedman):
    X, y = friedman
    model = FFNNRegressor((32, 32), loss="huber", weight_decay=0.1, random_state=0)
    found = []
    for far in (1e4, 1e20):
        wrong = np.where(np.arange(len(y)) < 3, far, y)
        found.append(display_of(model, X, wrong))
    low, high = found[0].steepest, found[0].largest_safe
    assert 1e-4 < low < high < 1
    assert (found[1].steepest, found[1].largest_safe) == (low, high)


@pytest.mark.parametrize(
    ("solver", "weight_decay"), [("adam", 0.1), ("sgd", 0.1 / 200)]
)
def test_the_rates_between_the_two_learn_and_those_beyond_do_not(
    friedman, solver, weight_decay
):
    X, y = friedman
    model = FFNNRegressor(
        (32, 32), solver=solver, weight_decay=weight_decay, random_state=0, max_iter=60
    )
    display = display_of(model, X, y)
    low, high = display.steepest, display.largest_safe
    assert 1e-5 < low < high < 10

    def r2(rate):
        with catch_warnings():
            simplefilter("ignore", ConvergenceWarning)
            try:
                fitted = clone(model).set_params(learning_rate=rate).fit(X, y)
            except FloatingPointError:  # it diverged
                return 0.0
        return fitted.score(X, y)

    middle = r2((low * high) ** 0.5)
    assert middle > 0.9
    assert r2(low / 100) < middle - 0.2
    assert r2(100 * high) < middle - 0.2


def test_what_is_drawn(friedman):
    display = display_of(FFNNRegressor(8, random_state=0), *friedman)
    [curve] = display.lines_
    np.testing.assert_array_equal(curve.get_xdata(), display.learning_rates)
    np.testing.assert_array_equal(curve.get_ydata(), display.losses)
    assert display.ax_.figure is display.figure_
    assert display.ax_.get_xscale() == "log"
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == [
        f"steepest: {display.steepest:.2g}",
        f"largest safe: {display.largest_safe:.2g}",
    ]
    rates = [line.get_xdata()[0] for line in display.ax_.lines[1:]]
    assert rates == [display.steepest, display.largest_safe]


def test_rates_grow_by_one_factor_between_the_bounds(friedman):
    display = display_of(
        FFNNRegressor(8, random_state=0), *friedman, lowest=1e-4, highest=0.1
    )
    rates = np.asarray(display.learning_rates)
    growth = rates[1:] / rates[:-1]
    np.testing.assert_allclose(growth, growth[0])
    assert 1e-4 <= rates[0] < 1.2e-4
    assert 0.08 < rates[-1] <= 0.1


def test_draws_on_given_axes(friedman):
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    display = display_of(FFNNRegressor(8, random_state=0), *friedman, ax=ax)
    assert display.ax_ is ax
    assert display.plot().ax_ is not ax


def test_nothing_of_the_estimator_changes(friedman):
    X, y = friedman
    random_state = np.random.RandomState(0)
    model = FFNNRegressor(8, random_state=random_state, early_stopping=True)
    before = model.get_params(), random_state.get_state()[1].copy()
    display_of(model, X, y)
    assert model.get_params() == before[0]
    np.testing.assert_array_equal(random_state.get_state()[1], before[1])
    assert not hasattr(model, "theta_")
    assert not hasattr(model, "n_features_in_")
    fitted = FFNNRegressor(8, max_iter=5, random_state=0).fit(X, y)
    theta = fitted.theta_.copy()
    display_of(fitted, X[:, :3], y)
    np.testing.assert_array_equal(fitted.theta_, theta)
    assert fitted.n_features_in_ == 10


def test_the_same_seed_gives_the_same_curve(friedman):
    model = FFNNRegressor(8, dropout=0.2, random_state=3)
    first, second = (range_test(model, *friedman, None, 1e-5, 10) for _ in range(2))
    np.testing.assert_array_equal(first.losses, second.losses)


def test_units_are_the_targets(friedman):
    X, y = friedman
    model = FFNNRegressor(8, random_state=0)
    small, large = display_of(model, X, y), display_of(model, X, 1000 * y + 5)
    np.testing.assert_allclose(large.losses, 1e6 * np.asarray(small.losses), rtol=1e-3)
    assert large.largest_safe == small.largest_safe


def test_a_pipeline_is_fitted_as_a_clone(friedman):
    X, y = friedman
    pipeline = make_pipeline(
        PolynomialFeatures(2), StandardScaler(), FFNNRegressor(8, random_state=0)
    )
    display = display_of(pipeline, X, y)
    assert not hasattr(pipeline[1], "mean_")
    direct = display_of(pipeline[-1], clone(pipeline[:-1]).fit_transform(X), y)
    np.testing.assert_array_equal(display.losses, direct.losses)
    alone = display_of(make_pipeline(pipeline[-1]), X, y)
    assert len(alone.losses) > 10


@pytest.mark.parametrize("n", [1, 2, 20, 45])
def test_few_rows(n, friedman):
    X, y = friedman
    display = display_of(FFNNRegressor(8, random_state=0), X[:n], y[:n])
    assert display.steepest <= display.largest_safe


def test_weighted_rows_and_several_outputs(friedman):
    X, y = friedman
    Y, weight = np.c_[y, -y], np.r_[np.zeros(300), np.ones(300)]
    model = FFNNRegressor(8, random_state=0)
    weighted = display_of(model, X, Y, sample_weight=weight)
    half = display_of(model, X[300:], Y[300:])
    np.testing.assert_allclose(weighted.losses[0], half.losses[0], rtol=0.3)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (Ridge(), {}, "takes an FFNNRegressor, or a pipeline that ends in one; got Ri"),
        (make_pipeline(Ridge()), {}, "got Ridge"),
        (FFNNRegressor(solver="lbfgs"), {}, "'lbfgs' has no learning rate to look for"),
        (FFNNRegressor(), {"lowest": 0}, "must grow, from above 0 .* got 0 to 10"),
        (FFNNRegressor(), {"lowest": 1, "highest": 0.1}, "must grow"),
        (FFNNRegressor(), {"highest": np.inf}, "to a finite number"),
        (FFNNRegressor(activation="cubic"), {}, "activation must be"),
    ],
)
def test_what_makes_no_sense_is_said(model, options, message, friedman):
    with pytest.raises(ValueError, match=message):
        display_of(model, *friedman, **options)


# Reading the curve --------------------------------------------------------------------

RATES = np.geomspace(1e-4, 1, 41)


def test_reads_a_valley():
    """It falls from 1 to 0.01 between 1e-3 and 1e-2 and rises again from 1e-1."""
    exponent = np.log10(RATES)
    losses = 10 ** (-2 * np.clip(exponent + 3, 0, 1) + 2 * np.clip(exponent + 1, 0, 1))
    read = _read(RATES, losses)
    assert 1e-3 < read.steepest < 1e-2
    # 0.0125 is reached just after 1e-1, RATES[30], but a mean of five points sees what
    # is two points ahead.
    assert read.largest_safe == RATES[29]


def test_reads_a_curve_that_never_rises():
    read = _read(RATES, np.linspace(1, 0.1, 41))
    assert read.largest_safe == RATES[-1]


def test_reads_a_curve_that_never_falls():
    read = _read(RATES, np.linspace(1, 2, 41))
    assert read.steepest == RATES[0]
    assert 1.2 < np.interp(read.largest_safe, RATES, np.linspace(1, 2, 41)) < 1.3


def test_reads_what_has_blown_up():
    losses = np.r_[np.linspace(1, 0.1, 39), 1e300, np.inf]
    assert _read(RATES, losses).largest_safe < RATES[39]
    with pytest.raises(ValueError, match="begin with a lower learning rate"):
        _read(RATES[:5], np.array([1.0, 2, 9, np.nan, np.inf]))


@pytest.mark.parametrize("columns", [["town", "street", "age"], ["town"]])
def test_a_table_as_it_is(rng, columns):
    X = pd.DataFrame({"age": rng.uniform(0, 9, 300)})
    X["town"] = rng.choice(["Bonn", "Rome"], 300)
    X["street"] = rng.integers(0, 40, 300).astype(str)
    y = X["age"] + 5 * (X["town"] == "Rome")
    X.loc[::5, ["age", "town"]] = np.nan, None
    model = FFNNRegressor(8, weight_decay=0.1, random_state=0)
    alone = display_of(model, X[columns], y)
    assert 1e-5 < alone.steepest < alone.largest_safe < 10
    behind = display_of(make_pipeline("passthrough", model), X[columns], y)
    np.testing.assert_array_equal(behind.losses, alone.losses)
