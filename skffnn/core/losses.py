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

Above each function stands what else is known of the loss: see `Loss`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
from scipy.special import xlogy

from .hyperparameters import Hyperparameter, is_inside_unit, is_positive

# Halvings of an interval: more than a float has digits.
HALVINGS = 60


def over_rows(u, v):
    """Sum u v over rows, (..., n, k) to (..., k)."""
    return np.vecdot(u.mT, v.mT)


def squared_errors(y_hat, y, share):
    """The mean squared error of each output, as a sum over rows."""
    e = y_hat - y
    return over_rows(e * share, e)


def added(parts):
    """J of all rows, of its values on blocks, for a loss that is a sum over rows."""
    return np.sum(parts, axis=0)


def root_of_squares(parts):
    """J of all rows, of its values on blocks, for the root of a sum over rows."""
    return np.sqrt(np.sum(np.square(parts), axis=0))


class Constant(NamedTuple):
    """A constant prediction: what it is called, and what makes it of Y and weights."""

    name: str
    of: Callable[..., Any]


def _mean(Y, weight):
    return np.average(Y, axis=0, weights=weight)


def _quantile(Y, weight, q=0.5):
    return np.quantile(Y, q, axis=0, weights=weight, method="inverted_cdf")


MEAN = Constant("their mean", _mean)
MEDIAN = Constant("their median", _quantile)
QUANTILE = Constant("their quantile", _quantile)


@dataclass(frozen=True, eq=False)
class Loss:
    """A loss: its function, called as the module says, and what else is known of it.

    Attributes
    ----------
    function : callable
        ``function(y_hat, y, share, dJ, **hyperparameters)``.
    name : str
        As users know it.
    degree : int
        How it scales: J(c y_hat, c y) = c^degree J(y_hat, y), with hyperparameters
        that are in standard deviations scaled along.
    hyperparameters : dict of str to Hyperparameter
        What the function takes besides, by the names of its arguments.
    in_deviations : tuple of str
        Which of these are in standard deviations of each output.
    robust : bool
        Whether single rows that are far off hardly count, as the gradient is the same
        however far. Then they must decide neither the scale of y, which is that of its
        quartiles, nor what counts as progress.
    output : str or None
        The activation that the output layer must have; None if users choose it.
    lowest : float
        The lowest target for which it makes sense.
    suits : str
        Which targets those are, in words.
    constant : Constant or None
        The constant prediction with the lowest loss, if there is a formula for it:
        ``of(Y, weight, **hyperparameters)``. Without, it is searched for.
    join : callable
        Makes J of all rows of the values on blocks of rows.
    metric : callable
        ``metric(y_hat, y, share)``, what predictions are judged by besides: a sum over
        rows, one number for each output.
    too_large : float
        A loss so many times that of the beginning is divergence.
    values : dict
        The hyperparameters, filled in.
    """

    function: Callable[..., Any]
    degree: int
    name: str = ""
    hyperparameters: Mapping[str, Hyperparameter] = field(default_factory=dict)
    in_deviations: tuple[str, ...] = ()
    robust: bool = False
    output: str | None = None
    lowest: float = -np.inf
    suits: str = "numbers"
    constant: Constant | None = None
    join: Callable[[Any], Any] = added
    metric: Callable[..., Any] = squared_errors
    too_large: float = 10
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def _filled_in(self):
        return partial(self.function, **self.values) if self.values else self.function

    def __call__(self, y_hat, y, share, dJ):
        """Return J, one value for each output; write its gradient to dJ."""
        return self._filled_in(y_hat, y, share, dJ)

    def filled_in(self, **values):
        """The loss with values for its hyperparameters."""
        return replace(self, values=values) if values else self

    @property
    def gradient_only(self):
        """The function without the value of J, where it can be had without."""
        if "value" not in signature(self.function).parameters:
            return self._filled_in
        return partial(self._filled_in, value=False)

    def joined(self, parts):
        """J of all rows, from its values on blocks of them."""
        return parts[0] if len(parts) == 1 else self.join(parts)

    def best_constant(self, Y, weight=None):
        """The constant prediction with the lowest loss, for each output.

        Parameters
        ----------
        Y : ndarray of shape (n, n_outputs)
            In float64.
        weight : ndarray of shape (n,), default=None

        Returns
        -------
        constant : ndarray of shape (n_outputs,)
            By the formula of the loss if it has one; otherwise where the slope, which
            rises with the prediction in every convex loss, changes its sign.
        """
        if self.constant is not None:
            return self.constant.of(Y, weight, **self.values)
        share = 1 / len(Y) if weight is None else (weight / weight.sum())[:, np.newaxis]
        low, high, dJ = Y.min(axis=0), Y.max(axis=0), np.empty_like(Y)
        gradient = self.gradient_only
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            gradient(np.broadcast_to(middle, Y.shape), Y.copy(), share, dJ)
            above = dJ.sum(axis=0) > 0
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return (low + high) / 2


