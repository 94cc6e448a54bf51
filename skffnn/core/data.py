"""The one place where data enters: the gather at the head of a minibatch."""

import numpy as np


class Data:
    """Rows of a table, with their targets and weights, ready to be gathered.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_inputs)
        In memory, on disk (a memory map), or sparse.
    Y : ndarray of shape (n_rows, n_outputs)
    weight : ndarray of shape (n_rows, 1), default=None
        With w the mean weight of a network's rows, a batch of n rows gives each row
        the share w_i / (n w): the shares of a whole pass then add up to 1, and a
        batch's gradient has the pass's gradient as its expectation (dividing by the
        batch's own sum of weights would not).
    rows : ndarray of shape (n,) or (K, n), default=None
        The rows that belong to the network, or to each of a stack; all by default.
    mean, scale : ndarray of shape (n_inputs,), default=None
        What is still to be subtracted from X and divided out of it, batch by batch.
    """

    def __init__(self, X, Y, weight=None, rows=None, mean=None, scale=None):
        self.X, self.Y, self.weight = X, Y, weight
        self.rows = np.arange(X.shape[0]) if rows is None else rows
        self.mean, self.scale = mean, scale
        if weight is not None:
            self.mean_weight = weight[self.rows].mean(axis=-2, keepdims=True)

    def gather_inputs(self, rows, a):
        """Write the standardised rows of X to a, (..., n, n_inputs)."""
        if not isinstance(self.X, np.ndarray):
            self.X[rows.ravel()].toarray(out=a.reshape(-1, a.shape[-1]))
        elif self.X.flags.c_contiguous:
            # mode="clip" spares np.take a buffered copy; rows are always in range.
            self.X.take(rows, 0, a, "clip")
        else:
            a[...] = self.X[rows]  # np.take would copy the whole table first
        if self.mean is not None:
            standardize(a, self.mean, self.scale, out=a)

    def gather(self, rows, batch):
        """Fill a batch: inputs, targets, and what each row counts for."""
        self.gather_inputs(rows, batch.a[0])
        self.Y.take(rows, 0, batch.y, "clip")
        if self.weight is not None:
            self.weight.take(rows, 0, batch.share, "clip")
            batch.share /= rows.shape[-1] * self.mean_weight

    def shares(self, rows):
        """What each of those rows counts for in their mean: 1/n, or (..., n, 1)."""
        n = rows.shape[-1]
        return (
            1 / n if self.weight is None else self.weight[rows] / (n * self.mean_weight)
        )


def standardize(X, mean, scale, out):
    """(X - mean) / scale, computed in the wider of the dtypes and written to out."""
    np.subtract(X, mean, out=out, casting="same_kind")
    return np.divide(out, scale, out=out, casting="same_kind")
