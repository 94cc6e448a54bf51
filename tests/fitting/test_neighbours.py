"""Neighbouring rows whose errors are alike."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from skffnn.core.data import Data
from skffnn.core.losses import loss_of
from skffnn.core.network import Network
from skffnn.fitting import neighbours
from skffnn.fitting.neighbours import neighbours_err_alike


def alike(X, Y, loss="squared_error"):
    """Whether errors are, of a network that predicts 0."""
    network = Network([X.shape[1], Y.shape[1]], ["identity"], loss_of(loss))
    return neighbours_err_alike(network, np.zeros(network.layout.size), Data(X, Y))


@pytest.mark.parametrize("n", [50, 300, 10_000])
def test_waves_are_alike_and_noise_is_not(rng, n):
    X = rng.uniform(-1, 1, (n, 2))
    wave = np.sin(4 * X[:, :1] + X[:, 1:])
    noise = rng.normal(size=(n, 1))
    assert alike(X, wave)
    assert not alike(X, noise)
    assert alike(X, np.c_[noise, wave])  # one output is enough


def test_a_few_wild_targets_decide_nothing(rng):
    X = rng.uniform(-1, 1, (300, 1))
    wave, noise = np.sin(4 * X), rng.normal(size=(300, 1))
    for Y in (wave, noise):
        Y[np.argsort(X[:, 0])[100:104]] = 1e20
    assert alike(X, wave, "huber")
    assert not alike(X, noise, "huber")


@pytest.mark.parametrize(
    "loss", ["squared_error", "poisson", "root_mean_squared_error"]
)
def test_rare_events_are_noise(rng, loss):
    """Where they are not, all errors are small, and follow the rate."""
    X = rng.uniform(-1, 1, (2000, 2))
    rate = 0.02 + 0.04 * (X[:, :1] + 1)
    assert not alike(X, (rng.uniform(size=(2000, 1)) < rate) - rate, loss)


def test_numbers_beyond_all_measure_fail_nothing(rng):
    X = rng.uniform(-1, 1, (300, 1))
    assert alike(1e300 * X, np.sin(4 * X))
    assert not alike(0 * X, np.sin(4 * X))
    for n in range(1, 10):
        assert not alike(X[:n], np.sin(4 * X[:n]))


def test_chance_of_a_few_rows_is_no_evidence(rng):
    X = rng.uniform(-1, 1, (8, 1))
    assert not any(alike(X, rng.normal(size=(8, 1))) for _ in range(300))


def test_equal_rows_are_one(rng):
    """As in bootstrap samples: a row is no neighbour of itself."""
    X = np.repeat(rng.uniform(-1, 1, (100, 1)), 2, axis=0)
    assert not alike(X, np.repeat(rng.normal(size=(100, 1)), 2, axis=0))
    assert not alike(X, rng.normal(size=(200, 1)))
    assert alike(X, np.sin(4 * X))
    assert not alike(np.zeros((100, 1)), rng.normal(size=(100, 1)))


def test_equal_errors_say_nothing():
    assert not alike(np.arange(50.0)[:, np.newaxis], np.ones((50, 1)))


def test_sparse_tables_and_wide_ones_are_looked_at(rng, monkeypatch):
    X = rng.uniform(-1, 1, (400, 2))
    wide = np.hstack([X, np.zeros((400, 48))])
    Y = np.sin(3 * X[:, :1])
    monkeypatch.setattr(neighbours, "MOST_WORK", 50 * 200**2)  # 200 rows of them
    assert alike(wide, Y)
    assert alike(csr_array(wide), Y)
