"""The columns of a table: which are numbers, which categories, and their levels.

A table with categories is read once, column by column: its numbers become an array, and
each category column small whole numbers, its codes.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from .disguises import disguise_of
from .kinds import (
    CATEGORY,
    DTYPES,
    Factor,
    chosen,
    factorized,
    kind_of,
    refuse_text,
)
from .notices import warn_user
from .spelling import warn_of_new_spellings, warn_of_spellings


@dataclass(frozen=True)
class Columns:
    """What a table consists of: columns of numbers, and columns of categories.

    Attributes
    ----------
    n_features : int
        How many columns there are.
    levels : dict of int to list
        For the number of each category column the levels that it has at fit, sorted:
        strings, or floats for categories that are numbers.
    complete : bool
        Whether rows are still to come, so that each level counts, however rare.
    """

    n_features: int
    levels: dict[int, list]
    complete: bool = field(default=False, compare=False)

    @property
    def numeric(self):
        """The numbers of the columns that are numbers."""
        return [k for k in range(self.n_features) if k not in self.levels]

    def missing(self, feature):
        """The code of a missing category in that column."""
        return len(self.levels[feature])

    def unseen(self, feature):
        """The code of a level that the column does not have at fit: the last one."""
        return len(self.levels[feature]) + 1


class Mixed:
    """Rows of a table with categories, or with gaps, that have been checked.

    Attributes
    ----------
    X : {ndarray, memmap} of shape (n, n_numeric)
        The numbers; NaN is a gap.
    codes : tuple of ndarray of int of shape (n,)
        For each category column the code of each row: a level's place among the levels;
        behind them that of a missing category, and of one that is not among them.
    columns : Columns or None
        None where all columns are numbers.
    gaps : bool
        Whether there may be gaps among the numbers.
    """

    def __init__(self, X, codes=(), columns=None, gaps=True):
        self.X, self.codes, self.columns, self.gaps = X, codes, columns, gaps

    @property
    def shape(self):
        """The numbers of rows and columns."""
        return self.X.shape[0], self.X.shape[1] + len(self.codes)

    @property
    def dtype(self):
        """The dtype of the numbers."""
        return self.X.dtype

    def __len__(self):
        return self.X.shape[0]

    def __getitem__(self, rows):
        codes = tuple(c[rows] for c in self.codes)
        return Mixed(self.X[rows], codes, self.columns, self.gaps)


# Which columns are categories ---------------------------------------------------------


def frame_of(X: Any) -> Any:
    """X as a table whose columns can be taken one by one: of pandas, or an array.

    A frame of another library becomes one of pandas, without changing its numbers.
    """
    if isinstance(X, pd.DataFrame | np.ndarray):
        return X
    if hasattr(X, "columns") and hasattr(X, "get_column"):  # Polars
        columns = {
            k: pd.Series(
                X.to_series(k).to_list()
                if str(X.dtypes[k]).startswith(("String", "Categorical", "Enum"))
                else X.to_series(k).to_numpy(),
                dtype=None if X.dtypes[k].is_numeric() else object,
            )
            for k in range(X.shape[1])
        }
        frame = pd.DataFrame(columns)
        frame.columns = list(X.columns)
        return frame
    if hasattr(X, "to_pandas") and hasattr(X, "schema"):  # Arrow
        return X.to_pandas()
    return np.array(X, dtype=object)


def may_have_categories(X: Any, categorical_features: Any) -> bool:
    """Whether columns have to be looked at one by one.

    Parameters
    ----------
    X : array-like
        As users pass it.
    categorical_features : array-like, str or None
        As estimators have it.
    """
    if categorical_features is None:
        return False
    if not isinstance(categorical_features, str):
        return True
    if isinstance(X, pd.DataFrame):
        return any(
            d.kind not in "fiub" for d in X.dtypes.unique() if hasattr(d, "kind")
        )
    if hasattr(X, "columns") and hasattr(X, "dtypes"):
        return any(str(dtype).startswith(DTYPES) for dtype in X.dtypes)
    schema = getattr(X, "schema", None)
    return any(str(t).startswith(DTYPES) for t in getattr(schema, "types", ()))


def columns_of(
    frame: Any, categorical_features: Any, names: Any, complete: bool = False
) -> tuple[Columns | None, dict[int, Factor]]:
    """What a table consists of, and its columns of categories.

    Parameters
    ----------
    frame : DataFrame or ndarray
    categorical_features : array-like or "from_dtype"
    names : sequence
        Names of the columns, or their numbers.
    complete : bool, default=False
        Whether levels of the dtype "category" count that no row has.

    Returns
    -------
    columns : Columns or None
        None where all columns are numbers.
    factors : dict of int to Factor
        For the number of each column of categories.

    Raises
    ------
    ValueError
        If categorical_features names what is not there, or a column is neither numbers
        nor categories.
    """
    n, from_dtype = frame.shape[1], isinstance(categorical_features, str)
    if from_dtype:
        kinds = [kind_of(column(frame, k), names[k]) for k in range(n)]
        features = [k for k in range(n) if kinds[k] == CATEGORY]
    else:
        features = chosen(categorical_features, n, names)
    factors = factors_of(frame, features, names)
    levels = {}
    for k, factor in factors.items():
        levels[k] = _levels(factor, complete)
        is_category = isinstance(column(frame, k).dtype, pd.CategoricalDtype)
        if from_dtype and not is_category:
            refuse_text(factor, levels[k], names[k])
            warn_of_disguise(levels[k], names[k])
        warn_of_spellings(levels[k], names[k])
    return (Columns(n, levels, complete) if levels else None), factors


def factors_of(frame, features, names):
    """Those columns of categories, by their numbers; refuse infinite ones."""
    factors = {k: factorized(column(frame, k), names[k]) for k in features}
    for k, (codes, keys) in factors.items():
        far = [c for c, key in enumerate(keys) if key in (np.inf, -np.inf)]
        if far:
            rows = np.flatnonzero(np.isin(codes, far))
            first = f", the first in row {rows[0]}" if len(rows) else ""
            raise ValueError(
                f"Input X contains infinity: column {names[k]!r} has it among its "
                f"categories{first}."
            )
    return factors


def first_text(values: pd.Series) -> str | None:
    """The first text in a column; None if it has none."""
    held = values.cat.categories if hasattr(values, "cat") else values
    return next((value for value in held if isinstance(value, str)), None)


def column(frame, k):
    """A column of a frame or of an array, as a Series."""
    if isinstance(frame, pd.DataFrame):
        return frame.iloc[:, k]
    values = frame[:, k]
    return pd.Series(values, dtype=object if values.dtype.kind in "OUS" else None)


def _levels(factor, complete):
    """The levels of a column, sorted: the order of the rows has no say."""
    if complete:
        return sorted(set(factor.keys))
    used = np.unique(factor.codes)
    return sorted({factor.keys[k] for k in used[used >= 0]})


# Reading the rows ---------------------------------------------------------------------


def text_error(name: Any, text: str, fitting: bool, as_array: bool) -> ValueError:
    """What to say of text where there should be numbers.

    Parameters
    ----------
    name : object
        Of the column.
    text : str
        What it has.
    fitting : bool
    as_array : bool
        Whether the table is no frame.
    """
    told = f"Column {name!r} has text, such as {text!r}"
    if not fitting:
        told += f", and had numbers at fit: pass pd.to_numeric(X[{name!r}])."
    elif as_array:
        told += (
            ". In an array, say which columns are categories, such as "
            f"categorical_features=[{name!r}], or pass a DataFrame."
        )
    else:
        told += (
            ", and is not among the categorical_features: add it, or leave them at "
            "'from_dtype', which takes all text."
        )
    return ValueError(told)


def numbers_of(frame, columns, names, fitting):
    """The columns that are numbers, as a frame or an array that can be converted."""
    as_array = not isinstance(frame, pd.DataFrame)
    for k in columns.numeric:
        values = column(frame, k)
        text = None if values.dtype.kind in "fiub" else first_text(values)
        if text is not None:
            raise text_error(names[k], text, fitting, as_array)
    if as_array:
        return frame[:, columns.numeric]
    part = with_nan(frame.iloc[:, columns.numeric])
    texts = {}
    for j, k in enumerate(columns.numeric):
        if frame.dtypes.iloc[k].kind == "O":
            kind_of(frame.iloc[:, k], names[k])
            texts[j] = part.iloc[:, j].astype(float)
    if not texts:
        return part
    parts = [texts.get(j, part.iloc[:, j]) for j in range(part.shape[1])]
    whole = pd.concat(parts, axis=1)
    whole.columns = part.columns
    return whole


def with_nan(frame: Any) -> Any:
    """A frame with NaN for pd.NA among objects, which NumPy has no number for.

    Parameters
    ----------
    frame : DataFrame or other table
    """
    if not isinstance(frame, pd.DataFrame):
        return frame
    whole = frame
    for k, dtype in enumerate(frame.dtypes):
        if dtype.kind != "O" or isinstance(dtype, pd.CategoricalDtype):
            continue
        values = frame.iloc[:, k]
        gaps = values.isna()
        if gaps.any():
            whole = frame.copy(deep=False) if whole is frame else whole
            whole.isetitem(k, values.astype(object).mask(gaps, np.nan))
    return whole


def codes_of(factors, columns, names, fitting):
    """The codes of each column of categories.

    Parameters
    ----------
    factors : dict of int to Factor
    columns : Columns
    names : sequence
    fitting : bool
        Whether these are the rows that the levels are those of.

    Returns
    -------
    codes : tuple of ndarray of int of shape (n,)
    """
    return tuple(
        _codes(factors[k], columns, k, names[k], fitting) for k in columns.levels
    )


def _codes(factor, columns, feature, name, fitting):
    levels = columns.levels[feature]
    missing, unseen = columns.missing(feature), columns.unseen(feature)
    _check_same_kind(factor, levels, name)
    place = {level: code for code, level in enumerate(levels)}
    # Behind the places of the keys stands that of a missing one, whose code is -1.
    places = [*(place.get(key, unseen) for key in factor.keys), missing]
    codes = np.array(places, np.min_scalar_type(unseen))[factor.codes]
    if not fitting and unseen in places:
        new = np.unique(factor.codes[codes == unseen])
        warn_of_new_spellings([factor.keys[k] for k in new], levels, name)
    return codes


def warn_of_disguise(levels: list, name: Any) -> None:
    """Warn of levels that are most likely no names.

    Parameters
    ----------
    levels : list of str or float
    name : object
        Of the column.
    """
    told = disguise_of(levels, name)
    if told:
        warn_user(
            f"Column {name!r} is text, and taken for categories, but looks like "
            f"{told}. If they are names, X[{name!r}].astype('category') says so."
        )


def _check_same_kind(factor, levels, name):
    """Raise ValueError for text where the levels are numbers, and the reverse."""
    if not levels or not (factor.codes >= 0).any():
        return
    text, was_text = (isinstance(each[0], str) for each in (factor.keys, levels))
    if text == was_text:
        return
    was, now = ("text", "numbers") if was_text else ("numbers", "text")
    raise ValueError(
        f"The categories of column {name!r} are {now}, and were {was} at fit, such as "
        f"{levels[0]!r}: pass them as they were."
    )
