"""A network is its layout, its activations and its loss; parameters are passed."""

import numpy as np
import pytest

from skffnn.core.losses import LOSSES
from skffnn.core.network import Network


def test_an_activation_that_is_none_is_named():
    with pytest.raises(ValueError, match=r"no activation 'swish': choose one of ident"):
        Network([2, 3, 1], ["swish", "identity"])


def test_it_knows_which_layers_keep_z():
    network = Network([2, 3, 3, 1], ["relu", "silu", "identity"])
    assert network.keeps_z == [False, True, False]


def test_the_gradient_counts_rows_by_their_shares(make_network, make_theta, rng):
    network = make_network([2, 4, 1])
    theta, X, Y = make_theta(network), rng.normal(size=(6, 2)), rng.normal(size=(6, 1))
    grads = np.empty((2, theta.size))
    share = np.array([2, 1, 1, 1, 1, 0])[:, np.newaxis] / 6
    weighted = network.gradient(theta, grads[0], X, Y, share)
    rows = [0, 0, 1, 2, 3, 4]
    repeated = network.gradient(theta, grads[1], X[rows], Y[rows])
    np.testing.assert_allclose(weighted, repeated)
    np.testing.assert_allclose(grads[0], grads[1])


@pytest.mark.parametrize("name", LOSSES)
def test_J_and_the_gradient_come_from_one_pass(make_network, make_theta, rng, name):
    network = make_network(
        [2, 4, 2], output=LOSSES[name].output or "identity", loss=name
    )
    theta, grad = make_theta(network), np.empty(network.layout.size)
    X, Y = rng.normal(size=(5, 2)), rng.uniform(1, 2, (5, 2))
    J = network.gradient(theta, grad, X, Y)
    assert J.shape == (2,)
    downhill = theta - 1e-6 * grad / np.linalg.norm(grad)
    assert network.gradient(downhill, grad.copy(), X, Y).sum() < J.sum()
