"""What fitted networks have in common: predictions and a look inside."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from skffnn import FFNNRegressor


def small(**parameters):
    return FFNNRegressor(
        **{"hidden_layer_sizes": 10, "max_iter": 40, "random_state": 0, **parameters}
    )


def test_coefs_act_on_standardised_X(table):
    X, y = table
    model = small(activation="tanh", hidden_layer_sizes=(6, 3)).fit(X, y)
    a = (X - model.x_mean_) / model.x_scale_
    for W, b in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        a = np.tanh(a @ W + b)
    y_hat = (a @ model.coefs_[-1] + model.intercepts_[-1])[:, 0]
    y_hat = y_hat * model.y_scale_ + model.y_mean_
    np.testing.assert_allclose(y_hat, model.predict(X), rtol=1e-12)


def test_coefs_are_read_only(table):
    model = small().fit(*table)
    with pytest.raises(ValueError, match="read-only"):
        model.coefs_[0][0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        model.intercepts_[0][0] = 1
    model.theta_[0] = 7.0
    assert model.coefs_[0][0, 0] == 7.0


def test_prediction_takes_memory_for_its_chunks_only(rng):
    X = np.asfortranarray(rng.normal(size=(50_000, 40)))  # 16 MB
    model = small(max_iter=5).fit(X[:200], X[:200, 0])
    tracemalloc.start()
    model.predict(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < X.nbytes / 4


def test_prediction_in_chunks_equals_prediction_row_by_row(table):
    X, y = table
    model = small().fit(X, y)
    many = np.tile(X, (20, 1))  # more rows than one chunk takes
    np.testing.assert_allclose(
        model.predict(many), np.tile(model.predict(X), 20), rtol=1e-12
    )
    alone = [model.predict(X[i : i + 1])[0] for i in range(len(X))]
    np.testing.assert_allclose(model.predict(X), alone, rtol=1e-12)


@pytest.mark.parametrize(
    ("y", "shape"),
    [
        (np.zeros(30), (30,)),
        (np.zeros((30, 1)), (30, 1)),
        (np.zeros((30, 3)), (30, 3)),
        (pd.DataFrame({"a": np.zeros(30)}), (30, 1)),
    ],
)
def test_predictions_have_the_shape_of_y(rng, y, shape):
    X = rng.normal(size=(30, 2))
    model = small(max_iter=2).fit(X, y)
    assert model.predict(X).shape == shape
    assert model.n_outputs_ == (1 if y.ndim == 1 else shape[1])
