"""Levels that are most likely something else: one in two spellings, or numbers."""

from typing import Any

import pandas as pd

from .notices import warn_user

# Of more levels none are compared.
MOST = 10**5
# So many levels, of which so large a share are numbers, are numbers with some words.
MANY, NEARLY_ALL = 10, 0.8


def warn_of_spellings(levels: list, name: Any) -> None:
    """Warn of levels of a column that differ in case or blanks only.

    Parameters
    ----------
    levels : list of str or float
    name : object
        Of the column.
    """
    if not levels or not isinstance(levels[0], str) or len(levels) > MOST:
        return
    alike: dict[str, list[str]] = {}
    for level in levels:
        alike.setdefault(_bare(level), []).append(level)
    several = [group for group in alike.values() if len(group) > 1]
    if several:
        shown = "; ".join(", ".join(map(repr, group)) for group in several[:3])
        warn_user(
            f"Column {name!r} has levels that differ in spelling only: {shown}. Each "
            "counts as a level of its own; X[...].str.strip().str.lower() would make "
            "them one."
        )


def warn_of_numbers(levels: list, name: Any) -> None:
    """Warn of levels that are numbers but for a few words, such as "?".

    Parameters
    ----------
    levels : list of str or float
    name : object
        Of the column.
    """
    if not levels or not isinstance(levels[0], str) or len(levels) < MANY:
        return
    words = pd.Series(levels)[pd.to_numeric(pd.Series(levels), errors="coerce").isna()]
    if 0 < len(words) <= (1 - NEARLY_ALL) * len(levels):
        shown = ", ".join(map(repr, words[:3]))
        warn_user(
            f"Column {name!r} is text, and {len(levels) - len(words)} of its "
            f"{len(levels)} levels are numbers; others are {shown}. It is taken for "
            f"categories: pd.to_numeric(X[{name!r}], errors='coerce') makes numbers of "
            "it, and gaps of the rest."
        )


def warn_of_new_spellings(new: Any, levels: list, name: Any) -> None:
    """Warn of new levels that are levels of fit in another spelling.

    Parameters
    ----------
    new : iterable of str or float
        Levels that the column did not have at fit.
    levels : list of str or float
        Those that it had.
    name : object
        Of the column.
    """
    if not levels or not isinstance(levels[0], str) or len(levels) > MOST:
        return
    known = {_bare(level): level for level in levels}
    pairs = [
        f"{level!r} (at fit {known[_bare(level)]!r})"
        for level in new
        if isinstance(level, str) and _bare(level) in known
    ]
    if pairs:
        warn_user(
            f"Column {name!r} has new levels that differ from those at fit in spelling "
            f"only: {', '.join(pairs[:3])}. They are taken for unknown."
        )


def _bare(level):
    return " ".join(level.casefold().split())
