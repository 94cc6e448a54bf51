"""What a fitted estimator consists of, held against itself: nothing may contradict.

A file can say anything. Each function here takes the fitted attributes that one says an
estimator has, and raises ValueError unless an estimator of that class could have them:
all names and no others, arrays of the shapes that the network needs, finite numbers.
"""

from itertools import pairwise

import numpy as np

from ..core.activations import ACTIVATIONS
from ..core.layout import Layout
from ..fitting.history import COLUMNS

FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
DOUBLE = FLOATS[:1]

SCALING = ("x_mean_", "x_scale_", "x_heavy_", "y_mean_", "y_scale_")
COLUMN_NAMES = ("feature_names_in_",)
REGRESSOR = (
    "theta_", "units_", "activations_", "n_outputs_", "n_features_in_", *SCALING,
    "validation_indices_", "history_", "n_iter_", "kept_iter_", "loss_",
    "weight_decay_", "best_iter_", "best_loss_", "_y_ndim", "_state",
)  # fmt: skip
BAYESIAN = (
    "theta_", "committee_weights_", "units_", "activations_", "hidden_layer_sizes_",
    "alpha_", "lambda_", "n_effective_parameters_", "log_evidence_", "history_",
    "n_iter_", "n_features_in_", *SCALING, "_evidence", "_factors", "_noise",
)  # fmt: skip
ENSEMBLE = (
    "estimators_", "estimators_samples_", "calibration_indices_", "noise_",
    "calibration_scores_", "n_features_in_", "_y_ndim",
)  # fmt: skip
SEARCH = ("cv_results_", "n_splits_", "multimetric_")
IF_ASKED = (
    "best_index_", "best_score_", "best_params_", "best_estimator_", "refit_time_",
)  # fmt: skip

_STATE = {
    "seed", "standardize", "order", "dropout", "lowest", "watched", "schedule",
    "losses", "pace", "y_sd", "lesson",
}  # fmt: skip
_NOW_AND_THEN = {"adam", "sgd", "weight_decay", "run"}
_RUN = {
    "theta", "best_theta", "best_loss", "best_epoch", "patience", "done",
    "epochs_before", "kept_before", "reference", "last_loss", "outcome", "ended",
}  # fmt: skip


# What everything is made of -----------------------------------------------------------


def need(condition, what):
    """Raise ValueError unless it is so."""
    if not condition:
        raise ValueError(f"{what} is not what it must be")


