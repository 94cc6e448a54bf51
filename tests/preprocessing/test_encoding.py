"""Columns as inputs: one-hot, embedded, and what tells of gaps."""

import numpy as np
import pytest

from skffnn.preprocessing import encoding as module
from skffnn.preprocessing.checks import Table
from skffnn.preprocessing.columns import Columns
from skffnn.preprocessing.encoding import (
    NARROW,
    ONE_HOT,
    Encoding,
    encoding_of,
    gapped_columns,
    raw_data,
)

MANY = ONE_HOT + 3


class Model:
    """Has an encoding, as a model has it."""

    def __init__(self, encoding):
        self._encoding = None if encoding is None else encoding.as_values()


def table_of(*codes, X=None, n_levels=None, weight=None):
    """A table whose columns of categories have those codes."""
    n = len(codes[0]) if codes else len(X)
    X = np.arange(float(n))[:, np.newaxis] if X is None else X
    m = X.shape[1]
    counts = n_levels or [max(c) + 1 for c in codes]
    levels = {
        m + c: [f"{k:03}" for k in range(count)] for c, count in enumerate(counts)
    }
    columns = Columns(m + len(codes), levels) if codes else None
    codes = tuple(np.array(c, np.uint8) for c in codes)
    Y = np.arange(float(n))[:, np.newaxis]
    gaps = bool(np.isnan(X).any())
    return Table(X, Y, weight, 1, False, codes, columns, gaps)


def encoded(table, rows=None, standardized=True, weight=None):
    rows = range(len(table.Y)) if rows is None else rows
    gaps = gapped_columns(table.X, rows)
    return encoding_of(table, rows, weight, gaps, standardized)


def inputs(encoding, table):
    m = table.X.shape[1]
    data = raw_data(encoding, table.rows, (np.zeros(m), np.ones(m), np.full(m, np.inf)))
    a = np.empty((len(table.Y), data.n_inputs))
    data.gather_inputs(slice(0, len(a)), a)
    return a, data.codes


def test_numbers_without_gaps_need_none():
    table = table_of(X=np.ones((3, 2)))
    assert encoded(table) is None
    assert Encoding.of(Model(None)) is None


