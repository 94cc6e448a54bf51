"""Activations in other languages: as nodes of an ONNX graph, and as PyTorch's modules.

An activation that is not in this table trains and predicts, but cannot be exported.
"""

from collections.abc import Callable
from functools import cache
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from scipy.special import erfcx

from ..core.activations import LEAKY_SLOPE, SELU_ALPHA, SELU_SCALE, exp_bound


class Exported(NamedTuple):
    """How an activation is written in ONNX, and in PyTorch.

    Attributes
    ----------
    onnx : callable
        ``onnx(graph, z)`` adds nodes to a `skffnn.export.onnx.Graph`, and returns the
        name of the output.
    torch : callable or None
        ``torch(nn, dtype)`` makes a module of `torch.nn`; None for the identity.
    """

    onnx: Callable[[Any, Any], Any]
    torch: Callable[[Any, Any], Any] | None


# onnxruntime has no LeakyRelu, Elu, Selu, Softplus and Erf in double precision.


def _leaky_relu(graph, z):
    return graph("Max", z, graph("Mul", z, LEAKY_SLOPE))


def _expm1_of_negative(graph, z):
    return graph("Sub", graph("Exp", graph("Min", z, 0)), 1)


def _elu(graph, z):
    return graph("Max", z, _expm1_of_negative(graph, z))


def _selu(graph, z):
    negative = graph("Mul", _expm1_of_negative(graph, z), SELU_ALPHA)
    return graph("Mul", graph("Add", graph("Relu", z), negative), SELU_SCALE)


def _silu(graph, z):
    # Written as z * Sigmoid(z), onnxruntime 1.19 fuses it to QuickGelu, which it has
    # in single precision only.
    return graph("Div", z, graph("Add", graph("Exp", graph("Neg", z)), 1))


def _gelu(graph, z):
    """Z Phi(z) = max(z, 0) - abs(z) erfc(abs(z) / sqrt(2)) / 2."""
    size = graph("Abs", z)
    tail = _erfc(graph, graph("Mul", size, 1 / sqrt(2)))
    return graph("Sub", graph("Relu", z), graph("Mul", size, graph("Mul", tail, 0.5)))


def _erfc(graph, x):
    """The complementary error function of x >= 0.

    exp(x^2) erfc(x) is a smooth function of 1 / (1 + x), and in double precision a
    polynomial of that, in Chebyshev's form, summed by Clenshaw's recurrence.
    """
    if graph.dtype == np.float32:
        return graph("Sub", 1, graph("Erf", x))
    *higher, last = reversed(_chebyshev_of_erfcx())
    u = graph("Sub", graph("Div", 2, graph("Add", x, 1)), 1)
    twice, newer, older = graph("Mul", u, 2), None, None
    for coefficient in higher:
        newest = coefficient
        if newer is not None:
            newest = graph("Add", graph("Mul", twice, newer), coefficient)
        if older is not None:
            newest = graph("Sub", newest, older)
        newer, older = newest, newer
    scaled = graph("Sub", graph("Add", graph("Mul", u, newer), last), older)
    square = graph("Mul", x, x)
    return graph("Mul", scaled, graph("Exp", graph("Neg", square)))


@cache
def _chebyshev_of_erfcx(degree=25):
    """Coefficients of exp(x^2) erfc(x) as a function of u = 2 / (1 + x) - 1."""

    def of(u):
        with np.errstate(divide="ignore"):
            return erfcx(2 / (1 + u) - 1)

    return np.polynomial.chebyshev.chebinterpolate(of, degree).tolist()


def _mish(graph, z):
    """Z tanh(softplus(z)), with softplus(z) = max(z, 0) + log(1 + exp(-abs(z)))."""
    small = graph("Exp", graph("Neg", graph("Abs", z)))
    softplus = graph("Add", graph("Relu", z), graph("Log", graph("Add", small, 1)))
    return graph("Mul", z, graph("Tanh", softplus))


def _exp(graph, z):
    bound = exp_bound(graph.dtype)
    return graph("Exp", graph("Max", graph("Min", z, bound), -bound))


EXPORTED = {
    "identity": Exported(lambda graph, z: z, None),
    "logistic": Exported(
        lambda graph, z: graph("Sigmoid", z), lambda nn, dtype: nn.Sigmoid()
    ),
    "tanh": Exported(lambda graph, z: graph("Tanh", z), lambda nn, dtype: nn.Tanh()),
    "relu": Exported(lambda graph, z: graph("Relu", z), lambda nn, dtype: nn.ReLU()),
    "leaky_relu": Exported(_leaky_relu, lambda nn, dtype: nn.LeakyReLU(LEAKY_SLOPE)),
    "elu": Exported(_elu, lambda nn, dtype: nn.ELU()),
    "selu": Exported(_selu, lambda nn, dtype: nn.SELU()),
    "silu": Exported(_silu, lambda nn, dtype: nn.SiLU()),
    "gelu": Exported(_gelu, lambda nn, dtype: nn.GELU()),
    "mish": Exported(_mish, lambda nn, dtype: nn.Mish()),
    "exp": Exported(_exp, lambda nn, dtype: nn.Exp(float(exp_bound(dtype)))),
}


def exported(name):
    """The activation of that name, elsewhere.

    Raises
    ------
    ValueError
        If it is not in the table.
    """
    if name not in EXPORTED:
        raise ValueError(
            f"The activation {name!r} has no form in ONNX and PyTorch yet: describe it "
            f"in skffnn/export/activations.py. There are {', '.join(EXPORTED)}."
        )
    return EXPORTED[name]
