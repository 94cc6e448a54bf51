"""From checked tables to what a network learns from: rows, weights, scales."""

from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split

from .checks import warn_if_far, warn_if_out_of_reach
from .core.data import Data
from .parameters import hidden_sizes, layer_activations
from .scaling import Scaling, standardized, statistics, target_statistics, unit


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
    y_sd : ndarray of shape (n_outputs,)
        Standard deviations of the training targets, 1 for a constant one.
    y_ndim : int
    """

    units: list
    activations: list
    training: Data
    validation: Data | None
    held_out: np.ndarray | None
    scaling: Scaling
    y_sd: np.ndarray
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
    go_on : bool
        Whether to stay with the model's standardisation.
    """
    sizes = hidden_sizes(model.hidden_layer_sizes)
    units = [table.X.shape[1], *sizes, table.Y.shape[1]]
    activations = layer_activations(
        model.activation, len(sizes), model.output_activation, model.loss
    )
    if go_on:
        _check_same_network(model, units, activations)
    warn_if_out_of_reach(table.Y, activations[-1])
    rows = weighty_rows(table)
    held_out = None
    if validation is not None:
        validation_rows = weighty_rows(validation)
    elif fraction := model.validation_fraction or (0.1 if model.early_stopping else 0):
        rows, held_out = train_test_split(rows, test_size=fraction, random_state=seed)
        validation, validation_rows = table, held_out
    weight = normalized(table.weight, rows)
    scaling = _scaling(model, table, rows, weight, activations[-1], go_on)
    data = standardized(table, rows, weight, scaling)
    validation_data = None
    if validation is not None:
        if held_out is None:
            _check_distance(table, rows, validation, validation_rows)
        weight_val = normalized(validation.weight, validation_rows)
        validation_data = standardized(validation, validation_rows, weight_val, scaling)
    return Rows(
        units=units,
        activations=activations,
        training=data,
        validation=validation_data,
        held_out=held_out,
        scaling=scaling,
        y_sd=statistics(table.Y, rows, weight)[1],
        y_ndim=table.y_ndim,
    )


def _check_same_network(model, units, activations):
    fitted = model.units_, model.activations_
    if fitted != (units, activations):
        raise ValueError(
            f"The fitted network has units {fitted[0]} and activations {fitted[1]}; "
            f"the parameters and data now ask for {units} and {activations}. To start "
            "afresh, call fit with warm_start=False."
        )


def weighty_rows(table):
    """The rows that count: all but those of weight 0."""
    if table.weight is None:
        return np.arange(len(table.Y))
    return np.flatnonzero(table.weight)


def normalized(weight, rows):
    """Weights whose mean over those rows is 1."""
    return None if weight is None else weight / weight[rows].mean()


def _scaling(model, table, rows, weight, output, go_on):
    if go_on:
        return Scaling(model.x_mean_, model.x_scale_, model.y_mean_, model.y_scale_)
    if not model.standardize:
        return Scaling(*unit(table.X.shape[1]), *unit(table.Y.shape[1]))
    return Scaling(
        *statistics(table.X, rows, weight),
        *target_statistics(table.Y, rows, weight, output),
    )


def _check_distance(table, rows, validation, validation_rows):
    mean_val, _ = statistics(validation.X, validation_rows)
    warn_if_far(mean_val, *statistics(table.X, rows))
