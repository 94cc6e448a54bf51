"""Tables as users have them."""

import gzip

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from skffnn.cli.tables import (
    TableError,
    check_columns,
    check_new_table,
    read_table,
    split_target,
    suspects,
)


@pytest.fixture
def rides(rng):
    return pd.DataFrame(
        {
            "hour": rng.integers(0, 24, 40),
            "temp": rng.normal(size=40).round(3),
            "city": rng.choice(["Zürich", "Lima"], 40),
            "cnt": rng.integers(1, 900, 40),
        }
    )


@pytest.mark.parametrize("sep", [",", ";", "\t", "|"])
def test_separators(rides, sep, tmp_path):
    rides.to_csv(tmp_path / "a.csv", sep=sep, index=False)
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.csv"), rides)


@pytest.mark.parametrize("sep", [";", "\t"])
def test_decimal_commas(rides, sep, tmp_path):
    rides.to_csv(tmp_path / "a.csv", sep=sep, decimal=",", index=False)
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.csv"), rides)


def test_decimal_points_win(tmp_path):
    (tmp_path / "a.csv").write_text("a;b\n1.5;1,5\n2.5;2,5\n")
    assert read_table(tmp_path / "a.csv")["a"].tolist() == [1.5, 2.5]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_encodings(rides, encoding, tmp_path):
    rides.to_csv(tmp_path / "a.csv", index=False, encoding=encoding)
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.csv"), rides)


def test_gzip_whatever_its_name(rides, tmp_path):
    for name in ("a.csv.gz", "a.csv"):
        (tmp_path / name).write_bytes(gzip.compress(rides.to_csv(index=False).encode()))
        pd.testing.assert_frame_equal(read_table(tmp_path / name), rides)


def test_quoted_commas_do_not_confuse(tmp_path):
    (tmp_path / "a.csv").write_text('a;b\n"x, y, z";1\n"u, v, w";2\n')
    assert list(read_table(tmp_path / "a.csv")) == ["a", "b"]


def test_large_sample_is_cut_at_a_line(tmp_path):
    lines = ["a;b", *("é" * 50 + f";{i}" for i in range(6000))]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    assert read_table(tmp_path / "a.csv").shape == (6000, 2)


def test_names_are_stripped(tmp_path):
    (tmp_path / "a.csv").write_text("a , b\n1, 2\n")
    assert list(read_table(tmp_path / "a.csv")) == ["a", "b"]


def test_parquet(rides, tmp_path):
    pytest.importorskip("pyarrow")
    rides.to_parquet(tmp_path / "a.data")
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.data"), rides)


