"""Checks of the data that users pass: what is wrong, and what to do about it."""

from contextlib import contextmanager
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn import config_context, get_config
from sklearn.utils import check_array, check_X_y
from sklearn.utils.validation import validate_data

from ..core.activations import activation_of
from ..core.solvers import solver_of
from .columns import Columns, Mixed
from .encoding import Encoding, columns_at_fit
from .foreign import needing_numbers, refuse
from .notices import warn_user
from .scaling import blocks
from .tables import OPTIONS, names_of, read_table
from .target import MISSING

_SEEN = ("n_features_in_", "feature_names_in_")


class Table(NamedTuple):
    """A checked table.

    Attributes
    ----------
    X : ndarray or CSR of shape (n, n_numeric)
        The columns that are numbers, float32 or float64; NaN is a gap.
    Y : ndarray of shape (n, n_outputs)
        float64, whatever X is.
    weight : ndarray of shape (n,) or None
    y_ndim : int
        1 or 2, as the user passed y.
    on_disk : bool
        Whether X is still a memory map.
    codes : tuple of ndarray of int of shape (n,)
        Of each category column: see `skffnn.preprocessing.columns.Mixed`.
    columns : Columns or None
        Which columns are categories; None where all are numbers.
    gaps : bool
        Whether X has gaps.
    own_dtype : dtype, default=None
        Of the network, if it is another than that of X.
    """

    X: np.ndarray
    Y: np.ndarray
    weight: np.ndarray | None
    y_ndim: int
    on_disk: bool
    codes: tuple = ()
    columns: Columns | None = None
    gaps: bool = False
    own_dtype: Any = None

    @property
    def dtype(self):
        """The dtype of a network that is to learn the rows: that of X, if not told."""
        return np.dtype(self.own_dtype or self.X.dtype)

    @property
    def rows(self):
        """X with its categories."""
        if self.codes or self.gaps:
            return Mixed(self.X, self.codes, self.columns, self.gaps)
        return self.X


def check_table(
    model, X, y, sample_weight, target, *, dtype=None, reset=True, columns=None,
    complete=False, fitted=None,
):  # fmt: skip
    """Check X, y and their weights; raise ValueError for what makes no sense.

    Parameters
    ----------
    model : estimator
        Learns the names and number of the columns if reset, else compares them.
    X, y, sample_weight
        As users pass them.
    target : NumericTarget
        Knows which y make sense.
    dtype : dtype, default=None
        Of the network. By default that of X: float32 stays, and all else is float64;
        but float32 beside categories.
    reset : bool
    columns : Columns, default=None
        Those of fit, if not reset; None if all are numbers.
    complete : bool, default=False
        Whether more rows are to come: see `Columns`.
    fitted : bool, default=not reset
        Whether the columns with gaps are those that the model has learnt.

    Returns
    -------
    Table
    """
    raw, fitted = X, not reset if fitted is None else fitted
    if issparse(y):
        raise ValueError("y must be dense: pass y.toarray() in place of a sparse y.")
    refuse(X, "X")
    if target.numeric:
        refuse(y, "y")
    # Whatever may be assumed: what is not finite would be called a divergence.
    with (
        config_context(assume_finite=False),
        needing_numbers("X or y"),
        np.errstate(all="ignore"),  # it adds numbers up to see whether one is none
    ):
        if not reset:
            X = without_empty(X, getattr(model, "_encoding", None))
        how = dtype or _dtypes(raw), reset, complete
        X = read_table(model, X, columns, *how)
        y = _checked_target(y, X.shape[0], target.numeric, model)
    weight = check_weight(sample_weight, X.shape[0])
    Y, y_ndim = target.encode(np.asarray(y), weight, type(model).__name__)
    mixed = isinstance(X, Mixed)
    if mixed and fitted:
        warn_of_gaps(model, X)
    numbers = X.X if mixed else X
    on_disk = isinstance(raw, np.memmap) and np.may_share_memory(numbers, raw)
    if not mixed:
        return Table(X, Y, weight, y_ndim, on_disk)
    own = dtype or (_dtype_beside_categories(model) if X.codes else None)
    return Table(numbers, Y, weight, y_ndim, on_disk, X.codes, X.columns, X.gaps, own)


def _dtype_beside_categories(model):
    """What a table with categories is computed in: float32, if the solver allows it.

    One-hot inputs have few digits, and numbers are standardised before they are
    rounded. A step takes two thirds of the time.
    """
    return np.float64 if solver_of(model.solver).itemsize == 8 else np.float32


def _checked_target(y, n, numeric, model):
    """Check y as scikit-learn does, and that it has as many rows as X."""
    if y is None:
        # In the words of scikit-learn, which its own checks look for.
        raise ValueError(
            f"This {type(model).__name__} estimator requires y to be passed, but the "
            "target y is None."
        )
    try:
        _, y = check_X_y(
            np.zeros((n, 1)), y, multi_output=True, y_numeric=numeric, estimator=model
        )
        if numeric and y.dtype.kind in "OU":
            y = y.astype(np.float64)
    except ValueError as error:
        if "could not convert string" in str(error):
            raise ValueError(_text_in(y)) from error
        if "y contains NaN" not in str(error):
            raise
        missing = np.count_nonzero(pd.isna(np.asarray(y, dtype=object)))
        raise ValueError(MISSING.format(missing, np.size(y))) from error
    return y


