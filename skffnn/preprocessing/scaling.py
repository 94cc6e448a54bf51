"""Standardisation: statistics over row blocks, and the tables that training reads."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn import config_context
from sklearn.preprocessing import StandardScaler

from ..core.data import standardize
from .foreign import needing_numbers, refuse

# Numbers per block: 2 MiB of float64.
BLOCK = 2**18
# A column whose standard deviation is so many times that of a normal one with the same
# quantiles has heavy tails, and so has one with a value so many of them from its mean.
HEAVY, FAR = 3, 10
# Standard deviations up to which such a column is taken as it is.
LIMIT = 4.0
QUANTILES = 0.05, 0.25, 0.5, 0.75, 0.95
# How far they are apart for a normal variable, in standard deviations.
QUARTILES, NEARLY_ALL = 1.349, 3.290
# The mean of a column is known to so many of its standard deviations at least.
ACCURACY, EPS = 1e-3, np.finfo(np.float64).eps
# Numbers of a table that are copied at once, to leave out columns that have gaps.
COPIED = 2**23
# What `standardize` may give.
GIVEN = ("x_mean", "x_scale", "y_mean", "y_scale")
OVERFLOW = (
    "A column's variance overflows: its values are too large to be standardised. "
    "Divide X and y by a constant first."
)


class Scaling(NamedTuple):
    """How X and y are standardised; float64 throughout.

    Attributes
    ----------
    x_mean, x_scale : ndarray of shape (n_features,)
        What is subtracted from X, and then divided out.
    x_limit : ndarray of shape (n_features,)
        How far from 0 each column is taken as it is, after that; beyond, it grows like
        a logarithm. Infinite but for columns with heavy tails.
    y_mean, y_scale : ndarray of shape (n_outputs,)
        What is subtracted from y, and then divided out.
    """

    x_mean: np.ndarray
    x_scale: np.ndarray
    x_limit: np.ndarray
    y_mean: np.ndarray
    y_scale: np.ndarray

    @classmethod
    def of(cls, model):
        """The scaling of a fitted model."""
        return cls(*(getattr(model, f"{name}_") for name in cls._fields))

    def as_attributes(self):
        """What a fitted model has of it."""
        return {f"{name}_": value for name, value in self._asdict().items()}


# Rows ---------------------------------------------------------------------------------


def index(rows):
    """What picks those rows: of a range a slice, which copies nothing."""
    if not isinstance(rows, range):
        return rows
    return slice(rows.start, rows.stop, rows.step)


def blocks(rows, n_columns):
    """Consecutive pieces of the rows that keep memory bounded, as indices."""
    size = max(1, BLOCK // max(n_columns, 1))
    return (index(rows[i : i + size]) for i in range(0, len(rows), size))


def dense(X, rows):
    """Those rows of X as a dense array, C-ordered: sums depend on the order."""
    part = X[rows]
    return np.ascontiguousarray(part.toarray() if issparse(part) else part)


# Statistics of the rows ---------------------------------------------------------------


def statistics(X, rows, weight=None, ends=None):
    """Weighted mean and standard deviation of each column; a constant one gets 1.

    scikit-learn's own scaler, fed with blocks: its fit on a whole table needs more
    than twice the table's memory, and sparse rows are treated like dense ones. What it
    loses in rounding, beside a large mean or a tiny spread, is computed once more, of
    columns that are moved and stretched to lie between 0 and 1.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_rows, n_columns)
    rows : range or ndarray of int of shape (n,)
    weight : ndarray of shape (n_rows,), default=None
        Positive at those rows.
    ends : tuple of ndarray, default=None
        The `extremes` of the rows, where they are known.

    Returns
    -------
    mean, scale : ndarray of shape (n_columns,)
    """
    if X.shape[1] == 0:
        return unit(0)
    low, high = extremes(X, rows) if ends is None else ends
    mean, scale = _moments(X, rows, weight)
    with np.errstate(all="ignore"):  # what overflows is looked at below
        length = high - low
        rounding = len(rows) * EPS * np.abs(mean)
        exact = (rounding <= ACCURACY * scale) & (scale > np.sqrt(EPS) * length)
        again = ~exact & (length > 0) & (length < np.inf)
        if again.any():
            within = again, low[again], length[again]
            mean[again], scale[again] = _moved(X, rows, weight, within)
        mean = np.where(length == 0, low, mean)  # a sum of equal numbers is rounded
        scale = np.where(length == 0, 1.0, scale)
        if not (np.isfinite(mean) & np.isfinite(scale**2)).all():
            raise ValueError(OVERFLOW)
    return mean, scale


def _moved(X, rows, weight, within):
    """Mean and standard deviation of some columns, computed between 0 and 1."""
    _, low, length = within
    share, spread = _moments(X, rows, weight, within)
    scale = spread * length
    # All weight may be on equal rows, but for rounding: then there is no spread.
    none = (spread <= np.sqrt(EPS)) | (scale == 0)
    return low + share * length, np.where(none, 1.0, scale)


def _moments(X, rows, weight, within=None):
    """Mean and standard deviation, to rounding.

    Parameters
    ----------
    within : tuple, default=None
        Which columns, and where each begins and how long it is: all are taken to lie
        between 0 and 1. By default all columns, as they are.
    """
    scaler = StandardScaler()
    with config_context(assume_finite=True), np.errstate(all="ignore"):
        for part in blocks(rows, X.shape[1]):
            w = None if weight is None else weight[part]
            values = dense(X, part)
            if within is not None:
                columns, low, length = within
                values = (values[:, columns] - low) / length
            scaler.partial_fit(values, sample_weight=w)
        return np.array(scaler.mean_), np.sqrt(scaler.var_)


def extremes(X, rows):
    """The lowest and the highest value of each column, in float64.

    Gaps are left out; a column of nothing else lies between 0 and 0.
    """
    low, high = np.full((2, X.shape[1]), [[np.inf], [-np.inf]])
    for part in blocks(rows, X.shape[1]):
        values = dense(X, part)
        np.fmin(low, np.fmin.reduce(values, axis=0), out=low)
        np.fmax(high, np.fmax.reduce(values, axis=0), out=high)
    empty = low > high
    low[empty] = high[empty] = 0
    return low, high


def unit(n_columns):
    """The mean and the scale that change nothing."""
    return np.zeros(n_columns), np.ones(n_columns)


def no_limit(n_columns):
    """The limits of columns without heavy tails."""
    return np.full(n_columns, np.inf)


def input_statistics(X, rows, weight, ends, gapped=()):
    """Mean, scale and limit of each column, from the rows without a gap in it.

    Parameters
    ----------
    X : {ndarray, CSR} of shape (n_rows, n_columns)
    rows : range or ndarray of int of shape (n,)
    weight : ndarray of shape (n_rows,) or None
    ends : tuple of ndarray
        The `extremes` of the rows.
    gapped : sequence of int, default=()
        The columns that have gaps in these rows.

    Returns
    -------
    mean, scale, limit : ndarray of shape (n_columns,)
        A column of nothing but gaps has the mean 0 and the scale 1.
    """
    n = X.shape[1]
    if not n:  # all columns are categories
        return *unit(0), no_limit(0)
    if not len(gapped):
        return _input_statistics(X, rows, weight, ends)
    (mean, scale), limit = unit(n), no_limit(n)
    whole = np.setdiff1d(np.arange(n), gapped)
    size = max(1, len(rows) and COPIED // len(rows))
    for columns in (whole[i : i + size] for i in range(0, len(whole), size)):
        part = X[:, columns], rows, weight, [end[columns] for end in ends]
        mean[columns], scale[columns], limit[columns] = _input_statistics(*part)
    for k in gapped:
        column = np.ascontiguousarray(X[:, [k]])
        there = np.asarray(rows)[~np.isnan(column[index(rows), 0])]
        if len(there):
            part = column, there, weight, [end[[k]] for end in ends]
            mean[[k]], scale[[k]], limit[[k]] = _input_statistics(*part)
    return mean, scale, limit


def _input_statistics(X, rows, weight, ends):
    """Mean, scale and limit of each column, robust if need be.

    The standard deviation of a column with very heavy tails, such as a Cauchy variable,
    is that of its few largest values, and would squeeze all others into one. Such a
    column has the median for its mean, and the scale of its quartiles. (If it is only
    the quartiles that are close to each other, as in a column that is mostly zero, the
    rest is no tail.) Quantiles are those of some thousand rows, drawn at random: evenly
    spaced ones would see one group only where groups take turns.
    """
    low, high = ends
    mean, scale = statistics(X, rows, weight, ends)
    if not len(mean):
        return mean, scale, no_limit(0)
    far = np.maximum(high - mean, mean - low) > FAR * scale
    some = _some(rows, X.shape[1])
    lowest, lower, median, upper, highest = _quantiles(X, some, weight)
    spread, wide = (upper - lower) / QUARTILES, (highest - lowest) / NEARLY_ALL
    heavy = (spread > 0) & (scale > HEAVY * np.maximum(spread, wide))
    mean, scale = np.where(heavy, (median, spread), (mean, scale))
    return mean, scale, np.where(heavy | far, LIMIT, np.inf)


@np.errstate(all="ignore")  # what overflows is told of in the end
def robust_statistics(X, rows, weight=None):
    """Median and scale of each column, whatever a few rows hold; a constant one gets 1.

    The scale is the standard deviation of a normal variable with the same quartiles. If
    most rows have one value, so that there is nothing between the quartiles, it is the
    median distance of the others from it.
    """
    _, low, median, high, _ = _quantiles(X, _some(rows, X.shape[1]), weight)
    scale = (high - low) / QUARTILES
    for column in np.flatnonzero(scale == 0):
        values = dense(X, index(rows))[:, column].astype(np.float64)
        distance = np.abs(values - median[column])
        others = distance[distance > 0]
        if weight is not None:
            others = distance[(distance > 0) & (weight[index(rows)] > 0)]
        scale[column] = np.median(others) if len(others) else 1.0
    if not np.isfinite([median, scale]).all():
        raise ValueError(OVERFLOW)
    return median, scale


def _some(rows, n_columns):
    """Some thousand of the rows at most, as an index."""
    enough = max(1000, BLOCK // max(1, n_columns))
    if len(rows) <= enough:
        return index(rows)
    draw = np.random.default_rng(0).choice(len(rows), enough, replace=False)
    return np.array([rows[i] for i in np.sort(draw)])  # rows may be a long range


def _quantiles(X, some, weight):
    """The quantiles of the columns of those rows, (5, n_columns)."""
    few, w = X[some], None if weight is None else weight[some]
    quantiles = [
        np.quantile(
            dense(few[:, part], slice(None)),
            QUANTILES,
            axis=0,
            weights=w,
            method="inverted_cdf",
        )
        for part in blocks(range(X.shape[1]), few.shape[0])
    ]
    return np.hstack(quantiles).astype(np.float64)


# Statistics that the user gives -------------------------------------------------------


def given_statistics(given, columns, n_outputs):
    """What ``standardize`` gives, for X and for y; None where it gives nothing.

    Parameters
    ----------
    given : bool or dict
    columns : sequence
        Names or numbers of the columns of X.
    n_outputs : int

    Returns
    -------
    x, y : list of ndarray or None
        Mean and scale of each.
    """
    given = given if isinstance(given, dict) else {}
    for name in given:
        if name not in GIVEN:
            raise ValueError(
                f"standardize has no {name!r}: give {', '.join(GIVEN)}, or some of "
                "them."
            )
    return _given_for(given, "x", columns), _given_for(given, "y", range(n_outputs))


def _given_for(given, side, columns):
    """Mean and scale that the user gives for one side; None if there are none.

    A Series with the names of the columns is put into their order.
    """
    names = [f"{side}_mean", f"{side}_scale"]
    if not given.keys() & set(names):
        return None
    if not given.keys() >= set(names):
        raise ValueError(
            f"standardize must have both {names[0]!r} and {names[1]!r}, or neither; "
            f"got {', '.join(map(repr, given))}."
        )
    mean, scale = (_numbers_of(given[name], name, columns) for name in names)
    if not np.isfinite([mean, scale]).all() or scale.min() <= 0:
        raise ValueError(
            f"{names[0]!r} and {names[1]!r} of standardize must be finite, and the "
            "scale positive: a constant column has the scale 1."
        )
    return [mean, scale]


def _numbers_of(value, name, columns):
    if isinstance(value, pd.Series) and set(value.index) == set(columns):
        value = value[list(columns)]
    refuse(value, name)
    try:
        with needing_numbers(name):
            numbers = np.array(value, np.float64, ndmin=1)  # a copy
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name!r} of standardize must be numbers: {error}."
        ) from error
    of = " of numbers" * name.startswith("x")
    if numbers.shape != (len(columns),):
        raise ValueError(
            f"{name!r} of standardize has shape {numbers.shape}, but there are "
            f"{len(columns)} columns{of}: give one number for each, shape "
            f"({len(columns)},)."
        )
    return numbers


# Standardised tables ------------------------------------------------------------------


def check_reach(ends, scaling, dtypes, columns, name="X"):
    """Raise ValueError for a column that overflows when it is standardised.

    Parameters
    ----------
    ends : tuple of ndarray
        Its `extremes`.
    scaling : Scaling
    dtypes : tuple of dtype
        Of the columns, and of the network.
    columns : sequence
        Names or numbers of the columns.
    name : str, default="X"
        Of the table.
    """
    own, dtype = dtypes
    reach = np.array(ends, own)
    with np.errstate(all="ignore"):
        standardize(reach, scaling.x_mean, scaling.x_scale, out=reach)
        reach = reach.astype(dtype)
    for k in np.flatnonzero(~np.isfinite(reach).all(axis=0))[:1]:
        low, high = (end[k] for end in ends)
        wider = own != np.float64
        raise ValueError(
            f"Column {columns[k]} of {name}, from {low:.3g} to {high:.3g}, overflows "
            f"{np.dtype(dtype)} when it is standardised: "
            f"{'pass X as float64, or ' * wider}divide it by a constant first."
        )


@np.errstate(over="ignore")  # rows of weight 0 may hold anything
def copied(table, rows, dtype, mean, scale):
    """The standardised rows of an array, C-ordered.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_columns)
    rows : range or ndarray of int of shape (n,)
    dtype : dtype
    mean, scale : ndarray of shape (n_columns,)
    """
    copy, start = np.empty((len(rows), table.shape[1]), dtype), 0
    for part in blocks(rows, table.shape[1]):
        source = table[part]
        out = copy[start : start + len(source)]
        if source.dtype == dtype:
            standardize(source, mean, scale, out=out)
        else:  # a float64 target of a float32 network: rounded once, at the end
            out[...] = standardize(source, mean, scale, out=np.empty_like(source))
        start += len(source)
    return copy
