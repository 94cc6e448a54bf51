"""What a fitted model consists of, for those who write it down in another language."""

from typing import NamedTuple

import numpy as np


class Networks(NamedTuple):
    """One network, or a stack of K that are added up.

    The prediction is the sum of y_hat * y_scale over the networks, plus y_mean: what
    each network counts for is in its y_scale.

    Attributes
    ----------
    units : list of int
        Inputs, units of each hidden layer, outputs.
    activations : list of str
        The name for each layer, the output's last.
    theta : ndarray of shape (P,) or (K, P)
    x_mean, x_scale : ndarray of shape (n_inputs,) or (K, 1, n_inputs)
        What is subtracted from X, and then divided out; of each network, if the
        networks have scales of their own.
    x_limit : ndarray of the same shape
        How far a standardised column is taken as it is; beyond, it grows like a
        logarithm. Infinite for most columns.
    y_scale : ndarray of shape (n_outputs,) or (K, 1, n_outputs)
    y_mean : ndarray of shape (n_outputs,)
    y_ndim : int
        1 if predictions are to have one dimension.
    """

    units: list[int]
    activations: list[str]
    theta: np.ndarray
    x_mean: np.ndarray
    x_scale: np.ndarray
    x_limit: np.ndarray
    y_scale: np.ndarray
    y_mean: np.ndarray
    y_ndim: int

    def weighted(self, weights):
        """A copy of the stack in which each network counts for its weight, (K,)."""
        return self._replace(y_scale=weights[:, np.newaxis, np.newaxis] * self.y_scale)

    def finite_limit(self, dtype):
        """`x_limit` in a dtype, with its largest number in place of infinity.

        Where z overflows, infinity less infinity would be no number.
        """
        return np.minimum(self.x_limit, np.finfo(dtype).max).astype(dtype)

    @classmethod
    def mean_of(cls, each):
        """The mean of networks of one architecture, each with scales of its own."""

        def stacked(name):
            return np.stack([getattr(one, name) for one in each])[:, np.newaxis]

        return each[0]._replace(
            theta=np.stack([one.theta for one in each]),
            x_mean=stacked("x_mean"),
            x_scale=stacked("x_scale"),
            x_limit=stacked("x_limit"),
            y_scale=stacked("y_scale") / len(each),
            y_mean=stacked("y_mean").mean(axis=(0, 1)),
        )
