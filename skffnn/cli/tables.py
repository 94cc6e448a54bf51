"""Tables as users have them: CSV or Parquet, read and checked."""

import csv
import gzip
import re
import warnings
import zlib
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import numpy as np
import pandas as pd
from pandas.tseries.api import guess_datetime_format

from ..extras import require

_SEPARATORS = ",;\t|"
_SAMPLE = 1 << 18
# Fewer rows are nothing to learn from, let alone to hold out.
_MIN_ROWS = 20
# What stands for a gap, besides what pandas takes for one.
_GAPS = ["?", "...", "none"]


class TableError(ValueError):
    """What is wrong with a user's table, in one line."""


class Dataset(NamedTuple):
    """Features, the target, and lines about what was done to get them."""

    X: pd.DataFrame
    y: pd.Series
    notes: list[str]


def read_table(path: str | Path, text: Iterable[str] = ()) -> pd.DataFrame:
    r"""Read a CSV or Parquet file, whichever it is.

    The separator (comma, semicolon, tab or bar), decimal commas, a byte order mark and
    gzip are recognised.

    Parameters
    ----------
    path : str or Path
        The file.
    text : iterable of str, default=()
        Columns to be read as text, though all of their values are numbers.

    Returns
    -------
    DataFrame
        The table, with text for names of its columns.

    Raises
    ------
    TableError
        If the file is missing, is no table, or is empty.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "rides.csv")
    ...     _ = path.write_text("hour;cnt\n1;2,5\n2;3,5\n")
    ...     read_table(path)
       hour  cnt
    0     1  2.5
    1     2  3.5
    """
    path = Path(path)
    try:
        table = _read(path, set(text))
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else error
        reason = "it is a folder" if isinstance(error, IsADirectoryError) else reason
        raise TableError(f"cannot read {path}: {reason}") from error
    except (ValueError, EOFError, zlib.error, csv.Error) as error:
        if isinstance(error, TableError):
            raise
        raise TableError(f"cannot read {path}: {_first_line(error)}") from error
    table.columns = [str(name).strip() for name in table.columns]
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise TableError(f"{path} has several columns {twice[0]!r}: rename one")
    if table.empty:
        raise TableError(f"{path} is empty: it has no rows")
    return table


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).strip().partition("\n")[0]


def _read(path: Path, text_columns: set[str]) -> pd.DataFrame:
    with _open(path) as file:
        sample = file.read(_SAMPLE)
    if sample.startswith(b"PAR1"):
        require("pyarrow", "Reading Parquet")
        return _with_numbers(pd.read_parquet(path), text_columns)
    if sample.startswith(b"PK\x03\x04"):
        raise TableError(f"{path} is a workbook or an archive: save it as CSV first")
    if not sample.strip():
        raise TableError(f"{path} is empty")
    encoding = _encoding(sample)
    text = sample.decode(encoding, errors="replace")
    if "\0" in text:
        raise TableError(f"{path} is neither CSV nor Parquet")
    sep, decimal, names = _dialect(text, whole=len(sample) < _SAMPLE)
    with _open(path) as file:
        return pd.read_csv(
            file,
            sep=sep,
            decimal=decimal,
            encoding=encoding,
            skipinitialspace=True,
            low_memory=False,
            na_values=_GAPS,
            dtype={name: str for name in names if name.strip() in text_columns},
        )


def _with_numbers(table: pd.DataFrame, text: set[str]) -> pd.DataFrame:
    """Tell text and numbers apart as reading CSV does."""
    for name in table.columns:
        column = table[name]
        if name in text:
            table = table.assign(**{str(name): _as_text(column)})
        held = pd.api.types.infer_dtype(column, skipna=True)
        if held != "string" or name in text:
            continue
        numbers = pd.to_numeric(column, errors="coerce")
        if (numbers.isna() == (column.isna() | column.isin(_GAPS))).all():
            table = table.assign(**{str(name): numbers.astype(float)})
    return table


