"""Reading a table column by column: numbers, levels and codes."""

import numpy as np
import pandas as pd
import pytest

from skffnn.preprocessing.columns import (
    Columns,
    Mixed,
    codes_of,
    columns_of,
    factors_of,
    frame_of,
    may_have_categories,
    numbers_of,
)

FRAME = pd.DataFrame(
    {
        "size": [1.0, 2.0, np.nan, 4.0],
        "town": ["Rome", "Bonn", None, "Bonn"],
        "kind": pd.Categorical(["x", None, "y", "x"], categories=["z", "y", "x"]),
        "new": [True, False, True, True],
    }
)
NAMES = list(FRAME)


def read(frame, asked="from_dtype"):
    names = list(frame)
    columns, factors = columns_of(frame, asked, names)
    return columns, codes_of(factors, columns, names, fitting=True)


def codes_at_predict(frame, columns):
    names = list(frame)
    factors = factors_of(frame, columns.levels, names)
    return codes_of(factors, columns, names, fitting=False)


def test_levels_are_sorted_and_those_that_are_there():
    columns, codes = read(FRAME)
    assert columns == Columns(4, {1: ["Bonn", "Rome"], 2: ["x", "y"]})
    assert columns.numeric == [0, 3]
    assert codes[0].tolist() == [1, 0, 2, 0]  # 2 is missing
    assert codes[1].tolist() == [0, 2, 1, 0]
    assert all(code.dtype == np.uint8 for code in codes)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.assign(town=f["town"].astype("category")),
        lambda f: f.assign(town=f["town"].astype("string")),
        lambda f: f.assign(town=f["town"].astype(object)),
        lambda f: f.convert_dtypes(),
        lambda f: f.assign(kind=f["kind"].astype(object)),
        lambda f: f.assign(kind=f["kind"].cat.reorder_categories(["x", "z", "y"])),
    ],
)
def test_the_dtype_has_no_say_in_levels_and_codes(change):
    columns, codes = read(FRAME)
    others, other_codes = read(change(FRAME))
    assert columns == others
    for own, other in zip(codes, other_codes, strict=True):
        np.testing.assert_array_equal(own, other)


def test_the_order_of_the_rows_has_no_say_in_levels():
    columns, codes = read(FRAME)
    backwards, other_codes = read(FRAME.iloc[::-1])
    assert columns == backwards
    np.testing.assert_array_equal(codes[0][::-1], other_codes[0])


def test_unknown_levels_have_the_last_code():
    columns, _ = read(FRAME)
    new = FRAME.assign(town=["Oslo", "Bonn", None, "Rome"])
    codes = codes_at_predict(new, columns)
    assert codes[0].tolist() == [3, 0, 2, 1]
    assert (columns.missing(1), columns.unseen(1)) == (2, 3)


def test_where_rows_are_to_come_levels_count_that_no_row_has():
    columns, factors = columns_of(FRAME, "from_dtype", NAMES, complete=True)
    assert columns.levels[2] == ["x", "y", "z"]
    _, kind = codes_of(factors, columns, NAMES, fitting=True)
    assert kind.tolist() == [0, 3, 1, 0]


def test_many_levels_have_wider_codes():
    frame = pd.DataFrame({"k": [f"n{i:04}" for i in range(700)] * 2})
    _, (codes,) = read(frame)
    assert codes.dtype == np.uint16
    assert codes.tolist() == list(range(700)) * 2


def test_numbers_that_are_categories():
    X = np.array([[3, 1.5], [1, 2.5], [3, 3.5], [np.nan, 4.5]])
    columns, factors = columns_of(X, [0], range(2))
    assert columns.levels == {0: [1.0, 3.0]}
    (codes,) = codes_of(factors, columns, range(2), fitting=True)
    assert codes.tolist() == [1, 0, 1, 2]
    np.testing.assert_array_equal(
        numbers_of(X, columns, range(2), fitting=True), X[:, [1]]
    )
    frame = pd.DataFrame({"k": pd.Categorical([3, 1, 3, None]), "x": X[:, 1]})
    (same,) = codes_at_predict(frame, columns)
    np.testing.assert_array_equal(same, codes)


