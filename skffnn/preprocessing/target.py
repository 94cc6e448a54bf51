"""Targets: what y may be, on which scale it is learnt, and the way back to the user.

A target is what an estimator knows of its y: its checks, its scale, the best constant
prediction, the curves in units that users know. Another kind of y, such as classes, is
another class with the attributes and methods of `NumericTarget`.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from sklearn.utils import column_or_1d

from ..core.activations import ACTIVATIONS
from ..core.losses import Loss
from ..core.training import measure
from .foreign import needing_numbers
from .scaling import OVERFLOW, dense, index, robust_statistics, statistics, unit

# The core keeps what an exponential predicts, times this, below what a float holds.
LARGEST_MEAN = np.sqrt(np.finfo(np.float64).max)

MISSING = (
    "Input y contains NaN: {} of {} targets are missing, and nothing can be learnt "
    "from rows without one. Leave them out: X[pd.notna(y)], y[pd.notna(y)]."
)


class NumericTarget:
    """Numbers, in one column or several: what a regressor learns.

    Parameters
    ----------
    loss : Loss
        Under which it is learnt; its hyperparameters are not looked at.
    output : str, default="identity"
        The activation of the output layer, which knows how y is `scales`: behind an
        identity y is standardised; behind an exponential it is divided by its mean and
        never centred; any other one fixes the units of y itself.
    standardized : bool, default=True
        Whether y is scaled at all.
    single : bool, default=False
        Whether it must be one column.

    Attributes
    ----------
    numeric : bool
        Whether y is converted to numbers before `encode` sees it.
    metric : str
        The name of what predictions are judged by besides the loss, in ``history_``.
    rules : dict of str to callable
        What a file may hold of the attributes that it gives to a model: see
        `skffnn.fitting.fitted`.
    """

    numeric = True
    metric = "rmse"
    rules: ClassVar[dict[str, Callable[[Any, dict], bool]]] = {}

    def __init__(
        self,
        loss: Loss,
        output: str = "identity",
        standardized: bool = True,
        single: bool = False,
    ):
        self.loss, self.output = loss, output
        self.standardized, self.single = standardized, single
        self.scales = ACTIVATIONS[output].scales

    @property
    def in_deviations(self):
        """Whether the network learns it in units of its standard deviation."""
        return self.standardized and self.scales == "deviation"

    @property
    def is_robust(self):
        """Whether it is scaled by what most rows are, whatever some of them hold."""
        return self.in_deviations and self.loss.robust

    def as_attributes(self):
        """What a fitted model has of it, beside the scale."""
        return {}

    # From the user to the network -------------------------------------------------

    def encode(self, y, weight, owner):
        """Check y, and return it as the network learns it, but for its scale.

        Parameters
        ----------
        y : ndarray of shape (n,) or (n, n_outputs)
            Finite.
        weight : ndarray of shape (n,) or None
            Of the rows; those of weight 0 may hold anything.
        owner : str
            The estimator's name, for errors.

        Returns
        -------
        Y : ndarray of shape (n, n_outputs)
            In float64.
        y_ndim : int
            1 or 2, as predictions are to be.
        """
        with needing_numbers("y"):
            Y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
        if np.isnan(Y).any():
            raise ValueError(MISSING.format(np.count_nonzero(np.isnan(Y)), Y.size))
        if not np.isfinite(Y).all():
            raise ValueError("y has values that float64 cannot hold.")
        low = Y.min() if weight is None else Y[weight > 0].min()
        if low < self.loss.lowest:
            raise ValueError(
                f"loss={self.loss.name!r} is for {self.loss.suits}, but y has a value "
                f"of {low:g}. Use another loss, such as 'squared_error'."
            )
        if not self.single:
            return Y, y.ndim
        if Y.shape[1] > 1:
            raise ValueError(
                f"y has {Y.shape[1]} columns, but {owner} learns one target: "
                "sklearn.multioutput.MultiOutputRegressor fits one model for each."
            )
        column_or_1d(y, warn=True)
        return Y, 1

    def statistics(self, Y, rows, weight):
        """Mean and scale of each output: what is subtracted, and then divided out."""
        if not self.standardized:
            return unit(Y.shape[1])
        if self.scales == "deviation":
            return self._deviations(Y, rows, weight)
        mean, scale = unit(Y.shape[1])
        if self.scales == "mean":
            picked = index(rows)
            with np.errstate(over="ignore"):
                average = np.average(
                    dense(Y, picked),
                    axis=0,
                    weights=None if weight is None else weight[picked],
                )
            if average.max() > LARGEST_MEAN:
                raise ValueError(OVERFLOW)
            scale = np.where(average > 0, average, 1.0)
        return mean, scale

    def _deviations(self, Y, rows, weight):
        """Centre and standard deviation, or robust counterparts, of each output."""
        of = robust_statistics if self.loss.robust else statistics
        return of(Y, rows, weight)

    def check_given(self, given):
        """Raise ValueError if statistics of y that the user gives make no sense.

        Parameters
        ----------
        given : list of ndarray or None
        """
        if given is not None and self.scales != "deviation":
            raise ValueError(
                f"The output activation {self.output!r} fixes the units of y, which is "
                "not standardised then: leave 'y_mean' and 'y_scale' out of "
                "standardize."
            )

    def deviations(self, data):
        """Deviations of y in units of the network, if the loss asks for them.

        Returns
        -------
        deviations : ndarray of shape (n_outputs,) or None
            None if the loss does not, or if y is standardised and they are all 1.
        """
        if self.in_deviations or not self.loss.in_deviations:
            return None
        Y, weight = data.Y.astype(np.float64), data.weight
        if weight is not None:
            weight = weight[:, 0].astype(np.float64)
        return self._deviations(Y, data.rows, weight)[1]

    @np.errstate(all="ignore")  # what overflows is divergence, and seen as such
    def baseline(self, network, data, constant=None):
        """The loss of a constant prediction; 0 for a constant y.

        Parameters
        ----------
        network : Network
            With its loss.
        data : Data
            The rows, standardised.
        constant : callable, default=None
            ``constant(Y, weight)``; by default the best under that loss.
        """
        rows = data.at(slice(None))
        Y = data.targets(rows)
        if np.ptp(Y, axis=0).max() == 0:
            return 0.0
        weight = None if data.weight is None else data.weight[rows, 0]
        constant = constant or network.loss.best_constant
        y_hat = np.broadcast_to(constant(Y.astype(np.float64), weight), Y.shape)
        loss, _ = measure(network, y_hat, data)
        return float(np.nansum(loss))  # an output of zeros has 0 log(0 / 0) for poisson

    # From the network to the user -------------------------------------------------

    @np.errstate(all="ignore")
    def curves(self, loss, metric, y_scale):
        """Loss and metric in the units that users know.

        Parameters
        ----------
        loss, metric : ndarray of shape (n_outputs,)
            One value per output: the loss, and the mean squared error.
        y_scale : ndarray of shape (n_outputs,)

        Returns
        -------
        loss, rmse : float
            The losses summed over outputs, the RMSEs averaged.
        """
        loss = loss @ y_scale**self.loss.degree
        return float(loss), float(np.sqrt(metric) @ y_scale / len(y_scale))

    @staticmethod
    def decode(y_hat, y_mean, y_scale):
        """Bring predictions back to the units of y, in place.

        Parameters
        ----------
        y_hat : ndarray of shape (n, n_outputs)
        y_mean, y_scale : ndarray of shape (n_outputs,)
        """
        y_hat *= y_scale
        y_hat += y_mean
        return y_hat
