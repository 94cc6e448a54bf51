"""What files may hold of an encoding, by the rules of `skffnn.saving.rules`."""

from itertools import pairwise
from math import isfinite

import numpy as np

from ..core.layout import Layout
from ..saving.rules import is_array, is_list, is_whole
from .encoding import Encoding, tables_of

PARTS = ("n_features", "levels", "empty", "gaps", "one_hot", "embedded")


def is_encoding(value, others):
    """Whether that can be the ``_encoding`` of a model.

    Parameters
    ----------
    value : object
    others : dict
        All values of the file; none of them needs to have been checked.
    """
    if value is None:
        return True
    if not isinstance(value, dict) or tuple(value) != PARTS:
        return False
    n, mean = value["n_features"], others["x_mean_"]
    if not is_whole(n, 1) or type(mean) is not np.ndarray or mean.ndim != 1:
        return False
    if not _are_of_columns(value["levels"], n, 2, lambda _, each: _are_levels(each)):
        return False
    n_codes = {feature: len(levels) + 2 for feature, levels in value["levels"]}
    n_numeric = len(mean)
    return (
        n == n_numeric + len(n_codes)
        and _are_gaps(value["empty"], value["gaps"], n_numeric)
        and _are_encoded(value["one_hot"], value["embedded"], n, n_codes)
    )


def _are_of_columns(value, n_columns, length, right):
    """Whether these are tuples that begin with a column, in the order of the columns.

    Parameters
    ----------
    value : object
    n_columns : int
    length : int
        Of a tuple.
    right : callable
        Takes what is in a tuple, and returns whether it is right.
    """

    def is_of_column(each):
        tells = isinstance(each, tuple) and len(each) == length
        return tells and is_whole(each[0]) and right(*each)

    return is_list(value, is_of_column) and _rise([*(e[0] for e in value), n_columns])


def _rise(values):
    return all(a < b for a, b in pairwise(values))


def _are_levels(value):
    """Whether these are strings or finite numbers, each once and in their order."""
    texts = is_list(value, lambda level: isinstance(level, str))
    numbers = is_list(value, lambda level: isinstance(level, float) and isfinite(level))
    return (texts or numbers) and _rise(value)


def _are_gaps(empty, gaps, n_numeric):
    """Whether that can be known of the gaps in columns of numbers."""
    if not is_list(empty, is_whole) or not _rise([*empty, n_numeric]):
        return False
    nowhere = set(empty)
    return _are_of_columns(
        gaps,
        n_numeric,
        2,
        lambda column, table: column not in nowhere and is_array(table, (2, 1)),
    )


def _are_encoded(one_hot, embedded, n_features, n_codes):
    """Whether each column of categories is encoded in one of the two ways."""
    right = _are_of_columns(
        one_hot,
        n_features,
        2,
        lambda column, table: _is_table(table, n_codes.get(column)),
    ) and _are_of_columns(
        embedded,
        n_features,
        3,
        lambda column, choice, width: (
            _is_choice(choice, n_codes.get(column)) and is_whole(width, 1)
        ),
    )
    return right and sorted(e[0] for e in (*one_hot, *embedded)) == list(n_codes)


def _is_table(table, n_codes):
    """Whether a column of categories with so many codes can have that for inputs."""
    wide = type(table) is np.ndarray and table.ndim == 2 and table.shape[1] > 0
    return wide and is_array(table, (n_codes, table.shape[1]))


def _is_choice(choice, n_codes):
    """Whether each code chooses a row, and each row is chosen, the last by the last."""
    if not is_array(choice, (n_codes,), (np.dtype(np.int32),)):
        return False
    rows = np.unique(choice)
    whole = np.array_equal(rows, np.arange(len(rows)))
    return whole and bool(choice[-1] == rows[-1])


def layout_of(others):
    """The layout of the network that a file has: its encoding has been checked."""
    return Layout(others["units_"], tables_in(others["_encoding"]))


def tables_in(values):
    """Rows and width of each embedding table of an encoding."""
    return tables_of(_Model(values))


def n_numeric_in(others):
    """How many of the columns are numbers."""
    values = others["_encoding"]
    if values is None:
        return others["units_"][0]
    return values["n_features"] - len(values["levels"])


def n_features_in(others):
    """How many columns there are."""
    values = others["_encoding"]
    return others["units_"][0] if values is None else values["n_features"]


def has_inputs(units, others):
    """Whether a network with these units has the inputs that the encoding makes."""
    encoding = Encoding.of(_Model(others["_encoding"]))
    return encoding is None or units[0] == encoding.n_inputs


class _Model:
    """Has an encoding, as a model has it."""

    def __init__(self, values):
        self._encoding = values