def is_whole(value, low=0):
    """Whether it is a whole number, at least that, that 64 bits can hold."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and low <= value < 2**63


def is_number(value):
    """Whether it is a number, NaN and infinity among them."""
    return isinstance(value, float) or is_whole(value, -(2**63))


def is_array(value, shape, dtypes=DOUBLE, finite=True):
    """Whether it is an array, not a masked one, of that shape and of those dtypes."""
    if type(value) is not np.ndarray or value.shape != tuple(shape):
        return False
    return value.dtype in dtypes and not (finite and not np.isfinite(value).all())


def is_list(value, each):
    """Whether it is a list of such values."""
    return isinstance(value, list) and all(map(each, value))


def are_rows(value):
    """Whether these are numbers of rows."""
    if type(value) is not np.ndarray or value.ndim != 1:
        return False
    return value.dtype.kind == "i" and (value >= 0).all()


def names(own, required, allowed=COLUMN_NAMES):
    """Raise ValueError unless all required names are there, and no unknown one."""
    missing = set(required) - own.keys()
    unknown = own.keys() - set(required) - set(allowed)
    for what, which in (("lacks", missing), ("has an unknown", unknown)):
        if which:
            raise ValueError(f"it {what} {sorted(map(str, which))[0]!r}")


def _columns(own, n):
    _same(own, "n_features_in_", n)
    if "feature_names_in_" in own:
        need(_are_names(own["feature_names_in_"], n), "feature_names_in_")


def _same(own, name, n):
    """Raise unless that attribute is this whole number."""
    need(is_whole(own[name]) and own[name] == n, name)


def _are_names(value, n):
    """Whether these are names of n columns."""
    good = type(value) is np.ndarray and value.dtype == object
    return good and value.shape == (n,) and all(isinstance(v, str) for v in value)


def _network(own, stack=()):
    """The layout of the network, if its parameters and scales fit it."""
    units, activations, theta = own["units_"], own["activations_"], own["theta_"]
    need(is_list(units, lambda n: is_whole(n, 1)) and len(units) > 1, "units_")
    known = is_list(activations, lambda name: name in ACTIVATIONS)
    need(known and len(activations) == len(units) - 1, "activations_")
    layout = Layout(units)
    shape = *stack, layout.size
    need(is_array(theta, shape, DOUBLE if stack else FLOATS), "theta_")
    inputs, outputs = units[0], units[-1]
    for name, n in (("x", inputs), ("y", outputs)):
        mean, scale = own[f"{name}_mean_"], own[f"{name}_scale_"]
        need(is_array(mean, (n,)), f"{name}_mean_")
        need(is_array(scale, (n,)) and (scale > 0).all(), f"{name}_scale_")
    heavy = own["x_heavy_"]
    need(are_rows(heavy) and (heavy < inputs).all(), "x_heavy_")
    _columns(own, inputs)
    return layout


def _history(history, columns, n=None):
    """Raise unless it has these columns, of n numbers each."""
    need(isinstance(history, dict) and list(history) == list(columns), "history_")
    lengths = {len(c) for c in history.values() if is_list(c, is_number)}
    need(all(is_list(c, is_number) for c in history.values()), "history_")
    need(len(lengths) == 1 and (n is None or lengths == {n}), "history_")


# FFNNRegressor ------------------------------------------------------------------------


def check_regressor(own):
    """Raise ValueError unless a fitted FFNNRegressor can have these attributes."""
    names(own, REGRESSOR)
    layout = _network(own)
    n_iter, outputs = own["n_iter_"], layout.units[-1]
    need(is_whole(n_iter), "n_iter_")
    _history(own["history_"], COLUMNS, n_iter)
    for name in ("kept_iter_", "best_iter_"):
        need(is_whole(own[name]) and own[name] <= n_iter, name)
    for name in ("loss_", "best_loss_", "weight_decay_"):
        need(is_number(own[name]), name)
    _same(own, "n_outputs_", outputs)
    need(is_whole(own["_y_ndim"], 1 if outputs == 1 else 2), "_y_ndim")
    need(own["_y_ndim"] <= 2, "_y_ndim")
    held_out = own["validation_indices_"]
    need(held_out is None or are_rows(held_out), "validation_indices_")
    _check_state(own["_state"], own["theta_"], n_iter, outputs)


def _check_state(state, theta, n_iter, outputs):
    need(isinstance(state, dict), "_state")
    names(state, _STATE, _NOW_AND_THEN)
    need(is_whole(state["seed"]), "seed")
    need(isinstance(state["standardize"], bool), "standardize")
    for name in ("order", "dropout"):
        need(isinstance(state[name], np.random.Generator), name)
    _check_judgement(state, n_iter)
    y_sd, lesson = state["y_sd"], state["lesson"]
    need(y_sd is None or is_array(y_sd, (outputs,)), "y_sd")
    if lesson is not None:
        need(isinstance(lesson, dict), "lesson")
        names(lesson, ("rows", "parameters"), ())
        need(isinstance(lesson["parameters"], dict), "lesson")
    if "weight_decay" in state:
        need(is_number(state["weight_decay"]), "weight_decay")
    for name, moments in (("adam", {"m", "v"}), ("sgd", {"velocity"})):
        if name in state:
            counted = {"t"} if name == "adam" else set()
            _check_optimizer(state[name], moments, counted, theta)
    if "run" in state:
        _check_run(state["run"], theta, n_iter)


def _check_judgement(state, n_iter):
    """What the run is measured by: the lowest loss, the newest, patience, pace."""
    lowest, watched, pace = state["lowest"], state["watched"], state["pace"]
    good = isinstance(lowest, list) and len(lowest) == 3 and is_list(lowest, is_number)
    need(good and is_whole(lowest[1]) and lowest[1] <= n_iter, "lowest")
    need(isinstance(watched, list) and len(watched) == 4, "watched")
    need(isinstance(pace, list) and len(pace) == 3, "pace")
    losses, schedule = state["losses"], state["schedule"]
    need(is_list(losses, is_number) and len(losses) <= 1, "losses")
    need(isinstance(schedule, dict), "schedule")
    if schedule:
        names(schedule, ("factor", "patience"), ())
        need(is_number(schedule["factor"]), "factor")
        _check_patience(schedule["patience"])


def _check_patience(patience):
    good = isinstance(patience, dict) and patience.keys() == {"best", "wait"}
    need(good and is_number(patience["best"]), "patience")
    need(is_whole(patience["wait"]), "patience")


def _check_optimizer(state, moments, counted, theta):
    need(isinstance(state, dict), "the optimizer")
    names(state, moments | counted, ())
    for name in moments:
        # A gradient of 1e20 has a square that float32 does not hold.
        need(is_array(state[name], theta.shape, (theta.dtype,), finite=False), name)
    for name in counted:
        need(is_whole(state[name]), name)


def _check_run(run, theta, n_iter):
    """Where an interrupted run stands."""
    need(isinstance(run, dict), "run")
    names(run, _RUN, ())
    for name in ("theta", "best_theta"):
        need(is_array(run[name], theta.shape, (theta.dtype,)), name)
    for name in ("best_loss", "reference", "last_loss"):
        need(is_number(run[name]), name)
    for name in ("best_epoch", "kept_before"):
        need(is_whole(run[name]) and run[name] <= n_iter, name)
    need(is_whole(run["done"]) and is_whole(run["epochs_before"]), "done")
    need(run["done"] + run["epochs_before"] == n_iter, "done")
    _check_patience(run["patience"])
    need(run["outcome"] in ("completed", "max_iter", "stopped"), "outcome")
    need(isinstance(run["ended"], bool), "ended")


# The others ---------------------------------------------------------------------------


def check_bayesian(own):
    """The same for BayesianFFNNRegressor."""
    names(own, BAYESIAN)
    weights = own["committee_weights_"]
    good = isinstance(weights, np.ndarray) and weights.ndim == 1 and len(weights) > 0
    need(good and is_array(weights, weights.shape), "committee_weights_")
    need((weights >= 0).all() and abs(weights.sum() - 1) < 1e-6, "committee_weights_")
    K = len(weights)
    layout = _network(own, (K,))
    P, units = layout.size, layout.units
    need(units[-1] == 1, "units_")
    need(own["hidden_layer_sizes_"] == units[1:-1], "hidden_layer_sizes_")
    for name in ("alpha_", "n_effective_parameters_", "log_evidence_"):
        need(is_number(own[name]), name)
    groups = own["lambda_"]
    need(isinstance(groups, np.ndarray) and groups.ndim == 1, "lambda_")
    need(is_array(groups, groups.shape, finite=False), "lambda_")
    need(is_array(own["_noise"], (K,)) and (own["_noise"] >= 0).all(), "_noise")
    factors = own["_factors"]
    need(is_list(factors, lambda factor: is_array(factor, (P, P))), "_factors")
    need(len(factors) == K and all(np.diag(f).all() for f in factors), "_factors")
    history = own["history_"]
    need(isinstance(history, dict) and "iteration" in history, "history_")
    _history(history, history)
    _same(own, "n_iter_", max(history["iteration"], default=0))
    need(is_list(own["_evidence"], _is_evidence), "_evidence")


def _is_evidence(pair):
    good = isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], tuple)
    return good and all(is_whole(n, 1) for n in pair[0]) and is_number(pair[1])


def check_ensemble(own):
    """The same for FFNNEnsembleRegressor; its networks have been checked."""
    names(own, ENSEMBLE)
    networks, samples = own["estimators_"], own["estimators_samples_"]
    fitted = is_list(networks, lambda network: vars(network).keys() >= set(REGRESSOR))
    need(fitted and len(networks) > 0, "estimators_")
    for a, b in pairwise(networks):
        same = a.units_ == b.units_ and a._y_ndim == b._y_ndim
        need(same and a.theta_.dtype == b.theta_.dtype, "estimators_")
    need(is_list(samples, are_rows) and len(samples) == len(networks), "samples")
    outputs = networks[0].n_outputs_
    _columns(own, networks[0].n_features_in_)
    _same(own, "_y_ndim", networks[0]._y_ndim)
    need(is_array(own["noise_"], (outputs,)) and (own["noise_"] >= 0).all(), "noise_")
    rows, scores = own["calibration_indices_"], own["calibration_scores_"]
    need(rows is None or are_rows(rows), "calibration_indices_")
    need((rows is None) == (scores is None), "calibration_scores_")
    if rows is not None:
        shape = len(rows), outputs
        need(is_array(scores, shape, finite=False), "calibration_scores_")


def check_search(own):
    """The same for FFNNGridSearchCV."""
    names(own, SEARCH, (*IF_ASKED, *COLUMN_NAMES))
    results = own["cv_results_"]
    need(isinstance(results, dict) and "params" in results, "cv_results_")
    need(is_list(results["params"], lambda each: isinstance(each, dict)), "params")
    n = len(results["params"])
    columns = (np.shape(column) for name, column in results.items() if name != "params")
    need(all(shape == (n,) for shape in columns), "cv_results_")
    need(is_whole(own["n_splits_"], 1), "n_splits_")
    need(isinstance(own["multimetric_"], bool), "multimetric_")
    if "best_index_" in own:
        best = own["best_index_"]
        need(is_whole(best) and best < n, "best_index_")
        # Not the values: arrays, or states of generators, have no simple equality.
        params = results["params"][best]
        need(own.get("best_params_", params).keys() == params.keys(), "best_params_")
    if "feature_names_in_" in own:
        given = own["feature_names_in_"]
        need(_are_names(given, np.size(given)), "feature_names_in_")
    if "best_estimator_" in own:
        need(hasattr(own["best_estimator_"], "predict"), "best_estimator_")
