"""From checked tables to what a network learns from, in one direction.

The rows that count are found, some of them are held out, their statistics are taken,
and what is handed over are standardised `Data`.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from ..core.data import Data
from .checks import warn_if_another_scale, warn_if_far, warn_if_out_of_reach
from .encoding import Encoding, encoding_of, gapped_columns, raw_data
from .inputs import standardized
from .memory import check_memory
from .notices import warn_user
from .outliers import reaching
from .parameters import layers, rows_of_batch, standardizes
from .scaling import (
    Scaling,
    check_reach,
    extremes,
    given_statistics,
    index,
    input_statistics,
    no_limit,
    statistics,
    unit,
)
from .tables import names_of


@dataclass
class Prepared:
    """What one fit learns from.

    Attributes
    ----------
    units, activations : list
        The network that these rows ask for.
    training_data : Data
        Standardised, like validation.
    validation_data : Data or None
    held_out : ndarray of int or None
        Which rows of the user's X became validation rows.
    scaling : Scaling
    encoding : Encoding or None
        None where all columns are numbers without gaps.
    target : NumericTarget
    y_ndim : int
    """

    units: list
    activations: list
    training_data: Data
    validation_data: Data | None
    held_out: np.ndarray | None
    scaling: Scaling
    encoding: Encoding | None
    target: object
    y_ndim: int

    @property
    def tables(self):
        """Rows and width of each embedding table."""
        return [] if self.encoding is None else self.encoding.tables


def draw_seed(random_state):
    """A seed out of a random_state as users give it."""
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def prepare(model, table, validation, target, seed, goes_on_from=None):
    """Make what a fit learns from: weighted rows, split and standardised.

    Parameters
    ----------
    model : estimator
        With the parameters of `FFNNRegressor`.
    table : Table
    validation : Table or None
        The user's own validation rows; without them ``validation_fraction`` and
        ``early_stopping`` decide.
    target : NumericTarget
    seed : int
        Decides which rows are held out.
    goes_on_from : tuple of (Scaling, Encoding or None), default=None
        To stay with; by default both are taken from the training rows.

    Returns
    -------
    Prepared
    """
    sizes, activations = layers(model)
    units = [table.X.shape[1], *sizes, table.Y.shape[1]]
    itemsize = table.dtype.itemsize
    memory = rows_of_batch(model, len(table.Y)), itemsize, model.solver
    check_memory(units, *memory)
    rows, held_out = rows_with_weight(table), None
    warn_if_out_of_reach(table.Y[index(rows)], target.output)
    fraction = model.validation_fraction or (0.1 if model.early_stopping else None)
    if validation is not None:
        validation_rows = rows_with_weight(validation)
        _check_distance(table, rows, validation, validation_rows)
    elif fraction is not None:
        rows, held_out = _hold_out(rows, float(fraction), seed)
        validation, validation_rows = table, held_out
    weight, ends = normalized(table.weight, rows), extremes(table.X, rows)
    columns = names_of_numbers(model, table)
    if goes_on_from is None:
        encoding, gapped = encoded(model, table, rows, weight, standardizes(model))
        given = table, rows, weight, ends, gapped
        scaling = _scaling(model, *given, target, encoding)
    else:
        scaling, encoding = goes_on_from
    if encoding is not None:
        units[0] = encoding.n_inputs
        check_memory(units, *memory, encoding.tables)
    dtypes = table.X.dtype, table.dtype
    check_reach(ends, scaling, dtypes, columns)
    training, validated = standardized(table, rows, weight, scaling, encoding), None
    _check_fits_dtype(training)
    if validation is not None:
        ends = extremes(validation.X, validation_rows)
        name = "X" if validation is table else "X_val"
        check_reach(ends, scaling, dtypes, columns, name)
        weight_val = normalized(validation.weight, validation_rows)
        validated = standardized(
            validation, validation_rows, weight_val, scaling, encoding
        )
    return Prepared(
        units,
        activations,
        training,
        validated,
        held_out,
        scaling,
        encoding,
        target,
        table.y_ndim,
    )


def _check_fits_dtype(data):
    if np.isfinite(data.targets(data.at(slice(None)))).all():
        return
    if data.Y.dtype == np.float64:
        raise ValueError(
            "y overflows when it is standardised: 'y_scale' of standardize is too "
            "small for it."
        )
    raise ValueError(
        f"X is {data.Y.dtype}, and so is the network, but y has values that are "
        "too large for it. Pass X as float64, or divide y by a constant first."
    )


def _hold_out(rows, fraction, seed):
    try:
        rows = np.asarray(rows)
        return train_test_split(rows, test_size=fraction, random_state=seed)
    except ValueError as error:
        raise ValueError(
            f"n_samples={len(rows)} is too few to hold out a share of {fraction:g} as "
            "validation rows: set early_stopping=False and validation_fraction=None, "
            "or pass more rows."
        ) from error


def rows_with_weight(table):
    """The rows that count: all but those of weight 0; a range of all of them."""
    if table.weight is None:
        return range(len(table.Y))
    return np.flatnonzero(table.weight)


def normalized(weight, rows):
    """Weights whose mean over those rows is 1; the other rows get 0."""
    if weight is None:
        return None
    result = np.zeros_like(weight)
    # Divided by the largest first, so that the sum cannot overflow.
    result[rows] = weight[rows] / weight[rows].max()
    result[rows] /= result[rows].mean()
    return result


def encoded(model, table, rows, weight, standardized=True):
    """How the columns of a table become inputs; columns of only gaps are warned of.

    Parameters
    ----------
    model : estimator
        Which has seen the table.
    table : Table
    rows : range or ndarray of int of shape (n,)
    weight : ndarray of shape (n_rows,) or None
    standardized : bool, default=True
        Whether inputs are.

    Returns
    -------
    encoding : Encoding or None
    gapped : list of int
        The columns of ``table.X`` that have gaps in these rows.
    """
    some, empty = gapped_columns(table.X, rows) if table.gaps else ([], [])
    numbers = names_of_numbers(model, table)
    warn_of_empty([*(numbers[k] for k in empty), *_without_levels(model, table, rows)])
    encoding = encoding_of(table, rows, weight, (some, empty), standardized)
    return encoding, some + empty


def names_of_numbers(model, table):
    """Names of the columns that are numbers, or their places."""
    names = names_of(model, table.X.shape[1] + len(table.codes))
    return names if table.columns is None else [names[k] for k in table.columns.numeric]


def _without_levels(model, table, rows):
    """The names of columns of categories that are missing in all of those rows."""
    if table.columns is None:
        return []
    names = names_of(model, table.columns.n_features)
    return [
        names[feature]
        for feature, codes in zip(table.columns.levels, table.codes, strict=True)
        if (codes[index(rows)] == table.columns.missing(feature)).all()
    ]


def warn_of_empty(names):
    """Warn of columns of nothing but gaps.

    Parameters
    ----------
    names : list
        Of the columns.
    """
    if names:
        shown = ", ".join(map(repr, names[:5]))
        warn_user(
            f"Columns of nothing but gaps say nothing and are ignored: {shown}. Leave "
            "them out."
        )


def _scaling(model, table, rows, weight, ends, gapped, target, encoding):
    """Statistics of the rows, or those that the user gives."""
    n_features, n_outputs = table.X.shape[1], table.Y.shape[1]
    if not standardizes(model):
        x_mean, x_scale = unit(n_features)
        y_mean, y_scale = unit(n_outputs)
        return Scaling(x_mean, x_scale, no_limit(n_features), y_mean, y_scale)
    columns = names_of_numbers(model, table)
    x, y = given_statistics(model.standardize, columns, n_outputs)
    target.check_given(y)
    if x is None:
        x_mean, x_scale, x_limit = input_statistics(table.X, rows, weight, ends, gapped)
    else:
        (x_mean, x_scale), x_limit = x, no_limit(n_features)
    y_mean, y_scale = y or target.statistics(table.Y, rows, weight)
    scaling = Scaling(x_mean, x_scale, x_limit, y_mean, y_scale)
    if y is None and target.is_robust:
        inputs = raw_data(encoding, table.rows, scaling[:3])
        scaling = scaling._replace(y_scale=reaching(table, inputs, rows, scaling))
    return scaling


def _statistics(table, rows):
    """Mean and scale of the columns of numbers, from what is no gap."""
    if not table.gaps:
        return statistics(table.X, rows)
    some, empty = gapped_columns(table.X, rows)
    ends = extremes(table.X, rows)
    return input_statistics(table.X, rows, None, ends, some + empty)[:2]


def _check_distance(table, rows, validation, validation_rows):
    if table.X.shape[1]:
        mean_val, _ = _statistics(validation, validation_rows)
        warn_if_far(mean_val, *_statistics(table, rows))
    warn_if_another_scale(validation.Y[index(validation_rows)], table.Y[index(rows)])