LOSSES: dict[str, Loss] = {}


def loss(**known):
    """Make a `Loss` of a function, and list it in `LOSSES` under its name."""

    def made(function):
        name = function.__name__
        LOSSES[name] = Loss(function, name=name, **known)
        return LOSSES[name]

    return made


@loss(degree=2, constant=MEAN)
def squared_error(y_hat, y, share, dJ, value=True):
    e = np.subtract(y_hat, y, out=y)
    np.multiply(e, share, out=dJ)
    return over_rows(dJ, e) / 2 if value else None


@loss(degree=1, constant=MEAN, join=root_of_squares)
def root_mean_squared_error(y_hat, y, share, dJ):
    e = np.subtract(y_hat, y, out=y)
    np.multiply(e, share, out=dJ)
    J = np.sqrt(over_rows(dJ, e))
    # At a perfect fit the gradient is 0 / 0; 0 is its value from every side.
    dJ /= np.where(J > 0, J, 1)[..., np.newaxis, :]
    return J


@loss(degree=1, constant=MEDIAN, robust=True)
def absolute_error(y_hat, y, share, dJ, value=True):
    e = np.subtract(y_hat, y, out=y)
    np.sign(e, out=dJ)
    dJ *= share
    return over_rows(dJ, e) if value else None


@loss(
    degree=2,
    robust=True,
    in_deviations=("delta",),
    hyperparameters={
        "delta": Hyperparameter(
            "huber_delta",
            is_positive,
            "a positive number of standard deviations of y",
        )
    },
)
def huber(y_hat, y, share, dJ, delta, value=True):
    e = np.subtract(y_hat, y, out=y)
    np.clip(e, -delta, delta, out=dJ)
    dJ *= share
    if not value:
        return None
    J = over_rows(dJ, e)
    np.clip(e, -delta, delta, out=e)
    return J - over_rows(dJ, e) / 2


@loss(
    degree=1,
    robust=True,
    constant=QUANTILE,
    hyperparameters={
        "q": Hyperparameter("quantile", is_inside_unit, "a number between 0 and 1")
    },
)
def quantile(y_hat, y, share, dJ, q, value=True):
    e = np.subtract(y_hat, y, out=y)
    # 1 - q above, -q below; in between (e = 0) the middle of the subgradients.
    np.sign(e, out=dJ)
    dJ *= 0.5
    dJ += 0.5 - q
    dJ *= share
    return over_rows(dJ, e) if value else None


# Behind an exponential an overshoot is multiplied, and mends itself all the same.
@loss(
    degree=1, constant=MEAN, output="exp", too_large=1000,
    lowest=0.0, suits="counts and rates, which are not negative",
)  # fmt: skip
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


def loss_of(name):
    """The loss of that name, its hyperparameters not filled in.

    Raises
    ------
    ValueError
        If there is none; it lists those that there are.
    """
    if name not in LOSSES:
        raise ValueError(
            f"There is no loss {name!r}: choose one of {', '.join(LOSSES)}."
        )
    return LOSSES[name]
