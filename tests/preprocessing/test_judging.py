"""What predictions are judged by is refused as `fit` refuses it."""

import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
    evaluate,
)
from skffnn.preprocessing.judging import check_truth

N = 40
NETWORK = FFNNRegressor(4, max_iter=20, weight_decay=0.1, random_state=0)
ESTIMATORS = {
    "network": NETWORK,
    "bayesian": BayesianFFNNRegressor(3, n_restarts=1, random_state=0),
    "ensemble": FFNNEnsembleRegressor(NETWORK, 2, random_state=0),
    "search": FFNNGridSearchCV(NETWORK, {"learning_rate": [0.02, 0.05]}, cv=2),
    "pipeline": make_pipeline("passthrough", NETWORK),
}
NUMBERS = np.arange(N) / N
X, Y = np.c_[NUMBERS, NUMBERS**2], np.sin(9 * NUMBERS)
DAYS = pd.date_range("2020-01-01", periods=N)


def beginning_with(value):
    return [value, *Y[1:].tolist()]


# What is no target, and what is said of it.
WRONG = {
    "dates": (DAYS.to_numpy(), "dates or times"),
    "a Series of dates": (pd.Series(DAYS), "dates or times"),
    "durations": ((DAYS - DAYS[0]).to_numpy(), "dates or times"),
    "NaT": (beginning_with(np.datetime64("NaT")), "dates or times"),
    "a large whole number": (beginning_with(10**400), "no float can hold"),
    "a signaling NaN": (beginning_with(Decimal("sNaN")), "no float can hold"),
    "NaN": (beginning_with(np.nan), "contains NaN: 1 of 40 values"),
    "infinity": (beginning_with(np.inf), "infinity"),
    "objects": (np.array([object()] * N), "no numbers"),
    "an iterator": (iter(Y), "read once"),
    "a set": (set(Y), "no order"),
}
if np.longdouble(2) ** 16_000 < np.inf:
    WRONG["a long double"] = np.r_[np.longdouble(2) ** 16_000, Y[1:]], "infinity"


@pytest.fixture(scope="module")
def fitted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: clone(each).fit(X, Y) for name, each in ESTIMATORS.items()}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", ESTIMATORS)
def test_no_estimator_is_judged_by_what_is_no_number(fitted, name, kind):
    wrong, told = WRONG[kind]
    with pytest.raises((ValueError, TypeError), match=rf"^(Input )?y .*{told}"):
        fitted[name].score(X, wrong)


@pytest.mark.parametrize("name", ["network", "bayesian", "ensemble"])
def test_nor_are_weights_anything_else(fitted, name):
    wrong = DAYS.to_numpy()
    with pytest.raises(ValueError, match=r"^sample_weight has dates or times"):
        fitted[name].score(X, Y, sample_weight=wrong)


@pytest.mark.parametrize("kind", WRONG)
def test_a_search_and_an_evaluation_refuse_it_before_they_begin(kind):
    wrong, told = WRONG[kind]
    for begin in (
        lambda: clone(ESTIMATORS["search"]).fit(X, wrong),
        lambda: evaluate(NETWORK, X, wrong),
    ):
        with pytest.raises((ValueError, TypeError), match=rf"^(Input )?y .*{told}"):
            begin()
    if kind == "dates":
        with pytest.raises(ValueError, match=r"^sample_weight has dates"):
            clone(ESTIMATORS["search"]).fit(X, Y, sample_weight=wrong)


def test_a_lazy_target_and_a_column_that_is_to_be_computed(fitted):
    polars = pytest.importorskip("polars")
    for wrong, told in (
        (polars.LazyFrame({"y": Y}), r"y\.collect\(\)"),
        (polars.col("y"), r"frame\.select\(y\)"),
    ):
        for model in fitted.values():
            with pytest.raises(ValueError, match=told):
                model.score(X, wrong)
        with pytest.raises(ValueError, match=told):
            clone(NETWORK).fit(X, wrong)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_score_is_that_of_scikit_learn(fitted, name):
    model = fitted[name]
    assert model.score(X, Y) == r2_score(Y, model.predict(X))
    assert model.score(X, pd.Series(Y)) == model.score(X, list(Y))
    weight = 1 + NUMBERS
    if name in ("network", "bayesian", "ensemble"):
        expected = r2_score(Y, model.predict(X), sample_weight=weight)
        assert model.score(X, Y, sample_weight=weight) == expected


def test_errors_that_cannot_be_squared_are_told_of_by_us_alone():
    model = FFNNRegressor((), max_iter=200, weight_decay=0.1, random_state=0)
    model.fit(X, X[:, 0])
    far = np.r_[X[:-1], [[1e300, 1.0]]]
    with pytest.warns(UserWarning, match="too large to be squared") as record:
        assert model.score(far, Y) == -np.inf
    assert not [each for each in record if each.category is RuntimeWarning]


def test_a_search_over_long_doubles_says_nothing_of_numpys():
    far = np.r_[X[:-1], [[1e150, 1.0]]].astype(np.longdouble)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        clone(ESTIMATORS["search"]).fit(far, Y)
    assert RuntimeWarning not in {each.category for each in told}


def test_numbers_of_any_kind_are_numbers():
    for values in (Y, list(Y), pd.Series(Y), Y.astype(object), Y > 0, np.c_[Y, Y]):
        check_truth(values, "y")
