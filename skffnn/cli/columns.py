"""What the columns of a user's table are, and those of a model."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import pandas as pd

from ..preprocessing.kinds import CATEGORY, DIFFERENT, ROWS, kind_of
from .tables import are_dates


class Kinds(NamedTuple):
    """Names of columns, by what has to be done about them.

    Attributes
    ----------
    others : list of str
        What a network takes as it is: numbers and categories.
    categories : list of str
        Those of them that are categories.
    foreign : list of str
        What has to be encoded before: dates, free text, mixtures.
    """

    others: list[str]
    categories: list[str]
    foreign: list[str]


def kinds_of(X: pd.DataFrame, categorical: Iterable[str] = ()) -> Kinds:
    """Tell numbers, categories and all else apart.

    Parameters
    ----------
    X : DataFrame
    categorical : iterable of str, default=()
        Columns whose values are names, whatever they look like.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=4).astype(str)
    >>> X = pd.DataFrame({"day": days, "open": ["yes", "no"] * 2, "hour": [8, 8, 9, 9]})
    >>> kinds_of(X)
    Kinds(others=['open', 'hour'], categories=['open'], foreign=['day'])
    """
    named = set(categorical)
    categories = [name for name in X if name in named or _is_category(X[name])]
    foreign = [
        name for name in X if name not in categories and not _is_numbers(X[name])
    ]
    return Kinds([name for name in X if name not in foreign], categories, foreign)


def _is_category(column: pd.Series) -> bool:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return True
    if _kind(column) != CATEGORY or are_dates(column):
        return False
    n = int(column.notna().sum())
    return n < ROWS or column.nunique() <= DIFFERENT * n


def _is_numbers(column: pd.Series) -> bool:
    return _kind(column) not in ("", CATEGORY)


def _kind(column: pd.Series) -> str:
    """What a network takes a column for; empty if it refuses it."""
    try:
        return kind_of(column, column.name)
    except ValueError:
        return ""


def names_of_text(model: Any) -> list[str]:
    """Columns that a fitted model takes for categories, and whose levels are text.

    Parameters
    ----------
    model : fitted estimator
        A pipeline, as this command saves it, or what may stand at its end.
    """
    levels = getattr(_last(model), "categories_", {})
    return [name for name, own in levels.items() if own and isinstance(own[0], str)]


def names_of_numbers(model: Any) -> list[str]:
    """Columns that a fitted model takes for numbers.

    Parameters
    ----------
    model : fitted estimator
        As for `names_of_text`.
    """
    last = _last(model)
    levels = getattr(last, "categories_", {})
    return [
        name for name in getattr(last, "feature_names_in_", ()) if name not in levels
    ]


def _last(model: Any) -> Any:
    return getattr(model, "steps", [("", model)])[-1][1]
