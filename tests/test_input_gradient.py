"""The gradient of the predictions with respect to the inputs, in units of the data."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError

from skffnn import FFNNRegressor
from skffnn.core.activations import ACTIVATIONS
from skffnn.core.data import Data

SMOOTH = "identity", "logistic", "tanh"


@pytest.fixture
def data(rng):
    """Two ordinary columns of different scales, and one with heavy tails."""
    X = np.c_[rng.normal(5, 100, 300), rng.normal(size=300), rng.standard_cauchy(300)]
    Y = np.c_[np.sin(X[:, 0] / 100) + X[:, 1], 50 * X[:, 1] ** 2 + np.tanh(X[:, 2])]
    return X, Y


def fitted(X, y, **parameters):
    parameters = {"hidden_layer_sizes": (6, 5), "max_iter": 15, **parameters}
    return FFNNRegressor(random_state=0, **parameters).fit(X, y)


def differences(model, X):
    """Central differences of predict, (n, n_outputs, n_features)."""
    columns = []
    for j in range(X.shape[1]):
        h = np.zeros_like(X)
        h[:, j] = 1e-6 * np.maximum(1, abs(X[:, j]))
        slope = (model.predict(X + h) - model.predict(X - h)).reshape(len(X), -1)
        columns.append(slope / (2 * h[:, [j]]))
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "exp"])
def test_equals_differences_of_predict(data, activation):
    X, Y = data
    model = fitted(X, Y, activation=activation)
    assert list(model.x_heavy_) == [2]
    gradient, numeric = model.input_gradient(X), differences(model, X)
    assert gradient.shape == (300, 2, 3)
    scale = abs(numeric).max(axis=0)
    # At a kink the two differ; few of the rows are that close to one.
    off = (abs(gradient - numeric) > 1e-6 * scale).any(axis=(1, 2))
    assert off.sum() <= (0 if activation in SMOOTH else 2)


@pytest.mark.parametrize("output", ["logistic", "tanh"])
def test_through_the_output_activation(data, output):
    X, Y = data
    y = (Y[:, 0] - Y[:, 0].min()) / np.ptp(Y[:, 0])
    model = fitted(X, y, activation="tanh", output_activation=output)
    numeric = differences(model, X)[:, 0]
    np.testing.assert_allclose(model.input_gradient(X), numeric, rtol=1e-4, atol=1e-7)


def test_through_the_exponential_of_poisson(data, rng):
    X, _ = data
    y = rng.poisson(3, len(X))
    model = fitted(X, y, activation="tanh", loss="poisson")
    numeric = differences(model, X)[:, 0]
    np.testing.assert_allclose(model.input_gradient(X), numeric, rtol=1e-4, atol=1e-7)


def test_of_a_linear_model_it_is_the_coefficients(rng):
    X = rng.normal(size=(200, 3)) * [1, 10, 100]
    y = X @ [2.0, -0.3, 0.04] + 7
    model = FFNNRegressor((), solver="lbfgs", weight_decay=0.0, random_state=0)
    gradient = model.fit(X, y).input_gradient(X)
    np.testing.assert_allclose(
        gradient, np.tile([2.0, -0.3, 0.04], (200, 1)), rtol=1e-3
    )


def test_shape_follows_y(data):
    X, Y = data
    assert fitted(X, Y[:, 0]).input_gradient(X).shape == (300, 3)
    assert fitted(X, Y[:, :1]).input_gradient(X).shape == (300, 1, 3)
    assert fitted(X, Y).input_gradient(X[:1]).shape == (1, 2, 3)


def test_takes_what_predict_takes(data):
    X, Y = data
    model = fitted(X, Y)
    expected = model.input_gradient(X)
    np.testing.assert_array_equal(model.input_gradient(csr_array(X)), expected)
    names = list("abc")
    of_frame = fitted(pd.DataFrame(X, columns=names), Y)
    np.testing.assert_array_equal(
        of_frame.input_gradient(pd.DataFrame(X, columns=names)), expected
    )
    single = fitted(X.astype(np.float32), Y).input_gradient(X)
    assert single.dtype == np.float64
    np.testing.assert_allclose(
        single, expected, rtol=0.05, atol=0.05 * abs(expected).max()
    )


def test_many_rows_are_taken_in_blocks(data):
    X, Y = data
    model = fitted(X, Y)
    many = np.tile(X, (30, 1))
    np.testing.assert_allclose(
        model.input_gradient(many), np.tile(model.input_gradient(X), (30, 1, 1))
    )


def test_a_stack_has_the_gradients_of_its_networks(make_network_stack):
    network, theta, X = make_network_stack
    together = network.input_gradient(
        theta, Data(X, None, rows=np.tile(range(50), (3, 1)))
    )
    assert together.shape == (3, 50, 2, 4)
    for theta_k, gradient in zip(theta, together, strict=True):
        alone = network.input_gradient(theta_k, Data(X, None))
        np.testing.assert_allclose(gradient, alone, rtol=1e-12)


@pytest.fixture
def make_network_stack(rng):
    from skffnn.core.network import Network

    network = Network([4, 5, 2], ["tanh", "identity"])
    return network, rng.normal(size=(3, network.layout.size)), rng.normal(size=(50, 4))


def test_refuses_what_predict_refuses(data):
    X, Y = data
    with pytest.raises(NotFittedError):
        FFNNRegressor().input_gradient(X)
    with pytest.raises(ValueError, match="expecting 3 features"):
        fitted(X, Y).input_gradient(X[:, :2])


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "exp"])
@pytest.mark.parametrize("far", [1e154, 1e200, 1e300])
def test_far_outside_of_the_data(data, activation, far):
    """Slopes there are those of straight lines; warnings are errors."""
    X, Y = data
    model = fitted(X[:, :2], Y, activation=activation)
    rows = np.r_[np.full((1, 2), far), X[:2, :2], np.full((1, 2), -far)]
    gradient = model.input_gradient(rows)
    assert np.isfinite(gradient).all()
    np.testing.assert_array_equal(gradient[1:3], model.input_gradient(X[:2, :2]))
    nearer = model.input_gradient(rows[[0, 3]] * (1e6 / far))
    np.testing.assert_allclose(gradient[[0, 3]], nearer, rtol=1e-3, atol=1e-6)


def test_slopes_that_overflow_are_said_once(data):
    X, Y = data
    model = fitted(X[:, :2], Y)
    model.y_scale_ = np.full(2, 1e308)
    model.theta_ = 100 * model.theta_
    with pytest.warns(
        UserWarning, match="The slopes of 5 rows are not finite"
    ) as heard:
        model.input_gradient(X[:5, :2])
    assert len(heard) == 1
