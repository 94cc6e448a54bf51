r"""Losses: each returns its value J and writes its gradient dJ/dy_hat.

A loss is called as `loss(y_hat, y, share, dJ)`:

* `y_hat` and `y` have shape (..., n, n_outputs); y is used up as work space.
* `share` is what each row counts for in the mean: 1/n, or w_i / sum(w) as an array of
  shape (..., n, 1). Value and gradient take it from the same place, so they agree.
* `dJ` receives the gradient, in the shape of y_hat.
* The value is one number per output, shape (..., n_outputs); J is their sum. With
  that, each output can be reported in its own units. Most losses take `value=False`
  from who wants the gradient alone, and then leave it out.

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
from functools import partial
from inspect import signature
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


def squared_error(y_hat, y, share, dJ, value=True):
    e = np.subtract(y_hat, y, out=y)
    np.multiply(e, share, out=dJ)
    return over_rows(dJ, e) / 2 if value else None


def root_mean_squared_error(y_hat, y, share, dJ):
    e = np.subtract(y_hat, y, out=y)
    np.multiply(e, share, out=dJ)
    J = np.sqrt(over_rows(dJ, e))
    # At a perfect fit the gradient is 0 / 0; 0 is its value from every side.
    dJ /= np.where(J > 0, J, 1)[..., np.newaxis, :]
    return J


def absolute_error(y_hat, y, share, dJ, value=True):
    e = np.subtract(y_hat, y, out=y)
    np.sign(e, out=dJ)
    dJ *= share
    return over_rows(dJ, e) if value else None


def huber(y_hat, y, share, dJ, delta, value=True):
    e = np.subtract(y_hat, y, out=y)
    np.clip(e, -delta, delta, out=dJ)
    dJ *= share
    if not value:
        return None
    J = over_rows(dJ, e)
    np.clip(e, -delta, delta, out=e)
    return J - over_rows(dJ, e) / 2


def quantile(y_hat, y, share, dJ, q, value=True):
    e = np.subtract(y_hat, y, out=y)
    # 1 - q above, -q below; in between (e = 0) the middle of the subgradients.
    np.sign(e, out=dJ)
    dJ *= 0.5
    dJ += 0.5 - q
    dJ *= share
    return over_rows(dJ, e) if value else None


def poisson(y_hat, y, share, dJ, value=True):
    ratio = np.divide(y, y_hat, out=y)
    np.subtract(1, ratio, out=dJ)
    dJ *= share
    if not value:
        return None
    # y log(y / y_hat) - y + y_hat = y_hat (ratio log(ratio) - ratio + 1)
    deviance = xlogy(ratio, ratio)
    deviance -= ratio
    deviance += 1
    deviance *= y_hat
    deviance *= share
    return deviance.sum(axis=-2)


def gradient_only(loss):
    """The same loss without its value, where it can be had without: a step saves it."""
    parameters = signature(loss).parameters
    return partial(loss, value=False) if "value" in parameters else loss


def joined(loss, parts):
    """J of all rows, from its values on blocks of them.

    A loss is a sum over rows and adds up. The RMSE is the root of one: its square does.
    """
    if len(parts) == 1:
        return parts[0]
    root = getattr(loss, "func", loss) is root_mean_squared_error
    return np.sqrt(np.sum(np.square(parts), axis=0)) if root else np.sum(parts, axis=0)


LOSSES = {
    "squared_error": Loss(squared_error, 2),
    "root_mean_squared_error": Loss(root_mean_squared_error, 1),
    "absolute_error": Loss(absolute_error, 1),
    "huber": Loss(huber, 2),
    "quantile": Loss(quantile, 1),
    "poisson": Loss(poisson, 1),
}
