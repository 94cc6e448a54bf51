"""First weights: small enough to be stable, large enough to let signals through.

Weights are uniform on (-r, r), r = sqrt(3 v), with the variance v chosen for the
activation that follows; biases start at 0.

* relu, leaky_relu, elu: v = 2 / fan_in (He et al., 2015)
* selu: v = 1 / fan_in (Klambauer et al., 2017)
* the others: v = 2 / (fan_in + fan_out) (Glorot & Bengio, 2010), and 16 times that
  for logistic, whose slope at 0 is 1/4
"""

import numpy as np


def variance(activation, fan_in, fan_out):
    """The variance of the weights into a layer with this activation."""
    if activation in ("relu", "leaky_relu", "elu"):
        return 2 / fan_in
    if activation == "selu":
        return 1 / fan_in
    return (16 if activation == "logistic" else 1) * 2 / (fan_in + fan_out)


def initialize(layout, theta, activations, rngs):
    """Fill theta, each network of a stack from its own generator.

    Parameters
    ----------
    layout : Layout
    theta : ndarray of shape (P,) or (K, P)
    activations : sequence of str
        The name for each layer, the output's last.
    rngs : sequence of numpy.random.Generator
        One per network.
    """
    theta[...] = 0
    for theta_k, rng in zip(np.atleast_2d(theta), rngs, strict=True):
        W, _ = layout.views(theta_k)
        for W_l, activation in zip(W, activations, strict=True):
            r = np.sqrt(3 * variance(activation, *W_l.shape))
            # Drawn in float64 whatever theta's dtype: the start is the same for both.
            W_l[...] = rng.uniform(-r, r, W_l.shape)
