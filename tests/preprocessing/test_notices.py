"""Warnings to users."""

import warnings

from skffnn.preprocessing.notices import SHOWN, each_once, shortened, warn_user


def test_a_warning_points_at_the_line_of_the_user():
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        warn_user("look here")
    assert record[0].filename == __file__


def test_each_warning_is_heard_once():
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        with each_once():
            for message in ("one", "two", "one", "one"):
                warn_user(message)
    assert [str(w.message) for w in record] == ["one", "two"]


def test_long_values_are_shown_in_part():
    assert shortened("Bonn") == "'Bonn'"
    assert len(shortened("B" * 10_000)) == SHOWN
