"""`trace` shows what a fitted regressor computes."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skffnn import FFNNRegressor, trace
from skffnn.core.losses import LOSSES


def fitted(table, **parameters):
    parameters = {"max_iter": 10, "random_state": 0, **parameters}
    return FFNNRegressor((5, 4), **parameters).fit(*table)


def test_its_prediction_is_the_prediction(table):
    X, y = table
    model = fitted(table)
    seen = trace(model, X, y)
    y_hat = seen.y_hat[:, 0] * model.y_scale_ + model.y_mean_
    np.testing.assert_allclose(y_hat, model.predict(X), rtol=1e-12)
    for mine, theirs in zip(seen.W, model.coefs_, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert seen.activations == ["relu", "relu", "identity"]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"loss": "absolute_error"},
        {"loss": "root_mean_squared_error"},
        {"loss": "huber", "huber_delta": 0.5},
        {"loss": "huber", "standardize": False},
        {"loss": "quantile", "quantile": 0.8},
        {"loss": "poisson"},
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_its_cost_is_the_loss_of_the_model(table, rng, parameters, weighted):
    """lbfgs reports the loss of the weights that it has."""
    X, y = table
    weight = rng.uniform(0.5, 2, len(y)) if weighted else None
    if not parameters.get("standardize", True):
        X, y = X / X.std(axis=0), y / 100
    model = FFNNRegressor(
        4, solver="lbfgs", max_iter=5, weight_decay=0.0, random_state=0, **parameters
    )
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y, sample_weight=weight)
    seen = trace(model, X, y, sample_weight=weight)
    degree = LOSSES[model.loss].degree
    np.testing.assert_allclose(seen.J * model.y_scale_[0] ** degree, model.loss_)


def test_heavy_columns_are_saturated_and_sparse_rows_made_dense(rng):
    X = np.c_[rng.normal(size=200), 1000 * rng.standard_cauchy(200)]
    model = fitted((X, X[:, 0]))
    assert list(model.x_heavy_) == [1]
    seen, sparse = trace(model, X, X[:, 0]), trace(model, csr_array(X), X[:, 0])
    assert abs(seen.a[0][:, 1]).max() < 20
    np.testing.assert_array_equal(sparse.a[0], seen.a[0])
    y_hat = seen.y_hat[:, 0] * model.y_scale_ + model.y_mean_
    np.testing.assert_allclose(y_hat, model.predict(X))


def test_a_pipeline_transforms_first(table):
    X, y = table
    network = FFNNRegressor(3, max_iter=40, random_state=0)
    pipeline = make_pipeline(MinMaxScaler(), network).fit(X, y)
    seen = trace(pipeline, X, y)
    direct = trace(pipeline[-1], pipeline[0].transform(X), y)
    np.testing.assert_array_equal(seen.y_hat, direct.y_hat)
    alone = make_pipeline(pipeline[-1])
    np.testing.assert_array_equal(
        trace(alone, pipeline[0].transform(X), y).y_hat, direct.y_hat
    )


def test_float32_stays_float32(table):
    X, y = table
    seen = trace(fitted((X.astype(np.float32), y)), X, y)
    arrays = [
        *seen.W,
        *seen.b,
        *seen.a,
        *seen.z[1:],
        *seen.delta[1:],
        *seen.dW,
        *seen.db,
    ]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_what_cannot_be_traced(table):
    X, y = table
    with pytest.raises(NotFittedError):
        trace(FFNNRegressor(), X, y)
    with pytest.raises(ValueError, match="A Ridge has no equations to trace"):
        trace(Ridge().fit(X, y), X, y)
    with pytest.raises(ValueError, match="y has 2 columns, the model 1 outputs"):
        trace(fitted(table), X, np.c_[y, y])
    with pytest.raises(ValueError, match="X has 3 features"):
        trace(fitted(table), X[:, :3], y)


@pytest.mark.parametrize("columns", [["town", "street", "age"], ["town"]])
def test_a_table_as_it_is_through_a_pipeline(rng, columns):
    X = pd.DataFrame({"age": rng.uniform(0, 9, 200)})
    X["town"] = rng.choice(["Bonn", "Rome"], 200)
    X["street"] = rng.integers(0, 40, 200).astype(str)
    y = X["age"] + 5 * (X["town"] == "Rome")
    X.loc[::5, ["age", "town"]] = np.nan, None
    model = FFNNRegressor(8, weight_decay=0.1, max_iter=20, random_state=0)
    pipeline = make_pipeline("passthrough", model).fit(X[columns], y)
    rows = X[columns].iloc[:7].assign(town="Oslo")
    seen = trace(pipeline, rows, y.iloc[:7])
    network = pipeline[-1]
    y_hat = seen.a[-1] * network.y_scale_ + network.y_mean_
    np.testing.assert_allclose(y_hat[:, 0], pipeline.predict(rows))
    assert ("Embedding" in str(seen)) == ("street" in columns)
