"""One pass forward and backward, with every array of the equations kept.

Training overwrites z with a and uses a up: it needs the memory. Here nothing is
overwritten, so that a reader can look at all of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .notebook import LINES, table


@dataclass(eq=False, repr=False)
class Trace:
    """The arrays of one pass; ``print`` and notebooks show them as a worked example.

    Python's index is the index of the equations minus one: ``z[1]`` is z2, ``W[0]`` is
    W1. The first layer has no z and no delta: ``z[0]`` and ``delta[0]`` are None.

    Attributes
    ----------
    W, b : list of ndarray of shape (units[l], units[l + 1]) and (1, units[l + 1])
        The weights and biases of each layer.
    z : list of ndarray of shape (n, units[l])
        What each layer collects, z_{l+1} = a_l W_l + b_l.
    a : list of ndarray of shape (n, units[l])
        What it passes on, a_l = f(z_l); ``a[0]`` is X.
    y, y_hat : ndarray of shape (n, n_outputs)
        Targets and predictions, ``y_hat`` is ``a[-1]``.
    J : float
        The cost, summed over outputs.
    dJ : ndarray of shape (n, n_outputs)
        Its derivative with respect to y_hat.
    delta : list of ndarray of shape (n, units[l])
        The back-propagated errors, dJ/dz_l.
    dW, db : list of ndarray
        dJ/dW_l and dJ/db_l, in the shapes of W and b.
    activations : list of str
        The name of each layer's f, the output's last.
    x : ndarray of shape (n, n_inputs)
        The inputs that come from the data; ``a[0]`` is x, and behind it e.
    codes : ndarray of int of shape (n, n_tables) or None
        The row of each embedding table that a row of X chooses; None without tables.
    E, dE : list of ndarray of shape (n_levels, width)
        The embedding tables, and dJ/dE; empty without.

    Examples
    --------
    >>> from skffnn.core.losses import squared_error
    >>> from skffnn.core.network import Network
    >>> network = Network([1, 1], ["identity"], squared_error)
    >>> theta, X, Y = np.array([2.0, 1.0]), np.array([[3.0]]), np.array([[5.0]])
    >>> print(trace(network, theta, X, Y))
    1-1 units, 1 row
    <BLANKLINE>
    Forward
      a1 = X                  [[3.]]
      W1                      [[2.]]
      b1                      [[1.]]
      z2 = a1 W1 + b1         [[7.]]
      y_hat = identity(z2)    [[7.]]
    <BLANKLINE>
    Cost
      y                       [[5.]]
      J                       2
      dJ/dy_hat               [[2.]]
    <BLANKLINE>
    Backward
      delta2 = dJ/dy_hat * identity'(z2)
                              [[2.]]
      dJ/dW1 = a1' delta2     [[6.]]
      dJ/db1 = 1' delta2      [[2.]]
    """

    W: list[np.ndarray]
    b: list[np.ndarray]
    z: list[Any]
    a: list[np.ndarray]
    y: np.ndarray
    J: Any
    dJ: np.ndarray
    delta: list[Any]
    dW: list[np.ndarray]
    db: list[np.ndarray]
    activations: list[str]
    x: np.ndarray
    codes: Any = None
    E: Sequence[np.ndarray] = ()
    dE: Sequence[np.ndarray] = ()

    @property
    def e(self) -> np.ndarray:
        """The embedded inputs, (n, n_embedded): the last columns of ``a[0]``."""
        return self.a[0][..., self.x.shape[-1] :]

    @property
    def y_hat(self) -> np.ndarray:
        """The predictions, ``a[-1]``."""
        return self.a[-1]

    def __repr__(self) -> str:
        return f"<Trace of {self._heading()}; print shows its arrays>"

    def __str__(self) -> str:
        lines = [self._heading()]
        for title, steps in self._steps().items():
            lines += ["", title]
            for formula, value in steps:
                lines += _laid_out(formula, value)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows: list[tuple] = []
        for title, steps in self._steps().items():
            rows.append((title,))
            rows += [(formula, _shape(value), _text(value)) for formula, value in steps]
        return table([self._heading(), "shape", "value"], rows, LINES)

    def _heading(self):
        units = "-".join(str(a_l.shape[-1]) for a_l in self.a)
        n = self.y.shape[-2]
        return f"{units} units, {n} row" + "s" * (n != 1)

    def _steps(self):
        """Every line of the worked example, a formula and its value, by its part."""
        layers = range(1, len(self.a))
        forward = [step for l in layers for step in self._forward(l)]
        backward = [step for l in reversed(layers) for step in self._backward(l)]
        first = [("a1 = X", self.a[0])]
        if self.codes is not None:
            first = [("a1 = [X, e]", self.a[0])]
            backward += self._tables_backward()
        return {
            **self._embedding(),
            "Forward": [*first, *forward],
            "Cost": [("y", self.y), ("J", self.J), ("dJ/dy_hat", self.dJ)],
            "Backward": backward,
        }

    def _embedding(self):
        """The steps before layer 1, by the name of the part; none without tables."""
        if self.codes is None:
            return {}
        columns = range(len(self.E))
        steps = [(f"E{c + 1}", self.E[c]) for c in columns]
        steps += [(f"codes{c + 1}", self.codes[..., c]) for c in columns]
        names = ", ".join(f"E{c + 1}[codes{c + 1}]" for c in columns)
        return {"Embedding": [*steps, (f"e = {names}", self.e)]}

    def _tables_backward(self):
        """The steps behind layer 1: each row's error is added to the level it chose."""
        width = self.e.shape[-1]
        error = (self.delta[1] @ self.W[0].mT)[..., self.x.shape[-1] :]
        sums = [(f"dJ/dE{c + 1}", dE_c) for c, dE_c in enumerate(self.dE)]
        return [(f"dJ/de = delta2 W1', the last {width}", error), *sums]

    def _forward(self, l):
        """The steps of layer l + 1 of the equations."""
        out = "y_hat" if l + 1 == len(self.a) else f"a{l + 1}"
        return [
            (f"W{l}", self.W[l - 1]),
            (f"b{l}", self.b[l - 1]),
            (f"z{l + 1} = a{l} W{l} + b{l}", self.z[l]),
            (f"{out} = {self.activations[l - 1]}(z{l + 1})", self.a[l]),
        ]

    def _backward(self, l):
        error = "dJ/dy_hat"
        if l + 1 < len(self.a):
            error = f"(delta{l + 2} W{l + 1}')"
        slope = f"{self.activations[l - 1]}'(z{l + 1})"
        return [
            (f"delta{l + 1} = {error} * {slope}", self.delta[l]),
            (f"dJ/dW{l} = a{l}' delta{l + 1}", self.dW[l - 1]),
            (f"dJ/db{l} = 1' delta{l + 1}", self.db[l - 1]),
        ]


