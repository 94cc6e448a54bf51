"""Where the parameters and the work space live in memory."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np


class Parameters(NamedTuple):
    """All parameters of a network, or their gradients, as views of a flat array.

    Attributes
    ----------
    W : list of ndarray of shape (..., units[l], units[l + 1])
        The weights of each layer.
    b : list of ndarray of shape (..., 1, units[l + 1])
        Its biases.
    """

    W: list[Any]
    b: list[Any]

    @property
    def E(self) -> Sequence[Any]:
        """The embedding tables: none."""
        return ()


class EmbeddingParameters(Parameters):
    """Parameters of which some are embedding tables.

    Attributes
    ----------
    W, b : list of ndarray
        As in `Parameters`.
    E : list of ndarray of shape (..., n_levels, width)
        A row for each level of a categorical column.
    theta : ndarray of shape (P,) or (K * P,)
        All parameters in a row, where rows of E are looked up.
    """

    tables: list[Any]
    theta: Any

    @classmethod
    def of(cls, W, b, tables, theta):
        """Make a pair of W and b that has tables besides."""
        self = cls(W, b)
        self.tables, self.theta = tables, theta
        return self

    @property
    def E(self) -> Sequence[Any]:
        """The embedding tables."""
        return self.tables


class Layout:
    """The place of each part in the flat vector theta = [W_1 ... | E_1 ... | b_1 ...].

    Parameters
    ----------
    units : sequence of int
        Inputs, units of each hidden layer, outputs. The inputs are the columns of X,
        and after them the rows that are chosen from embedding tables.
    tables : sequence of tuple of int, default=()
        Levels and width of the embedding table of each embedded column.

    Examples
    --------
    >>> layout = Layout([2, 3, 1])
    >>> theta = np.arange(float(layout.size))
    >>> W, b = layout.views(theta)
    >>> W[0].shape, b[0].shape, W[1].shape, b[1].shape
    ((2, 3), (1, 3), (3, 1), (1, 1))
    >>> W[1][0, 0] = -1.0  # in theta itself
    >>> theta[6]
    np.float64(-1.0)
    """

    def __init__(self, units, tables=()):
        self.units = tuple(units)
        self.tables = tuple(tuple(table) for table in tables)

    @property
    def n_weights(self):
        """How many weights: ``theta[..., :n_weights]`` is all of them and no bias.

        Numbers of embedding tables are weights.
        """
        return sum(m * n for m, n in (*pairwise(self.units), *self.tables))

    @property
    def n_multiplied(self):
        """How many weights each row is multiplied by: all but embedding tables."""
        return sum(m * n for m, n in pairwise(self.units))

    @property
    def n_embedded(self):
        """How many of the inputs come from embedding tables: the last ones."""
        return sum(width for _, width in self.tables)

    @property
    def n_inputs(self):
        """How many of the inputs are gathered from the data: the first ones."""
        return self.units[0] - self.n_embedded

    @property
    def size(self):
        """The number of parameters, P."""
        return self.n_weights + sum(self.units[1:])

    def views(self, theta):
        """The `Parameters` that a flat theta, (P,) or (K, P), holds."""
        W_places, E_places, b_places = places(self.units, self.tables)
        assert theta.shape[-1] == b_places[-1].stop  # every parameter is given out
        stack = theta.shape[:-1]
        W = [theta[..., part].reshape(stack + shape) for part, shape in W_places]
        b = [theta[..., np.newaxis, part] for part in b_places]
        if not E_places:
            return Parameters(W, b)
        E = [theta[..., part].reshape(stack + shape) for part, shape in E_places]
        return EmbeddingParameters.of(W, b, E, theta.reshape(-1))

    def lookup(self, stack=()):
        """Where the embedded inputs of a row lie in theta.

        Parameters
        ----------
        stack : tuple of int, default=()
            The leading axes of theta: (K,) for K networks.

        Returns
        -------
        Lookup or None
            None without tables.
        """
        if not self.tables:
            return None
        _, E_places, _ = places(self.units, self.tables)
        column: list[int] = []
        step: list[int] = []
        start: list[int] = []
        for c, (part, (_, width)) in enumerate(E_places):
            column += [c] * width
            step += [width] * width
            start += range(part.start, part.start + width)
        first = self.size * np.arange(prod(stack)).reshape(*stack, 1, 1)
        return Lookup(np.array(column), np.array(step), first + np.array(start))


class Lookup(NamedTuple):
    """Where theta has the embedded inputs of a row: start + step * codes[column].

    Attributes
    ----------
    column : ndarray of int of shape (n_embedded,)
        The embedded column that each belongs to.
    step : ndarray of int of shape (n_embedded,)
        The width of its table.
    start : ndarray of int of shape (..., 1, n_embedded)
        Its place in the table's first row.
    """

    column: np.ndarray
    step: np.ndarray
    start: np.ndarray

    def places(self, codes, spread, out):
        """Write the places of the levels of some rows in theta.

        Parameters
        ----------
        codes : ndarray of int32 of shape (..., n, n_tables)
        spread : ndarray of int32 of shape (..., n, n_embedded)
            Work space.
        out : ndarray of intp of shape (..., n, n_embedded)
        """
        codes.take(self.column, -1, spread, "clip")
        np.multiply(spread, self.step, out=out)
        return np.add(out, self.start, out=out)


class Workspace:
    """All memory that passes over up to n rows need, allocated once.

    Parameters
    ----------
    layout : Layout
    n : int
        The rows of the largest batch.
    dtype : dtype
    stack : tuple of int, default=()
        The leading axes: (K,) for K networks.
    keeps_z : sequence of bool, default=()
        For each layer, the output's last, whether its activation `needs_z`; by default
        none does.
    dropout, weighted : bool
        Whether there are masks, and whether each row has a share of its own.

    Attributes
    ----------
    blocks : dict of list of ndarray
        The memory by what it is for; `Batch` has the names.
    """

    def __init__(
        self, layout, n, dtype, stack=(), keeps_z=(), dropout=False, weighted=False
    ):
        units = layout.units
        self.layout, self.units, self.n = layout, units, n
        self.stack, self.dtype = stack, dtype
        self.lookup = layout.lookup(stack)
        self.keeps_z = tuple(keeps_z) or (False,) * (len(units) - 1)
        hidden = units[1:-1] if dropout else ()
        self.blocks = {
            "a": [self._flat(m) for m in units],
            "z": [self._flat(m) for m in self.units_with_z],
            "delta": [self._flat(m) for m in units[1:]],
            "work": [self._flat(max(units[1:]))] * (len(units) - 1),
            "h": [self._flat(m) for m in hidden],
            "mask": [self._flat(m) for m in hidden],
            "y": [self._flat(units[-1])],
            "share": [self._flat(1)] if weighted else [],
        }
        if layout.tables:
            self.blocks["x"] = [self._flat(layout.n_inputs)]
            self.blocks["e"] = [self._flat(layout.n_embedded)]
            self.blocks["codes"] = [self._flat(len(layout.tables), np.int32)]
            self.blocks["spread"] = [self._flat(layout.n_embedded, np.int32)]
            self.blocks["places"] = [self._flat(layout.n_embedded, np.intp)]
            self.blocks["draw"] = [self._flat(len(layout.tables))]
            self.blocks["chance"] = [self._flat(1)]
            self.blocks["unknown"] = [self._flat(1, bool)]
        self.ones = np.ones((1, n), dtype)
        self._heads: dict[tuple[int, int], Batch] = {}

    @property
    def units_with_z(self):
        """The units of each layer whose z is kept apart from its a."""
        pairs = zip(self.units[1:], self.keeps_z, strict=True)
        return [m for m, keeps in pairs if keeps]

    def _flat(self, columns, dtype=None):
        return np.empty(prod(self.stack) * self.n * columns, dtype or self.dtype)

    def head(self, n, whole=None):
        """The work space of a batch of n rows: the head of the same memory.

        Parameters
        ----------
        n : int
        whole : int, default=None
            The rows of the whole batch, of which these are a part if others of it are
            on other machines; n by default.
        """
        whole = n if whole is None else whole
        if (n, whole) not in self._heads:
            self._heads[n, whole] = Batch(self, n, whole)
        return self._heads[n, whole]

    def view(self, name, n, units):
        """The blocks of that name, shaped for n rows."""
        rows = prod(self.stack) * n
        return [
            block[: rows * m].reshape(*self.stack, n, m)
            for block, m in zip(self.blocks[name], units, strict=True)
        ]


class Batch:
    """Views of a `Workspace` for one number of rows.

    Attributes
    ----------
    x : ndarray of shape (..., n, n_inputs)
        The inputs: the memory of ``a[0]``, unless embeddings stand behind them there.
    codes : ndarray of int32 of shape (..., n, n_tables) or None
        Which row of each embedding table is chosen.
    draw : ndarray of shape (..., n, n_tables)
    chance, unknown : ndarray of shape (..., n)
        Random numbers; and for one table the chance of each row to be taken for an
        unknown level, and whether it is.
    places, e : ndarray of shape (..., n, n_embedded)
        Where these rows lie in theta; and what they are, or their errors.
    a, delta, work : list of ndarray of shape (..., n, units[l])
        Activations, their errors, and scratch for the activation functions. The inputs
        have no error and no scratch: ``delta[0]`` and ``work[0]`` are None.
    z : list of ndarray
        What each layer collects: a itself, except where the activation `needs_z`.
    h : list of ndarray
        What each layer hands on: a itself, except where dropout masks it.
    mask : list of ndarray or None
        The dropout masks of the hidden layers: 0, or 1 / (1 - dropout).
    y : ndarray of shape (..., n, n_outputs)
        The targets, which the loss uses up.
    share : ndarray of shape () or (..., n, 1)
        What each row counts for in the mean of the loss.
    ones : ndarray of shape (1, n)
        Summing rows as a product is faster than np.sum.
    whole : int
        The rows of the whole batch, of which these are all, or a part.
    """

    def __init__(self, space, n, whole):
        units, self.whole = space.units, whole
        self.a = space.view("a", n, units)
        self.x, self.codes, self.lookup = self.a[0], None, space.lookup
        self.z = self.a
        if self.lookup is not None:
            layout = space.layout
            (self.x,) = space.view("x", n, [layout.n_inputs])
            (self.codes,) = space.view("codes", n, [len(layout.tables)])
            (self.draw,) = space.view("draw", n, [len(layout.tables)])
            self.chance, self.unknown = (
                space.view(name, n, [1])[0][..., 0] for name in ("chance", "unknown")
            )
            self.e, self.spread, self.places = (
                space.view(name, n, [layout.n_embedded])[0]
                for name in ("e", "spread", "places")
            )
        if any(space.keeps_z):
            kept_z = iter(space.view("z", n, space.units_with_z))
            keeps = zip(self.a[1:], space.keeps_z, strict=True)
            self.z = [self.a[0], *(next(kept_z) if kept else a for a, kept in keeps)]
        self.delta = [None, *space.view("delta", n, units[1:])]
        self.work = [None, *space.view("work", n, units[1:])]
        (self.y,) = space.view("y", n, units[-1:])
        self.ones = space.ones[:, :n]
        self.h, self.mask = self.a, None
        if space.blocks["mask"]:
            hidden = units[1:-1]
            self.h = [self.a[0], *space.view("h", n, hidden), self.a[-1]]
            self.mask = [None, *space.view("mask", n, hidden), None]
        self.share = np.asarray(1 / whole, self.y.dtype)
        if space.blocks["share"]:
            (self.share,) = space.view("share", n, (1,))


class ForwardBatch:
    """Memory for a pass forward, and down to the inputs; `Batch` has the names.

    Parameters
    ----------
    layout : Layout
    rows : tuple of int
        The shape of what it passes over, (n,) or (K, n).
    dtype : dtype
    keeps_z : sequence of bool, default=()
        As in `Workspace`; a pass forward alone needs no z.
    """

    mask = None

    def __init__(self, layout, rows, dtype, keeps_z=()):
        units = layout.units
        self.a = self.h = self.z = [np.empty((*rows, m), dtype) for m in units]
        self.x, self.codes = self.a[0], None
        if layout.tables:
            self.lookup, shape = layout.lookup(rows[:-1]), (*rows, layout.n_embedded)
            self.x = np.empty((*rows, layout.n_inputs), dtype)
            self.codes = np.empty((*rows, len(layout.tables)), np.int32)
            self.e, self.spread = np.empty(shape, dtype), np.empty(shape, np.int32)
            self.places = np.empty(shape, np.intp)
        if any(keeps_z):
            keeps = zip(self.a[1:], keeps_z, strict=True)
            apart = (np.empty_like(a) if kept else a for a, kept in keeps)
            self.z = [self.a[0], *apart]
        self.work = [None] + [np.empty((*rows, m), dtype) for m in units[1:]]


@lru_cache(maxsize=128)  # a prediction for one row asks anew, and is short
def places(units, tables=()):
    """Where each W_l and E_c, with its shape, and each b_l lies in theta."""
    shapes = [*pairwise(units), *tables]
    sizes = [*(m * n for m, n in shapes), *units[1:]]
    slices = [slice(*ends) for ends in pairwise(accumulate(sizes, initial=0))]
    depth, matrices = len(units) - 1, len(shapes)
    shaped = tuple(zip(slices[:matrices], shapes, strict=True))
    return shaped[:depth], shaped[depth:], tuple(slices[matrices:])
