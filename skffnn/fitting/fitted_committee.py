"""The attributes of a fitted committee, and what files may hold of them."""

import numpy as np

from ..core.data import Data
from ..preprocessing.saved_encoding import layout_of, n_features_in
from ..saving.rules import is_array, is_list, is_number, is_whole
from .fitted import NETWORK, YOUNGER

# Pairs of rows that relevance is measured by.
PAIRS = 1000


def fitted_committee(committee, tried, advice):
    """The attributes of a fitted model.

    Parameters
    ----------
    committee : Committee
        The one with the highest evidence.
    tried : list of Committee
        All that were trained, one of each size.
    advice : list of str
        What to try next.
    """
    members, layout = committee.members, committee.network.layout
    scaling, encoding = committee.scaling, committee.encoding
    y_scale = float(scaling.y_scale[0])
    noise = np.array([1 / member.precisions.noise for member in members])
    spread = committee.mean([1 / member.precisions.groups for member in members])
    history = committee.history(y_scale)
    return {
        "units_": [int(n) for n in layout.units],
        "activations_": list(committee.network.names),
        "committee_weights_": committee.weights,
        "theta_": np.stack([member.theta for member in members]),
        **scaling.as_attributes(),
        "_encoding": None if encoding is None else encoding.as_values(),
        "hidden_layer_sizes_": tuple(int(n) for n in layout.units[1:-1]),
        "alpha_": float(1 / (committee.mean(noise) * y_scale**2)),
        "lambda_": 1 / spread,
        "n_effective_parameters_": committee.n_effective_parameters(),
        "log_evidence_": committee.log_evidence(y_scale),
        "relevance_": _relevance(committee),
        "history_": history,
        "n_iter_": max(history["iteration"]),
        "_factors": committee.factors,
        "_noise": noise,
        "_evidence": [
            (each.network.layout.units[1:-1], each.log_evidence(y_scale))
            for each in tried
        ],
        "_advice": advice,
        "_seconds": committee.seconds,
    }


def _relevance(committee):
    """By how much the prediction moves with each column: a root mean square.

    Rows are given the value that others have in that column, as in permutation
    importance. Half the mean square of the difference of two such values, drawn at
    random, is their variance. All in standard deviations.
    """
    data, rng = committee.data, np.random.default_rng(0)
    weight = None if data.weight is None else data.weight[data.rows, 0]
    share = None if weight is None else weight / weight.sum()
    some, others = rng.choice(data.rows, (2, PAIRS), p=share)
    x, x_others = data.numbers(some), data.numbers(others)
    features = _features(committee)
    y_hat, relevance = _predictions(committee, x), np.zeros(features.max() + 1)
    varies = np.ones(len(features), bool)  # codes do
    varies[: data.n_inputs] = ~committee.constant[: data.n_inputs]
    for column in np.unique(features[varies]):
        moved, own = x.copy(), features == column
        moved[:, own] = x_others[:, own]
        moved = _predictions(committee, moved) - y_hat
        relevance[column] = np.sqrt(np.mean(moved**2) / 2)
    return relevance


def _features(committee):
    """The column of the table that each of the numbers of a row comes from."""
    if committee.encoding is None:
        return np.arange(committee.data.n_inputs)
    return committee.encoding.features()


@np.errstate(all="ignore")  # far rows may saturate
def _predictions(committee, x):
    """What the committee predicts for rows as its networks read them, (n,)."""
    network, n_inputs = committee.network, committee.data.n_inputs
    data = Data(x[:, :n_inputs], None, codes=x[:, n_inputs:].astype(np.int32))
    each = [network.predict(member.theta, data)[:, 0] for member in committee.members]
    return committee.weights @ np.stack(each)


# What files may hold, by the rules of `skffnn.fitting.fitted` ------------------------


def _is_vector(value):
    return isinstance(value, np.ndarray) and value.ndim == 1


def _are_weights(value, others):
    right = _is_vector(value) and len(value) and is_array(value, value.shape)
    return right and bool((value >= 0).all()) and bool(abs(value.sum() - 1) < 1e-6)


def _are_thetas(value, others):
    K, P = len(others["committee_weights_"]), layout_of(others).size
    return is_array(value, (K, P)) and others["units_"][-1] == 1


def _are_factors(value, others):
    K, P = others["theta_"].shape
    right = is_list(value, lambda factor: is_array(factor, (P, P)))
    return right and len(value) == K and all(np.diag(f).all() for f in value)


def _is_noise(value, others):
    return is_array(value, others["committee_weights_"].shape) and bool(
        (value >= 0).all()
    )


def _is_history(value, others):
    if not isinstance(value, dict) or "iteration" not in value:
        return False
    good = all(is_list(column, is_number) for column in value.values())
    return good and len({len(column) for column in value.values()}) == 1


def _is_last_step(value, others):
    return is_whole(value) and value == max(others["history_"]["iteration"], default=0)


def _are_importances(value, others):
    return value is None or (
        is_array(value, (n_features_in(others),)) and bool((value >= 0).all())
    )


def _is_evidence(pair):
    good = isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], tuple)
    return good and all(is_whole(n, 1) for n in pair[0]) and is_number(pair[1])


COMMITTEE = {
    "_encoding": NETWORK["_encoding"],
    "units_": NETWORK["units_"],
    "activations_": NETWORK["activations_"],
    "committee_weights_": _are_weights,
    **NETWORK,
    "theta_": _are_thetas,
    "hidden_layer_sizes_": lambda value, others: value == tuple(others["units_"][1:-1]),
    "alpha_": lambda value, others: is_number(value),
    "lambda_": lambda value, others: (
        _is_vector(value) and is_array(value, value.shape, finite=False)
    ),
    "n_effective_parameters_": lambda value, others: is_number(value),
    "log_evidence_": lambda value, others: is_number(value),
    "history_": _is_history,
    "n_iter_": _is_last_step,
    "_factors": _are_factors,
    "_noise": _is_noise,
    "_evidence": lambda value, others: is_list(value, _is_evidence),
    "relevance_": _are_importances,
}

# Files of earlier versions do not tell it, and lack the rows that it takes.
YOUNGER_COMMITTEE = {**YOUNGER, "relevance_": lambda others: None}
