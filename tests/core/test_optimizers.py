"""Every optimizer finds known minima, and minds the memory it is given."""

import numpy as np
import pytest

from skffnn.core.optimizers import OPTIMIZERS, SGD, Adam, clip_norm, flush

every_optimizer = pytest.mark.parametrize("name", ["momentum", "nesterov", *OPTIMIZERS])
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def quadratic(theta):
    """The gradient of 1/2 (x - 1)^2 + 2 (y + 2)^2."""
    return (theta - np.array([1, -2])) * np.array([1, 4])


def rosenbrock(theta):
    """The gradient of (1 - x)^2 + 10 (y - x^2)^2."""
    x, y = theta[..., 0], theta[..., 1]
    return np.stack([2 * (x - 1) - 40 * x * (y - x**2), 20 * (y - x**2)], axis=-1)


def descend(optimizer, theta, gradient, learning_rate, steps):
    for _ in range(steps):
        optimizer.step(theta, gradient(theta).astype(theta.dtype), learning_rate)


# Learning rate and steps for the quadratic and for Rosenbrock's valley.
@pytest.mark.parametrize(
    ("name", "on_quadratic", "on_rosenbrock"),
    [
        ("sgd", (0.2, 200), (0.01, 8000)),
        ("momentum", (0.05, 400), (0.002, 4000)),
        ("nesterov", (0.05, 400), (0.002, 4000)),
        ("adam", (0.1, 2000), (0.05, 4000)),
    ],
)
@both_dtypes
def test_reaches_the_minimum(make_optimizer, name, on_quadratic, on_rosenbrock, dtype):
    tolerance = 1e-4 if dtype == np.float32 else 1e-9
    for gradient, minimum, (learning_rate, steps) in (
        (quadratic, [1, -2], on_quadratic),
        (rosenbrock, [1, 1], on_rosenbrock),
    ):
        theta = np.array([-1, 1.5], dtype)
        optimizer = make_optimizer(name, theta)
        descend(optimizer, theta, gradient, learning_rate, steps)
        np.testing.assert_allclose(theta, minimum, atol=tolerance)


@every_optimizer
@both_dtypes
@pytest.mark.parametrize("shape", [(5,), (3, 5)])
def test_theta_is_written_and_everything_keeps_its_dtype(
    make_optimizer, name, dtype, shape
):
    theta = np.ones(shape, dtype)
    view, before = theta[...], theta.copy()
    optimizer = make_optimizer(name, theta)
    rate = 0.1 if len(shape) == 1 else np.array([[0.1], [0.2], [0.3]])
    for _ in range(3):
        optimizer.step(theta, np.ones(shape, dtype), rate)
    assert (view < before).all()  # the view sees the new weights
    assert theta.dtype == dtype
    for value in optimizer.state.values():
        if isinstance(value, np.ndarray):
            assert value.dtype == dtype
            assert value.shape == shape


@every_optimizer
@both_dtypes
def test_each_network_of_a_stack_takes_its_own_steps(make_optimizer, name, dtype):
    rng = np.random.default_rng(0)
    start, rates = rng.normal(size=(3, 2)).astype(dtype), [0.01, 0.002, 0.03]
    stack = start.copy()
    column = np.array(rates)[:, np.newaxis]
    descend(make_optimizer(name, stack), stack, rosenbrock, column, 20)
    for k, rate in enumerate(rates):
        alone = start[k].copy()
        descend(make_optimizer(name, alone), alone, rosenbrock, rate, 20)
        np.testing.assert_array_equal(stack[k], alone)


@every_optimizer
def test_state_is_all_that_it_remembers(make_optimizer, name):
    through, stopped = np.array([-1, 1.5]), np.array([-1, 1.5])
    descend(make_optimizer(name, through), through, rosenbrock, 0.002, 20)
    first = make_optimizer(name, stopped)
    descend(first, stopped, rosenbrock, 0.002, 10)
    second = make_optimizer(name, stopped, state=first.state)
    descend(second, stopped, rosenbrock, 0.002, 10)
    np.testing.assert_array_equal(stopped, through)


# The rules themselves -----------------------------------------------------------------

GRADIENTS = np.random.default_rng(1).normal(size=(6, 4))


def steps_of(optimizer, learning_rate=0.1):
    theta = np.zeros(4)
    for gradient in GRADIENTS:
        optimizer.step(theta, gradient.copy(), learning_rate)
    return theta


