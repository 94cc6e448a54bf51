"""Fields of a saved state: each is declared once, with the rule for its value."""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np

from ..saving.rules import check_names, is_array, is_number, is_whole, need


@dataclass(frozen=True)
class Known:
    """What the fields of a saved state are held against.

    Attributes
    ----------
    theta : ndarray of shape (P,)
        The parameters of the model.
    n_iter : int
        Its epochs, in all.
    n_outputs : int
    """

    theta: np.ndarray
    n_iter: int
    n_outputs: int

    def is_theta(self, value, finite=True):
        """Whether a value is an array like the parameters."""
        return is_array(value, self.theta.shape, (self.theta.dtype,), finite)

    def is_epoch(self, value):
        """Whether a value is the number of an epoch of the model, or 0."""
        return is_whole(value) and value <= self.n_iter


def rule(condition: Callable[[Any, Known], bool], each_epoch: bool = False) -> dict:
    """Make metadata for a field.

    Parameters
    ----------
    condition : callable
        The rule that its value has to meet in a file.
    each_epoch : bool, default=False
        Whether an epoch changes it, so that an interrupted one has to take it back. The
        arrays of optimizers and the generators are looked after besides.
    """
    return {"rule": condition, "each_epoch": each_epoch}


def check_fields(kind, values, known):
    """Raise ValueError unless these are plain values for all fields of a dataclass.

    Parameters
    ----------
    kind : type
        The dataclass.
    values : dict
        A field that is younger than the file gets its default, in place.
    known : Known
    """
    kept = {each.name: each for each in fields(kind) if each.metadata}
    need(isinstance(values, dict), kind.__name__.lower())
    for name, each in kept.items():
        if name not in values and each.default is not MISSING:
            values[name] = each.default
        if name not in values and each.default_factory is not MISSING:
            values[name] = each.default_factory()
    check_names(values, kept)
    for name, each in kept.items():
        need(each.metadata["rule"](values[name], known), name)


def is_like(value, example):
    """Whether a value has the form of another: dicts of floats and of whole numbers."""
    if not isinstance(example, dict):
        return is_whole(value) if isinstance(example, int) else is_number(value)
    same = isinstance(value, dict) and value.keys() == example.keys()
    return same and all(is_like(value[name], example[name]) for name in example)
