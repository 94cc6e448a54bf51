"""The one place where data enters: the gather at the head of a minibatch."""

from copy import copy
from itertools import accumulate
from typing import Any

import numpy as np

# Numbers that are looked at at once.
BLOCK = 2**18


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
        The rows that belong to the network, or to each of a stack, which needs them
        in order to be trained; all by default.
    mean, scale : ndarray of shape (n_inputs,), default=None
        What is still to be subtracted from X and divided out of it, batch by batch.
    limit : ndarray of shape (n_inputs,), default=None
        How far from 0 each column is taken as it is, after that; beyond, it grows like
        a logarithm. Infinite for most columns; None if for all.
    tail_scale : ndarray of shape (n_tails,), default=None
        What is to be divided out only of columns that have a limit.

    Attributes
    ----------
    whole : int
        The rows of the whole table: more than there are here, where several machines
        have a part each.
    mean_weight : ndarray of shape (1, 1) or (K, 1, 1)
        The mean weight of a network's rows, on all machines.
    """

    def __init__(
        self, X, Y, weight=None, rows=None, mean=None, scale=None, limit=None,
        tail_scale=None,
    ):  # fmt: skip
        self.X, self.Y, self.weight = X, Y, weight
        self.chosen = rows
        self.mean: Any = None if mean is None else mean[np.newaxis]
        self.scale: Any = None if scale is None else scale[np.newaxis]
        # Where no column has a limit, as in most tables, nothing more is looked at: for
        # one row to predict that is worth having.
        if limit is not None and limit[limit.argmin()] == np.inf:
            limit = None
        self.limit: Any = limit
        self.tails: Any = None if limit is None else np.flatnonzero(np.isfinite(limit))
        self.tail_scale = tail_scale
        self.whole = len(self)
        if weight is not None:
            self._weigh()

    def _weigh(self):
        if self.weight is not None:
            weight = self.weight if self.chosen is None else self.weight[self.chosen]
            self.mean_weight = weight.mean(axis=-2, keepdims=True)

    def of(self, rows):
        """The same table, of which only those rows belong to the network."""
        part = copy(self)
        part.chosen = rows
        part.whole = len(part)
        part._weigh()
        return part

    @classmethod
    def stack(cls, parts):
        """The rows of K networks side by side, for a stack.

        Parameters
        ----------
        parts : sequence of Data
            Equally long. Either they are of one table, or of dense ones that need no
            more standardising: those are put one below the other.
        """
        tables = {part.table: part for part in parts}
        assert len(tables) == 1 or all(table.ready for table in tables.values())
        starts = accumulate((len(t.Y) for t in tables.values()), initial=0)
        start = dict(zip(tables, starts, strict=False))
        both = copy(parts[0])
        if len(tables) > 1:
            both.X = np.concatenate([table.X for table in tables.values()])
            both.Y = np.concatenate([table.Y for table in tables.values()])
        both.chosen = np.stack([part.rows + start[part.table] for part in parts])
        both.whole = len(both)
        if both.weight is not None:
            both.mean_weight = np.stack([part.mean_weight for part in parts])
            if len(tables) > 1:
                both.weight = np.concatenate([t.weight for t in tables.values()])
        return both

    @property
    def table(self):
        """What tells its table, with its scale and weights, from another's."""
        return tuple(map(id, (self.X, self.Y, self.weight, self.mean, self.scale)))

    @property
    def ready(self):
        """Whether the table is dense and needs no more standardising."""
        return isinstance(self.X, np.ndarray) and self.scale is None

    def __len__(self):
        """The number of rows of a network."""
        return self.X.shape[0] if self.chosen is None else self.chosen.shape[-1]

    @property
    def rows(self):
        """The numbers of the rows, (n,) or (K, n)."""
        return np.arange(len(self)) if self.chosen is None else self.chosen

    def order(self):
        """A new array of the numbers of the rows, to be shuffled."""
        return self.rows if self.chosen is None else self.chosen.copy()

    def at(self, part):
        """The rows at a slice of positions; a slice again if all rows belong."""
        return part if self.chosen is None else self.chosen[..., part]

    def gather_inputs(self, rows, a):
        """Write the standardised rows of X to a, (..., n, n_inputs)."""
        X, source = self.X, a
        if not isinstance(X, np.ndarray):
            rows = rows if isinstance(rows, slice) else rows.ravel()
            X[rows].toarray(out=a.reshape(-1, a.shape[-1]))
        elif isinstance(rows, slice) or not X.flags.c_contiguous:
            source = X[rows]  # np.take would copy a whole Fortran-ordered table first
        else:
            # mode="clip" spares np.take a buffered copy; rows are always in range.
            X.take(rows, 0, a, "clip")
        if self.scale is not None:
            standardize(source, self.mean, self.scale, out=a)
        elif self.mean is not None:
            np.subtract(source, self.mean, out=a)
        elif source is not a:
            a[...] = source
        if self.tails is not None:
            saturate(a, self.tails, self.limit[self.tails], self.tail_scale)

    def constant_inputs(self):
        """Which inputs are 0 in all rows, but for rounding: a mask, (..., n_inputs).

        Rounding leaves the same of equal numbers: small ones that differ are inputs.
        """
        n, n_inputs = len(self), self.X.shape[1]
        stack = () if self.chosen is None else self.chosen.shape[:-1]
        constant = np.ones((*stack, n_inputs), bool)
        most = BLOCK // n_inputs + 1
        for start in range(0, n, most):
            part = slice(start, min(start + most, n))
            a = np.empty((*stack, part.stop - start, n_inputs), self.Y.dtype)
            self.gather_inputs(self.at(part), a)
            if start == 0:
                first = a[..., :1, :].copy()
            constant &= (a == first).all(axis=-2) & (np.abs(first[..., 0, :]) < 1e-6)
            if not constant.any():
                break
        return constant

    def gather(self, rows, batch):
        """Fill a batch: inputs, targets, and what each row counts for."""
        self.gather_inputs(rows, batch.x)
        self.Y.take(rows, 0, batch.y, "clip")
        if self.weight is not None:
            self.weight.take(rows, 0, batch.share, "clip")
            batch.share /= batch.whole * self.mean_weight

    def targets(self, rows):
        """The targets of those rows, an index or a slice."""
        return self.Y[rows] if isinstance(rows, slice) else self.Y.take(rows, 0)

    def shares(self, rows, n):
        """What each of those rows counts for in a mean over n rows."""
        if self.weight is None:
            return 1 / n
        return self.weight[rows] / (n * self.mean_weight)