def _as_text(column: pd.Series) -> pd.Series:
    """A column as text, whole numbers without a decimal point."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column
    return column.convert_dtypes().astype("string").astype(object)


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return cast(IO[bytes], gzip.open(path) if zipped else path.open("rb"))


def _dialect(text: str, whole: bool) -> tuple[str, str, list[str]]:
    """Return the separator, the decimal mark, and the names of the columns."""
    # The last line of a sample is cut somewhere; a whole file ends where it ends.
    lines = text if whole else text[: text.rfind("\n") + 1]
    rows = {sep: _rows(lines, sep) for sep in _SEPARATORS}
    sep = max(_SEPARATORS, key=lambda sep: _agreement(rows[sep]))
    return sep, _decimal(rows[sep], sep), rows[sep][0]


def _encoding(sample: bytes) -> str:
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        # The end of a sample may cut a character in two.
        sample[:-4].decode("utf-8-sig")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _rows(text: str, sep: str) -> list[list[str]]:
    reader = csv.reader(StringIO(text), delimiter=sep, skipinitialspace=True)
    return [row for row, _ in zip(reader, range(1000), strict=False) if row]


def _agreement(rows: list[list[str]]) -> float:
    """Rate a separator: columns in the header, if the rows have as many."""
    columns = len(rows[0])
    if columns == 1:
        return 0.0
    return columns * float(np.mean([len(row) == columns for row in rows]))


def _decimal(rows: list[list[str]], sep: str) -> str:
    cells = [cell.strip() for row in rows[1:] for cell in row]
    commas = any(re.fullmatch(r"[+-]?\d+,\d+", cell) for cell in cells)
    points = any(re.fullmatch(r"[+-]?\d+\.\d+", cell) for cell in cells)
    return "," if commas and not points and sep != "," else "."


def check_columns(names: Iterable[str], table: pd.DataFrame, what: str) -> None:
    """Raise a TableError that suggests close names if a column is not there.

    Examples
    --------
    >>> check_columns(["hour"], pd.DataFrame({"hours": [1]}), "--drop")
    Traceback (most recent call last):
    skffnn.cli.tables.TableError: --drop: no column 'hour'; did you mean 'hours'?
    """
    for name in names:
        if name not in table.columns:
            hint = _suggestion(name, list(table.columns))
            raise TableError(f"{what}: no column {name!r}; {hint}")


def _suggestion(name: str, columns: Sequence[str]) -> str:
    folded = {column.casefold(): column for column in columns}
    close = get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)
    if close:
        found = " or ".join(repr(folded[column]) for column in close)
        return f"did you mean {found}?"
    shown = ", ".join(columns[:12]) + (", ..." if len(columns) > 12 else "")
    return f"the columns are {shown}"


def split_target(table: pd.DataFrame, target: str) -> Dataset:
    """Take the target out of a table; rows without one are dropped.

    Parameters
    ----------
    table : DataFrame
        All columns.
    target : str
        The column to predict.

    Returns
    -------
    Dataset
        Features, target and notes, among them the number of rows dropped.

    Raises
    ------
    TableError
        If the target is not there, not numeric, constant, or too often missing.

    Examples
    --------
    >>> rides = pd.DataFrame({"hour": range(30), "cnt": [None, *range(29)]})
    >>> split_target(rides, "cnt").notes
    ["1 row of 30 has no 'cnt' and is left out"]
    """
    check_columns([target], table, "--target")
    if isinstance(table[target], pd.DataFrame):
        raise TableError(f"--target: there are several columns {target!r}")
    if len(table.columns) == 1:
        raise TableError(f"there is no column but the target {target!r}")
    y = _numeric(table[target], target)
    known = np.isfinite(y)
    _check_target(y[known], target)
    X = table.drop(columns=target)[known.to_numpy()].reset_index(drop=True)
    return Dataset(X, y[known].reset_index(drop=True), _missing(known, target))


def _numeric(column: pd.Series, target: str) -> pd.Series:
    kind = pd.api.types
    wrong = kind.is_bool_dtype(column) or kind.is_datetime64_any_dtype(column)
    if wrong or kind.is_timedelta64_dtype(column):
        raise TableError(f"the target {target!r} is not numeric: it is {column.dtype}")
    y = pd.to_numeric(column, errors="coerce")
    bad = column[y.isna() & column.notna()]
    if len(bad):
        raise TableError(
            f"the target {target!r} is not numeric: {len(bad):,} of {len(column):,} "
            f"values are like {str(bad.iloc[0])[:40]!r}"
        )
    return y.astype(float)


def _check_target(y: pd.Series, target: str) -> None:
    if len(y) < _MIN_ROWS:
        raise TableError(
            f"too few rows: {len(y)} with a target {target!r}, of {_MIN_ROWS} needed"
        )
    if y.nunique() == 1:
        raise TableError(f"the target {target!r} is {y.iloc[0]:g} in every row")


def _missing(known: pd.Series, target: str) -> list[str]:
    lost = int((~known).sum())
    if not lost:
        return []
    rows, verb = ("row", "has") if lost == 1 else ("rows", "have")
    left_out = "is left out" if lost == 1 else "are left out"
    return [f"{lost:,} {rows} of {len(known):,} {verb} no {target!r} and {left_out}"]


def suspects(X: pd.DataFrame) -> dict[str, str]:
    """Columns that tell nothing about another row, and why.

    Identifiers and counters tell one row from the others, which is a way to learn the
    training rows by heart; a constant tells nothing at all.

    Examples
    --------
    >>> suspects(pd.DataFrame({"id": range(50), "size": [1, 2] * 25}))
    {'id': 'looks like an identifier: nearly every value is different'}
    """
    reasons = {str(name): _suspicion(X[name]) for name in X.columns}
    return {name: why for name, why in reasons.items() if why}


def _suspicion(column: pd.Series) -> str:
    known = column.dropna()
    different = (
        known.astype(str).nunique() if known.dtype == object else known.nunique()
    )
    if different <= 1 and known.size in (0, column.size):
        return "is the same in every row"
    kind = pd.api.types
    if different < max(0.95 * len(known), _MIN_ROWS):
        return ""
    if kind.is_numeric_dtype(known) and not _counts(known.to_numpy(dtype=float)):
        return ""
    if are_dates(known):
        return ""
    return "looks like an identifier: nearly every value is different"


def _counts(values: np.ndarray) -> bool:
    """Whole numbers, or equal steps from row to row."""
    steps = np.diff(values)
    return bool(np.all(values == np.round(values)) or np.allclose(steps, steps[0]))


def are_dates(column: pd.Series) -> bool:
    """Whether a column is dates, or text that can be read as such.

    Examples
    --------
    >>> are_dates(pd.Series(["05.01.2024", "28.01.2024"]))
    True
    >>> are_dates(pd.Series(["May", "June"]))
    False
    """
    kind = pd.api.types
    if kind.is_datetime64_any_dtype(column):
        return True
    known = column.dropna()
    if kind.infer_dtype(known) in ("date", "datetime"):
        return True
    if kind.is_numeric_dtype(column) or kind.infer_dtype(known) != "string":
        return False
    head = known.unique()[:50].tolist()
    return any(_format_of(head, day_first) for day_first in (False, True))


def _format_of(texts: list[str], day_first: bool) -> str | None:
    """The format in which all of them are dates, if there is one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the other order is tried as well
        formats = {guess_datetime_format(text, dayfirst=day_first) for text in texts}
    one = formats.pop() if len(formats) == 1 else None
    # A year alone is as good a number.
    return None if pd.isna(one) or one == "%Y" else one


