"""Checked tables: numbers, codes, gaps; what is infinite is named."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn import config_context

from skffnn import FFNNRegressor
from skffnn.preprocessing.columns import Mixed
from skffnn.preprocessing.tables import has_gaps, names_of, read_table

DTYPES = np.float64, np.float32
FRAME = pd.DataFrame({"size": [1.0, 2.0, 3.0], "town": ["a", "b", "a"]})


def read(X, columns=None, reset=True, **parameters):
    model = FFNNRegressor(**parameters)
    return model, read_table(model, X, columns, DTYPES, reset)


def test_numbers_without_gaps_stay_an_array():
    for X in (np.ones((3, 2)), FRAME[["size"]], [[1, 2], [3, 4]], csr_array(np.eye(3))):
        model, table = read(X)
        assert not isinstance(table, Mixed)
        assert model.n_features_in_ == table.shape[1]


def test_numbers_with_gaps_are_mixed_rows_without_categories():
    X = np.array([[1.0, np.nan], [3.0, 4.0]])
    _, table = read(X)
    assert isinstance(table, Mixed)
    assert (table.codes, table.columns, table.gaps) == ((), None, True)
    np.testing.assert_array_equal(table.X, X)
    _, table = read(pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}))
    np.testing.assert_array_equal(table.X, [[1], [np.nan]])


def test_a_frame_with_text_is_read_by_its_columns():
    model, table = read(FRAME)
    assert table.X.tolist() == [[1], [2], [3]]
    assert table.codes[0].tolist() == [0, 1, 0]
    assert not table.gaps
    assert model.feature_names_in_.tolist() == ["size", "town"]
    assert names_of(model, 2).tolist() == ["size", "town"]
    assert list(names_of(FFNNRegressor(), 2)) == [0, 1]


def test_a_table_of_categories_only_has_no_numbers():
    _, table = read(FRAME[["town"]])
    assert table.X.shape == (3, 0)


def test_arrays_of_objects_and_lists_with_chosen_columns():
    rows = [["a", 1.5], ["b", None], ["a", 2]]
    for X in (rows, np.array(rows, dtype=object)):
        _, table = read(X, categorical_features=[0])
        np.testing.assert_array_equal(table.X, [[1.5], [np.nan], [2]])
        assert table.codes[0].tolist() == [0, 1, 0]
        assert table.gaps


def test_float32_stays_float32():
    _, table = read(FRAME.astype({"size": np.float32}))
    assert table.X.dtype == np.float32


def test_sparse_tables_have_numbers_only():
    X = csr_array(np.eye(3))
    with pytest.raises(ValueError, match="sparse X has numbers only"):
        read(X, categorical_features=[0])
    X.data[1] = np.nan
    with pytest.raises(ValueError, match=r"NaN.*dense tables only"):
        read(X)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_the_first_infinite_value_is_named(value):
    X = np.ones((5, 3))
    X[3, 1] = X[4, 0] = value
    X[0, 2] = np.nan
    with pytest.raises(ValueError, match=r"infinity.*Column 1 .* row 3"):
        read(X)
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(town=list("xyxyx"))
    for table in (frame, frame[["a", "b", "c"]]):
        with pytest.raises(ValueError, match=r"infinity.*Column 'b' .* row 3"):
            read(table)
    with pytest.raises(ValueError, match="infinity"):
        read(csr_array(X))


def test_a_sum_that_overflows_has_no_gaps():
    assert not has_gaps(np.full((4, 2), 1e308), range(2))
    assert has_gaps(np.array([[1e308, 1e308], [np.nan, 1e308]]), range(2))
    assert not has_gaps(np.empty((3, 0)), [])
    with config_context(assume_finite=True):
        assert not has_gaps(np.array([[np.inf]]), [0])


def test_rows_to_predict_have_the_columns_of_fit():
    model, table = read(FRAME)
    columns = table.columns
    for wrong in (
        FRAME[["town", "size"]],
        FRAME.rename(columns={"town": "city"}),
        FRAME[["size"]],
        FRAME.assign(more=1),
    ):
        with pytest.raises(ValueError, match="feature names"):
            read_table(model, wrong, columns, DTYPES, reset=False)
    swapped = FRAME.assign(size=["a", "b", "c"])
    with pytest.raises(ValueError, match="has text"):
        read_table(model, swapped, columns, DTYPES, reset=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = read_table(model, FRAME.iloc[::-1], columns, DTYPES, reset=False)
    assert again.codes[0].tolist() == [0, 1, 0]


@pytest.mark.parametrize("more", [{}, {"town": ["a", "b", "a"]}])
def test_na_of_pandas_among_objects_is_a_gap(more):
    frame = pd.DataFrame({"k": pd.Series([1, pd.NA, 3], dtype=object), **more})
    _, table = read(frame)
    np.testing.assert_array_equal(table.X, [[1], [np.nan], [3]])
    assert frame["k"][1] is pd.NA  # it is the user's
    _, table = read(frame.to_numpy(), categorical_features=[1] if more else None)
    np.testing.assert_array_equal(table.X, [[1], [np.nan], [3]])


def test_gaps_beside_categories_are_gaps_where_scikit_learn_looks_at_nothing():
    frame = FRAME.assign(size=[1.0, np.nan, 3.0])
    model, table = read(frame)
    with config_context(assume_finite=True):
        table = read_table(model, frame, table.columns, DTYPES, reset=False)
    assert table.gaps
