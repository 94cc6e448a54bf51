"""From checked tables to what a network learns from: rows, weights, scales."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split

from ..core.data import Data
from .checks import warn_if_another_scale, warn_if_far, warn_if_out_of_reach
from .memory import check_memory
from .parameters import layers, rows_of_batch, standardizes
from .scaling import (
    Scaling,
    given_statistics,
    index,
    input_statistics,
    standardized,
    statistics,
    target_statistics,
    unit,
)

# What `standardize` may give.
_GIVEN = ("x_mean", "x_scale", "y_mean", "y_scale")


@dataclass
class Rows:
    """What one fit learns from.

    Attributes
    ----------
    units, activations : list
        The shape of the network that these rows ask for.
    training : Data
        Standardised, like validation.
    validation : Data or None
    held_out : ndarray of int or None
        Which rows of the user's X became validation rows.
    scaling : Scaling
    y_ndim : int
    """

    units: list
    activations: list
    training: Data
    validation: Data | None
    held_out: np.ndarray | None
    scaling: Scaling
    y_ndim: int


def prepare(model, table, validation, seed, go_on):
    """Split, weigh and standardise.

    Parameters
    ----------
    model : FFNNRegressor
    table : Table
    validation : Table or None
        The user's own validation rows; without them ``validation_fraction`` and
        ``early_stopping`` decide.
    seed : int
        Decides which rows are held out.
    go_on : bool
        Whether to stay with the model's standardisation.
    """
    sizes, activations = layers(model)
    units = [table.X.shape[1], *sizes, table.Y.shape[1]]
    if go_on:
        _check_same_network(model, units, activations)
    itemsize = table.X.dtype.itemsize
    check_memory(units, rows_of_batch(model, len(table.Y)), itemsize, model.solver)
    rows, held_out = weighty_rows(table), None
    warn_if_out_of_reach(table.Y[index(rows)], activations[-1])
    fraction = model.validation_fraction or (0.1 if model.early_stopping else None)
    if validation is not None:
        validation_rows = weighty_rows(validation)
        _check_distance(table, rows, validation, validation_rows)
    elif fraction is not None:
        rows, held_out = _hold_out(rows, fraction, seed)
        validation, validation_rows = table, held_out
    weight = normalized(table.weight, rows)
    scaling = _scaling(model, table, rows, weight, activations[-1], go_on)
    training, validated = standardized(table, rows, weight, scaling), None
    _check_fits_dtype(training)
    if validation is not None:
        weight_val = normalized(validation.weight, validation_rows)
        validated = standardized(validation, validation_rows, weight_val, scaling)
    return Rows(
        units, activations, training, validated, held_out, scaling, table.y_ndim
    )


def _check_same_network(model, units, activations):
    fitted = model.units_, model.activations_
    if fitted != (units, activations):
        raise ValueError(
            f"The fitted network has units {fitted[0]} and activations {fitted[1]}; "
            f"the parameters and data now ask for {units} and {activations}. To start "
            "afresh, call fit with warm_start=False."
        )
    if model._state["standardize"] != standardizes(model):
        raise ValueError(
            f"standardize is now {model.standardize!r}, but the weights were learnt "
            "with the opposite. To start afresh, call fit with warm_start=False."
        )


def _check_fits_dtype(data):
    if not np.isfinite(data.targets(data.at(slice(None)))).all():
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


def weighty_rows(table):
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


def _scaling(model, table, rows, weight, output, go_on):
    if go_on:
        return Scaling(
            model.x_mean_,
            model.x_scale_,
            model.x_heavy_,
            model.y_mean_,
            model.y_scale_,
        )
    if not standardizes(model):
        x_mean, x_scale = unit(table.X.shape[1])
        return Scaling(x_mean, x_scale, np.zeros(0, int), *unit(table.Y.shape[1]))
    given = model.standardize if isinstance(model.standardize, dict) else {}
    columns = getattr(model, "feature_names_in_", range(table.X.shape[1]))
    x, y = _given(given, columns, range(table.Y.shape[1]), output)
    return Scaling(
        *(x or input_statistics(table.X, rows, weight)),
        *(y or target_statistics(table.Y, rows, weight, output)),
    )


def _given(given, columns, targets, output):
    """The statistics of X, and those of y, that the user gives; None where not."""
    for name in given:
        if name not in _GIVEN:
            raise ValueError(
                f"standardize has no {name!r}: give {', '.join(_GIVEN)}, or some of "
                "them."
            )
    x = given_statistics(given, "x", columns)
    y = given_statistics(given, "y", targets)
    if y and output != "identity":
        raise ValueError(
            f"The output activation {output!r} fixes the units of y, which is not "
            "standardised then: leave 'y_mean' and 'y_scale' out of standardize."
        )
    return x and [*x, np.zeros(0, int)], y


def _check_distance(table, rows, validation, validation_rows):
    mean_val, _ = statistics(validation.X, validation_rows)
    warn_if_far(mean_val, *statistics(table.X, rows))
    warn_if_another_scale(validation.Y[index(validation_rows)], table.Y[index(rows)])
