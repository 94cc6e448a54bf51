"""A trace is the computation itself, with nothing overwritten."""

import re
from html import escape
from itertools import cycle, product

import numpy as np
import pytest

from skffnn.core.activations import ACTIVATIONS
from skffnn.core.losses import LOSSES
from skffnn.core.tracing import trace

HIDDEN = [name for name in ACTIVATIONS if name != "exp"]


# Every loss with every activation, the architectures in turn.
CASES = [
    (*pair, hidden)
    for pair, hidden in zip(
        product(LOSSES, HIDDEN), cycle([(), (3,), (4, 3), (3,)]), strict=False
    )
]


def problem(network, make_theta, seeds=0, dtype=np.float64):
    theta = make_theta(network, seeds, dtype)
    rng = np.random.default_rng(1)
    units = network.layout.units
    X = rng.normal(size=(*theta.shape[:-1], 6, units[0])).astype(dtype)
    Y = rng.uniform(0.1, 2, (*theta.shape[:-1], 6, units[-1])).astype(dtype)
    return theta, X, Y


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("seeds", [0, [0, 1, 2]])
@pytest.mark.parametrize(("loss", "activation", "hidden"), CASES)
def test_a_trace_ends_in_the_gradient(
    make_network, make_theta, loss, activation, hidden, seeds, dtype
):
    output = LOSSES[loss].output or "identity"
    network = make_network([2, *hidden, 2], activation, output, loss)
    theta, X, Y = problem(network, make_theta, seeds, dtype)
    weight = np.random.default_rng(2).uniform(0.5, 2, (*theta.shape[:-1], 6, 1))
    share = (weight / weight.sum(axis=-2, keepdims=True)).astype(dtype)
    for given in (None, share):
        grad = np.empty_like(theta)
        J = network.gradient(theta, grad, X, Y, given)
        seen = trace(network, theta, X, Y, given)
        dW, db = network.layout.views(grad)
        close = {"rtol": 1e-12 if dtype == np.float64 else 2e-4, "atol": 1e-7}
        np.testing.assert_allclose(seen.J, J.sum(axis=-1), **close)
        for mine, theirs in zip([*seen.dW, *seen.db], [*dW, *db], strict=True):
            assert mine.dtype == dtype
            np.testing.assert_allclose(mine, theirs, **close)


def test_every_array_is_what_its_equation_says(make_network, make_theta):
    network = make_network([2, 3, 1], "logistic", "logistic")
    theta, X, Y = problem(network, make_theta)
    seen = trace(network, theta, X, Y)

    def f(z):
        return 1 / (1 + np.exp(-z))

    def f_prime(z):
        return f(z) * (1 - f(z))

    W, b, z, a, delta = seen.W, seen.b, seen.z, seen.a, seen.delta
    close = np.testing.assert_allclose
    assert z[0] is None
    assert delta[0] is None
    close(a[0], X)
    close(z[1], X @ W[0] + b[0])
    close(a[1], f(z[1]))
    close(z[2], a[1] @ W[1] + b[1])
    close(seen.y_hat, f(z[2]))
    close(seen.J, ((Y - seen.y_hat) ** 2).sum() / 12)
    close(seen.dJ, -(Y - seen.y_hat) / 6)
    close(delta[2], seen.dJ * f_prime(z[2]))
    close(seen.dW[1], a[1].T @ delta[2])
    close(seen.db[1], delta[2].sum(axis=0, keepdims=True))
    close(delta[1], delta[2] @ W[1].T * f_prime(z[1]))
    close(seen.dW[0], X.T @ delta[1])
    close(seen.db[0], delta[1].sum(axis=0, keepdims=True))


def test_nothing_that_was_passed_is_changed_or_shared(make_network, make_theta):
    network = make_network([2, 3, 1], "relu")
    theta, X, Y = problem(network, make_theta)
    before = theta.copy(), X.copy(), Y.copy()
    seen = trace(network, theta, X, Y)
    for mine, copy in zip((theta, X, Y), before, strict=True):
        np.testing.assert_array_equal(mine, copy)
    assert not any(np.shares_memory(W_l, theta) for W_l in seen.W)


def test_printed_it_is_a_worked_example(make_network, make_theta):
    network = make_network([2, 3, 1], "tanh")
    seen = trace(network, *problem(network, make_theta))
    text = str(seen)
    assert text.startswith("2-3-1 units, 6 rows\n\nForward\n  a1 = X ")
    formulas = [
        "z2 = a1 W1 + b1",
        "a2 = tanh(z2)",
        "z3 = a2 W2 + b2",
        "y_hat = identity(z3)",
        f"J                       {seen.J:.6g}",
        "delta3 = dJ/dy_hat * identity'(z3)",
        "dJ/dW2 = a2' delta3",
        "dJ/db2 = 1' delta3",
        "delta2 = (delta3 W2') * tanh'(z2)",
        "dJ/dW1 = a1' delta2",
        "dJ/db1 = 1' delta2",
    ]
    places = [text.index(formula) for formula in formulas]
    assert places == sorted(places)
    assert max(map(len, text.split("\n"))) < 90


def test_a_large_one_is_printed_in_short(make_network, make_theta):
    network = make_network([30, 64, 64, 1], "relu")
    theta, X, Y = problem(network, make_theta)
    lines = str(trace(network, theta, X, Y)).split("\n")
    assert len(lines) < 120
    assert max(map(len, lines)) < 100


@pytest.mark.parametrize("seeds", [0, [0, 1, 2]])
def test_it_can_be_shown_for_a_stack_as_well(make_network, make_theta, seeds):
    network = make_network([2, 3, 1], "tanh")
    seen = trace(network, *problem(network, make_theta, seeds))
    for text in (repr(seen), str(seen), seen._repr_html_()):
        assert "2-3-1 units, 6 rows" in text


def test_a_notebook_shows_every_step_with_its_shape(make_network, make_theta):
    network = make_network([2, 3, 1], "tanh")
    seen = trace(network, *problem(network, make_theta))
    html = seen._repr_html_()
    formulas = re.findall(r"^  (.*?)(?:  |$)", str(seen), re.MULTILINE)
    steps = [formula for formula in formulas if formula.strip(" [")]
    assert len(steps) == 18
    for step in steps:
        assert f">{escape(step)}</th>" in html
    assert ">6 x 3</td>" in html
