"""What a fitted model consists of is enough to predict with."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skffnn import BayesianFFNNRegressor, FFNNEnsembleRegressor, FFNNRegressor
from skffnn.core.activations import activation_of
from skffnn.core.data import Data
from skffnn.core.layout import Layout
from skffnn.core.network import Network
from skffnn.preprocessing.encoding import ONE_HOT

SMALL = FFNNRegressor((6, 4), activation="tanh", max_iter=20, random_state=0)
MODELS = {
    "network": SMALL,
    "ensemble": FFNNEnsembleRegressor(SMALL, 3, random_state=0),
    "bootstrap": FFNNEnsembleRegressor(SMALL, 3, bootstrap=True, random_state=0),
    "committee": BayesianFFNNRegressor(4, n_restarts=3, random_state=0),
}


def predicted(networks, X):
    """The sum over the networks of what each predicts, in the target's units."""
    K = len(np.atleast_2d(networks.theta))
    x = [
        np.broadcast_to(part, (K, 1, part.shape[-1]))[:, 0]
        for part in (networks.x_mean, networks.x_scale, networks.x_limit)
    ]
    scale = np.broadcast_to(networks.y_scale, (K, 1, networks.units[-1]))[:, 0]
    total = np.tile(networks.y_mean, (len(X), 1)).astype(float)
    for k, theta in enumerate(np.atleast_2d(networks.theta)):
        data = Data(X, None, None, None, *(part[k] for part in x))
        total += (
            Network(networks.units, networks.activations).predict(theta, data)
            * scale[k]
        )
    return total if networks.y_ndim == 2 else total[:, 0]


@pytest.mark.parametrize("name", MODELS)
def test_it_is_enough_to_predict_with(table, name):
    X, y = table
    model = MODELS[name].fit(X, y)
    np.testing.assert_allclose(predicted(model._description(), X), model.predict(X))


def test_infinity_is_the_largest_number_of_the_dtype(table):
    networks = (
        SMALL.fit(*table)._description()._replace(x_limit=np.array([4.0, np.inf]))
    )
    limit = networks.finite_limit(np.float32)
    assert limit.dtype == np.float32
    assert limit.tolist() == [4, np.finfo(np.float32).max]


# Categories and gaps ------------------------------------------------------------------


def codes(lookup, values):
    """The code of each value of a column of categories, or of one with gaps."""
    if lookup.levels is None:
        return values.isna().astype(int).to_numpy()
    n = len(lookup.levels)
    place = dict(zip(lookup.levels, range(n), strict=True))
    return np.array([n if pd.isna(v) else place.get(v, n + 1) for v in values])


def predicted_of_mixed(networks, X):
    """What the networks predict for a frame, of lookups and plain products."""
    x = X.iloc[:, list(networks.numeric)].to_numpy(float)
    with np.errstate(invalid="ignore"):
        a = np.nan_to_num((x - networks.x_mean) / networks.x_scale)
    size, limit = np.abs(a), networks.x_limit
    a = np.minimum(size, limit) + np.log1p(np.maximum(size - limit, 0))
    a = np.sign(np.nan_to_num((x - networks.x_mean) / networks.x_scale)) * a
    W, b = Layout(networks.units).views(networks.theta)
    for l, name in enumerate(networks.activations):
        z = a @ W[l] + b[l]
        if l == 0:
            for lookup in networks.lookups:
                code = codes(lookup, X.iloc[:, lookup.feature])
                z = z + lookup.table[..., code, :]
        a = activation_of(name).f(z, np.empty_like(z))
    y_hat = a * networks.y_scale
    y_hat = y_hat.sum(axis=0) if y_hat.ndim > 2 else y_hat
    return (y_hat + networks.y_mean)[:, 0]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore:.*gaps.*")
def test_lookups_are_what_categories_and_gaps_add(mixed, strange, name):
    X, y = mixed
    model = clone(MODELS[name]).fit(X, y)
    networks = model._description()
    assert networks.n_features == 5
    assert networks.columns == [0, 2]
    assert networks.units[0] == 2
    assert {each.feature for each in networks.categories} == {1, 3, 4}
    for rows in (X, strange):
        np.testing.assert_allclose(
            predicted_of_mixed(networks, rows), model.predict(rows), rtol=1e-6
        )


@pytest.mark.filterwarnings("ignore:.*gaps.*")
def test_gaps_alone(mixed):
    X, y = mixed
    X = X[["size", "year"]]
    networks = clone(SMALL).fit(X, y)._description()
    assert networks.columns is None
    assert [lookup[:2] for lookup in networks.lookups] == [(0, None)]
    places, without, more = networks.gaps()
    assert places == [0]
    assert without.shape == (1, 6)
    table = networks.lookups[0].table
    np.testing.assert_allclose(without + more, table[1:])
    np.testing.assert_array_equal(without, table[:1])


def test_no_column_of_numbers(mixed):
    X, y = mixed
    model = clone(SMALL).fit(X[["town", "shop"]], y)
    networks = model._description()
    assert networks.units[0] == 0
    np.testing.assert_allclose(
        predicted_of_mixed(networks, X[["town", "shop"]]),
        model.predict(X[["town", "shop"]]),
    )


def test_networks_that_know_other_gaps_and_have_other_encodings(rng):
    """The sample of one network has a gap, or a level often enough; others have not."""
    X = pd.DataFrame({"a": rng.normal(size=100), "b": rng.normal(size=100)})
    X["c"] = [f"level {k % ONE_HOT:02d}" for k in range(100)]
    X.loc[:2, "c"] = "one more"
    X.loc[0, "a"] = np.nan
    y = X["b"].to_numpy() + (X["c"] == "level 03")
    model = FFNNEnsembleRegressor(SMALL, 6, bootstrap=True, random_state=1).fit(X, y)
    inputs = {each.units_[0] for each in model.estimators_}
    told = {len(each._encoding["gaps"]) for each in model.estimators_}
    assert len(inputs) > 1
    assert told == {0, 1}
    networks = model._description()
    assert {each.table.shape for each in networks.lookups} == {
        (6, 2, 6),
        (6, ONE_HOT + 3, 6),
    }
    np.testing.assert_allclose(  # in float32
        predicted_of_mixed(networks, X), model.predict(X), rtol=1e-4, atol=1e-6
    )


def test_a_network_of_float32(mixed):
    X, y = mixed
    X = X.astype({"size": np.float32, "year": np.float32})
    model = clone(SMALL).fit(X, y)
    networks = model._description()
    assert networks.theta.dtype == np.float32
    assert {each.table.dtype for each in networks.lookups} == {np.dtype(np.float32)}
    np.testing.assert_allclose(
        predicted_of_mixed(networks, X), model.predict(X), rtol=1e-4
    )


def test_the_model_may_go_on_and_leaves_the_description_alone(mixed):
    X, y = mixed
    model = clone(SMALL).fit(X, y)
    networks, before = model._description(), model.predict(X)
    model.theta_ += 1
    np.testing.assert_allclose(predicted_of_mixed(networks, X), before, rtol=1e-6)