def test_few_levels_are_one_hot_with_the_mean_0_and_the_scale_1():
    table = table_of([0, 1, 2, 0, 1, 2, 0, 0])
    a, codes = inputs(encoded(table), table)
    assert codes is None
    hot = a[:, 1:]
    assert hot.shape == (8, 3)
    np.testing.assert_allclose(hot.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(hot.std(axis=0), 1)
    assert (np.argmax(hot, axis=1) == table.codes[0]).all()


def test_two_levels_are_one_input():
    table = table_of([0, 1, 1, 0, 1])
    a, _ = inputs(encoded(table), table)
    assert a.shape == (5, 2)


def test_a_rare_level_is_no_huge_number():
    table = table_of([0] * 998 + [1] * 2)
    a, _ = inputs(encoded(table), table)
    assert np.abs(a[:, 1]).max() <= 1 / NARROW


def test_weights_are_repetition():
    codes = [0, 1, 2, 0, 1, 2, 2, 3, 3]
    weight = np.array([1.0, 2, 1, 3, 1, 1, 1, 2, 1])
    repeated = np.repeat(np.arange(9), weight.astype(int))
    table = table_of(codes, X=np.arange(9.0)[:, None])
    twice = Table(
        table.X[repeated], table.Y[repeated], None, 1, False,
        (table.codes[0][repeated],), table.columns,
    )  # fmt: skip
    one, other = encoded(table, weight=weight / weight.mean()), encoded(twice)
    for mine, theirs in zip(one.one_hot, other.one_hot, strict=True):
        np.testing.assert_allclose(mine.table, theirs.table)


@pytest.mark.parametrize("times", [1, 2, 50])
def test_a_row_of_more_weight_is_so_many_rows(times):
    table = table_of([0, 0, 1, 1, 2, 3])
    rows = [0, 1, 2, 3, *[4] * times, 5]
    repeated = table._replace(
        X=table.X[rows], Y=table.Y[rows], codes=(table.codes[0][rows],)
    )
    weight = 7.0 * np.array([1, 1, 1, 1, times, 1])
    (one,) = encoded(table, weight=weight / weight.mean()).one_hot
    (other,) = encoded(repeated).one_hot
    np.testing.assert_allclose(one.table, other.table)
    own = (one.table[2] != one.table[3]).any()  # the last level has a single row
    assert own == (times > 1)


def test_equal_rows_make_a_level_like_any_others():
    table = table_of([0, 1] * 10, X=np.zeros((20, 1)))._replace(Y=np.zeros((20, 1)))
    (column,) = encoded(table).one_hot
    assert column.table[0] != column.table[1]


def test_an_unknown_level_is_the_mean_where_there_are_no_rare_ones():
    table = table_of([0, 1, 2] * 4)
    (column,) = encoded(table).one_hot
    assert (column.table[-1] == 0).all()
    assert (column.table[-2] == 0).all()  # and so is a missing one


def test_rare_levels_share_what_an_unknown_one_has():
    table = table_of([0, 0, 0, 1, 1, 1, 2, 3])  # of the last two there is one each
    (column,) = encoded(table).one_hot
    np.testing.assert_array_equal(column.table[2], column.table[3])
    np.testing.assert_array_equal(column.table[2], column.table[-1])
    assert (column.table[2] != 0).any()


def test_a_missing_category_is_a_level_where_there_are_some():
    table = table_of([0, 0, 1, 1, 2, 2], n_levels=[2])  # 2 is the code of missing
    (column,) = encoded(table).one_hot
    assert column.table.shape == (4, 3)
    assert len(np.unique(column.table, axis=0)) == 4


def test_many_levels_are_embedded():
    table = table_of(list(range(MANY)) * 3)
    encoding = encoded(table)
    assert encoding.one_hot == []
    (column,) = encoding.embedded
    assert column.shape == (MANY + 1, column.width)
    assert encoding.tables == [column.shape]
    assert encoding.n_inputs == 1 + column.width
    a, codes = inputs(encoding, table)
    assert a.shape == (3 * MANY, 1)
    np.testing.assert_array_equal(codes[:, 0], table.codes[0])
    # A missing category and an unknown one have the last row, like rare levels.
    assert column.choice[-2:].tolist() == [MANY, MANY]


def test_a_wider_table_for_more_levels_up_to_a_limit():
    widths = [module._width(n) for n in (13, 100, 1000, 10**6)]
    assert widths == sorted(widths)
    assert widths[-1] == module.WIDEST


def test_gaps_are_told_by_an_input_of_their_own():
    X = np.array([[1.0, np.nan, 5], [2, 3, np.nan], [3, np.nan, np.nan], [4, 4, 1]])
    table = table_of(X=X)
    encoding = encoded(table)
    assert [gap.feature for gap in encoding.gaps] == [1, 2]
    a, _ = inputs(encoding, table)
    assert np.isfinite(a).all()
    assert (a[[0, 2], 1] == 0).all()
    np.testing.assert_allclose(a[:, 3], [1, -1, 1, -1])
    np.testing.assert_allclose(a[:, 4], [-1, 1, 1, -1])
    assert encoding.features().tolist() == [0, 1, 2, 1, 2]


def test_a_column_of_only_gaps_is_empty():
    X = np.array([[1.0, np.nan], [2, np.nan]])
    encoding = encoded(table_of(X=X))
    assert (encoding.empty, encoding.gaps) == ([1], [])


def test_rows_that_do_not_count_have_no_say():
    X = np.array([[1.0], [2], [np.nan], [4]])
    table = table_of([0, 0, 1, 1], X=X)
    rows = np.array([0, 1, 3])
    encoding = encoded(table, rows)
    assert encoding.gaps == []
    (column,) = encoding.one_hot
    np.testing.assert_array_equal(column.table[1], column.table[-1])  # one row is few


def test_without_standardisation_inputs_are_0_and_1():
    X = np.array([[1.0], [2], [np.nan], [4]])
    table = table_of([0, 0, 1, 1], X=X)
    a, _ = inputs(encoded(table, standardized=False), table)
    np.testing.assert_array_equal(a[:, 1:], [[0, 1], [0, 1], [1, 0], [0, 0]][:4])


def test_a_model_keeps_it_as_plain_values():
    X = np.array([[1.0, np.nan]] * MANY + [[2.0, 3.0]] * 2 * MANY)
    table = table_of(list(range(MANY)) * 3, [0, 1, 2] * MANY, X=X)
    encoding = encoded(table)
    again = Encoding.of(Model(encoding))
    assert again.columns == encoding.columns
    assert again.n_inputs == encoding.n_inputs
    a, codes = inputs(encoding, table)
    b, other = inputs(again, table)
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(codes, other)
