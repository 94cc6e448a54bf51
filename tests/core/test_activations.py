"""Every activation and its derivative against a formula of one line."""

import numpy as np
import pytest
import scipy.special
import scipy.stats

from skffnn.core.activations import (
    ACTIVATIONS,
    SELU_ALPHA,
    SELU_SCALE,
    activation_of,
)

FORMULAS = {
    "identity": lambda z: z,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": lambda z: np.sinh(z) / np.cosh(z),
    "relu": lambda z: np.where(z > 0, z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(z) - 1),
    "selu": lambda z: SELU_SCALE * np.where(z > 0, z, SELU_ALPHA * (np.exp(z) - 1)),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "gelu": lambda z: z * (1 + scipy.special.erf(z / np.sqrt(2))) / 2,
    "mish": lambda z: z * (1 - 2 / ((1 + np.exp(z)) ** 2 + 1)),
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
    "silu": lambda z: (1 + np.exp(-z) + z * np.exp(-z)) / (1 + np.exp(-z)) ** 2,
    "gelu": lambda z: scipy.stats.norm.cdf(z) + z * scipy.stats.norm.pdf(z),
    "mish": lambda z: (
        np.exp(z)
        * (4 * (z + 1) + 4 * np.exp(2 * z) + np.exp(3 * z) + np.exp(z) * (4 * z + 6))
        / (2 * np.exp(z) + np.exp(2 * z) + 2) ** 2
    ),
    "exp": np.exp,
}

# The others rise everywhere.
WITH_A_MINIMUM = {"silu", "gelu", "mish"}

every_activation = pytest.mark.parametrize("name", [*ACTIVATIONS])
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def call(name, z, delta=1.0):
    """f(z) and delta f'(z), with scratch memory full of rubbish.

    Only an activation that says so sees z; for the others it is a.
    """
    activation, a = ACTIVATIONS[name], z.copy()
    activation.f(a, np.full_like(z, np.nan))
    delta, used_up = np.full_like(z, delta), a.copy()
    second = z.copy() if activation.needs_z else used_up
    activation.f_prime(used_up, second, delta, np.full_like(z, np.nan))
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
    z = np.linspace(-1, 1, 6)
    delta, work = np.ones(6), np.empty(6)
    assert ACTIVATIONS[name].f(z, work) is z
    assert ACTIVATIONS[name].f_prime(z, z.copy(), delta, work) is delta


@every_activation
@both_dtypes
def test_extremes_stay_finite_and_in_range(name, dtype):
    z = np.array([-1e30, -200, -90, 0, 90, 200, 1e30], dtype)
    with np.errstate(under="ignore", over="ignore"):
        a, slope = call(name, z)
    assert np.isfinite(a).all()
    assert np.isfinite(slope).all()
    assert a.min() >= dtype(ACTIVATIONS[name].low)
    assert a.max() <= dtype(ACTIVATIONS[name].high)
    if name not in WITH_A_MINIMUM:
        assert (slope >= 0).all()
        assert (np.diff(a) >= 0).all()


@every_activation
def test_range_is_the_one_that_is_reached(name):
    a, _ = call(name, np.concatenate([np.linspace(-30, 30, 600_001), [-1e12, 1e12]]))
    low, high = ACTIVATIONS[name].low, ACTIVATIONS[name].high
    if np.isfinite(low):
        assert a.min() == pytest.approx(low, abs=1e-9)
    else:
        assert a.min() <= 0.01 * -30
    assert a.max() == pytest.approx(high, abs=1e-12) or a.max() > 29.9


def test_an_unknown_name_is_told_the_right_ones():
    with pytest.raises(ValueError, match=r"no activation 'swish'.*silu, gelu, mish"):
        activation_of("swish")


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
