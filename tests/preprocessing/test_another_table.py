"""Tables that are not those of an earlier fit, and gaps that NumPy does not know."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context

from skffnn import FFNNRegressor

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning", "ignore:X has gaps"
)
QUICK = {
    "hidden_layer_sizes": 4,
    "max_iter": 2,
    "weight_decay": 0.1,
    "random_state": 0,
}


def table_of(n_columns, gaps):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, n_columns))
    if gaps:
        X[::7] = np.nan
    names = [f"c{k}" for k in range(n_columns)]
    return pd.DataFrame(X, columns=names), rng.normal(size=60)


@pytest.mark.parametrize("earlier", [(1, True), (1, False), (3, False)])
def test_validation_rows_are_not_held_against_an_earlier_fit(earlier):
    model = FFNNRegressor(**QUICK).fit(*table_of(*earlier))
    X, y = table_of(3, gaps=True)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        model.fit(X, y, X_val=X, y_val=y)
    assert not [each for each in heard if "had none at fit" in str(each.message)]
    assert model.n_features_in_ == 3


@pytest.mark.parametrize("text", [False, True])
def test_na_among_objects_is_a_gap(text):
    X, y = table_of(2, gaps=True)
    if text:
        X["t"] = ["a", "b", "c"] * 20
    NA = X.assign(c0=X["c0"].astype(object).where(X["c0"].notna(), pd.NA))
    model, same = FFNNRegressor(**QUICK).fit(X, y), FFNNRegressor(**QUICK).fit(NA, y)
    np.testing.assert_array_equal(model.predict(X), same.predict(NA))
    assert NA["c0"][0] is pd.NA


def test_categories_are_not_made_objects_of_to_look_for_dates():
    X, y = table_of(1, gaps=False)
    X["t"] = pd.Categorical(pd.to_datetime(["2020-01-01", "2021-01-01", None] * 20))
    with pytest.raises(ValueError, match="dates or times in t"):
        FFNNRegressor(**QUICK).fit(X, y)


@pytest.mark.parametrize("gaps_at_fit", [True, False])
def test_gaps_beside_categories_are_filled_whatever_may_be_assumed(gaps_at_fit):
    X, y = table_of(2, gaps=gaps_at_fit)
    rows = table_of(2, gaps=True)[0]
    model = FFNNRegressor(**QUICK).fit(X.assign(t=["a", "b", "c"] * 20), y)
    predicted = model.predict(rows.assign(t="a"))
    with config_context(assume_finite=True):
        np.testing.assert_array_equal(model.predict(rows.assign(t="a")), predicted)
