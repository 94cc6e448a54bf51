"""What a column is: numbers, categories, or neither."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from skffnn.preprocessing.kinds import chosen, factorized, kind_of, refuse_text

CATEGORIES = {
    "category": pd.Categorical(["a", "b", "a"]),
    "category of numbers": pd.Categorical([1, 2, 1]),
    "str": ["a", "b", None],
    "object": np.array(["a", "b", None], dtype=object),
    "string": pd.array(["a", "b", pd.NA], dtype="string"),
}
NUMBERS = {
    "int": [1, 2, 3],
    "bool": [True, False, True],
    "Int64": pd.array([1, None, 3], dtype="Int64"),
    "boolean": pd.array([True, None, False], dtype="boolean"),
    "objects that are numbers": np.array([1, 2.5, None], dtype=object),
    "objects that are booleans": np.array([True, None, False], dtype=object),
    "decimals": np.array([Decimal("1.5"), Decimal(2), None], dtype=object),
    "booleans and numbers": np.array([True, 2.5, 3], dtype=object),
    "nothing": np.array([None, None, None], dtype=object),
}


@pytest.mark.parametrize("values", CATEGORIES.values(), ids=list(CATEGORIES))
def test_text_and_categories_are_categories(values):
    assert kind_of(pd.Series(values), "k") == "category"


@pytest.mark.parametrize("values", NUMBERS.values(), ids=list(NUMBERS))
def test_numbers_are_numbers_whatever_they_are_kept_in(values):
    assert kind_of(pd.Series(values), "k") == "numbers"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 2, "n/a", "large"], ["'size'", "2 numbers", "2 words", "'n/a', 'large'"]),
        ([[1, 2], [3]], ["'size'", "list", "[1, 2]"]),
        ([b"a", b"b"], ["'size'", "bytes"]),
        (["a", date(2026, 1, 1)], ["'size'", "date"]),
        ([{"a": 1}, None], ["'size'", "dict"]),
        ([1j, 2], ["'size'", "complex"]),
    ],
)
def test_what_is_neither_is_an_error_that_says_what_is_in_it(values, words):
    with pytest.raises(ValueError, match="Column") as error:
        kind_of(pd.Series(values, dtype=object), "size")
    for word in words:
        assert word in str(error.value)


def test_the_advice_on_a_mixed_column_works():
    X = pd.DataFrame({"size": np.array([1, 2, "n/a"], dtype=object)})
    with pytest.raises(ValueError, match="mixes numbers and text") as error:
        kind_of(X["size"], "size")
    for cure, kind in (
        ("pd.to_numeric(X['size'], errors='coerce')", "numbers"),
        ("X['size'].astype('string')", "category"),
    ):
        assert cure in str(error.value)
        assert kind_of(eval(cure, {"pd": pd, "X": X}), "size") == kind


def keys_of(values):
    codes, keys = factorized(pd.Series(values), "k")
    return [None if code < 0 else keys[code] for code in codes]


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        ([2, 1, 2], [2.0, 1.0, 2.0]),
        ([True, False], [1.0, 0.0]),
        (pd.array([2, None], dtype="Int64"), [2.0, None]),
        (["a", None, "b"], ["a", None, "b"]),
        (pd.array(["a", None], dtype="string"), ["a", None]),
        (np.array(["a", None], dtype=object), ["a", None]),
        (np.array([1, None, 1.0], dtype=object), [1.0, None, 1.0]),
        (pd.Categorical([3, None, 1]), [3.0, None, 1.0]),
        (pd.Categorical(["b", None, "a"]), ["b", None, "a"]),
    ],
)
def test_keys_are_strings_or_floats(values, keys):
    found = keys_of(values)
    assert found == keys
    assert list(map(type, found)) == list(map(type, keys))


def test_categories_that_text_cannot_tell_apart_are_an_error():
    with pytest.raises(ValueError, match="the same as text"):
        keys_of(pd.Categorical([1, "1"]))


def test_categories_of_any_kind_are_text():
    assert keys_of(pd.Categorical(["a", 1])) == ["a", "1"]
    intervals = pd.cut(pd.Series([0.1, 0.9, np.nan]), [0, 0.5, 1])
    assert keys_of(intervals) == ["(0.0, 0.5]", "(0.5, 1.0]", None]


def frame_of_text(n, n_levels):
    return pd.Series([f"text {i % n_levels}" for i in range(n)])


def test_nearly_as_many_levels_as_rows_is_no_category():
    values = frame_of_text(50, 48)
    with pytest.raises(ValueError, match="48 levels in 50 rows") as error:
        refuse_text(factorized(values, "comment"), sorted(set(values)), "comment")
    assert "X['comment'].astype('category')" in str(error.value)
    half = frame_of_text(50, 25)
    refuse_text(factorized(half, "k"), sorted(set(half)), "k")
    few = frame_of_text(10, 10)
    refuse_text(factorized(few, "k"), sorted(set(few)), "k")


def test_numbers_written_as_text_are_told_how_to_become_numbers():
    values = pd.Series([f"{i / 3:.4f}" for i in range(50)])
    with pytest.raises(ValueError, match="look like numbers") as error:
        refuse_text(factorized(values, "price"), sorted(values), "price")
    assert "pd.to_numeric(X['price'])" in str(error.value)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ([], []),
        ([2, 0], [0, 2]),
        ([-1], [2]),
        ([True, False, True], [0, 2]),
        (np.array([False, False, False]), []),
        (["c", "a"], [0, 2]),
        (np.array(["b"]), [1]),
        (pd.Index(["b"]), [1]),
    ],
)
def test_columns_are_chosen_by_names_numbers_or_a_mask(asked, found):
    assert chosen(asked, 3, ["a", "b", "c"]) == found


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([3], "has column 3"),
        ([-4], "has column -4"),
        ([True, False], "a mask of 2, but X has 3"),
        (["d"], "'d', which is no column"),
        ([1.5], "must be names or numbers"),
        ([[0, 1]], "must be names or numbers"),
    ],
)
def test_columns_that_are_not_there_cannot_be_chosen(asked, message):
    with pytest.raises(ValueError, match=message):
        chosen(asked, 3, ["a", "b", "c"])


def test_keys_are_plain_text():
    values = pd.Series([np.str_("a"), np.str_("b"), None], dtype=object)
    assert {type(key) for key in factorized(values, "k").keys} == {str}


def test_categories_that_are_complex_stay_apart():
    values = pd.Series(pd.Categorical([1j, 2j]))
    assert factorized(values, "k").keys == ["1j", "2j"]


def test_a_dictionary_of_arrow_is_categories():
    arrow = pytest.importorskip("pyarrow")
    kind = pd.ArrowDtype(arrow.dictionary(arrow.int32(), arrow.string()))
    assert kind_of(pd.Series(["a", None, "b"], dtype=kind), "k") == "category"


@pytest.mark.parametrize("dtype", [None, object, "category", "Int64"])
def test_whole_numbers_that_floats_cannot_tell_apart_are_no_categories(dtype):
    values = pd.Series([2**60, 2**60 + 1], dtype=dtype)
    with pytest.raises(ValueError, match=r"'k' are whole numbers beyond 2\*\*53"):
        factorized(values, "k")
    assert factorized(
        values - 2**60 if dtype != "category" else pd.Series([0, 1], dtype=dtype), "k"
    ).keys == [0.0, 1.0]
