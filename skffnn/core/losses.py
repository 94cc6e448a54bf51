r"""Losses: each returns its value J and writes its gradient dJ/dy_hat.

A loss is called as `loss(y_hat, y, share, dJ)`:

* `y_hat` and `y` have shape (..., n, n_outputs); y is used up as work space.
* `share` is what each row counts for in the mean: 1/n, or w_i / sum(w) as an array of
  shape (..., n, 1). Value and gradient take it from the same place, so they agree.
* `dJ` receives the gradient, in the shape of y_hat.
* The value is one number per output, shape (..., n_outputs); J is their sum. With
  that, each output can be reported in its own units.

With e = y_hat - y and the rows' shares p_i, the value for one output is

==================== ==============================================================
squared_error        1/2 sum p e^2
root_mean_squared_.. sqrt(sum p e^2), the root of twice the above
absolute_error       sum p abs(e)
huber                sum p (e^2/2 if abs(e) <= delta else delta (abs(e) - delta/2))
quantile             sum p max((1 - q) e, -q e)
poisson              sum p (y log(y / y_hat) - y + y_hat), half the deviance
==================== ==============================================================
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.special import xlogy


class Loss(NamedTuple):
    """A loss and how it scales: J(c y_hat, c y) = c^degree J(y_hat, y)."""

    function: Callable[..., Any]
    degree: int


def over_rows(u, v):
    """Sum u v over rows, (..., n, k) to (..., k)."""
    return np.vecdot(u.mT, v.mT)


def squared_error(y_hat, y, share, dJ):
    e = np.subtract(y_hat, y, out=y)
    np.multiply(e, share, out=dJ)
    return over_rows(dJ, e) / 2


def root_mean_squared_error(y_hat, y, share, dJ):
    e = np.subtract(y_hat, y, out=y)
    np.multiply(e, share, out=dJ)
    J = np.sqrt(over_rows(dJ, e))
    # At a perfect fit the gradient is 0 / 0; 0 is its value from every side.
    dJ /= np.where(J > 0, J, 1)[..., np.newaxis, :]
    return J


def absolute_error(y_hat, y, share, dJ):
    e = np.subtract(y_hat, y, out=y)
    np.sign(e, out=dJ)
    dJ *= share
    return over_rows(dJ, e)


def huber(y_hat, y, share, dJ, delta):
    e = np.subtract(y_hat, y, out=y)
    np.clip(e, -delta, delta, out=dJ)
    dJ *= share
    J = over_rows(dJ, e)
    np.clip(e, -delta, delta, out=e)
    return J - over_rows(dJ, e) / 2


def quantile(y_hat, y, share, dJ, q):
    e = np.subtract(y_hat, y, out=y)
    # 1 - q above, -q below; in between (e = 0) the middle of the subgradients.
    np.sign(e, out=dJ)
    dJ *= 0.5
    dJ += 0.5 - q
    dJ *= share
    return over_rows(dJ, e)


def poisson(y_hat, y, share, dJ):
    ratio = np.divide(y, y_hat, out=dJ)
    # y log(y / y_hat) - y + y_hat = y_hat (ratio log(ratio) - ratio + 1)
    deviance = xlogy(ratio, ratio, out=y)
    deviance -= ratio
    deviance += 1
    deviance *= y_hat
    deviance *= share
    J = deviance.sum(axis=-2)
    np.subtract(1, ratio, out=dJ)
    dJ *= share
    return J


LOSSES = {
    "squared_error": Loss(squared_error, 2),
    "root_mean_squared_error": Loss(root_mean_squared_error, 1),
    "absolute_error": Loss(absolute_error, 1),
    "huber": Loss(huber, 2),
    "quantile": Loss(quantile, 1),
    "poisson": Loss(poisson, 1),
}