def test_text_in_place_of_numbers_and_the_reverse_are_errors():
    columns, _ = read(FRAME)
    with pytest.raises(ValueError, match="'town' are numbers, and were text"):
        codes_at_predict(FRAME.assign(town=[1, 2, 3, 4]), columns)
    X = np.array([[3, 1.5], [1, 2.5]])
    numbers, _ = columns_of(X, [0], range(2))
    with pytest.raises(ValueError, match="are text, and were numbers"):
        codes_at_predict(pd.DataFrame({"k": ["a", "b"], "x": [1.0, 2.0]}), numbers)
    nothing = FRAME.assign(town=[None] * 4)
    assert codes_at_predict(nothing, columns)[0].tolist() == [2] * 4


def test_objects_that_hold_numbers_become_numbers():
    frame = FRAME.assign(size=np.array([1, 2.5, None, True], dtype=object))
    columns, _ = read(frame)
    numbers = numbers_of(frame, columns, NAMES, fitting=True)
    np.testing.assert_array_equal(numbers["size"], [1, 2.5, np.nan, 1])


@pytest.mark.parametrize(
    ("X", "asked", "may"),
    [
        (FRAME, "from_dtype", True),
        (FRAME, None, False),
        (FRAME[["size", "new"]], "from_dtype", False),
        (FRAME[["size", "new"]], ["new"], True),
        (np.zeros((3, 2)), "from_dtype", False),
        (np.zeros((3, 2)), [0], True),
        ([["a", 1]], "from_dtype", False),
    ],
)
def test_only_what_may_have_categories_is_looked_at(X, asked, may):
    assert may_have_categories(X, asked) == may


def test_rows_are_taken_with_their_codes():
    mixed = Mixed(np.arange(6.0).reshape(3, 2), (np.array([0, 1, 2]),), None)
    assert mixed.shape == (3, 3)
    assert len(mixed) == 3
    part = mixed[[2, 0]]
    assert part.X.tolist() == [[4, 5], [0, 1]]
    assert part.codes[0].tolist() == [2, 0]
    assert part.dtype == np.float64


def test_infinite_categories_are_refused_like_infinite_numbers():
    """No file has a place for them."""
    X = np.array([[1.0, 2], [3, 2], [-np.inf, 2], [np.inf, 2]])
    with pytest.raises(ValueError, match=r"infinity: column 0 .* first in row 2"):
        columns_of(X, [0], range(2))
    columns, _ = columns_of(X[:2], [0], range(2))
    assert columns.levels == {0: [1, 3]}
    with pytest.raises(ValueError, match=r"infinity: column 0 .* first in row 0"):
        factors_of(X[3:], [0], range(2))
    X = pd.DataFrame({"a": pd.Categorical([1.0, 2.0], categories=[1, 2, np.inf])})
    with pytest.raises(ValueError, match=r"column 'a' has it among its categories\."):
        columns_of(X, "from_dtype", ["a"])


def test_frames_of_other_libraries():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {
            "size": [1.0, 2.0, None, 4.0],
            "town": ["Rome", "Bonn", None, "Bonn"],
            "kind": pl.Series(["x", None, "y", "x"], dtype=pl.Categorical),
            "level": pl.Series(["x", None, "y", "x"], dtype=pl.Enum(["z", "y", "x"])),
            "n": pl.Series([1, None, 3, 4]),
            "new": [True, False, True, None],
        }
    )
    assert may_have_categories(frame, "from_dtype")
    assert not may_have_categories(frame[["size", "n"]], "from_dtype")
    X = frame_of(frame)
    columns, factors = columns_of(X, "from_dtype", list(X))
    assert columns.levels == {1: ["Bonn", "Rome"], 2: ["x", "y"], 3: ["x", "y"]}
    codes = codes_of(factors, columns, list(X), fitting=True)
    assert codes[0].tolist() == [1, 0, 2, 0]
    assert codes[1].tolist() == codes[2].tolist() == [0, 2, 1, 0]
    numbers = numbers_of(X, columns, list(X), fitting=True).to_numpy(float)
    expected = [[1, 1, 1], [2, np.nan, 0], [np.nan, 3, 1], [4, 4, np.nan]]
    np.testing.assert_array_equal(numbers, expected)
