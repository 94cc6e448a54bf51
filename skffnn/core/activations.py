"""Activations as pairs: f, and what backpropagation needs of its derivative.

`f(z, work)` turns z into a = f(z) in the same memory. `f_prime(a, delta, work)`
multiplies delta by f'(z), which each activation here can tell from its own output;
a is used up by it. `work` is scratch memory of the same shape.

========== ============================ =========================
name       f(z)                         f'(z), by the output a
========== ============================ =========================
identity   z                            1
logistic   1 / (1 + exp(-z))            a (1 - a)
tanh       tanh(z)                      1 - a^2
relu       max(z, 0)                    1 if a > 0 else 0
leaky_relu max(z, 0.01 z)               1 if a > 0 else 0.01
elu        z if z > 0 else exp(z) - 1   1 if a > 0 else a + 1
selu       s (z if z > 0 else           s if a > 0 else
           alpha (exp(z) - 1))          a + s alpha
exp        exp(z)                       a
========== ============================ =========================
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit

LEAKY_SLOPE = 0.01

# Klambauer et al. (2017), Self-Normalizing Neural Networks, equation 14.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


class Activation(NamedTuple):
    """An activation function and its derivative, both in place."""

    f: Callable[[Any, Any], Any]
    f_prime: Callable[[Any, Any, Any], Any]


def identity(z, work):
    return z


def identity_prime(a, delta, work):
    return delta


def logistic(z, work):
    return expit(z, out=z)


def logistic_prime(a, delta, work):
    delta *= a
    delta *= np.subtract(1, a, out=a)
    return delta


def tanh(z, work):
    return np.tanh(z, out=z)


def tanh_prime(a, delta, work):
    np.multiply(a, a, out=a)
    delta *= np.subtract(1, a, out=a)
    return delta


def relu(z, work):
    # In float32 NumPy takes the larger of two arrays 3 times faster than that of an
    # array and a number, zeros written and all. In float64 both take about as long.
    work.fill(0)
    return np.maximum(z, work, out=z)


def relu_prime(a, delta, work):
    delta *= np.greater(a, 0, out=a)
    return delta


def leaky_relu(z, work):
    np.multiply(z, LEAKY_SLOPE, out=work)
    return np.maximum(z, work, out=z)


def leaky_relu_prime(a, delta, work):
    np.greater(a, 0, out=a)
    delta *= np.maximum(a, LEAKY_SLOPE, out=a)
    return delta


def elu(z, work):
    np.minimum(z, 0, out=work)
    np.expm1(work, out=work)
    # exp(z) - 1 lies above z for negative z, and work is 0 for positive z.
    return np.maximum(z, work, out=z)


def elu_prime(a, delta, work):
    np.minimum(a, 0, out=a)
    a += 1
    delta *= a
    return delta


def selu(z, work):
    np.minimum(z, 0, out=work)
    np.expm1(work, out=work)
    work *= SELU_ALPHA
    np.maximum(z, 0, out=z)
    z += work
    z *= SELU_SCALE
    return z


def selu_prime(a, delta, work):
    np.greater(a, 0, out=work)
    work *= SELU_SCALE * (1 - SELU_ALPHA)
    np.minimum(a, 0, out=a)
    a += SELU_SCALE * SELU_ALPHA
    a += work
    delta *= a
    return delta


def exp_bound(dtype):
    """Beyond it a prediction is absurd, but a division by it must stay finite."""
    return np.log(np.finfo(dtype).max) / 2


def exp(z, work):
    bound = exp_bound(z.dtype)
    np.clip(z, -bound, bound, out=z)
    return np.exp(z, out=z)


def exp_prime(a, delta, work):
    delta *= a
    return delta


ACTIVATIONS = {
    "identity": Activation(identity, identity_prime),
    "logistic": Activation(logistic, logistic_prime),
    "tanh": Activation(tanh, tanh_prime),
    "relu": Activation(relu, relu_prime),
    "leaky_relu": Activation(leaky_relu, leaky_relu_prime),
    "elu": Activation(elu, elu_prime),
    "selu": Activation(selu, selu_prime),
    "exp": Activation(exp, exp_prime),
}

# The values that an output can reach; the others reach every number.
RANGES = {
    "logistic": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, np.inf),
    "elu": (-1.0, np.inf),
    "selu": (-SELU_SCALE * SELU_ALPHA, np.inf),
    "exp": (0.0, np.inf),
}
