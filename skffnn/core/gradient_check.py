"""A gradient beside differences of its function: which part of it is wrong."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import prod

import numpy as np

from .layout import Layout, places
from .notebook import paragraphs, table

# The step of the differences, relative to the parameter: about the most exact. Where it
# straddles a kink, as of relu, a shorter one, and at last a look to either side.
STEP, SHORT, SIDES = 1e-3, 1e-5, 1e-6


@dataclass(frozen=True, eq=False, repr=False)
class GradientCheck:
    """What `check_gradient` found; true if every part is right.

    ``print`` and notebooks show it as a table.

    Attributes
    ----------
    errors : dict of str to float
        For each part of theta the largest deviation of its gradient from the
        differences, relative to the largest number of that part.
    wrong : list of str
        The parts whose gradient is wrong, in the order in which backpropagation
        computes them. Where there are several, the first is where to look.
    numeric : dict of str to ndarray
        The differences, in the shapes of the parts.

    Examples
    --------
    >>> check = GradientCheck({"W1": 2e-10, "b1": 0.5}, ["b1"], {})
    >>> bool(check)
    False
    >>> print(check)
    W1    2e-10
    b1      0.5  wrong
    Wrong in layer 1: b1.
    """

    errors: dict[str, float]
    wrong: list[str]
    numeric: dict[str, np.ndarray]

    def __bool__(self) -> bool:
        return not self.wrong

    def __repr__(self) -> str:
        return f"<GradientCheck: {self._verdict()}>"

    def __str__(self) -> str:
        width = max(map(len, self.errors))
        lines = [
            f"{name:{width}} {error:>8}{'  wrong' * bool(wrong)}"
            for name, error, wrong in self._rows()
        ]
        return "\n".join([*lines, self._verdict()])

    def _repr_html_(self) -> str:
        rows = table(["", "largest deviation", ""], self._rows())
        return f"{rows}\n{paragraphs(self._verdict())}"

    def _rows(self):
        """The name of each part, its deviation, and whether that is too much."""
        return [
            (name, f"{error:.1g}", "wrong" * (name in self.wrong))
            for name, error in self.errors.items()
        ]

    def _verdict(self):
        if not self.wrong:
            return "The gradient is right."
        last = _layer(self.wrong[0])
        here = [n for n in self.errors if n in self.wrong and _layer(n) == last]
        verdict = f"Wrong in {last}: {', '.join(here)}."
        if len(here) < len(self.wrong):
            verdict += " What is wrong in the layers before it may follow from that."
        return verdict


def _layer(name):
    """The layer that a part's number tells; its name, if it has no number."""
    number = re.search(r"\d+$", name)
    return f"layer {number[0]}" if number else name


def check_gradient(value_and_gradient, theta, *, units=None, tables=(), rtol=1e-5):
    """Compare a gradient with differences of its function, and name what is wrong.

    Parameters
    ----------
    value_and_gradient : callable
        ``value_and_gradient(theta)`` returns the cost, a number, and its gradient with
        respect to theta, in the form of theta.
    theta : ndarray of shape (P,), or dict of str to array-like
        Where to compare, in float64. A dict has one array for each part, such as
        ``{"W1": ..., "b1": ..., "W2": ..., "b2": ...}``, from the first layer to the
        last. It is not changed.
    units : sequence of int, default=None
        Inputs, units of each hidden layer, outputs: tells the parts of a flat theta,
        first all weights, then all biases. Without it, a flat theta is one part.
    tables : sequence of tuple of int, default=()
        Levels and width of each embedding table, which lie between weights and biases.
    rtol : float, default=1e-5
        A part is wrong if a number in it deviates by more than this share of the
        part's largest one (beyond rounding).

    Returns
    -------
    GradientCheck
        True if every part is right.

    Raises
    ------
    ValueError
        If the gradient does not have the form of theta, or the cost is not one finite
        number.

    Notes
    -----
    The differences are (8 (J(+h) - J(-h)) - (J(+2h) - J(-2h))) / 12h for each
    parameter, exact up to the order h^4 (Abramowitz & Stegun, 1964, 25.3.6). Each takes
    four values of the cost: keep the network small. Differences that straddle a kink,
    such as that of relu at 0, are taken again with a shorter step. At a kink there is
    no derivative; whatever lies between the slopes to either side passes.

    Examples
    --------
    A linear model with one row, differentiated by hand:

    >>> import numpy as np
    >>> from skffnn import check_gradient
    >>> x, y = np.array([[1.0, 2.0]]), 3.0
    >>> def value_and_gradient(theta):
    ...     error = x @ theta["W1"] + theta["b1"] - y
    ...     return error**2 / 2, {"W1": x.T @ error, "b1": error}
    >>> theta = {"W1": np.array([0.5, -0.5]), "b1": np.array([0.1])}
    >>> print(check_gradient(value_and_gradient, theta))
    W1    ...
    b1    ...
    The gradient is right.

    And with a mistake:

    >>> def mistaken(theta):
    ...     J, gradient = value_and_gradient(theta)
    ...     return J, {**gradient, "W1": -gradient["W1"]}
    >>> print(check_gradient(mistaken, theta))
    W1        2  wrong
    b1    ...
    Wrong in layer 1: W1.
    """
    parts = _Parts(theta, units, tables)
    start = parts.flat(theta, "theta")
    cost = _Cost(lambda flat: value_and_gradient(parts.form(flat)), start)
    gradient = parts.flat(cost.gradient, "The gradient")
    numeric = np.array([cost.difference(i, STEP) for i in range(parts.size)])
    scale = parts.scale(gradient, numeric)

    def is_wrong(step):
        rounding = 100 * np.finfo(float).eps * abs(cost.J) / step
        close = np.abs(gradient - numeric) <= rtol * scale + rounding
        return ~(close & np.isfinite(gradient))

    wrong_numbers = is_wrong(STEP)
    for i in np.flatnonzero(wrong_numbers):
        numeric[i] = cost.difference(i, SHORT)
    wrong_numbers &= is_wrong(SHORT)
    for i in np.flatnonzero(wrong_numbers):
        # At a kink: what lies between the slopes to either side.
        numeric[i] = np.clip(gradient[i], *cost.sides(i, SIDES))
    wrong_numbers &= is_wrong(SIDES)
    error = np.abs(gradient - numeric) / scale
    errors = {name: float(e.max()) for name, e in parts.named(error).items()}
    flags = parts.named(wrong_numbers)
    wrong = [name for name in reversed(flags) if flags[name].any()]
    return GradientCheck(errors, wrong, parts.named(numeric))


