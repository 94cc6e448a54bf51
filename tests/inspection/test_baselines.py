"""What models are compared with: linear regression reads the tables that they read."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
    evaluate,
)
from skffnn.inspection.baselines import LEVELS, LinearTwin

NETWORK = FFNNRegressor(4, max_iter=20, weight_decay=0.1, random_state=0)
READERS = {
    "network": NETWORK,
    "pipeline": make_pipeline("passthrough", NETWORK),
    "ensemble": FFNNEnsembleRegressor(NETWORK, 2, random_state=0),
    "bayesian": BayesianFFNNRegressor(3, n_restarts=1, random_state=0),
    "search": FFNNGridSearchCV(NETWORK, {"learning_rate": [0.02, 0.05]}, cv=2),
    "another search": GridSearchCV(
        make_pipeline("passthrough", NETWORK),
        {"ffnnregressor__learning_rate": [0.02]},
        cv=2,
    ),
    "target": TransformedTargetRegressor(NETWORK),
}


@pytest.fixture
def flats(rng):
    """Categories, many and few, gaps in both kinds, and a rent that is a sum."""
    n = 200
    X = pd.DataFrame(
        {
            "area": rng.uniform(20, 150, n),
            "age": rng.uniform(0, 100, n),
            "town": rng.choice(["Bonn", "Oslo", "Rome"], n),
            "street": rng.choice([f"street {k}" for k in range(20)], n),
            "lift": rng.random(n) < 0.5,
        }
    )
    rent = X["area"] + X["town"].map({"Bonn": 0, "Oslo": 50, "Rome": 100})
    rent += 20 * X["lift"]
    X.loc[::7, "age"] = np.nan
    missing = np.arange(n) % 9 == 0
    X.loc[missing, "town"] = None
    return X, rent.mask(missing, 70.0)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("reader", READERS)
def test_whatever_reads_a_mixed_table_has_its_baselines(flats, reader):
    found = evaluate(READERS[reader], *flats, random_state=0)
    assert list(found.baselines) == ["linear regression", "mean"]
    assert found.baselines["linear regression"].test_r2 > 0.8
    assert found.note == ""
    html = found._repr_html_()
    assert html.count("<tr>") == 4
    assert "linear regression" in html
    assert "nan" not in html


def test_boosting_has_the_same_baselines(flats):
    X, y = flats
    X = X.astype({"town": "category", "street": "category"})
    boosting = HistGradientBoostingRegressor(categorical_features="from_dtype")
    of_boosting = evaluate(boosting, X, y, random_state=0).baselines
    assert of_boosting == evaluate(NETWORK, X, y, random_state=0).baselines


@pytest.mark.parametrize("columns", [["town"], ["town", "street"], ["age"]])
def test_columns_of_one_kind(flats, columns):
    X, y = flats
    found = evaluate(NETWORK, X[columns], y, random_state=0)
    assert list(found.baselines) == ["linear regression", "mean"]


def test_levels_and_gaps_that_were_not_there_at_fit(flats):
    X, y = flats
    X = X.astype({"town": object})
    X.loc[190:, "town"], X.loc[195, "area"] = "Lima", np.nan
    with pytest.warns(UserWarning, match="gaps in columns that had none"):
        found = evaluate(NETWORK, X, y, test_size=20, shuffle=False)
    assert np.isfinite(found.baselines["linear regression"]).all()
    with pytest.warns(UserWarning, match="gaps in columns that had none"):
        found = evaluate(NETWORK, X[["area"]], y, test_size=20, shuffle=False)
    assert np.isfinite(found.baselines["linear regression"]).all()


def test_categories_are_those_of_the_estimator(rng):
    """Numbers that an estimator takes for names are names to linear regression."""
    X = rng.integers(0, 3, 150)[:, None].astype(float)
    y = np.array([5.0, -5.0, 5.0])[X[:, 0].astype(int)]
    model = clone(NETWORK).set_params(categorical_features=[0])
    assert evaluate(model, X, y, random_state=0).baselines[
        "linear regression"
    ].test_r2 == pytest.approx(1)
    linear = evaluate(NETWORK, X, y, random_state=0).baselines["linear regression"]
    assert linear.test_r2 < 0.1


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_tables_of_other_libraries(flats, library):
    module = pytest.importorskip(library)
    X, y = flats
    other = (
        module.from_pandas(X) if library == "polars" else module.Table.from_pandas(X)
    )
    expected = evaluate(NETWORK, X, y, random_state=0)
    found = evaluate(NETWORK, other, y.to_numpy(), random_state=0)
    assert found.scores == expected.scores
    assert found.baselines == expected.baselines


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, csr_array])
def test_numbers_are_fitted_as_they_were_passed(table, container):
    X, y = table
    X = container(X)
    expected = LinearRegression().fit(X, y).predict(X)
    np.testing.assert_array_equal(LinearTwin().fit(X, y).predict(X), expected)


def test_it_is_least_squares_on_columns_of_zeros_and_ones(flats):
    X, y = flats
    by_hand = pd.get_dummies(X[["town", "street"]], dummy_na=True).astype(float)
    by_hand["area"], by_hand["lift"] = X["area"], X["lift"].astype(float)
    by_hand["gap"] = X["age"].isna().astype(float)
    by_hand["age"] = X["age"].fillna(X["age"].mean())
    expected = LinearRegression().fit(by_hand, y).predict(by_hand)
    np.testing.assert_allclose(LinearTwin().fit(X, y).predict(X), expected, rtol=1e-3)


def test_levels_beyond_some_share_a_coefficient(rng):
    X = pd.DataFrame({"shop": [f"n{k}" for k in rng.integers(0, 3 * LEVELS, 2000)]})
    twin = LinearTwin().fit(X, rng.normal(size=2000))
    assert twin.linear_.coef_.shape == (LEVELS,)
    assert np.isfinite(twin.predict(pd.DataFrame({"shop": ["none"]}))).all()