def _text_in(y):
    """What to say of text among the targets."""
    values = pd.Series(np.asarray(y, dtype=object).ravel())
    numbers = pd.to_numeric(values, errors="coerce")
    words = values[numbers.isna() & values.notna()]
    shown = ", ".join(map(repr, words.unique()[:3]))
    return (
        f"y has text: could not convert string to float: {len(words)} of {len(values)} "
        f"values are like {shown}. pd.to_numeric(y, errors='coerce') makes gaps of "
        "them; leave those rows out."
    )


def check_inputs(model, X, dtype):
    """Check rows to predict: the columns of `fit`, and no infinite values.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
    dtype : dtype
        Of the network. What is of that dtype already is kept, in its order.

    Returns
    -------
    X : ndarray, CSR or Mixed

    Warns
    -----
    UserWarning
        If a column has gaps that had none at fit.
    """
    encoding = model._encoding
    # One row should wait for no more than that.
    if encoding is None and type(X) is np.ndarray and X.dtype == dtype:
        with np.errstate(all="ignore"):  # it adds numbers up to see whether one is none
            X = validate_data(model, X, reset=False, dtype=(dtype,), **OPTIONS)
            if isfinite(X.sum()) or get_config()["assume_finite"]:
                return X
    columns = columns_at_fit(model)
    refuse(X, "X")
    X = without_empty(X, encoding)
    # With a dtype in place of the tuple, an array would be made of a DataFrame.
    X = read_table(model, X, columns, (dtype,), reset=False)
    if isinstance(X, Mixed):
        warn_of_gaps(model, X)
    return X


def without_empty(X, values):
    """A frame in which columns that had nothing but gaps at fit have nothing else.

    They are ignored, whatever they hold now.

    Parameters
    ----------
    X : array-like
    values : dict or None
        The ``_encoding`` of a fitted model.
    """
    if values is None or not values["empty"] or not isinstance(X, pd.DataFrame):
        return X
    categories = {feature for feature, _ in values["levels"]}
    numeric = [k for k in range(values["n_features"]) if k not in categories]
    X = X.copy(deep=False)
    for k in values["empty"]:
        if numeric[k] < X.shape[1]:  # if it is not, the checks that follow say so
            X.isetitem(numeric[k], np.nan)
    return X


def warn_of_gaps(model, X):
    """Warn of gaps in columns of numbers that had none at fit.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : Mixed
    """
    encoding = Encoding.of(model)
    known, numeric = set(), range(X.X.shape[1])
    if encoding is not None:
        known = {*(gap.feature for gap in encoding.gaps), *encoding.empty}
        numeric = encoding.numeric
    names = names_of(model, X.shape[1])
    has = np.zeros(X.X.shape[1], bool)
    for part in blocks(range(len(X)), X.X.shape[1]):
        has |= np.isnan(X.X[part]).any(axis=0)
    gaps = [
        repr(names[numeric[j]]) for j in np.flatnonzero(has).tolist() if j not in known
    ]
    if gaps:
        warn_user(
            f"X has gaps in columns that had none at fit: {', '.join(gaps[:5])}. The "
            "mean of the column at fit is taken in their place."
        )


def _dtypes(X):
    """What X may be: float32 stays so in either byte order, all else is float64."""
    swapped = getattr(X, "dtype", None) == np.dtype(np.float32).newbyteorder()
    return np.float32 if swapped else (np.float64, np.float32)


def check_weight(sample_weight, n):
    """Check sample weights; return them as float64 of shape (n,), or None."""
    if sample_weight is None:
        return None
    name = "sample_weight"
    refuse(sample_weight, name)
    with config_context(assume_finite=False), needing_numbers(name):
        options = {"dtype": np.float64, "ensure_2d": False, "input_name": name}
        weight = check_array(sample_weight, **options)
    if weight.shape != (n,):
        raise ValueError(
            f"sample_weight has shape {weight.shape}, but there are {n} rows: give "
            f"one number per row, shape ({n},)."
        )
    if weight.min() < 0:
        raise ValueError(
            f"sample_weight has a negative value ({weight.min():g}); use 0 to leave a "
            "row out."
        )
    if weight.max() == 0:
        raise ValueError("Every sample_weight is zero: there is no row to learn from.")
    return weight


