"""Statistics that the user gives, in place of those of the rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skffnn import FFNNGridSearchCV, FFNNRegressor

few_epochs = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.{ConvergenceWarning.__name__}"
)


def model_of(**parameters):
    return FFNNRegressor(
        (8,), max_iter=12, weight_decay=0.1, random_state=0, **parameters
    )


def statistics_of(X, y):
    x, target = StandardScaler().fit(X), StandardScaler().fit(np.c_[y])
    return {
        "x_mean": x.mean_,
        "x_scale": x.scale_,
        "y_mean": target.mean_,
        "y_scale": target.scale_,
    }


def test_those_of_the_rows_give_the_same_model(table):
    X, y = table
    given = model_of(standardize=statistics_of(X, y)).fit(X, y)
    np.testing.assert_array_equal(given.theta_, model_of().fit(X, y).theta_)


@few_epochs
@pytest.mark.parametrize("side", ["x", "y"])
def test_what_is_not_given_is_left_to_the_rows(table, side):
    X, y = table
    given = {k: 2 * v for k, v in statistics_of(X, y).items() if k[0] == side}
    model = model_of(standardize=given).fit(X, y)
    whole = model_of().fit(X, y)
    for name in ("x_mean", "x_scale", "y_mean", "y_scale"):
        factor = 2 if name[0] == side else 1
        expected = factor * getattr(whole, f"{name}_")
        np.testing.assert_array_equal(getattr(model, f"{name}_"), expected)


def test_a_stream_is_on_the_scale_of_the_whole(table):
    X, y = table
    order = np.argsort(y)  # the first piece is like no other
    pieces = [(X[rows], y[rows]) for rows in np.array_split(order, 3)]
    scaler, y_scaler = StandardScaler(), StandardScaler()
    for X_piece, y_piece in pieces:
        scaler.partial_fit(X_piece)
        y_scaler.partial_fit(np.c_[y_piece])
    model = model_of(
        standardize={
            "x_mean": scaler.mean_, "x_scale": scaler.scale_,
            "y_mean": y_scaler.mean_, "y_scale": y_scaler.scale_,
        }
    )  # fmt: skip
    for X_piece, y_piece in pieces:
        model.partial_fit(X_piece, y_piece)
    np.testing.assert_allclose(model.y_mean_, y.mean())
    np.testing.assert_allclose(model.x_scale_, X.std(axis=0))
    of_the_first = model_of().partial_fit(*pieces[0])
    assert abs(of_the_first.y_mean_[0] - y.mean()) > y.std() / 2


def test_a_number_is_enough_for_one_column(table):
    X, y = table
    model = model_of(standardize={"y_mean": 50, "y_scale": 3.0}).fit(X, y)
    assert model.y_mean_.tolist() == [50.0]
    assert model.y_scale_.tolist() == [3.0]


@few_epochs
def test_several_are_searched_one_by_one(table):
    X, y = table
    X = np.hstack([X] * 400)  # long arrays, which differ in the middle
    one = statistics_of(X, y)
    other = {**one, "x_scale": np.where(np.arange(1600) == 801, 1e3, one["x_scale"])}
    grid = {"standardize": [one, other, True]}
    search = FFNNGridSearchCV(model_of(), grid, cv=2, refit=False).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert len(set(scores)) == 3
    assert search.cv_results_["params"][0]["standardize"] is one


def test_going_on_stays_with_them(table):
    X, y = table
    given = statistics_of(X, y)
    model = model_of(standardize=given).partial_fit(X[:20], y[:20])
    model.set_params(standardize=True).partial_fit(X, y)
    np.testing.assert_array_equal(model.x_mean_, given["x_mean"])
    assert clone(model).standardize is True


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x_mean": [0] * 4}, "both 'x_mean' and 'x_scale', or neither"),
        ({"mean": [0] * 4}, "has no 'mean': give x_mean"),
        ({"y_mean": [1, 2], "y_scale": 1}, r"shape \(2,\), but there are 1 columns"),
        ({"y_mean": 1, "y_scale": 0}, "the scale positive"),
        ({"x_mean": [np.nan] * 4, "x_scale": [1] * 4}, "must be finite"),
        ({"y_mean": "a", "y_scale": 1}, "'y_mean' of standardize must be numbers"),
        ("yes", "True, False or a dict of statistics; got 'yes'"),
    ],
)
def test_what_makes_no_sense_is_an_error(table, given, message):
    with pytest.raises(ValueError, match=message):
        model_of(standardize=given).fit(*table)


def test_a_target_with_units_of_its_own_has_no_statistics(table):
    X, y = table
    model = model_of(standardize={"y_mean": 0, "y_scale": 2}, loss="poisson")
    with pytest.raises(ValueError, match="leave 'y_mean' and 'y_scale' out"):
        model.fit(X, y)


def test_they_are_copies(table):
    X, y = table
    given = statistics_of(X, y)
    model = model_of(standardize=given).fit(X, y)
    before = model.predict(X)
    given["x_mean"] += 5
    np.testing.assert_array_equal(model.predict(X), before)


def test_none_at_all_is_the_default(table):
    X, y = table
    model = model_of(standardize={}).fit(X, y)
    np.testing.assert_array_equal(model.theta_, model_of().fit(X, y).theta_)


def test_a_series_is_matched_by_its_names(table):
    X, y = table
    frame = pd.DataFrame(X, columns=["d", "a", "c", "b"])
    order = ["a", "b", "c", "d"]
    given = {"x_mean": frame.mean()[order], "x_scale": frame.std(ddof=0)[order]}
    model = model_of(standardize=given).fit(frame, y)
    np.testing.assert_allclose(model.x_mean_, X.mean(axis=0))
    np.testing.assert_allclose(model.x_scale_, X.std(axis=0))
