"""Where the parameters and the work space live in memory."""

from functools import lru_cache
from itertools import accumulate, pairwise
from math import prod

import numpy as np


class Layout:
    """The place of each W_l and b_l in the flat vector theta = [W_1 ... | b_1 ...].

    Parameters
    ----------
    units : sequence of int
        Inputs, units of each hidden layer, outputs.

    Examples
    --------
    >>> layout = Layout([2, 3, 1])
    >>> theta = np.arange(float(layout.size))
    >>> W, b = layout.views(theta)
    >>> W[0].shape, b[0].shape, W[1].shape, b[1].shape
    ((2, 3), (1, 3), (3, 1), (1, 1))
    >>> W[1][0, 0] = -1.0
    >>> theta[6]
    np.float64(-1.0)
    """

    def __init__(self, units):
        self.units = tuple(units)

    @property
    def n_weights(self):
        """How many weights: ``theta[..., :n_weights]`` is all of them and no bias."""
        return sum(m * n for m, n in pairwise(self.units))

    @property
    def size(self):
        """The number of parameters, P."""
        return self.n_weights + sum(self.units[1:])

    def views(self, theta):
        """W and b as lists of views of theta, (..., units[l], units[l+1]) each."""
        W_places, b_places = places(self.units)
        assert theta.shape[-1] == b_places[-1].stop  # every parameter is given out
        stack = theta.shape[:-1]
        W = [theta[..., part].reshape(stack + shape) for part, shape in W_places]
        return W, [theta[..., np.newaxis, part] for part in b_places]


@lru_cache(maxsize=128)  # a prediction for one row asks anew, and is short
def places(units):
    """Where each W_l, with its shape, and each b_l lies in theta."""
    shapes = list(pairwise(units))
    sizes = [*(m * n for m, n in shapes), *units[1:]]
    slices = [slice(*ends) for ends in pairwise(accumulate(sizes, initial=0))]
    depth = len(shapes)
    return tuple(zip(slices[:depth], shapes, strict=True)), tuple(slices[depth:])


class Workspace:
    """All memory that passes over up to n rows need, allocated once.

    Attributes
    ----------
    a, delta, work : list of ndarray of shape (..., n, units[l])
        Activations, their errors, and scratch for the activation functions.
    h : list of ndarray
        What each layer hands on: a itself, except where dropout masks it.
    mask : list of ndarray or None
        The dropout masks of the hidden layers: 0, or 1 / (1 - dropout).
    y : ndarray of shape (..., n, n_outputs)
    share : float or ndarray of shape (..., n, 1)
        What each row counts for in the mean of the loss.
    ones : ndarray of shape (1, n)
        Summing rows as a product is faster than np.sum.
    """

    def __init__(self, units, n, dtype, stack=(), dropout=False, weighted=False):
        self.units, self.n, self.stack = units, n, stack
        hidden = units[1:-1] if dropout else ()
        self.blocks = {
            "a": [self._flat(m, dtype) for m in units],
            "delta": [None] + [self._flat(m, dtype) for m in units[1:]],
            "work": [None] + [self._flat(max(units[1:]), dtype)] * (len(units) - 1),
            "h": [self._flat(m, dtype) for m in hidden],
            "mask": [self._flat(m, dtype) for m in hidden],
            "y": [self._flat(units[-1], dtype)],
            "share": [self._flat(1, dtype)] if weighted else [],
        }
        self.ones = np.ones((1, n), dtype)
        self._heads: dict[int, Batch] = {}

    def _flat(self, columns, dtype):
        return np.empty(prod(self.stack) * self.n * columns, dtype)

    def head(self, n):
        """The work space of a batch of n rows: the head of the same memory."""
        if n not in self._heads:
            self._heads[n] = Batch(self, n)
        return self._heads[n]

    def view(self, name, n, units):
        """The blocks of that name, shaped for n rows."""
        rows = prod(self.stack) * n
        return [
            None if block is None else block[: rows * m].reshape(*self.stack, n, m)
            for block, m in zip(self.blocks[name], units, strict=True)
        ]


class ForwardBatch:
    """Memory for a pass forward alone; see `Workspace` for the names.

    Parameters
    ----------
    units : sequence of int
    rows : tuple of int
        The shape of what it passes over, (n,) or (K, n).
    dtype : dtype
    """

    mask = None

    def __init__(self, units, rows, dtype):
        self.a = self.h = [np.empty((*rows, m), dtype) for m in units]
        self.work = [None] + [np.empty((*rows, m), dtype) for m in units[1:]]


class Batch:
    """Views of a `Workspace` for one number of rows; see there for the names."""

    def __init__(self, space, n):
        units = space.units
        self.a = space.view("a", n, units)
        self.delta = space.view("delta", n, units)
        self.work = space.view("work", n, units)
        (self.y,) = space.view("y", n, units[-1:])
        self.ones = space.ones[:, :n]
        self.h, self.mask = self.a, None
        if space.blocks["mask"]:
            hidden = units[1:-1]
            self.h = [self.a[0], *space.view("h", n, hidden), self.a[-1]]
            self.mask = [None, *space.view("mask", n, hidden), None]
        self.share = np.asarray(1 / n, self.y.dtype)
        if space.blocks["share"]:
            (self.share,) = space.view("share", n, (1,))