def test_sgd_is_the_equation():
    expected = -0.1 * GRADIENTS.sum(axis=0)
    np.testing.assert_allclose(steps_of(SGD(np.zeros(4))), expected, rtol=1e-13)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_is_the_equation(nesterov):
    theta, v = np.zeros(4), np.zeros(4)
    for g in GRADIENTS:
        v = 0.8 * v + g
        theta = theta - 0.1 * (g + 0.8 * v if nesterov else v)
    mine = steps_of(SGD(np.zeros(4), 0.8, nesterov))
    np.testing.assert_allclose(mine, theta, rtol=1e-13)


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.0, 0.5), (0.5, 0.0)])
@pytest.mark.parametrize("epsilon", [1e-8, 0.3])
def test_adam_is_the_equation(betas, epsilon):
    theta, m, v = np.zeros(4), np.zeros(4), np.zeros(4)
    beta_1, beta_2 = betas
    for t, g in enumerate(GRADIENTS, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
        theta = theta - 0.1 * m_hat / (np.sqrt(v_hat) + epsilon)
    mine = steps_of(Adam(np.zeros(4), *betas, epsilon))
    np.testing.assert_allclose(mine, theta, rtol=1e-12)


def test_adam_does_not_move_where_the_gradient_is_always_zero():
    theta = np.ones(3)
    Adam(theta).step(theta, np.array([1.0, 0, -1]), 0.1)
    np.testing.assert_allclose(theta, [0.9, 1, 1.1])


# Clipping -----------------------------------------------------------------------------


@both_dtypes
def test_clip_norm_shrinks_each_network_by_itself(dtype):
    grad = np.array([[3, 4], [0.3, 0.4], [0, 0], [-30, 40]], dtype)
    clip_norm(grad, 1.0)
    expected = [[0.6, 0.8], [0.3, 0.4], [0, 0], [-0.6, 0.8]]
    assert grad.dtype == dtype
    np.testing.assert_allclose(grad, expected, rtol=1e-6)


@both_dtypes
@pytest.mark.parametrize("limit", [0.1, 1, 10.0, 1e3])
def test_clip_norm_of_a_single_network(dtype, limit):
    grad = np.array([3, -4, 0], dtype)
    clip_norm(grad, limit)
    np.testing.assert_allclose(
        grad, np.array([3, -4, 0]) * min(1, limit / 5), rtol=1e-6
    )


@both_dtypes
def test_a_gradient_of_zero_stays_zero(dtype):
    grad = np.zeros(3, dtype)
    clip_norm(grad, 1.0)
    assert not grad.any()


@both_dtypes
def test_a_norm_that_overflows_is_divergence_and_not_a_step_of_nothing(dtype):
    grad = np.array([[1, 2], [np.finfo(dtype).max, 1]], dtype)
    with np.errstate(all="ignore"):
        clip_norm(grad, 1.0)
    assert np.isfinite(grad[0]).all()
    assert np.isnan(grad[1]).all()


def test_clip_norm_of_a_stack_is_that_of_each_alone():
    stack = np.random.default_rng(0).normal(size=(3, 101))
    alone = stack.copy()
    clip_norm(stack, 2.0)
    for k in range(3):
        clip_norm(alone[k], 2.0)
    np.testing.assert_array_equal(stack, alone)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_flush_sets_subnormal_numbers_to_zero_and_no_others(dtype):
    tiny = np.finfo(dtype).tiny
    array = np.array([tiny, -tiny, tiny / 2, -tiny / 4, 0, 1], dtype)
    flush(array)
    np.testing.assert_array_equal(array, np.array([tiny, -tiny, 0, 0, 0, 1], dtype))


def test_dead_units_leave_no_subnormal_numbers_behind(
    make_network, make_theta, make_data, train, make_optimizer
):
    network = make_network([3, 4, 1], "relu")
    theta = make_theta(network, dtype=np.float32)
    network.layout.views(theta)[1][0][...] = -100  # no input ever wakes a unit
    optimizer = make_optimizer("adam", theta)
    train(
        network, theta, make_data(20, [3, 4, 1], np.float32),
        optimizer=optimizer, learning_rate=1.0, weight_decay=0.1, max_iter=1000,
    )  # fmt: skip
    for array in (theta, optimizer.state["m"], optimizer.state["v"]):
        small = np.abs(array) < np.finfo(np.float32).tiny
        assert (array[small] == 0).all()
    assert (network.layout.views(theta)[0][0] == 0).all()
