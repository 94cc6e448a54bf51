"""Rules for hyperparameters: which values work, of whatever type they are."""

from collections import deque
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pandas as pd
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


@pytest.mark.parametrize(
    "value", [10**400, np.timedelta64(3, "D"), Decimal(3), Fraction(3), 3 + 0j]
)
def test_whole_numbers_are_numbers_that_memory_counts(value):
    assert not hyperparameters.is_int(value, 1)


@pytest.mark.parametrize(
    "value",
    [
        *(10**400, -(10**400), Fraction(10**400, 3), Fraction(1, 10**400)),
        *(Decimal("sNaN"), Decimal("NaN"), Decimal("0.5"), np.timedelta64(1, "D")),
    ],
)
def test_what_no_float_is_like_is_no_number(value):
    for rule in ("is_positive", "is_inside_unit"):
        assert not getattr(hyperparameters, rule)(value)


@pytest.mark.parametrize(
    "value", [[1], (1,), (), range(3), np.arange(2), pd.Series([1, 2]), deque([1])]
)
def test_what_has_an_order_and_can_be_read_again_is_a_sequence(value):
    assert hyperparameters.is_sequence(value)


@pytest.mark.parametrize(
    "value",
    [
        *(map(int, "12"), iter([1]), (i for i in [1]), zip([1]), {1, 2}, {1: 2}),
        *({1: 2}.keys(), frozenset([1]), "12", b"12", bytearray(b"1"), 3, None),
        *(np.array(3), np.ones((2, 2)), np.array),
    ],
)
def test_what_is_read_once_or_in_any_order_is_none(value):
    assert not hyperparameters.is_sequence(value)
