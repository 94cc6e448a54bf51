"""Activations: f, and what backpropagation needs of its derivative, both in place.

`f(z, work)` turns z into a = f(z) in the same memory. `f_prime(a, z, delta, work)`
multiplies delta by f'(z) and uses a and z up. Most derivatives can be told from the
output a alone: then z is not kept, and the argument z is a itself. An activation with
`needs_z` gets z in memory of its own. `work` is scratch memory of the same shape.

========== ============================ ===========================================
name       f(z)                         f'(z), by the output a, or by a and z
========== ============================ ===========================================
identity   z                            1
logistic   s(z) = 1 / (1 + exp(-z))     a (1 - a)
tanh       tanh(z)                      1 - a^2
relu       max(z, 0)                    1 if a > 0 else 0
leaky_relu max(z, 0.01 z)               1 if a > 0 else 0.01
elu        z if z > 0 else exp(z) - 1   1 if a > 0 else a + 1
selu       c (z if z > 0 else           c if a > 0 else
           alpha (exp(z) - 1))          a + c alpha
silu       z s(z)                       s(z) + a (1 - s(z))
gelu       z Phi(z)                     Phi(z) + z phi(z), the normal distribution's
mish       z t, t = tanh(softplus(z))   t + z (1 - t^2) s(z)
exp        exp(z)                       a
========== ============================ ===========================================

Sources: relu, Nair & Hinton (2010); leaky_relu, Maas et al. (2013); elu, Clevert et al.
(2016); selu, Klambauer et al. (2017); silu, Elfwing et al. (2018); gelu, Hendrycks &
Gimpel (2016); mish, Misra (2019).
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit, ndtr

from .initializers import flat, glorot, he, lecun

LEAKY_SLOPE = 0.01

# Klambauer et al. (2017), Self-Normalizing Neural Networks, equation 14.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805

# The lowest values of functions that have their minimum inside.
SILU_LOWEST = -0.2784645427610738
GELU_LOWEST = -0.1699712074799037
MISH_LOWEST = -0.3088434130172505


class Activation(NamedTuple):
    """An activation function and what is known of it.

    Attributes
    ----------
    f, f_prime : callable
        The function and its derivative, in place.
    variance : callable
        Of the first weights into a layer: see `skffnn.core.initializers`.
    low, high : float
        The values that it can reach lie between these.
    needs_z : bool
        Whether its derivative cannot be told from the output alone.
    selectable : bool
        Whether users may choose it by name, as all but that of the poisson loss.
    scales : {"deviation", "mean", None}
        What a target behind it is divided by, to be learnt as easily whatever its
        units: its standard deviation, once it is centred; its mean, where only ratios
        count; nothing, where the activation fixes the units.
    """

    f: Callable[[Any, Any], Any]
    f_prime: Callable[[Any, Any, Any, Any], Any]
    variance: Callable[[int, int], float] = glorot
    low: float = -np.inf
    high: float = np.inf
    needs_z: bool = False
    selectable: bool = True
    scales: str | None = None


def identity(z, work):
    return z


def identity_prime(a, z, delta, work):
    return delta


def logistic(z, work):
    return expit(z, out=z)


def logistic_prime(a, z, delta, work):
    delta *= a
    delta *= np.subtract(1, a, out=a)
    return delta


def tanh(z, work):
    return np.tanh(z, out=z)


def tanh_prime(a, z, delta, work):
    np.multiply(a, a, out=a)
    delta *= np.subtract(1, a, out=a)
    return delta


def relu(z, work):
    # In float32 NumPy takes the larger of two arrays 3 times faster than that of an
    # array and a number, zeros written and all. In float64 both take about as long.
    work.fill(0)
    return np.maximum(z, work, out=z)


def relu_prime(a, z, delta, work):
    delta *= np.greater(a, 0, out=a)
    return delta


def leaky_relu(z, work):
    np.multiply(z, LEAKY_SLOPE, out=work)
    return np.maximum(z, work, out=z)


def leaky_relu_prime(a, z, delta, work):
    np.greater(a, 0, out=a)
    delta *= np.maximum(a, LEAKY_SLOPE, out=a)
    return delta


def elu(z, work):
    np.minimum(z, 0, out=work)
    np.expm1(work, out=work)
    # exp(z) - 1 lies above z for negative z, and work is 0 for positive z.
    return np.maximum(z, work, out=z)


def elu_prime(a, z, delta, work):
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


def selu_prime(a, z, delta, work):
    np.greater(a, 0, out=work)
    work *= SELU_SCALE * (1 - SELU_ALPHA)
    np.minimum(a, 0, out=a)
    a += SELU_SCALE * SELU_ALPHA
    a += work
    delta *= a
    return delta


def silu(z, work):
    z *= expit(z, out=work)
    return z


def silu_prime(a, z, delta, work):
    expit(z, out=work)
    np.subtract(1, work, out=z)
    a *= z
    a += work
    delta *= a
    return delta


def gelu(z, work):
    z *= ndtr(z, out=work)
    return z


def gelu_prime(a, z, delta, work):
    ndtr(z, out=work)
    np.multiply(z, z, out=a)
    a *= -0.5
    np.exp(a, out=a)
    a *= z
    a *= 1 / np.sqrt(2 * np.pi).item()
    a += work
    delta *= a
    return delta


def _tanh_softplus(z, work):
    np.logaddexp(0, z, out=work)
    return np.tanh(work, out=work)


def mish(z, work):
    z *= _tanh_softplus(z, work)
    return z


def mish_prime(a, z, delta, work):
    t = _tanh_softplus(z, work)
    np.multiply(t, t, out=a)
    np.subtract(1, a, out=a)
    a *= z
    a *= expit(z, out=z)
    a += t
    delta *= a
    return delta


def exp_bound(dtype):
    """Beyond it a prediction is absurd, but a division by it must stay finite."""
    return np.log(np.finfo(dtype).max) / 2


def exp(z, work):
    bound = exp_bound(z.dtype)
    np.clip(z, -bound, bound, out=z)
    return np.exp(z, out=z)


def exp_prime(a, z, delta, work):
    delta *= a
    return delta


ACTIVATIONS = {
    "identity": Activation(identity, identity_prime, scales="deviation"),
    "logistic": Activation(logistic, logistic_prime, flat, 0.0, 1.0),
    "tanh": Activation(tanh, tanh_prime, low=-1.0, high=1.0),
    "relu": Activation(relu, relu_prime, he, low=0.0),
    "leaky_relu": Activation(leaky_relu, leaky_relu_prime, he),
    "elu": Activation(elu, elu_prime, he, low=-1.0),
    "selu": Activation(selu, selu_prime, lecun, low=-SELU_SCALE * SELU_ALPHA),
    "silu": Activation(silu, silu_prime, he, low=SILU_LOWEST, needs_z=True),
    "gelu": Activation(gelu, gelu_prime, he, low=GELU_LOWEST, needs_z=True),
    "mish": Activation(mish, mish_prime, he, low=MISH_LOWEST, needs_z=True),
    "exp": Activation(exp, exp_prime, low=0.0, selectable=False, scales="mean"),
}


def activation_of(name):
    """The activation of that name.

    Raises
    ------
    ValueError
        If there is none; it lists those that there are.
    """
    if name not in ACTIVATIONS:
        raise ValueError(
            f"There is no activation {name!r}: choose one of {', '.join(ACTIVATIONS)}."
        )
    return ACTIVATIONS[name]
