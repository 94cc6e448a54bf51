"""Every activation and its derivative against a formula of one line."""

import numpy as np
import pytest
import scipy.special
import scipy.stats

from skffnn.core.activations import ACTIVATIONS, RANGES, SELU_ALPHA, SELU_SCALE

FORMULAS = {
    "identity": lambda z: z,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": lambda z: np.sinh(z) / np.cosh(z),
    "relu": lambda z: np.where(z > 0, z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(z) - 1),
    "selu": lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * (np.exp(z) - 1)),
    "exp": np.exp,
}

DERIVATIVES = {
    "identity": np.ones_like,
    "logistic": lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2,
    "tanh": lambda z: 1 / np.cosh(z) ** 2,
    "relu": lambda z: np.where(z > 0, 1, 0),
    "leaky_relu": lambda z: np.where(z > 0, 1, 0.01),
    "elu": lambda z: np.where(z > 0, 1, np.exp(z)),
    "selu": lambda z: SELU_SCALE * np.where(z > 0, 1, SELU_ALPHA * np.exp(z)),
    "exp": np.exp,
}

every_activation = pytest.mark.parametrize("name", [*ACTIVATIONS])
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def call(name, z, delta=1.0):
    """f(z) and delta f'(z), with scratch memory full of rubbish."""
    f, f_prime = ACTIVATIONS[name]
    a = z.copy()
    f(a, np.full_like(z, np.nan))
    delta = np.full_like(z, delta)
    f_prime(a.copy(), delta, np.full_like(z, np.nan))
    return a, delta


@every_activation
@both_dtypes
def test_value_and_derivative(name, dtype):
    z = np.linspace(-4, 4, 80).reshape(20, 4)  # even: 0, the kink, is not among them
    a, slope = call(name, z.astype(dtype))
    tolerance = {"rtol": 20 * np.finfo(dtype).eps, "atol": 2 * np.finfo(dtype).eps}
    if dtype == np.float32:
        tolerance["atol"] = 4 * np.finfo(dtype).eps
    assert a.dtype == slope.dtype == dtype
    np.testing.assert_allclose(a, FORMULAS[name](z), **tolerance)
    np.testing.assert_allclose(slope, DERIVATIVES[name](z), **tolerance)


@every_activation
def test_derivative_multiplies_delta(name):
    z = np.linspace(-2, 2, 6)
    np.testing.assert_allclose(call(name, z, -3.0)[1], -3 * call(name, z)[1])


@every_activation
def test_result_is_in_the_memory_of_the_argument(name):
    f, f_prime = ACTIVATIONS[name]
    z = np.linspace(-1, 1, 6)
    delta, work = np.ones(6), np.empty(6)
    assert f(z, work) is z
    assert f_prime(z, delta, work) is delta


@every_activation
@both_dtypes
def test_extremes_stay_finite_and_in_range(name, dtype):
    z = np.array([-1e30, -200, -90, 0, 90, 200, 1e30], dtype)
    with np.errstate(under="ignore"):
        a, slope = call(name, z)
    assert np.isfinite(a).all()
    assert np.isfinite(slope).all()
    assert (slope >= 0).all()
    low, high = RANGES.get(name, (-np.inf, np.inf))
    assert a.min() >= dtype(low)
    assert a.max() <= dtype(high)
    assert (np.diff(a) >= 0).all()


@pytest.mark.parametrize("name", [*RANGES])
def test_range_is_the_one_that_is_reached(name):
    a, _ = call(name, np.array([-30.0, 30.0]))
    low, high = RANGES[name]
    assert a[0] == pytest.approx(low, abs=1e-12)
    assert a[1] == pytest.approx(high, abs=1e-12) or a[1] >= 30


def test_others_reach_every_number():
    for name in set(ACTIVATIONS) - set(RANGES):
        low, high = call(name, np.array([-1e6, 1e6]))[0]
        assert low < -1e3
        assert high > 1e3


def test_relu_at_zero_has_slope_zero():
    assert call("relu", np.zeros(1))[1] == 0


@both_dtypes
def test_exp_is_bounded_so_that_a_division_by_it_is_finite(dtype):
    a, _ = call("exp", np.array([-1e30, 1e30], dtype))
    assert np.isfinite(dtype(1) / a).all()
    assert (a > 0).all()


@both_dtypes
def test_negative_branches_are_accurate_near_zero(dtype):
    z = np.array([-1e-6, -1e-3], dtype)
    for name, scale in (("elu", 1.0), ("selu", SELU_SCALE * SELU_ALPHA)):
        expected = scale * scipy.special.expm1(z.astype(np.float64))
        np.testing.assert_allclose(call(name, z)[0], expected, rtol=5e-7)


def test_selu_preserves_mean_0_and_variance_1():
    density = scipy.stats.norm.pdf
    z = np.linspace(-12, 12, 400_001)
    a = call("selu", z)[0]
    assert np.trapezoid(a * density(z), z) == pytest.approx(0, abs=1e-9)
    assert np.trapezoid(a**2 * density(z), z) == pytest.approx(1, abs=1e-9)