def test_marks_of_gaps_are_no_text(rides, tmp_path):
    rides["temp"] = rides["temp"].astype(str)
    rides.loc[::2, "temp"] = "?"
    rides.to_csv(tmp_path / "a.csv", index=False)
    assert read_table(tmp_path / "a.csv")["temp"].isna().sum() == 20
    pytest.importorskip("pyarrow")
    rides.to_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(
        read_table(tmp_path / "a.parquet"), read_table(tmp_path / "a.csv")
    )


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_levels_that_look_like_numbers_stay_text(ending, tmp_path):
    pytest.importorskip("pyarrow")
    levels = pd.DataFrame({"a": [1, 2], "b": [1.0, np.nan], "c": [1, 2]})
    text = levels.astype({"a": str}) if ending == "csv" else levels
    text = text.astype({"b": "Int64"})
    getattr(text, f"to_{ending}")(tmp_path / "a", index=False)
    found = read_table(tmp_path / "a", text=["a", "b", "absent"])
    assert found["a"].tolist() == ["1", "2"]
    assert found["b"].dropna().tolist() == ["1"]
    assert found["c"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "is empty"),
        (b"  \n \n", "is empty"),
        (b"a,b\n", "is empty: it has no rows"),
        (b"a,a ,b\n1,2,3\n", "several columns 'a'"),
        (bytes(range(256)) * 9, "neither CSV nor Parquet"),
        (b"PK\x03\x04 and so on", "save it as CSV first"),
        (b"a,b\n1,2\n1,2,3,4\n", "Expected 2 fields in line 3"),
        (b"\x1f\x8b but no gzip", "cannot read"),
    ],
)
def test_files_that_are_no_tables(content, message, tmp_path):
    if content is not None:
        (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(TableError, match=message) as caught:
        read_table(tmp_path / "a.csv")
    assert "\n" not in str(caught.value)


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(TableError, match="it is a folder"):
        read_table(tmp_path)


# the target


def test_split_target(rides):
    X, y, notes = split_target(rides, "cnt")
    assert list(X) == ["hour", "temp", "city"]
    assert y.tolist() == rides["cnt"].tolist()
    assert y.name == "cnt"
    assert notes == []


def test_rows_without_a_target_are_dropped_and_reported(rides):
    rides["cnt"] = rides["cnt"].astype(float)
    rides.loc[[3, 5], "cnt"] = np.nan
    rides.loc[7, "cnt"] = np.inf
    X, y, notes = split_target(rides, "cnt")
    assert len(X) == len(y) == 37
    assert X["temp"].tolist() == rides["temp"].drop([3, 5, 7]).tolist()
    assert notes == ["3 rows of 40 have no 'cnt' and are left out"]


def test_numbers_as_text_are_numbers(rides):
    rides["cnt"] = rides["cnt"].astype(str)
    assert split_target(rides, "cnt").y.dtype == float


@pytest.mark.parametrize(
    ("change", "target", "message"),
    [
        ({}, "count", "--target: no column 'count'; did you mean 'cnt'"),
        ({}, "CNT", "did you mean 'cnt'"),
        ({}, "zzz", "the columns are hour, temp, city, cnt"),
        ({}, "city", "not numeric: 40 of 40 values are like"),
        ({"cnt": ["?", *("123" * 13)]}, "cnt", "1 of 40 .* like '[?]'"),
        ({"cnt": True}, "cnt", "it is bool"),
        ({"cnt": pd.Timestamp("2020-01-01")}, "cnt", "it is datetime64"),
        ({"cnt": 7}, "cnt", "is 7 in every row"),
        ({"cnt": [1.0] + [np.nan] * 39}, "cnt", "too few rows: 1 with a target"),
        ({"cnt": np.nan}, "cnt", "too few rows: 0"),
    ],
)
def test_targets_that_are_none(rides, change, target, message):
    with pytest.raises(TableError, match=message):
        split_target(rides.assign(**change), target)


def test_a_target_alone_is_no_table(rides):
    with pytest.raises(TableError, match="no column but the target"):
        split_target(rides[["cnt"]], "cnt")


def test_check_columns(rides):
    check_columns(["hour", "city"], rides, "--drop")
    with pytest.raises(TableError, match="--drop: no column 'Hours'; did you mean 'ho"):
        check_columns(["city", "Hours"], rides, "--drop")


# suspicious columns


@pytest.mark.parametrize(
    "column",
    [
        range(100),
        range(1000, 0, -10),
        np.random.default_rng(0).permutation(100),
        [f"user-{i}" for i in range(100)],
        np.arange(100) * 0.25,
    ],
    ids=["counter", "descending", "shuffled", "names", "steps"],
)
def test_identifiers(column):
    assert "identifier" in suspects(pd.DataFrame({"id": column}))["id"]


@pytest.mark.parametrize("column", [1, "a", np.nan, None])
def test_constants(column):
    table = pd.DataFrame({"x": [column] * 30})
    assert suspects(table) == {"x": "is the same in every row"}


@pytest.mark.parametrize(
    "column",
    [
        np.random.default_rng(0).normal(size=100),
        np.arange(100) % 24,
        ["a", "b"] * 50,
        [1.0, np.nan] * 50,
        pd.date_range("2020-01-01", periods=100),
        pd.date_range("2020-01-01", periods=100).astype(str),
        [True, False] * 50,
    ],
    ids=["measured", "hours", "category", "gaps", "dates", "text dates", "boolean"],
)
def test_honest_columns(column):
    assert suspects(pd.DataFrame({"x": column})) == {}


# prediction


@pytest.fixture
def line(rides):
    return LinearRegression().fit(rides[["hour", "temp"]], rides["cnt"])


def test_other_columns_and_order_do_not_matter(rides, line):
    X = check_new_table(rides[["cnt", "temp", "city", "hour"]], line)
    pd.testing.assert_frame_equal(X, rides[["hour", "temp"]])


def test_missing_columns(rides, line):
    with pytest.raises(TableError, match="lacks a column of the model: temp"):
        check_new_table(rides[["hour"]], line)
    with pytest.raises(TableError, match="lacks columns of the model: hour, temp"):
        check_new_table(rides[["cnt"]], line)