def slopes(a, data):
    """How fast the gathered inputs change with those of the table, element by element.

    Parameters
    ----------
    a : ndarray of shape (..., n, n_inputs)
        As `Data.gather_inputs` wrote it.
    data : Data
    """
    slope = np.ones_like(a)
    if data.scale is not None:
        slope /= data.scale
    if data.tails is not None:
        # Beyond its limit, the slope of the logarithm is told by its output.
        limit = data.limit[data.tails].astype(a.dtype)
        beyond = np.maximum(np.abs(a[..., data.tails]) - limit, 0)
        slope[..., data.tails] *= np.exp(-beyond)
    return slope


def standardize(X, mean, scale, out):
    """(X - mean) / scale, computed in the wider of the dtypes and written to out."""
    np.subtract(X, mean, out=out)
    return np.divide(out, scale, out=out)


def saturate(a, columns, limit, scale=None):
    """Let columns grow like a logarithm beyond their limits, in place.

    Parameters
    ----------
    a : ndarray of shape (..., n, n_inputs)
    columns : ndarray of int of shape (n_tails,)
    limit : ndarray of shape (n_tails,)
        How far from 0 each of them is taken as it is.
    scale : ndarray of shape (n_tails,), default=None
        What they are divided by before.
    """
    z = a[..., columns]
    if scale is not None:
        z /= scale
    limit = np.broadcast_to(limit.astype(z.dtype), z.shape)
    beyond = np.abs(z) > limit  # few are, and logarithms are slow
    far, limit = z[beyond], limit[beyond]
    z[beyond] = np.copysign(limit + np.log1p(np.abs(far) - limit), far)
    a[..., columns] = z
