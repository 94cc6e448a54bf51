"""Where the parameters and the work space live in memory."""

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
    >>> W[1][0, 0] = -1.0  # in theta itself
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
        """The `Parameters` that a flat theta, (P,) or (K, P), holds."""
        W_places, b_places = places(self.units)
        assert theta.shape[-1] == b_places[-1].stop  # every parameter is given out
        stack = theta.shape[:-1]
        return Parameters(
            [theta[..., part].reshape(stack + shape) for part, shape in W_places],
            [theta[..., np.newaxis, part] for part in b_places],
        )


class Workspace:
    """All memory that passes over up to n rows need, allocated once.

    Parameters
    ----------
    units : sequence of int
        Inputs, units of each hidden layer, outputs.
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
        self, units, n, dtype, stack=(), keeps_z=(), dropout=False, weighted=False
    ):
        self.units, self.n, self.stack, self.dtype = units, n, stack, dtype
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
        self.ones = np.ones((1, n), dtype)
        self._heads: dict[tuple[int, int], Batch] = {}

    @property
    def units_with_z(self):
        """The units of each layer whose z is kept apart from its a."""
        pairs = zip(self.units[1:], self.keeps_z, strict=True)
        return [m for m, keeps in pairs if keeps]

    def _flat(self, columns):
        return np.empty(prod(self.stack) * self.n * columns, self.dtype)

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
    x : ndarray of shape (..., n, units[0])
        The inputs: the memory of ``a[0]``, as nothing stands before the first layer.
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
        self.x = self.a[0]
        self.z = self.a
        if any(space.keeps_z):
            kept_z = iter(space.view("z", n, space.units_with_z))
            keeps = zip(self.a[1:], space.keeps_z, strict=True)
            self.z = [self.x, *(next(kept_z) if kept else a for a, kept in keeps)]
        self.delta = [None, *space.view("delta", n, units[1:])]
        self.work = [None, *space.view("work", n, units[1:])]
        (self.y,) = space.view("y", n, units[-1:])
        self.ones = space.ones[:, :n]
        self.h, self.mask = self.a, None
        if space.blocks["mask"]:
            hidden = units[1:-1]
            self.h = [self.x, *space.view("h", n, hidden), self.a[-1]]
            self.mask = [None, *space.view("mask", n, hidden), None]
        self.share = np.asarray(1 / whole, self.y.dtype)
        if space.blocks["share"]:
            (self.share,) = space.view("share", n, (1,))


class ForwardBatch:
    """Memory for a pass forward, and down to the inputs; `Batch` has the names.

    Parameters
    ----------
    units : sequence of int
    rows : tuple of int
        The shape of what it passes over, (n,) or (K, n).
    dtype : dtype
    keeps_z : sequence of bool, default=()
        As in `Workspace`; a pass forward alone needs no z.
    """

    mask = None

    def __init__(self, units, rows, dtype, keeps_z=()):
        self.a = self.h = self.z = [np.empty((*rows, m), dtype) for m in units]
        self.x = self.a[0]
        if any(keeps_z):
            keeps = zip(self.a[1:], keeps_z, strict=True)
            apart = (np.empty_like(a) if kept else a for a, kept in keeps)
            self.z = [self.x, *apart]
        self.work = [None] + [np.empty((*rows, m), dtype) for m in units[1:]]


@lru_cache(maxsize=128)  # a prediction for one row asks anew, and is short
def places(units):
    """Where each W_l, with its shape, and each b_l lies in theta."""
    shapes = list(pairwise(units))
    sizes = [*(m * n for m, n in shapes), *units[1:]]
    slices = [slice(*ends) for ends in pairwise(accumulate(sizes, initial=0))]
    depth = len(shapes)
    return tuple(zip(slices[:depth], shapes, strict=True)), tuple(slices[depth:])
