"""Rules for what files say: every kind of value that is not what it seems."""

import numpy as np
import pytest

from skffnn.saving import rules

NAMES = np.array(["a", "b"], dtype=object)
RIGHT = {
    "is_whole": [(0,), (2**63 - 1,), (3, 3)],
    "is_number": [(1.5,), (np.nan,), (-(2**63),)],
    "is_bool": [(True,)],
    "is_generator": [(np.random.default_rng(0),)],
    "is_array": [
        (np.zeros((2, 3)), (2, 3)),
        (np.zeros(2, np.float32), [2], rules.FLOATS),
        (np.array([np.inf]), (1,), rules.DOUBLE, False),
    ],
    "is_list": [([], rules.is_whole), ([1, 2], rules.is_whole)],
    "is_scalar": [(None,), (True,), (1,), (1.5,), ("a",)],
    "are_rows": [(np.array([0, 5, 5]),), (np.array([], int),)],
    "are_names": [(NAMES, 2)],
}
WRONG = {
    "is_whole": [(True,), (-1,), (2**63,), (1.0,), (2, 3), (np.int64(1),)],
    "is_number": [(True,), (2**63,), ("1",), (None,)],
    "is_bool": [(1,), (np.True_,)],
    "is_generator": [(np.random.RandomState(0),)],
    "is_array": [
        (np.zeros((2, 3)), (3, 2)),
        (np.zeros(2, np.float32), (2,)),
        (np.array([np.inf]), (1,)),
        (np.ma.zeros(2), (2,)),
        ([0.0], (1,)),
    ],
    "is_list": [((1,), rules.is_whole), ([1, "a"], rules.is_whole)],
    "is_scalar": [([],), (np.float64,)],
    "are_rows": [
        (np.array([-1]),),
        (np.array([0.0]),),
        (np.zeros((1, 1), int),),
        ([0],),
    ],
    "are_names": [(NAMES, 3), (NAMES.astype(str), 2), (np.array(["a", 1], object), 2)],
}


@pytest.mark.parametrize("rule", RIGHT)
def test_what_is_right_and_what_is_wrong(rule):
    holds = getattr(rules, rule)
    assert all(holds(*case) for case in RIGHT[rule])
    assert not any(holds(*case) for case in WRONG[rule])


def test_what_must_hold_is_named():
    rules.need(True, "theta_")
    with pytest.raises(ValueError, match="theta_ is not what it must be"):
        rules.need(False, "theta_")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"a", "b"}, None),
        ({"a"}, None),
        ({"b"}, "lacks 'a'"),
        ({"a", "c"}, "unknown 'c'"),
    ],
)
def test_names_that_are_missing_or_unknown(names, message):
    values = dict.fromkeys(names)
    if message is None:
        rules.check_names(values, ["a"], ["b"])
    else:
        with pytest.raises(ValueError, match=message):
            rules.check_names(values, ["a"], ["b"])
