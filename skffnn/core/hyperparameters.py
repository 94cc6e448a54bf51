"""Hyperparameters: what a part of the core lets users choose, and which values work.

A loss or an optimizer names its own; the estimators check them all by these rules.
"""

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np


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
    """Whether a value is a whole number, at least that."""
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= low


def is_real(value):
    """Whether a value is a finite number."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def is_positive(value):
    """Whether a value is a number above 0."""
    return is_real(value) and value > 0


def is_not_negative(value):
    """Whether a value is a number from 0 on."""
    return is_real(value) and value >= 0


def is_below_one(value):
    """Whether a value is a number from 0 to below 1."""
    return is_real(value) and 0 <= value < 1


def is_inside_unit(value):
    """Whether a value is a number between 0 and 1."""
    return is_real(value) and 0 < value < 1


def is_flag(value):
    """Whether a value can be taken for True or False."""
    return isinstance(value, bool | int | np.bool_)
