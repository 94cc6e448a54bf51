"""Levels that differ in spelling only: most likely one level, written in two ways."""

from contextlib import suppress
from typing import Any

from .notices import shortened, warn_user

# Of more levels none are compared.
MOST = 10**5


def warn_of_spellings(levels: list, name: Any) -> None:
    """Warn of levels of a column that differ in case or blanks only.

    Parameters
    ----------
    levels : list of str or float
    name : object
        Of the column.
    """
    if not _are_text(levels):
        return
    alike: dict[str, list[str]] = {}
    for level in levels:
        alike.setdefault(_bare(level), []).append(level)
    several = [group for group in alike.values() if len(group) > 1]
    if several:
        shown = "; ".join(", ".join(map(shortened, group)) for group in several[:3])
        warn_user(
            f"Column {name!r} has levels that differ in spelling only: {shown}. Each "
            f"counts as a level of its own; X[{name!r}].str.strip().str.lower() would "
            "make them one."
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
    if not _are_text(levels):
        return
    known = {_bare(level): level for level in levels}
    pairs = [
        f"{shortened(level)} (at fit {shortened(known[_bare(level)])})"
        for level in new
        if isinstance(level, str) and _bare(level) in known
    ]
    if pairs:
        warn_user(
            f"Column {name!r} has new levels that differ from those at fit in spelling "
            f"only: {', '.join(pairs[:3])}. They are taken for unknown."
        )


def _are_text(levels):
    """Whether these are levels of text, and no more than can be looked at."""
    return 0 < len(levels) <= MOST and isinstance(levels[0], str)


def _bare(level):
    if level[:1].isdigit():  # "4" and "4.0" are one number
        with suppress(ValueError):
            return repr(float(level))
    return " ".join(level.casefold().split())
