"""Hyperparameters: what a part of the core lets users choose, and which values work.

A loss or an optimizer names its own; the estimators check them all by these rules.
"""

import math
import sys
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

# What Python and NumPy count among the numbers, and users do not.
NO_NUMBER = bool, np.timedelta64


class Hyperparameter(NamedTuple):
    """A parameter of an estimator.

    Attributes
    ----------
    name : str
        As users know it.
    valid : callable
        Takes a value; whether it works.
    wanted : str
        What works, in words: "a positive number".
    kind : type
        What the core gets, and users may write otherwise: float, int or bool.
    """

    name: str
    valid: Callable[[Any], bool]
    wanted: str
    kind: type = float


def values_of(hyperparameters, model):
    """What a model asks for, by the names of the arguments that take it.

    Parameters
    ----------
    hyperparameters : dict of str to Hyperparameter
    model : object
        With an attribute for each.
    """
    return {
        argument: each.kind(getattr(model, each.name))
        for argument, each in hyperparameters.items()
    }


def is_int(value, low):
    """Whether a value is a whole number, at least that, and one that memory counts."""
    known = isinstance(value, Integral) and not isinstance(value, NO_NUMBER)
    return known and low <= value <= sys.maxsize


def as_real(value):
    """A number as the core gets it, which may round it to 0; NaN if it is none."""
    if not isinstance(value, Real) or isinstance(value, NO_NUMBER):
        return math.nan
    try:
        return float(value)
    except OverflowError:  # a whole number that no float can hold
        return math.inf


def is_positive(value):
    """Whether a value is a number above 0."""
    return 0 < as_real(value) < math.inf


def is_not_negative(value):
    """Whether a value is a number from 0 on."""
    return 0 <= as_real(value) < math.inf


def is_below_one(value):
    """Whether a value is a number from 0 to below 1."""
    return 0 <= as_real(value) < 1


def is_inside_unit(value):
    """Whether a value is a number between 0 and 1."""
    return 0 < as_real(value) < 1


def is_sequence(value):
    """Whether a value has an order and can be read more than once, and is no text.

    An iterator is empty after the first look, and a set or a dict has no order.
    """
    if isinstance(value, str | bytes | bytearray):
        return False
    array = hasattr(type(value), "__array__")  # such as a Series
    return isinstance(value, Sequence) or (array and len(np.shape(value)) == 1)


def is_flag(value):
    """Whether a value can be taken for True or False."""
    return isinstance(value, bool | int | np.bool_)
