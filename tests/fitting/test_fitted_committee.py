"""A fitted committee: what its attributes are, and what a file may say of them."""

import numpy as np
import pytest

from skffnn import BayesianFFNNRegressor
from skffnn.fitting.fitted_committee import COMMITTEE, YOUNGER_COMMITTEE


@pytest.fixture(scope="module")
def fitted(waves):
    return BayesianFFNNRegressor(4, n_restarts=2, random_state=0).fit(*waves[:2])


def allowed(name, value, others):
    try:
        return bool(COMMITTEE[name](value, others))
    except (ValueError, TypeError, AttributeError):
        return False


def test_what_a_fit_makes_is_what_a_file_may_hold(fitted):
    attributes = {k: v for k, v in vars(fitted).items() if k in COMMITTEE}
    lacking = COMMITTEE.keys() - attributes.keys()
    assert lacking == {"feature_names_in_"}
    for name, value in attributes.items():
        assert allowed(name, value, attributes), name


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("committee_weights_", lambda value: -value),
        ("committee_weights_", lambda value: 2 * value),
        ("theta_", lambda value: value[:, 1:]),
        ("relevance_", lambda value: -value - 1),
        ("relevance_", lambda value: value[1:]),
        ("relevance_", lambda value: value * np.nan),
        ("_factors", lambda value: value[:-1]),
        ("_noise", lambda value: -value),
        ("_advice", lambda value: [1]),
        ("_evidence", lambda value: [((0,), 1.0)]),
        ("n_iter_", lambda value: value + 1),
        ("hidden_layer_sizes_", lambda value: (5,)),
        ("history_", lambda value: {"iteration": [1, 2], "rmse": [1.0]}),
    ],
)
def test_what_makes_no_sense_is_refused(fitted, name, wrong):
    attributes = vars(fitted)
    assert not allowed(name, wrong(attributes[name]), attributes)


def test_earlier_files_cannot_tell_the_relevance():
    value = YOUNGER_COMMITTEE["relevance_"]({})
    assert value is None
    assert allowed("relevance_", value, {})
