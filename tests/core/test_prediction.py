"""Predictions for many rows are those that a plain pass forward makes."""

import numpy as np
import pytest

from skffnn.core.activations import ACTIVATIONS
from skffnn.core.data import Data
from skffnn.core.network import Network
from skffnn.core.prediction import chunk_rows

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
every_depth = pytest.mark.parametrize("hidden", [(), (6,), (6, 5), (6, 5, 4)])
CHUNK = chunk_rows([6])
N = 2 * CHUNK + 5


@pytest.fixture
def problem(make_theta):
    """Return a network with biases that matter, and a table to be standardised."""

    def make(units, names, seeds=0, dtype=np.float64):
        network = Network(units, names)
        theta = make_theta(network, seeds, dtype)
        rng = np.random.default_rng(1)
        for b in network.layout.views(theta)[1]:
            b[...] = rng.uniform(-0.5, 0.5, b.shape)
        X = rng.normal(3, 2, (N, units[0])).astype(dtype)
        return network, theta, X

    return make


def row_by_row(network, theta, X, mean, scale):
    """The same in float64 and in plain NumPy, with the formulas of the activations."""
    a = (X.astype(float) - mean) / scale
    for W, b, activation in zip(
        *network.layout.views(theta.astype(float)), network.activations, strict=True
    ):
        a = a @ W + b
        activation.f(a, np.empty_like(a))
    return a


@pytest.mark.parametrize("name", [*ACTIVATIONS])
@every_depth
@both_dtypes
@pytest.mark.parametrize("scaled", [False, True])
def test_chunks_are_the_pass_forward(problem, name, hidden, dtype, scaled):
    inside = "tanh" if name == "exp" else name  # exp of exp overflows
    names = [*[inside] * len(hidden), name]
    network, theta, X = problem([3, *hidden, 2], names, dtype=dtype)
    mean, scale = np.array([3.0, 2, 1]), np.array([2.0, 1, 3])
    scaling = {"mean": mean, "scale": scale} if scaled else {}
    before = theta.copy()
    y_hat = network.predict(theta, Data(X, None, **scaling))
    expected = row_by_row(network, theta, X, *(scaling.values() if scaled else (0, 1)))
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(y_hat, expected, rtol=300 * eps, atol=100 * eps)
    assert y_hat.dtype == dtype
    np.testing.assert_array_equal(theta, before)


@every_depth
@both_dtypes
def test_each_network_of_a_stack_predicts_as_it_does_alone(problem, hidden, dtype):
    units = [3, *hidden, 2]
    network, theta, X = problem(units, ["relu"] * len(units[1:]), [0, 1, 2], dtype)
    rng = np.random.default_rng(2)
    rows = np.stack([rng.permutation(N) for _ in range(3)])
    scaling = {"mean": np.ones(3), "scale": np.full(3, 2.0)}
    together = network.predict(theta, Data(X, None, rows=rows, **scaling))
    for k in range(3):
        alone = network.predict(theta[k], Data(X, None, rows=rows[k], **scaling))
        np.testing.assert_array_equal(together[k], alone)


@pytest.mark.parametrize("hidden", [6, 5000])
def test_a_chunk_of_wide_layers_has_fewer_rows(problem, hidden):
    network, theta, X = problem([3, hidden, 2], ["relu", "identity"])
    assert chunk_rows([3, hidden, 2]) == {6: 1024, 5000: 64}[hidden]
    expected = row_by_row(network, theta, X[:200], 0, 1)
    y_hat = network.predict(theta, Data(X[:200], None))
    np.testing.assert_allclose(y_hat, expected, rtol=1e-12, atol=1e-12)


def test_equal_rows_of_a_call_are_predicted_alike(problem):
    network, theta, X = problem([3, 6, 2], ["relu", "identity"], dtype=np.float32)
    y_hat = network.predict(theta, Data(np.tile(X[:1], (N, 1)), None))
    np.testing.assert_array_equal(y_hat, np.tile(y_hat[:1], (N, 1)))


def test_a_spread_of_next_to_nothing_overflows_nowhere(problem):
    network, theta, _ = problem([1, 6, 1], ["relu", "identity"], dtype=np.float32)
    z = np.linspace(-1, 1, N, dtype=np.float32)[:, np.newaxis]
    data = Data(z * np.float32(1e-39), None, mean=np.zeros(1), scale=np.array([1e-39]))
    expected = row_by_row(network, theta, data.X, 0, 1e-39)
    y_hat = network.predict(theta, data)
    np.testing.assert_allclose(y_hat, expected, rtol=1e-5, atol=1e-6)


def test_a_spread_that_float32_can_hardly_divide_by_costs_no_digits(problem):
    network, theta, _ = problem([1, 6, 1], ["relu", "identity"], dtype=np.float32)
    theta[:6] *= 1e-4  # small weights, and no biases
    theta[12:] = 0
    z = np.linspace(-1, 1, N, dtype=np.float32)[:, np.newaxis]
    X = z * np.float32(1e38)
    data = Data(X, None, mean=np.zeros(1), scale=np.array([1e38]))
    expected = row_by_row(network, theta, X, 0, 1e38)
    y_hat = network.predict(theta, data)
    np.testing.assert_allclose(y_hat, expected, rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("n", [1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_every_row_is_predicted_once_wherever_the_chunks_end(problem, n):
    network, theta, X = problem([3, 6, 2], ["relu", "identity"])
    expected = row_by_row(network, theta, X[:n], 0, 1)
    np.testing.assert_allclose(network.predict(theta, Data(X[:n], None)), expected)
    out = np.full((n, 2), np.nan)
    assert network.predict(theta, Data(X[:n], None), out) is out
    np.testing.assert_allclose(out, expected)


def test_the_table_is_left_as_it_is(problem):
    network, theta, X = problem([3, 6, 2], ["relu", "identity"])
    before = X.copy()
    network.predict(theta, Data(X, None, mean=np.ones(3), scale=np.full(3, 2.0)))
    network.predict(theta, Data(X, None))
    np.testing.assert_array_equal(X, before)
