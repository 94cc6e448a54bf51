"""Gauss-Newton: the sums are those of the differences, in chunks or at once."""

import numpy as np
import pytest

from skffnn.core.data import Data
from skffnn.core.second_order import gauss_newton
from skffnn.core.second_order.evidence import variance
from skffnn.core.second_order.gauss_newton import GaussNewton


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("hidden", [(), (4,), (3, 5)])
def test_sums_are_those_of_the_differences(
    make_network, make_theta, make_data, weighted, hidden
):
    units = [2, *hidden, 1]
    network, data = make_network(units), make_data(30, units, weighted=weighted)
    theta = make_theta(network)
    curvature = GaussNewton(network, data)
    squares = curvature.sums(theta)
    w = np.ones(30) if data.weight is None else data.weight[:, 0]

    def y_hat(theta):
        return network.predict(theta, data)[:, 0]

    e = y_hat(theta) - data.Y[:, 0]
    h = 1e-5 * np.eye(theta.size)
    J = np.stack([(y_hat(theta + d) - y_hat(theta - d)) / 2e-5 for d in h], axis=1)
    assert squares == pytest.approx(w @ e**2, rel=1e-12)
    assert curvature.squares(theta) == pytest.approx(squares, rel=1e-12)
    assert curvature.n == pytest.approx(w.sum(), rel=1e-12)
    np.testing.assert_allclose(curvature.gradient, J.T @ (w * e), rtol=1e-6, atol=1e-8)
    expected = np.tril(J.T @ (w[:, np.newaxis] * J))
    np.testing.assert_allclose(
        np.tril(curvature.matrix), expected, rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize("weighted", [False, True])
def test_chunks_change_nothing(
    make_network, make_theta, make_data, weighted, monkeypatch
):
    network = make_network([2, 3, 1])
    data = make_data(50, [2, 3, 1], weighted=weighted)
    theta = make_theta(network)
    whole = GaussNewton(network, data)
    squares = whole.sums(theta)
    factor = np.eye(theta.size)
    open_questions = variance(network, theta, data, factor)
    monkeypatch.setattr(gauss_newton, "CHUNK", 7 * theta.size)
    parts = GaussNewton(network, data)
    assert len(parts.row_gradients.chunks) == 8
    assert parts.sums(theta) == pytest.approx(squares, rel=1e-12)
    np.testing.assert_allclose(parts.gradient, whole.gradient, rtol=1e-10)
    lower = np.tril_indices(theta.size)
    np.testing.assert_allclose(parts.matrix[lower], whole.matrix[lower], rtol=1e-10)
    np.testing.assert_allclose(
        variance(network, theta, data, factor), open_questions, rtol=1e-12
    )


def test_a_weight_counts_rows(make_network, make_theta, make_data):
    network, data = make_network([2, 3, 1]), make_data(20, [2, 3, 1])
    counts = np.arange(20) % 4
    theta, twice = make_theta(network), np.repeat(np.arange(20), counts)
    weighted = GaussNewton(
        network, Data(data.X, data.Y, counts[:, np.newaxis].astype(float))
    )
    repeated = GaussNewton(network, Data(data.X[twice], data.Y[twice]))
    assert weighted.sums(theta) == pytest.approx(repeated.sums(theta))
    assert weighted.n == repeated.n
    np.testing.assert_allclose(weighted.gradient, repeated.gradient)
    np.testing.assert_allclose(np.tril(weighted.matrix), np.tril(repeated.matrix))
