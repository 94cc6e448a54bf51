"""X as a checked table: numbers, and codes where there are categories; gaps are NaN."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn import get_config
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from .columns import (
    Columns,
    Mixed,
    codes_of,
    column,
    columns_of,
    factors_of,
    first_text,
    frame_of,
    may_have_categories,
    numbers_of,
    text_error,
    with_nan,
)
from .foreign import needing_numbers

# What scikit-learn's checks are asked for; what is not finite is looked at here.
OPTIONS = {"accept_sparse": "csr", "ensure_all_finite": False}


def names_of(model: Any, n_features: int) -> Any:
    """Names of the columns, or their numbers.

    Parameters
    ----------
    model : estimator
        Which has seen the table.
    n_features : int
    """
    return getattr(model, "feature_names_in_", range(n_features))


def read_table(
    model: Any,
    X: Any,
    columns: Columns | None,
    dtype: Any,
    reset: bool,
    complete: bool = False,
) -> Any:
    """Check X: an array where all columns are numbers, else rows of numbers and codes.

    Parameters
    ----------
    model : estimator
        Learns the names and number of the columns if reset, else compares them.
    X : {array-like, sparse matrix, Mixed} of shape (n, n_features)
    columns : Columns or None
        Those of fit, if not reset.
    dtype : dtype or tuple of dtype
        What numbers are converted to; beside categories float32 stays, and all else is
        float64.
    reset : bool
    complete : bool, default=False
        Whether more rows are to come: see `Columns`.

    Returns
    -------
    X : ndarray, CSR or Mixed
        `Mixed` where there are categories or gaps.
    """
    if isinstance(X, Mixed):
        model.n_features_in_ = X.shape[1]
        return X
    asked = getattr(model, "categorical_features", None)
    if not (columns if not reset else may_have_categories(X, asked)):
        return _numbers_only(model, X, dtype, reset)
    if issparse(X):
        raise ValueError(
            "categorical_features needs a dense table: sparse X has numbers only."
        )
    frame = frame_of(X)
    if frame.ndim != 2:
        return _numbers_only(model, X, dtype, reset)  # which says what is wrong
    validate_data(model, X if hasattr(X, "columns") else frame, reset=reset,
                  skip_check_array=True)  # fmt: skip
    names = names_of(model, frame.shape[1])
    if reset:
        columns, factors = columns_of(frame, asked, names, complete)
    elif columns is not None:
        factors = factors_of(frame, columns.levels, names)
    if columns is None:
        return _numbers_only(model, frame, dtype, reset)
    numbers = _converted(numbers_of(frame, columns, names, reset), len(frame))
    own = [names[k] for k in columns.numeric]
    codes = codes_of(factors, columns, names, reset)
    gaps = has_gaps(numbers, own) or get_config()["assume_finite"]  # not looked for
    return Mixed(numbers, codes, columns, gaps)


def _converted(numbers, n):
    """The columns of numbers as an array, as exact as they are."""
    if numbers.shape[1] == 0:
        return np.empty((n, 0))
    with naming_text(numbers, True), needing_numbers("X"):
        return check_array(
            without_na(numbers), dtype=(np.float64, np.float32), **OPTIONS
        )


def _numbers_only(model, X, dtype, reset):
    X = without_na(with_nan(X))
    with np.errstate(all="ignore"), naming_text(X, reset), needing_numbers("X"):
        X = validate_data(model, X, reset=reset, dtype=dtype, **OPTIONS)
    return Mixed(X) if has_gaps(X, names_of(model, X.shape[1])) else X


def without_na(X: Any) -> Any:
    """An array with NaN in place of pandas' NA, which no float can hold.

    Parameters
    ----------
    X : array-like
        What is no array of objects is returned as it is.

    Examples
    --------
    >>> without_na(np.array([[1, pd.NA]], dtype=object))
    array([[1, nan]], dtype=object)
    """
    if isinstance(X, np.ndarray) and X.dtype.kind == "O":
        return np.where(pd.isna(X), np.nan, X)
    return X


@contextmanager
def naming_text(X: Any, fitting: bool) -> Iterator[None]:
    """Name the column of a table that has text where there should be numbers.

    Parameters
    ----------
    X : array-like
    fitting : bool
    """
    try:
        yield
    except ValueError as error:
        text = "could not convert string" in str(error)
        if not text and "of bytes/strings" not in str(error):
            raise
        frame = frame_of(X)
        for k in range(frame.shape[1] if frame.ndim == 2 else 0):
            of_text = first_text(column(frame, k))
            if of_text is not None:
                name = frame.columns[k] if hasattr(frame, "columns") else k
                as_array = not hasattr(frame, "columns")
                raise text_error(name, of_text, fitting, as_array) from error
        raise


def has_gaps(X: Any, names: Any) -> bool:
    """Whether numbers have gaps, NaN; raise ValueError if some are infinite.

    Parameters
    ----------
    X : {ndarray, CSR} of shape (n, n_columns)
    names : sequence
        Names of the columns, or their numbers.
    """
    if X.dtype.kind != "f" or get_config()["assume_finite"]:
        return False
    values = X.data if issparse(X) else X
    with np.errstate(all="ignore"):
        # A sum of finite numbers may overflow; then each is looked at.
        if np.isfinite(values.sum(dtype=np.float64)):
            return False
        gaps, infinite = False, None
        for start in range(0, len(values), size := max(1, 2**20 // max(1, X.shape[1]))):
            part = values[start : start + size]
            gaps |= bool(np.isnan(part).any())
            far = np.isinf(part)
            if far.any():
                infinite = np.argwhere(far)[0] + (
                    [start, 0] if part.ndim == 2 else [start]
                )
                break
    if infinite is not None:
        where = ""
        if not issparse(X):
            row, column = infinite
            where = f" Column {names[column]!r} has one in row {row}, the first."
        raise ValueError(
            f"Input X contains infinity or a value too large for {X.dtype!r}.{where}"
        )
    if gaps and issparse(X):
        raise ValueError(
            "Input X contains NaN. Gaps are understood in dense tables only: pass "
            "X.toarray(), or fill them."
        )
    return gaps
