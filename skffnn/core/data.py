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
    gaps : bool, default=False
        Whether X may have gaps, NaN: they become 0, which is the mean of a standardised
        column. Only what is still to be standardised has any.
    fixed : sequence of tuple of ndarray, default=()
        For each column that is written down by a table of fixed numbers, such as a
        one-hot column: codes of shape (n_rows,), and the table of shape (n_levels,
        width), whose rows they choose. These inputs come behind those of X.
    codes : ndarray of int32 of shape (n_rows, n_tables), default=None
        The row that each row of X chooses from each embedding table of the network.

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
        tail_scale=None, gaps=False, fixed=(), codes=None,
    ):  # fmt: skip
        self.X, self.Y, self.weight = X, Y, weight
        self.chosen = rows
        self.mean: Any = None if mean is None else mean[np.newaxis]
        self.scale: Any = None if scale is None else scale[np.newaxis]
        # Where no column has a limit, as in most tables, nothing more is looked at: for
        # one row to predict that is worth having.
        if limit is not None and (not limit.size or limit[limit.argmin()] == np.inf):
            limit = None
        self.limit: Any = limit
        self.tails: Any = None if limit is None else np.flatnonzero(np.isfinite(limit))
        self.tail_scale = tail_scale
        self.gaps, self.fixed, self.codes = gaps, fixed, codes
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
            if both.codes is not None:
                both.codes = np.concatenate([table.codes for table in tables.values()])
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
        parts = self.X, self.Y, self.weight, self.mean, self.scale, self.codes
        return tuple(map(id, parts))

    @property
    def ready(self):
        """Whether the table is dense and needs no more standardising."""
        dense = isinstance(self.X, np.ndarray)
        return dense and self.scale is None and not self.fixed

    @property
    def n_inputs(self):
        """The number of inputs, without those from embedding tables."""
        return self.X.shape[1] + sum(table.shape[1] for _, table in self.fixed)

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
        if not self.fixed:
            self._gather_numbers(rows, a)
            return
        end = self.X.shape[1]
        numbers = np.empty(
            (*a.shape[:-1], end), a.dtype
        )  # `take` needs it in one piece
        self._gather_numbers(rows, numbers)
        a[..., :end] = numbers
        for codes, table in self.fixed:
            start, end = end, end + table.shape[1]
            a[..., start:end] = table[codes[rows]]

    def _gather_numbers(self, rows, a):
        X, source = self.X, a
        if not isinstance(X, np.ndarray):
            rows = rows if isinstance(rows, slice) else rows.ravel()
            X[rows].toarray(out=a.reshape(-1, a.shape[-1]))
        elif isinstance(rows, slice) or not X.flags.c_contiguous or X.dtype != a.dtype:
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
        if self.gaps:
            np.copyto(a, 0, where=np.isnan(a))
        if self.tails is not None:
            saturate(a, self.tails, self.limit[self.tails], self.tail_scale)

    def constant_inputs(self):
        """Which inputs are 0 in all rows, but for rounding: a mask, (..., n_inputs).

        Rounding leaves the same of equal numbers: small ones that differ are inputs.
        """
        n, n_inputs = len(self), self.n_inputs
        stack = () if self.chosen is None else self.chosen.shape[:-1]
        constant = np.ones((*stack, n_inputs), bool)
        most = BLOCK // max(1, n_inputs) + 1
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

    def numbers(self, rows):
        """All that is known of some rows as float64, with codes as numbers.

        Parameters
        ----------
        rows : ndarray of int of shape (n,)

        Returns
        -------
        a : ndarray of shape (n, n_inputs + n_tables)
        """
        X, part = self.X[rows], copy(self)
        if not isinstance(X, np.ndarray):
            X = X.toarray()
        part.X = X.astype(np.float64)
        part.fixed = [(codes[rows], table) for codes, table in self.fixed]
        a = np.empty((len(rows), part.n_inputs))
        part.gather_inputs(slice(0, len(rows)), a)
        return a if self.codes is None else np.hstack([a, self.codes[rows]])

    def read(self, rows, batch):
        """Fill the inputs of a batch, and its codes if there are any."""
        self.gather_inputs(rows, batch.x)
        if batch.codes is None:
            return
        if isinstance(rows, slice):
            batch.codes[...] = self.codes[rows]
        else:
            self.codes.take(rows, 0, batch.codes, "clip")

    def rows_of_levels(self, tables):
        """How many rows of each network choose each row of the embedding tables.

        Parameters
        ----------
        tables : sequence of tuple of int
            Rows and width of each.

        Returns
        -------
        n_rows : list of ndarray of shape (..., n_levels)
        """
        codes, counts = self.codes[self.rows], []
        for c, (n_levels, _) in enumerate(tables):
            n_rows = np.empty((*codes.shape[:-2], n_levels), self.Y.dtype)
            for k in np.ndindex(codes.shape[:-2]):
                n_rows[k] = np.bincount(codes[k][:, c], minlength=n_levels)
            counts.append(n_rows)
        return counts

    def is_constant(self):
        """Whether all rows of a single network are equal, but for rounding."""
        if self.codes is not None:
            codes = self.codes if self.chosen is None else self.codes[self.chosen]
            if (codes != codes[:1]).any():
                return False
        return bool(self.constant_inputs().all())

    def gather(self, rows, batch):
        """Fill a batch: inputs, targets, and what each row counts for."""
        self.read(rows, batch)
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


def slopes(a, data, rows):
    """How fast the gathered inputs change with the numbers of X, element by element.

    Parameters
    ----------
    a : ndarray of shape (..., n, n_columns)
        The first columns of what `Data.gather_inputs` wrote.
    data : Data
    rows : slice or ndarray of int
        Whose they are. A gap has no slope: 0.
    """
    slope = np.ones_like(a)
    if data.gaps:
        slope[np.isnan(data.X[rows])] = 0
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
