"""Text that is most likely something else: numbers, dates, and what to do about it."""

from typing import Any

import pandas as pd

from .notices import shortened

# Fewer levels are names, whatever they look like; so are whole numbers, if not many.
FEW, MANY = 10, 50
# Levels of which so large a share are numbers are numbers with some words among them.
NEARLY_ALL = 0.8
SIGNS = r"[\s,'$€£¥%]|[A-Za-z²³]+\.?$"
DATE = r"\d{4}-\d{1,2}-\d{1,2}([ T].*)?$|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}$"


def disguise_of(levels: list, name: Any) -> str | None:
    """What levels of text most likely are, and what to do; None if they are names.

    Parameters
    ----------
    levels : list of str or float
    name : object
        Of the column.

    Returns
    -------
    told : str or None
        Two parts of a sentence, such as "numbers, such as '1004': pass ...".
    """
    if len(levels) < FEW or not isinstance(levels[0], str):
        return None
    text = pd.Series(levels)
    numbers = pd.to_numeric(text, errors="coerce")
    words, own = text[numbers.isna()], f"X[{name!r}]"
    if text.str.match(DATE).all():
        return _told(
            "dates", text, f"pass days since a start, from pd.to_datetime({own})"
        )
    if words.empty:
        if len(text) <= MANY and (numbers % 1 == 0).all():
            return None
        return _told("numbers", text, f"pass pd.to_numeric({own})")
    bare = words.str.replace(SIGNS, "", regex=True)
    signed = pd.to_numeric(bare, errors="coerce").notna()
    n_numbers = numbers.notna().sum() + signed.sum()
    if signed.mean() > 1 / 2 and n_numbers > NEARLY_ALL * len(text):
        cure = (
            f"take the signs off, such as pd.to_numeric({own}.str.replace(',', '')), "
            "or read the file with thousands=','"
        )
        return _told("numbers with signs or units", words[signed], cure)
    if len(words) > (1 - NEARLY_ALL) * len(text) or words.str.contains(r"\d").any():
        return None
    shown = ", ".join(map(shortened, words[:3]))
    cure = f"pd.to_numeric({own}, errors='coerce') makes gaps of the words"
    return f"numbers with words among them, {shown}: {cure}"


def _told(what, levels, cure):
    return f"{what}, such as {shortened(levels.iloc[0])}: {cure}"