def _text(value):
    """A number, or an array, of which a large one is shown in part."""
    if np.ndim(value) == 0:
        return f"{value:.6g}"
    return np.array2string(
        value,
        precision=4,
        suppress_small=True,
        max_line_width=62,
        threshold=60,
        edgeitems=2,
    )


def _shape(value):
    return " x ".join(map(str, np.shape(value)))


def _laid_out(formula, value, column=26):
    """A formula and its value, beside it if there is room, below it if not."""
    rows = _text(value).split("\n")
    first = f"  {formula}".ljust(column)
    if len(first) > column:
        return [first, *(" " * column + row for row in rows)]
    return [first + rows[0], *(" " * column + row for row in rows[1:])]


def trace(network, theta, X, Y, share=None, codes=None):
    """Run one pass over the rows of X, forward and backward, and keep all of it.

    Parameters
    ----------
    network : Network
        With a loss.
    theta : ndarray of shape (P,) or (K, P)
    X : ndarray of shape (..., n, n_inputs)
    Y : ndarray of shape (..., n, n_outputs)
    share : float or ndarray of shape (..., n, 1), default=None
        What each row counts for in the mean of the loss; 1/n by default.
    codes : ndarray of int of shape (n, n_tables), default=None
        The row of each embedding table that each row chooses, for a single network.

    Returns
    -------
    Trace
    """
    parameters = network.layout.views(theta.copy())
    W, b, layers = parameters.W, parameters.b, len(parameters.W)
    z: list[Any] = [None]
    E = list(parameters.E)
    chosen = [E_c[codes[:, c]] for c, E_c in enumerate(E)]
    a = [np.concatenate([X, *chosen], axis=-1)]
    for W_l, b_l, activation in zip(W, b, network.activations, strict=True):
        z.append(a[-1] @ W_l + b_l)
        a.append(activation.f(z[-1].copy(), np.empty_like(z[-1])))
    dJ = np.empty_like(a[-1])
    share = 1 / X.shape[-2] if share is None else share
    J = network.loss(a[-1], Y.copy(), share, dJ).sum(axis=-1)
    delta: list[Any] = [None] * (layers + 1)
    dW, db = list(W), list(b)
    error = dJ
    for l in reversed(range(layers)):
        f_prime, work = network.activations[l].f_prime, np.empty_like(error)
        used_up = a[l + 1].copy(), z[l + 1].copy()
        delta[l + 1] = f_prime(*used_up, error.copy(), work)
        dW[l] = a[l].mT @ delta[l + 1]
        db[l] = delta[l + 1].sum(axis=-2, keepdims=True)
        error = delta[l + 1] @ W[l].mT
    dE, start = [], X.shape[-1]
    for c, E_c in enumerate(E):
        one_hot = np.eye(len(E_c), dtype=E_c.dtype)[codes[:, c]]
        dE.append(one_hot.T @ error[:, start : start + E_c.shape[1]])
        start += E_c.shape[1]
    names = list(network.names)
    return Trace(W, b, z, a, Y, J, dJ, delta, dW, db, names, X, codes, E, dE)
