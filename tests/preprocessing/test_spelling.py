"""Levels that differ in spelling only."""

import warnings

import pytest

from skffnn.preprocessing.spelling import warn_of_new_spellings, warn_of_spellings


def test_levels_in_two_spellings_are_told():
    with pytest.warns(UserWarning, match="spelling only") as record:
        warn_of_spellings(["Berlin", "Bonn", "berlin ", "BERLIN"], "town")
    message = str(record[0].message)
    assert "'Berlin', 'berlin ', 'BERLIN'" in message
    assert "Bonn" not in message
    assert "'town'" in message


@pytest.mark.parametrize("levels", [[], [1.0, 2.0], ["a", "b"], ["ab", "a b"]])
def test_other_levels_are_not(levels):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_spellings(levels, "town")
        warn_of_new_spellings(["c", None, 3.0], levels, "town")


def test_numbers_are_levels_in_any_spelling():
    with pytest.warns(UserWarning, match=r"'1999\.0' \(at fit '1999'\)"):
        warn_of_new_spellings(["1999.0"], ["1999", "2008"], "year")


def test_a_new_level_that_is_an_old_one_in_another_spelling_is_told():
    with pytest.warns(UserWarning, match="'bonn' \\(at fit 'Bonn'\\)") as record:
        warn_of_new_spellings(["bonn", "Rome", None], ["Berlin", "Bonn"], "town")
    assert "Rome" not in str(record[0].message)
