"""First weights: their variance, and that they depend on the seed alone."""

import numpy as np
import pytest
import scipy.stats

from skffnn.core.activations import ACTIVATIONS
from skffnn.core.initializers import initialize
from skffnn.core.layout import Layout

FAN_IN, FAN_OUT = 300, 200

PUBLISHED = {
    "relu": 2 / FAN_IN,
    "leaky_relu": 2 / FAN_IN,
    "elu": 2 / FAN_IN,
    "selu": 1 / FAN_IN,
    "logistic": 32 / (FAN_IN + FAN_OUT),
    "tanh": 2 / (FAN_IN + FAN_OUT),
    "identity": 2 / (FAN_IN + FAN_OUT),
    "silu": 2 / FAN_IN,
    "gelu": 2 / FAN_IN,
    "mish": 2 / FAN_IN,
    "exp": 2 / (FAN_IN + FAN_OUT),
}


def start(units, names, seeds=0, dtype=np.float64):
    layout = Layout(units)
    theta = np.full((*np.shape(seeds), layout.size), np.nan, dtype)
    rngs = [np.random.default_rng(seed) for seed in np.atleast_1d(seeds)]
    initialize(layout, theta, [ACTIVATIONS[name] for name in names], rngs)
    return layout, theta


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_variance_is_the_published_one(name):
    v = ACTIVATIONS[name].variance(FAN_IN, FAN_OUT)
    assert v == pytest.approx(PUBLISHED[name], rel=1e-14)


@pytest.mark.parametrize("name", [*ACTIVATIONS])
def test_weights_are_uniform_with_the_variance_of_their_activation(name):
    layout, theta = start([FAN_IN, FAN_OUT], [name])
    v = ACTIVATIONS[name].variance(FAN_IN, FAN_OUT)
    W = layout.views(theta)[0][0]
    # 60 000 draws: the sample variance has a relative standard error of 0.4 %.
    assert W.var() == pytest.approx(v, rel=0.02)
    r = np.sqrt(3 * v)
    assert scipy.stats.kstest(W.ravel(), "uniform", args=(-r, 2 * r)).pvalue > 1e-3


def test_biases_start_at_zero():
    layout, theta = start([2, 3, 1], ["relu", "identity"])
    assert not theta[layout.n_weights :].any()
    assert theta[: layout.n_weights].all()


def test_each_layer_follows_its_own_activation():
    layout, theta = start([100, 100, 100], ["relu", "logistic"])
    W, _ = layout.views(theta)
    assert W[0].var() == pytest.approx(0.02, rel=0.1)
    assert W[1].var() == pytest.approx(0.16, rel=0.1)


def test_start_is_the_same_for_both_dtypes():
    _, theta = start([4, 5, 2], ["tanh", "identity"])
    _, theta32 = start([4, 5, 2], ["tanh", "identity"], dtype=np.float32)
    assert theta32.dtype == np.float32
    np.testing.assert_array_equal(theta32, theta.astype(np.float32))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_each_network_of_a_stack_starts_as_it_does_alone(dtype):
    names = ["selu", "tanh", "identity"]
    _, stack = start([4, 5, 3, 2], names, [7, 8, 9], dtype)
    for k, seed in enumerate([7, 8, 9]):
        np.testing.assert_array_equal(
            stack[k], start([4, 5, 3, 2], names, seed, dtype)[1]
        )
    assert (stack[0] != stack[1]).any()


def test_as_many_generators_as_networks_are_needed():
    theta = np.empty((2, Layout([2, 1]).size))
    with pytest.raises(ValueError, match="zip"):
        initialize(
            Layout([2, 1]), theta, [ACTIVATIONS["tanh"]], [np.random.default_rng(0)]
        )


@pytest.mark.parametrize("name", ["relu", "selu", "tanh", "silu", "gelu", "mish"])
def test_signals_neither_die_nor_explode(name):
    rng = np.random.default_rng(0)
    layout, theta = start([256] * 11, [name] * 10)
    a = rng.normal(size=(64, 256))
    for W_l in layout.views(theta)[0]:
        a = ACTIVATIONS[name].f(a @ W_l, np.empty((64, 256)))
    assert 0.1 < np.sqrt(np.mean(a**2)) < 3
