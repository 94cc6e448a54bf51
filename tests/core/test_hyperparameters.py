"""Rules for hyperparameters: which values work, of whatever type they are."""

from types import SimpleNamespace

import numpy as np
import pytest

from skffnn.core import hyperparameters
from skffnn.core.hyperparameters import Hyperparameter, values_of

INSIDE = {
    "is_positive": (1e-300, 1, np.float32(0.5), 10**300),
    "is_not_negative": (0, -0.0, 3),
    "is_below_one": (0, 0.999, np.float64(0.5)),
    "is_inside_unit": (1e-9, 0.5),
    "is_flag": (True, False, 0, 1, np.bool_(True)),
}
OUTSIDE = {
    "is_positive": (0, -1, np.nan, np.inf, "1", None, True, 10**400, 1j),
    "is_not_negative": (-1e-9, np.nan, False),
    "is_below_one": (1, -0.1, True),
    "is_inside_unit": (0, 1, False),
    "is_flag": ("yes", None, 0.5),
}


@pytest.mark.parametrize("rule", INSIDE)
def test_what_works_and_what_does_not(rule):
    valid = getattr(hyperparameters, rule)
    assert all(valid(value) for value in INSIDE[rule])
    assert not any(valid(value) for value in OUTSIDE[rule])


def test_whole_numbers_are_of_any_type_but_bool():
    assert hyperparameters.is_int(np.int32(1), 1)
    assert not hyperparameters.is_int(0, 1)
    assert not hyperparameters.is_int(True, 0)
    assert not hyperparameters.is_int(1.0, 0)


def test_values_come_by_argument_and_in_the_kind_of_the_core():
    taken = {
        "delta": Hyperparameter("huber_delta", hyperparameters.is_positive, "positive"),
        "on": Hyperparameter("switch", hyperparameters.is_flag, "a flag", bool),
    }
    values = values_of(taken, SimpleNamespace(huber_delta=np.float32(2), switch=1))
    assert values == {"delta": 2.0, "on": True}
    assert [type(value) for value in values.values()] == [float, bool]
