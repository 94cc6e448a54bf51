"""Small networks and tables for all tests of the core, as functions to call.

Test modules are not importable from one another, so each helper is a fixture that
returns a function.
"""

import numpy as np
import pytest

from skffnn.core.data import Data
from skffnn.core.initializers import initialize
from skffnn.core.losses import loss_of
from skffnn.core.network import Network
from skffnn.core.optimizers import OPTIMIZERS, SGD
from skffnn.core.schedules import constant
from skffnn.core.training import Recipe, epochs

# Other values than a half, which every hyperparameter has here.
LOSS_PARAMETERS = {"huber": {"delta": 0.7}, "quantile": {"q": 0.3}}


def _make_loss(name):
    loss = loss_of(name)
    half = dict.fromkeys(loss.hyperparameters, 0.5)
    return loss.filled_in(**{**half, **LOSS_PARAMETERS.get(name, {})})


def _make_network(units, hidden="tanh", output="identity", loss="squared_error"):
    names = [hidden] * (len(units) - 2) + [output]
    return Network(units, names, _make_loss(loss))


def _make_theta(network, seeds=0, dtype=np.float64):
    theta = np.empty((*np.shape(seeds), network.layout.size), dtype)
    rngs = [np.random.default_rng(seed) for seed in np.atleast_1d(seeds)]
    initialize(network.layout, theta, network.activations, rngs)
    return theta


def _make_data(n, units, dtype=np.float64, weighted=False, rows=None):
    rng = np.random.default_rng(12)
    X = rng.normal(size=(n, units[0]))
    Y = np.sin(X @ rng.normal(size=(units[0], units[-1])))
    Y += 0.3 * rng.normal(size=Y.shape)
    weight = None
    if weighted:
        weight = rng.uniform(0.2, 2, (n, 1))
        weight = (weight / weight.mean()).astype(dtype)
    return Data(X.astype(dtype), Y.astype(dtype), weight, rows)


def _make_optimizer(name, theta, **options):
    rule = {"sgd": (0.0, False), "momentum": (0.9, False), "nesterov": (0.9, True)}
    if name in rule:
        return SGD(theta, *rule[name], **options)
    return OPTIMIZERS[name](theta, **options)


def _train(network, theta, data, validation=None, **recipe):
    recipe = {"schedule": constant, "learning_rate": 0.05, **recipe}
    if "optimizer" not in recipe:
        recipe["optimizer"] = SGD(theta)
    losses, records = [], []
    for record in epochs(network, theta, data, Recipe(**recipe), losses, validation):
        losses.append(record.loss.sum(axis=-1))
        records.append(record)
    return records


@pytest.fixture
def make_loss():
    """Return a loss by its name, with its hyperparameters filled in."""
    return _make_loss


@pytest.fixture
def make_network():
    """Return a network with one activation for all hidden layers."""
    return _make_network


@pytest.fixture
def make_theta():
    """Return initial parameters: (P,) from one seed, (K, P) from a list of K."""
    return _make_theta


@pytest.fixture
def make_data():
    """Return a table with a smooth, noisy target and, if asked for, weights."""
    return _make_data


@pytest.fixture
def make_optimizer():
    """Return an optimizer: sgd, momentum, nesterov or adam."""
    return _make_optimizer


@pytest.fixture
def train():
    """Train theta in place to the end of the recipe; return the records."""
    return _train
