"""Reach: targets that are so far off that a robust loss hardly sees them.

In training such a row counts for no more than others do. But it can make up nearly all
of the loss, which then does not tell what the network has learnt of the other rows:
their progress is next to nothing of it, and behind a loss of 1e20 it has no digits.
"""

from copy import copy

import numpy as np

from ..core.training import evaluate
from ..preprocessing.scaling import robust_statistics

# Robust deviations from the median: what is farther off does not tell of progress.
FAR_OFF = 100
# In units of a target whose scale reaches far, the deviation of most rows is smaller.
WIDENED = 0.5


def spread(data):
    """Median and robust deviation of the targets, each of shape (n_outputs,)."""
    rows = data.at(slice(None))
    Y = data.targets(rows).astype(np.float64)
    weight = None if data.weight is None else data.weight[rows, 0]
    return robust_statistics(Y, range(len(Y)), weight)


def near_rows(data, times, median, scale):
    """Which rows have all targets within so many deviations: a mask, (n,)."""
    Y = data.targets(data.at(slice(None)))
    return (np.abs(Y - median) <= times * scale).all(axis=1)


class Judge:
    """What the decisions of a run are made by: the losses of targets within reach.

    A target that is far off is taken as far as the loss can still tell differences; the
    gradient of a robust loss is the same there. All other targets, and all of most
    tables, are judged as they are.

    Parameters
    ----------
    network : Network
    prepared : Prepared
        The rows.
    decides : bool, default=True
        Whether anything is to be decided.

    Attributes
    ----------
    training, validation : Data or None
        The rows, with targets within reach.
    near : Data
        The training rows that are not far off, as they are.
    reaches_far : bool
        Whether y is scaled by rows that are far off, and not by most of them.
    as_it_is : bool
        Whether these are the rows as they are.
    most : float
        Where they are not, the loss of the best constant prediction of those that are
        near: what there is to be learnt. Progress of a larger loss is relative to it,
        see `skffnn.core.stopping.below`.
    """

    def __init__(self, network, prepared, decides=True):
        self.network, self.most, self.as_it_is = network, np.inf, True
        rows = prepared.training_data, prepared.validation_data
        self.training, self.validation = rows
        self.near, self.reaches_far = self.training, False
        if not (decides and network.loss.robust):
            return
        median, scale = spread(self.training)
        if prepared.target.is_robust:  # in units of y's scale, which may reach farther
            narrow = scale < WIDENED
            self.reaches_far = bool(narrow.any())
            scale = np.where(narrow, 1.0, scale)
        self._reach = median, scale
        near, *others = (
            near_rows(data, FAR_OFF, *self._reach) for data in rows if data is not None
        )
        if near.all() and all(other.all() for other in others):
            return
        self.as_it_is = False
        self.training, self.validation = (
            data if data is None else self.within_reach(data, data.Y.dtype)
            for data in rows
        )
        self.near = self.near.of(self.near.rows[near])
        self.most = prepared.target.baseline(network, self.near)

    def within_reach(self, data, dtype):
        """The rows, with targets that differences can be told of in that dtype."""
        if self.as_it_is:
            return data
        median, scale = self._reach
        far, part = scale / np.sqrt(np.finfo(dtype).eps), copy(data)
        # In the dtype of the targets, to the nearest.
        part.Y = np.clip(data.Y, median - far, median + far).astype(data.Y.dtype)
        return part

    def within(self, times):
        """The training rows whose targets are all within so many deviations."""
        near = near_rows(self.training, times, *self._reach)
        return self.training.of(self.training.rows[near])

    def loss(self, theta, data):
        """The loss of those weights on rows, which are to be the judge's own."""
        loss, _ = evaluate(self.network, theta, data)
        return total(loss)

    def losses(self, theta, record):
        """The losses of an epoch: of the training rows, and of the watched ones."""
        watched = record.validation_loss
        if self.as_it_is:
            training = total(record.loss)
            return training, training if watched is None else total(watched)
        training = self.loss(theta, self.training)
        return training, training if watched is None else self.loss(
            theta, self.validation
        )


@np.errstate(all="ignore")  # what overflows is divergence, and seen as such
def total(loss):
    """The loss of all outputs."""
    return float(loss.sum())
