"""What a fitted network consists of, name by name, and what each value has to be.

A saved attribute is a line in `fitted`, which makes it, one in `rules_for`, which says
what a file may hold in its place, and one in `YOUNGER`, for files without it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.activations import ACTIVATIONS
from ..preprocessing.saved_encoding import (
    has_inputs,
    is_encoding,
    layout_of,
    n_features_in,
    n_numeric_in,
)
from ..preprocessing.scaling import LIMIT
from ..saving.rules import (
    FLOATS,
    are_names,
    are_rows,
    is_array,
    is_list,
    is_number,
    is_whole,
)
from .fields import Known
from .history import columns_of
from .state import State


def fitted(fit):
    """The attributes of a fitted model.

    Parameters
    ----------
    fit : Fit
    """
    state, prepared = fit.state, fit.prepared
    encoding = prepared.encoding
    history, units = state.history.columns(), [int(n) for n in fit.network.layout.units]
    return {
        "units_": units,
        "activations_": list(fit.network.names),
        "theta_": state.theta,
        "n_outputs_": units[-1],
        **prepared.target.as_attributes(),
        **prepared.scaling.as_attributes(),
        "_encoding": None if encoding is None else encoding.as_values(),
        "validation_indices_": prepared.held_out,
        "n_iter_": len(state.history),
        "history_": history,
        "kept_iter_": state.kept,
        "loss_": history["loss"][state.kept - 1] if state.kept else float("nan"),
        "weight_decay_": float(fit.weight_decay),
        "best_iter_": state.lowest[1],
        "best_loss_": state.lowest[2],
        "_y_ndim": prepared.y_ndim,
        "_advice": list(fit.advice),
        "_state": state.as_values(),
        "_seconds": state.history.seconds(),
    }


# What files may hold ------------------------------------------------------------------
#
# Each rule takes a value and the others of the file, of which those before it in the
# table have been checked.


def _are_units(value, others):
    good = is_list(value, lambda n: is_whole(n, 1)) and len(value) > 1
    return good and has_inputs(value, others)


def _are_activations(value, others):
    known = is_list(value, lambda name: name in ACTIVATIONS)
    return known and len(value) == len(others["units_"]) - 1


def _is_theta(value, others):
    return is_array(value, (layout_of(others).size,), FLOATS)


def _is_mean(value, others):
    return is_array(value, (n_numeric_in(others),))


def _is_mean_of_y(value, others):
    return is_array(value, (others["units_"][-1],))


def _is_scale(right):
    return lambda value, others: right(value, others) and bool((value > 0).all())


def _is_limit(value, others):
    shape = (n_numeric_in(others),)
    return is_array(value, shape, finite=False) and bool((value > 0).all())


def _are_columns(value, others):
    return is_whole(value) and value == n_features_in(others)


def _is_number(value, others):
    return is_number(value)


def _is_epoch(value, others):
    return is_whole(value) and value <= others["n_iter_"]


def _is_history(columns):
    def is_history(value, others):
        named = isinstance(value, dict) and tuple(value) == tuple(columns)
        return named and all(
            is_list(column, is_number) and len(column) == others["n_iter_"]
            for column in value.values()
        )

    return is_history


def _is_y_ndim(value, others):
    return is_whole(value, 1 if others["units_"][-1] == 1 else 2) and value <= 2


def _is_advice(value, others):
    return is_list(value, lambda each: isinstance(each, str))


def _is_state(value, others):
    State.check(
        value,
        Known(others["theta_"], others["n_iter_"], others["units_"][-1]),
    )
    return True


# What every fitted network has, be it one or a committee.
NETWORK = {
    "_encoding": is_encoding,
    "units_": _are_units,
    "activations_": _are_activations,
    "theta_": _is_theta,
    "x_mean_": _is_mean,
    "x_scale_": _is_scale(_is_mean),
    "x_limit_": _is_limit,
    "y_mean_": _is_mean_of_y,
    "y_scale_": _is_scale(_is_mean_of_y),
    "n_features_in_": _are_columns,
    "feature_names_in_": lambda value, others: are_names(value, n_features_in(others)),
    "_advice": _is_advice,
}


def rules_for(target):
    """What a file may hold of a network that has learnt a target of that kind."""
    return {
        **NETWORK,
        "n_outputs_": lambda value, others: (
            is_whole(value) and value == others["units_"][-1]
        ),
        **target.rules,
        "validation_indices_": lambda value, others: value is None or are_rows(value),
        "n_iter_": lambda value, others: is_whole(value),
        "history_": _is_history(columns_of(target.metric)),
        "kept_iter_": _is_epoch,
        "loss_": _is_number,
        "weight_decay_": _is_number,
        "best_iter_": _is_epoch,
        "best_loss_": _is_number,
        "_y_ndim": _is_y_ndim,
        "_state": _is_state,
    }


# Files of earlier versions ------------------------------------------------------------

# For each attribute that older files of this format lack: a function that makes its
# value of the others.
YOUNGER: dict[str, Callable[[dict], Any]] = {
    "_advice": lambda others: [],
    "_encoding": lambda others: None,
}


def network_from_format_1(parameters, attributes):
    """Bring what every network has to what it is now, in place.

    Its limits were the numbers of the columns with heavy tails, and its curves had the
    times of their rows.
    """
    if not attributes:
        return
    attributes["history_"].pop("seconds")
    heavy, n = attributes.pop("x_heavy_"), len(attributes["x_mean_"])
    attributes["x_limit_"] = np.full(n, np.inf)
    attributes["x_limit_"][heavy] = LIMIT


def from_format_1(parameters, attributes):
    """Bring what a file of format 1 holds of a network to what it is now, in place."""
    by_sgd = parameters["solver"] == "sgd"
    share = 1 - parameters["momentum"] if by_sgd else 1.0
    parameters["weight_decay"] = _penalty(parameters["weight_decay"], share)
    if not attributes:
        return
    network_from_format_1(parameters, attributes)
    attributes["weight_decay_"] = _penalty(attributes["weight_decay_"], share)
    state = attributes["_state"]
    loss, quantile, delta, validated = state["watched"]
    values = {"quantile": [quantile], "huber": [delta]}.get(loss, [])
    state["watched"] = [loss, *values, validated]
    for before, now in (
        ("standardize", "standardized"),
        ("y_sd", "deviations"),
        ("lesson", "fingerprint"),
    ):
        state[now] = state.pop(before)
    if state["fingerprint"] is not None:
        state["fingerprint"]["digest"] = state["fingerprint"].pop("rows")
        asked = state["fingerprint"]["parameters"]
        asked["weight_decay"] = _penalty(asked["weight_decay"], share)
    state["memory"] = {
        name: state.pop(name) for name in ("adam", "sgd") if name in state
    }
    if state["schedule"]:
        state["schedule"] = {"adaptive": state["schedule"]}
    chosen = state.pop("weight_decay", None)
    state["weight_decay"] = {}
    if chosen is not None:
        state["weight_decay"]["sgd" if by_sgd else "adam"] = _penalty(chosen, share)
    state.setdefault("run", None)


def _penalty(weight_decay, share):
    """The weight decay of "sgd", in format 1 what a step takes off, as the penalty.

    A penalty takes off 1 / (1 - momentum) times as much.
    """
    if share == 1 or weight_decay == "auto":
        return weight_decay
    return float(f"{weight_decay * share:.15g}")
