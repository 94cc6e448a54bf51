"""Fields of a saved state: their rules, and those that are younger than a file."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from skffnn.fitting.fields import Known, check_fields, is_like, rule

KNOWN = Known(np.zeros(3), n_iter=5, n_outputs=1)


@dataclass
class Small:
    epoch: int = field(metadata=rule(lambda value, known: known.is_epoch(value)))
    theta: Any = field(metadata=rule(lambda value, known: known.is_theta(value)))
    younger: int = field(default=7, metadata=rule(lambda value, known: True))
    seen: list = field(default_factory=list, metadata=rule(lambda value, known: True))
    elsewhere: int = 0


def test_what_meets_its_rules_is_taken_and_what_is_younger_gets_its_default():
    values = {"epoch": 5, "theta": np.ones(3)}
    check_fields(Small, values, KNOWN)
    assert values["younger"] == 7
    assert values["seen"] == []
    assert "elsewhere" not in values


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"epoch": 6}, "epoch"), ({"epoch": True}, "epoch"),
        ({"theta": np.ones(4)}, "theta"), ({"theta": np.ones(3, np.float32)}, "theta"),
        ({"theta": np.full(3, np.nan)}, "theta"), ({"other": 1}, "other"),
    ],
)  # fmt: skip
def test_what_meets_a_rule_no_more_is_named(wrong, named):
    with pytest.raises(ValueError, match=named):
        check_fields(Small, {"epoch": 5, "theta": np.ones(3), **wrong}, KNOWN)


def test_no_dict_has_no_fields():
    with pytest.raises(ValueError, match="small is not what it must be"):
        check_fields(Small, [1, 2], KNOWN)


@pytest.mark.parametrize(
    ("value", "alike"),
    [
        ({"a": 0.5, "b": {"c": 3}}, True), ({"a": np.inf, "b": {"c": 0}}, True),
        ({"a": "x", "b": {"c": 3}}, False), ({"a": 0.5, "b": {"c": 3.5}}, False),
        ({"a": 0.5, "b": {"c": -1}}, False), ({"a": 0.5}, False), (0.5, False),
        ({"a": 0.5, "b": 3}, False),
    ],
)  # fmt: skip
def test_what_is_like_an_example(value, alike):
    assert is_like(value, {"a": 1.0, "b": {"c": 2}}) == alike
