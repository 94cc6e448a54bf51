"""What users pass that is no table of numbers: what it is, and how to make it one."""

from collections.abc import Iterator, Set
from contextlib import contextmanager
from datetime import date, time, timedelta
from typing import Any

import numpy as np
import pandas as pd

# What tells a collection that is still to be computed, by its class, and what computes
# it: of Dask, Spark, DuckDB, Polars, Ibis and Arrow; last, expressions of columns.
LAZY = {
    "__dask_graph__": "{name}.compute()",
    "toPandas": "{name}.toPandas()",
    "fetchnumpy": "{name}.df()",
    "collect": "{name}.collect()",
    "execute": "{name}.execute()",
    "to_table": "{name}.to_table()",
    "read_all": "{name}.read_all()",
    "over": "what it makes of a frame, frame.select({name})",
}
# What the dtypes of dates and durations are called, in NumPy, pandas, Polars and Arrow.
TEMPORAL = "date", "time", "duration", "period"
MOMENTS = date, time, timedelta, np.datetime64, np.timedelta64, pd.Period
# What pandas calls objects among which there are none.
DATELESS = "string", "integer", "floating", "boolean", "mixed-integer-float", "empty"
# What there is to do about them in X, besides.
ENCODED = ", or let skrub.tabular_pipeline put an encoder before the network"
# What NumPy says of values that are no numbers.
NO_NUMBERS = "float()", "Cannot cast", "could not be promoted"


# Before anything is converted ---------------------------------------------------------


def refuse(values: Any, name: str) -> None:
    """Raise ValueError for what would be converted to numbers, and should not be.

    Dates and durations are whole numbers in a unit that nobody has chosen, NaT the
    lowest of them; a lazy collection would be gathered in silence.

    Parameters
    ----------
    values : object
        As users pass it.
    name : str
        Of the argument.
    """
    refuse_lazy(values, name)
    if isinstance(values, Iterator | Set):
        raise ValueError(
            f"{name} is a {type(values).__name__}, which can be read once, or has no "
            f"order: pass a table, such as list({name})."
        )
    kind = getattr(getattr(values, "dtype", None), "kind", None)
    if kind in ("f", "i", "u", "b"):
        return
    dates = [column for column, dtype, part in _parts(values) if _is_date(dtype, part)]
    if not dates:
        return
    where = "" if dates[0] is None else f" in {', '.join(map(str, dates))}"
    raise ValueError(
        f"{name} has dates or times{where}: a network needs numbers, in a unit of your "
        "choice. Pass days, for example, such as (t - start) / np.timedelta64(1, 'D') "
        f"with one start for all tables{ENCODED * (name == 'X')}."
    )


def refuse_lazy(values: Any, name: str) -> None:
    """Raise ValueError for a collection that is still to be computed.

    Parameters
    ----------
    values : object
        As users pass it.
    name : str
        Of the argument.
    """
    kind = type(values)
    if kind is np.ndarray:
        return
    for attribute, compute in LAZY.items():
        if not hasattr(kind, attribute):
            continue
        # What may hold a graph of Dask, such as xarray's arrays, tells whether it does.
        if attribute == "__dask_graph__" and values.__dask_graph__() is None:
            continue
        raise ValueError(
            f"{name} is a {kind.__module__.partition('.')[0]} {kind.__name__}, which "
            "is still to be computed, and a network learns and predicts from memory: "
            f"pass {compute.format(name=name)}."
        )


def _parts(values: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Name, dtype and values of each column; a name of None for a whole array."""
    if hasattr(values, "columns") and hasattr(values, "dtypes"):
        for k, (name, dtype) in enumerate(
            zip(values.columns, values.dtypes, strict=True)
        ):
            # Taking thousands of columns out, to learn nothing, would take a while.
            looked_into = getattr(dtype, "kind", None) in (None, "O")
            yield name, dtype, _column(values, k) if looked_into else None
    elif hasattr(values, "schema"):
        for name, dtype in zip(values.schema.names, values.schema.types, strict=True):
            yield name, dtype, None
    else:
        dtype = getattr(values, "dtype", getattr(values, "type", None))
        yield None, dtype, values


def _column(frame, k):
    """A column of a frame of pandas or Polars; None of another one."""
    if hasattr(frame, "iloc"):
        return frame.iloc[:, k]
    return frame.to_series(k) if hasattr(frame, "to_series") else None


def _is_date(dtype, values):
    """Whether a column has dates or durations, by its dtype or one by one."""
    kind = getattr(dtype, "kind", None)
    if kind in ("m", "M") or str(dtype).lower().startswith(TEMPORAL):
        return True
    if isinstance(dtype, pd.CategoricalDtype):  # of many rows, a few values
        values = dtype.categories
    if values is None or kind not in (None, "O") or isinstance(dtype, pd.StringDtype):
        return False
    if kind is None and str(dtype).lower() not in ("none", "object"):  # as Float64
        return False
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):  # the checks that follow say it better
        return False
    if array.dtype.kind != "O":
        return array.dtype.kind in ("m", "M")
    # In C, where it can tell.
    held = pd.api.types.infer_dtype(array.ravel(), skipna=True)
    if held in DATELESS:
        return False
    return any(isinstance(value, MOMENTS) for value in array.flat)


# While it is converted ----------------------------------------------------------------


@contextmanager
def needing_numbers(name: str) -> Iterator[None]:
    """Tell of values that are no numbers, a TypeError, or none that a float can hold.

    Parameters
    ----------
    name : str
        What is converted.
    """
    try:
        with np.errstate(all="ignore"):  # what overflows is infinite, and refused
            yield
    except ArithmeticError as error:  # of Python's own numbers, such as 10**400
        raise ValueError(
            f"{name} has a value that no float can hold ({type(error).__name__})."
        ) from error
    except ValueError as error:
        if "signaling NaN" not in str(error):
            raise
        raise ValueError(f"{name} has a value that no float can hold.") from error
    except TypeError as error:
        if not any(words in str(error) for words in NO_NUMBERS):
            raise
        raise TypeError(f"{name} has values that are no numbers: {error}.") from error