def check_new_table(
    table: pd.DataFrame, model: Any, numbers: Iterable[str] = ()
) -> pd.DataFrame:
    """Return the columns that a model was fitted on, in its order.

    Columns that it does not know are left out.

    Parameters
    ----------
    table : DataFrame
        Rows to predict.
    model : fitted estimator
        Fitted on a DataFrame.
    numbers : iterable of str, default=()
        Its columns that were numbers.

    Raises
    ------
    TableError
        If a column is missing, or holds text where the model knows numbers.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> model = LinearRegression().fit(pd.DataFrame({"a": [1, 2]}), [1, 2])
    >>> check_new_table(pd.DataFrame({"b": [0], "a": [3]}), model)
       a
    0  3
    """
    wanted = list(model.feature_names_in_)
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        many = "columns" if len(missing) > 1 else "a column"
        raise TableError(f"the table lacks {many} of the model: {', '.join(missing)}")
    X = table[wanted]
    for name in [name for name in wanted if name in set(numbers)]:
        bad = X[name][pd.to_numeric(X[name], errors="coerce").isna() & X[name].notna()]
        if len(bad):
            raise TableError(
                f"column {name!r} was numeric when the model learnt; now it has "
                f"{str(bad.iloc[0])[:40]!r}"
            )
    return X
