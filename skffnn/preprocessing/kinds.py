"""What a column is: numbers, categories, or something that a network cannot take."""

from decimal import Decimal
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from .disguises import disguise_of
from .notices import shortened

CATEGORY, NUMBERS = "category", "numbers"
# How the dtypes of text and categories begin, in Polars and Arrow.
DTYPES = (
    "String", "Categorical", "Enum", "string", "large_string", "dictionary", "Utf8",
    "Object",
)  # fmt: skip
# What pandas calls objects that are numbers.
NUMERIC = (
    "integer", "floating", "mixed-integer-float", "decimal", "boolean", "empty",
)  # fmt: skip
# A column of text with at least so many rows, and so large a share of different ones,
# has no levels.
ROWS, DIFFERENT = 20, 0.95
SKRUB = "skrub.tabular_pipeline encodes text and dates"


def kind_of(values: pd.Series, name: Any) -> str:
    """Whether a column is numbers or categories, by its dtype.

    Parameters
    ----------
    values : Series
    name : object
        Of the column, for messages.

    Returns
    -------
    kind : {"category", "numbers"}

    Raises
    ------
    ValueError
        If it is neither: mixed, or lists and other objects.
    """
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return CATEGORY
    if pd.api.types.is_numeric_dtype(dtype) and dtype.kind != "c":
        return NUMBERS
    if isinstance(dtype, pd.StringDtype) or dtype.kind == "U":
        return CATEGORY
    held = pd.api.types.infer_dtype(values, skipna=True)
    if held == "string":
        return CATEGORY
    if held in NUMERIC:
        return NUMBERS
    present = values.dropna()
    n_numbers = sum(isinstance(value, Real | Decimal) for value in present)
    if n_numbers == len(present):
        return NUMBERS
    n_words = sum(isinstance(value, str) for value in present)
    if n_words == len(present):
        return CATEGORY
    if n_numbers + n_words == len(present):
        raise ValueError(_mixture(present, n_numbers, name))
    other = next(v for v in present if not isinstance(v, str | Real | Decimal))
    kind = type(other).__name__
    raise ValueError(
        f"Column {name!r} holds objects of type {kind}, such as "
        f"{shortened(other)}: a network takes numbers and categories. Leave "
        f"it out, or make columns of numbers or text of it ({SKRUB})."
    )


def _mixture(present, n_numbers, name):
    words = [v for v in present if isinstance(v, str)]
    shown = ", ".join(map(shortened, list(dict.fromkeys(words))[:3]))
    return (
        f"Column {name!r} mixes numbers and text: {n_numbers} numbers, and "
        f"{len(words)} words, such as {shown}. Make it one or the other: "
        f"pd.to_numeric(X[{name!r}], errors='coerce') takes the words for gaps, "
        f"X[{name!r}].astype('string') takes all for categories."
    )


class Factor(NamedTuple):
    """A column of categories: its different values, and which of them each row has.

    Attributes
    ----------
    codes : ndarray of int of shape (n,)
        The place of each row's value among the keys; -1 if it is missing.
    keys : list of str or float
        Some of them may be in no row, or there twice.
    """

    codes: np.ndarray
    keys: list


def factorized(values: pd.Series, name: Any) -> Factor:
    """A column of categories as codes, without a copy of its values.

    Parameters
    ----------
    values : Series
    name : object
        Of the column.

    Returns
    -------
    Factor
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        return Factor(values.cat.codes.to_numpy(), _category_keys(values, name))
    if kind_of(values, name) == NUMBERS and values.dtype.kind == "O":
        values = pd.to_numeric(values)
    codes, present = pd.factorize(values)
    return Factor(codes, _keys(present, name))


def _category_keys(values, name):
    """The categories of a column as strings or floats: intervals, say, as strings."""
    categories = pd.Series(values.cat.categories)
    text = pd.api.types.infer_dtype(categories) == "string"
    dtype = categories.dtype
    if text or (pd.api.types.is_numeric_dtype(dtype) and dtype.kind != "c"):
        return _keys(categories, name)
    keys = [str(category) for category in categories]
    if len(set(keys)) < len(keys):
        raise ValueError(
            f"Column {name!r} has categories that are the same as text, such as 1 and "
            "'1': rename them."
        )
    return keys


def _keys(present, name):
    """Different values as strings or floats."""
    values = pd.Series(present)
    if values.dtype.kind == "O" and kind_of(values, name) == CATEGORY:
        return list(map(str, values))  # np.str_ as well
    if pd.api.types.is_numeric_dtype(values.dtype) or values.dtype.kind == "O":
        if values.dtype.kind in "iu" and len(values) and _beyond_float(values):
            raise ValueError(
                f"The categories of column {name!r} are whole numbers beyond 2**53, "
                "which float64 cannot tell apart: pass them as text, "
                f"X[{name!r}].astype(str)."
            )
        return values.astype(np.float64).tolist()
    return values.astype(object).tolist()


def _beyond_float(values):
    return max(int(values.max()), -int(values.min())) > 2**53


def refuse_text(factor: Factor, levels: list, name: Any) -> None:
    """Raise ValueError for text that has nearly as many levels as rows.

    Parameters
    ----------
    factor : Factor
    levels : list
    name : object
        Of the column.
    """
    n = int(np.count_nonzero(factor.codes >= 0))
    if n < ROWS or len(levels) <= DIFFERENT * n:
        return
    shown, told = ", ".join(map(shortened, levels[:3])), disguise_of(levels, name)
    told = (
        f"these look like {told}."
        if told
        else (
            "that is free text or an identifier. Leave it out, or encode it before "
            f"({SKRUB}); if it is a category, pass X[{name!r}].astype('category')."
        )
    )
    raise ValueError(
        f"Column {name!r} has {len(levels)} levels in {n} rows, such as {shown}: {told}"
    )


def chosen(categorical_features: Any, n_features: int, names: Any) -> list[int]:
    """The numbers of the columns that users say are categories.

    Parameters
    ----------
    categorical_features : array-like of bool, int or str
        A mask, numbers or names.
    n_features : int
    names : sequence
        Names of the columns, or their numbers.

    Raises
    ------
    ValueError
        If it is none of these, or asks for columns that are not there.
    """
    asked = np.asarray(categorical_features)
    if asked.size == 0:
        return []
    if asked.ndim == 1 and asked.dtype.kind == "b":
        if len(asked) == n_features:
            return np.flatnonzero(asked).tolist()
        raise ValueError(
            f"categorical_features is a mask of {len(asked)}, but X has {n_features} "
            "columns: give one for each."
        )
    if asked.ndim == 1 and asked.dtype.kind in "iu":
        outside = asked[(asked < -n_features) | (asked >= n_features)]
        if len(outside):
            raise ValueError(
                f"categorical_features has column {outside[0]}, but X has columns 0 to "
                f"{n_features - 1}."
            )
        return sorted({int(k) % n_features for k in asked})
    if asked.ndim == 1 and asked.dtype.kind in "OU":
        place = {name: k for k, name in enumerate(names)}
        absent = [name for name in asked.tolist() if name not in place]
        if absent:
            raise ValueError(
                f"categorical_features has {absent[0]!r}, which is no column of X: it "
                f"has {', '.join(map(str, list(names)[:10]))}."
            )
        return sorted({place[name] for name in asked.tolist()})
    raise ValueError(
        "categorical_features must be names or numbers of columns, or a mask, in one "
        f"dimension; got {categorical_features!r}."
    )
