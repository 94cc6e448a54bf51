"""A linear problem, for all tests of the second order."""

import numpy as np
import pytest

from skffnn.core.second_order.gauss_newton import GaussNewton


@pytest.fixture
def linear(make_network, make_data, rng):
    """A linear problem: the sums over its rows, and the matrix with a column of 1."""
    network, data = make_network([3, 1]), make_data(60, [3, 1])
    data.X[:, 2] *= 0.3
    data.Y[:, 0] = data.X @ [1.0, -0.5, 2.0] + 0.4 + 0.5 * rng.normal(size=60)
    return GaussNewton(network, data), np.hstack([data.X, np.ones((60, 1))])
