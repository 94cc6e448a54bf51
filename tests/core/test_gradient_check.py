"""The check that grades others: it passes what is right and names what is wrong."""

import numpy as np
import pytest

from skffnn.core.activations import ACTIVATIONS
from skffnn.core.gradient_check import check_gradient

UNITS = [3, 5, 4, 2]
PARTS = ["W1", "b1", "W2", "b2", "W3", "b3"]


@pytest.fixture
def function(make_network, make_theta):
    """Return the cost and gradient of a network by its activation, and a theta."""

    def make(activation="tanh"):
        network = make_network(UNITS, activation)
        rng = np.random.default_rng(3)
        X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))

        def value_and_gradient(theta):
            grad = np.empty_like(theta)
            return network.gradient(theta, grad, X, Y).sum(), grad

        return network, value_and_gradient, make_theta(network)

    return make


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "exp"])
def test_right_gradients_pass(function, activation):
    _, value_and_gradient, theta = function(activation)
    check = check_gradient(value_and_gradient, theta, units=UNITS)
    assert check
    assert check.wrong == []
    assert list(check.errors) == PARTS
    # The slopes to either side of a kink are not exact.
    assert max(check.errors.values()) < (1e-6 if activation == "relu" else 1e-8)
    assert check_gradient(value_and_gradient, theta)


@pytest.mark.parametrize("kind", ["relu", "leaky_relu"])
def test_kinks_do_not_accuse(function, kind):
    """Differences of 1,000 steps straddle kinks in many places."""
    _, value_and_gradient, theta = function(kind)
    for seed in range(5):
        shifted = theta + 0.1 * np.random.default_rng(seed).normal(size=theta.shape)
        assert check_gradient(value_and_gradient, shifted, units=UNITS)


@pytest.mark.parametrize(
    ("layer", "wrong"),
    [
        (0, ["b1", "W1"]),
        (1, ["b2", "W2", "b1", "W1"]),
        (2, ["b3", "W3", "b2", "W2", "b1", "W1"]),
    ],
)
def test_the_layer_of_a_wrong_derivative_is_named(function, layer, wrong):
    network, value_and_gradient, theta = function("logistic")
    f_prime = network.activations[layer].f_prime

    def twice(a, z, delta, work):
        f_prime(a, z, delta, work)
        delta *= 2

    network.activations[layer] = network.activations[layer]._replace(f_prime=twice)
    check = check_gradient(value_and_gradient, theta, units=UNITS)
    assert not check
    assert check.wrong == wrong
    assert f"Wrong in layer {layer + 1}: W{layer + 1}, b{layer + 1}." in str(check)
    follows = "in the layers before it may follow" in str(check)
    assert follows == (layer > 0)


@pytest.mark.parametrize("part", PARTS)
def test_a_small_error_in_one_number_is_found(function, part):
    network, value_and_gradient, theta = function()

    def slightly_wrong(theta):
        J, grad = value_and_gradient(theta)
        W, b = network.layout.views(grad)
        block = (W if part[0] == "W" else b)[int(part[1]) - 1]
        block.flat[0] += 1e-4 * abs(block).max()
        return J, grad

    assert check_gradient(slightly_wrong, theta, units=UNITS).wrong == [part]
    assert check_gradient(slightly_wrong, theta, units=UNITS, rtol=1e-3)
    assert check_gradient(slightly_wrong, theta).wrong == ["theta"]


def dict_function(theta):
    x = np.array([[1.0, -2.0], [0.5, 0.3]])
    a = np.tanh(x @ theta["W1"] + theta["b1"])
    error = a @ theta["W2"] - 1
    delta = np.outer(error, theta["W2"]) * (1 - a**2)
    gradient = {"W1": x.T @ delta, "b1": delta.sum(0), "W2": a.T @ error}
    return (error**2).sum() / 2, gradient


@pytest.fixture
def parts():
    rng = np.random.default_rng(0)
    return {"W1": rng.normal(size=(2, 3)), "b1": np.zeros(3), "W2": rng.normal(size=3)}


def test_parts_in_a_dict(parts):
    check = check_gradient(dict_function, parts)
    assert check
    assert check.numeric["W1"].shape == (2, 3)
    np.testing.assert_allclose(check.numeric["W2"], dict_function(parts)[1]["W2"])
    mistaken = check_gradient(
        lambda theta: (
            dict_function(theta)[0],
            {**dict_function(theta)[1], "b1": np.ones(3)},
        ),
        parts,
    )
    assert mistaken.wrong == ["b1"]
    assert str(mistaken).endswith("Wrong in layer 1: b1.")


def test_theta_is_not_changed_even_by_a_function_that_changes_it(parts):
    def rude(theta):
        result = dict_function({name: part.copy() for name, part in theta.items()})
        for part in theta.values():
            part[...] = 0
        return result

    before = {name: part.copy() for name, part in parts.items()}
    assert check_gradient(rude, parts)
    for name, part in parts.items():
        np.testing.assert_array_equal(part, before[name])


def test_at_a_kink_whatever_lies_between_the_two_slopes_passes():
    def cost_of(gradient):
        return lambda t: (2 * max(t[0], 0) + t[1] ** 2, np.array([gradient, 2 * t[1]]))

    for gradient in (0, 1, 2):
        assert check_gradient(cost_of(gradient), np.array([0.0, 1.0]))
    for gradient in (-0.01, 2.01):
        assert not check_gradient(cost_of(gradient), np.array([0.0, 1.0]))


def test_whole_numbers_and_lists_will_do():
    assert check_gradient(lambda t: ((t**2).sum(), 2 * t), [1, 2, 3])
    assert not check_gradient(lambda t: ((t**2).sum(), t), [1, 2, 3])


def test_a_gradient_of_zeros_is_right_where_nothing_changes():
    assert check_gradient(lambda t: (5.0, np.zeros(3)), np.ones(3))
    assert not check_gradient(lambda t: (5.0, np.full(3, 1e-6)), np.ones(3))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_wrong(value):
    assert not check_gradient(lambda t: (t.sum(), np.array([1.0, value])), np.ones(2))


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (lambda t: (t, t), {}, r"one number, but has shape \(4,\): sum it"),
        (lambda t: (np.nan, t), {}, "The cost is nan: choose a theta"),
        (lambda t: (t.sum(), t[1:]), {}, r"gradient must have the shapes .*\(4,\)"),
        (lambda t: (t.sum(), {"W1": t}), {}, "gradient must be an array, as theta is"),
        (lambda t: (t.sum(), t), {"units": [2, 3, 1]}, "flat theta of 13 numbers"),
    ],
)
def test_what_makes_no_sense_is_said(function, options, message):
    with pytest.raises(ValueError, match=message):
        check_gradient(function, np.ones(4), **options)


def test_a_dict_has_its_own_parts(parts):
    with pytest.raises(ValueError, match="gradient must be a dict"):
        check_gradient(lambda t: (1.0, np.ones(3)), parts)
    with pytest.raises(ValueError, match="units="):
        check_gradient(dict_function, parts, units=[2, 3, 1])
