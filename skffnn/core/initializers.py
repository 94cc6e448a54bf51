"""First weights: small enough to be stable, large enough to let signals through.

Weights are uniform on (-r, r), r = sqrt(3 v), with a variance v that suits the
activation behind them; biases start at 0. The variances by the number of a layer's
inputs, fan_in, and of its units, fan_out:

====== ========================= ====================================================
he     2 / fan_in                He et al. (2015): half of what comes in is cut off
lecun  1 / fan_in                LeCun et al. (1998): signals keep their variance
glorot 2 / (fan_in + fan_out)    Glorot & Bengio (2010): forward and backward alike
flat   16 times that of glorot   The same for a function whose slope at 0 is 1/4
====== ========================= ====================================================
"""

import numpy as np

# Standard deviation of the first numbers of embedding tables.
EMBEDDING = 0.1


def he(fan_in, fan_out):
    """The variance of weights before an activation that cuts half off, as relu."""
    return 2 / fan_in


def lecun(fan_in, fan_out):
    """The variance of weights before an activation that keeps the variance, as selu."""
    return 1 / fan_in


def glorot(fan_in, fan_out):
    """The variance of weights before an activation whose slope at 0 is 1, as tanh."""
    return 2 / (fan_in + fan_out)


def flat(fan_in, fan_out):
    """The variance of weights before the logistic function: its slope at 0 is 1/4."""
    return 16 * 2 / (fan_in + fan_out)


def initialize(layout, theta, activations, rngs):
    """Fill theta, each network of a stack from its own generator.

    Parameters
    ----------
    layout : Layout
    theta : ndarray of shape (P,) or (K, P)
    activations : sequence of Activation
        One for each layer, the output's last.
    rngs : sequence of numpy.random.Generator
        One per network.
    """
    theta[...] = 0
    for theta_k, rng in zip(np.atleast_2d(theta), rngs, strict=True):
        parameters = layout.views(theta_k)
        for W_l, activation in zip(parameters.W, activations, strict=True):
            r = np.sqrt(3 * activation.variance(*W_l.shape))
            # Drawn in float64 whatever theta's dtype: the start is the same for both.
            W_l[...] = rng.uniform(-r, r, W_l.shape)
        for E_c in parameters.E:
            E_c[...] = rng.normal(scale=EMBEDDING, size=E_c.shape)