def check_validation(model, validation, table, target):
    """Check the user's own validation rows; return a `Table`, or None without any.

    Parameters
    ----------
    model : estimator
    validation : tuple
        X_val, y_val and sample_weight_val, as users pass them.
    table : Table
        The training rows.
    target : NumericTarget
    """
    X_val, y_val, sample_weight_val = validation
    if (X_val is None) != (y_val is None):
        raise ValueError("X_val and y_val belong together: pass both or neither.")
    if X_val is None:
        if sample_weight_val is not None:
            raise ValueError("sample_weight_val needs X_val and y_val.")
        return None
    if model.validation_fraction is not None:
        raise ValueError(
            "X_val and validation_fraction both ask for validation rows; set "
            "validation_fraction=None to use X_val."
        )
    arguments = X_val, y_val, sample_weight_val, target
    try:
        how = {"dtype": table.dtype, "reset": False, "columns": table.columns}
        how["fitted"] = False  # an earlier fit may have had another table
        checked = check_table(model, *arguments, **how)
        if checked.Y.shape[1] != table.Y.shape[1]:
            raise ValueError(
                f"y_val has {checked.Y.shape[1]} columns, y has {table.Y.shape[1]}."
            )
    except ValueError as error:
        raise ValueError(f"In the validation rows: {error}") from error
    return checked


def warn_if_out_of_reach(Y, output):
    """Warn of targets that the output activation cannot produce."""
    activation = activation_of(output)
    low, high = activation.low, activation.high
    if Y.min() < low or Y.max() > high:
        warn_user(
            f"y lies between {Y.min():g} and {Y.max():g}, but output_activation="
            f"{output!r} reaches only {low:g} to {high:g}. Scale y into that range, "
            "or use output_activation='identity'.",
        )


@np.errstate(over="ignore")  # an infinite distance is far
def warn_if_far(mean_val, x_mean, x_scale):
    """Warn of validation columns that lie far away from the training columns.

    Most of them, or one beyond all measure: rows of another time differ, too.
    """
    distance = np.abs(mean_val - x_mean) / x_scale
    if np.median(distance) > 5 or distance.max() > 50:
        warn_user(
            f"The columns of X_val lie far from those of X: up to {distance.max():.1f} "
            "standard deviations. X_val must go through the same preprocessing as X: "
            "in a Pipeline, name it in transform_input and enable metadata routing.",
        )


@np.errstate(all="ignore")  # what overflows is reported elsewhere
def warn_if_another_scale(Y_val, Y):
    """Warn of validation targets that are not on the scale of the training targets."""
    mean_val, mean, scale = Y_val.mean(axis=0), Y.mean(axis=0), Y.std(axis=0)
    far = np.abs(mean_val - mean) > 10 * scale
    if len(Y_val) >= 10:  # the spread of fewer is chance
        scale_val = Y_val.std(axis=0)
        far |= (scale_val > 10 * scale) | ((scale > 10 * scale_val) & (scale_val > 0))
    for k in np.flatnonzero(far & (scale > 0))[:1]:
        warn_user(
            f"y_val lies far from y: its mean is {mean_val[k]:.4g}, that of y "
            f"{mean[k]:.4g}. Both must be on one scale. TransformedTargetRegressor "
            "does not transform y_val: leave it out (the network standardises y "
            "itself), or pass y_val transformed.",
        )


def guarded(answer, X, *arguments):
    """Let a model answer; what is not finite in it is said once, by a warning.

    Parameters
    ----------
    answer : callable
        ``answer(X, *arguments)`` returns arrays of shape (n, ...), by what they are
        called.
    X : {ndarray, CSR} of shape (n, n_features)
        In the dtype of the network; finite, but for those who let scikit-learn assume
        that it is.

    Returns
    -------
    answers : iterable of ndarray
    """
    with np.errstate(all="ignore"):  # an overflow may saturate, and mean nothing
        answers = answer(X, *arguments)
        doubtful = {k: of for k, of in answers.items() if not isfinite(of.sum())}
    for what, values in doubtful.items():
        finite = np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
        if not finite.all():
            _warn_of_overflow(what, np.count_nonzero(~finite), X)
            break
    return answers.values()


def _warn_of_overflow(what, n, X):
    """Warn of answers that are not finite for n rows, and say where that comes from."""
    if not _has_infinite(X):
        why = (
            f"numbers on their way through the network are too large for {X.dtype}. "
            "Look for values of X that lie far from those at fit."
        )
    else:
        why = "X has NaN or infinite values, which assume_finite=True lets pass."
    warn_user(f"The {what} of {n} rows are not finite: {why}")


def _has_infinite(X):
    """Whether X has infinite values, or NaN where that is no gap."""
    if isinstance(X, Mixed):
        return np.isinf(X.X).any()
    return not np.isfinite(X.data if issparse(X) else X).all()


def seen(model):
    """Return what checks of the data wrote on a model: number and names of columns."""
    return {name: vars(model)[name] for name in _SEEN if name in vars(model)}


@contextmanager
def unchanged_on_error(model):
    """Leave a model as it was if a fit fails, or is interrupted between any two lines.

    A fit never writes to arrays that a model has: it is enough to keep its attributes.
    """
    before = vars(model).copy()
    try:
        yield
    except BaseException:
        # What scikit-learn's callbacks put there, they take away themselves.
        news = {
            name: value for name, value in vars(model).items() if "callback" in name
        }
        model.__dict__ = {**before, **news}
        raise