class _Cost:
    """A cost around a flat theta, and its differences along each parameter.

    Steps are relative to the parameter, where that is above 1.
    """

    def __init__(self, value_and_gradient, theta):
        self.value_and_gradient, self.theta = value_and_gradient, theta
        J, self.gradient = value_and_gradient(theta)
        self.J = _number(J)
        self.lengths = np.maximum(1, np.abs(theta))

    def at(self, i, h):
        """The cost with parameter i moved by h."""
        moved = self.theta.copy()
        moved[i] += h * self.lengths[i]
        return _number(self.value_and_gradient(moved)[0])

    def difference(self, i, h):
        """The slope along parameter i, exact up to the order h^4."""
        near = self.at(i, h) - self.at(i, -h)
        far = self.at(i, 2 * h) - self.at(i, -2 * h)
        return (8 * near - far) / (12 * h * self.lengths[i])

    def sides(self, i, h):
        """The slopes to either side, the smaller one first."""
        rise, fall = self.at(i, h) - self.J, self.J - self.at(i, -h)
        return sorted((rise / (h * self.lengths[i]), fall / (h * self.lengths[i])))


def _number(J):
    J = np.asarray(J, dtype=float)
    if J.size != 1:
        raise ValueError(
            f"The cost must be one number, but has shape {J.shape}: sum it over rows "
            "and outputs."
        )
    if not np.isfinite(J).all():
        raise ValueError(f"The cost is {J.item()}: choose a theta where it is finite.")
    return J.item()


class _Parts:
    """The named parts of theta, and the way from its form to a flat vector and back."""

    def __init__(self, theta, units, tables=()):
        self.in_a_dict = isinstance(theta, Mapping)
        shapes = {name: np.shape(part) for name, part in self._as_dict(theta).items()}
        ends = list(accumulate(map(prod, shapes.values()), initial=0))
        self.size = ends[-1]
        self.given = {
            name: (slice(*ends), shape)
            for (name, shape), ends in zip(shapes.items(), pairwise(ends), strict=True)
        }
        self.parts = self.given if units is None else self._layers(units, tables)

    def _as_dict(self, value):
        return value if self.in_a_dict else {"theta": value}

    def _layers(self, units, tables):
        layout = Layout(units, tables)
        if self.in_a_dict or layout.size != self.size:
            raise ValueError(
                f"units={list(units)} is for a flat theta of {layout.size} numbers."
            )
        W, E, b = places(layout.units, layout.tables)
        embeddings = {f"E{c}": place for c, place in enumerate(E, start=1)}
        return embeddings | {
            name: place
            for l, (W_l, b_l) in enumerate(zip(W, b, strict=True), start=1)
            for name, place in [(f"W{l}", W_l), (f"b{l}", (b_l, (layout.units[l],)))]
        }

    def flat(self, value, what):
        """A new flat vector of what has the form of theta."""
        if isinstance(value, Mapping) != self.in_a_dict:
            form = "a dict" if self.in_a_dict else "an array"
            raise ValueError(f"{what} must be {form}, as theta is.")
        value = self._as_dict(value)
        shapes = {name: np.shape(part) for name, part in value.items()}
        wanted = {name: shape for name, (_, shape) in self.given.items()}
        if shapes != wanted:
            raise ValueError(f"{what} must have the shapes {wanted}, but has {shapes}.")
        flat = np.empty(self.size)
        for name, (part, _) in self.given.items():
            flat[part] = np.ravel(value[name])
        return flat

    def form(self, flat):
        """A new theta in the form in which it was given."""
        theta = _cut(flat.copy(), self.given)
        return theta if self.in_a_dict else theta["theta"]

    def named(self, flat):
        """The parts of a flat vector by their names."""
        return _cut(flat, self.parts)

    def scale(self, gradient, numeric):
        """For each number the largest of its part, and never quite 0."""
        size = np.where(np.isfinite(gradient), np.abs(gradient), 0)
        size = np.maximum(size, np.abs(numeric))
        scale = np.full(self.size, 1e-8 * size.max() or 1.0)
        for part, _ in self.parts.values():
            scale[part] = np.maximum(scale[part], size[part].max())
        return scale


def _cut(flat, parts):
    return {name: flat[part].reshape(shape) for name, (part, shape) in parts.items()}
