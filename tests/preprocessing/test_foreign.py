"""What is no table of numbers: dates, collections that are still to be computed."""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
    evaluate,
    trace,
)
from skffnn.preprocessing import foreign
from skffnn.preprocessing.foreign import LAZY, needing_numbers, refuse, refuse_lazy

N = 40
NETWORK = FFNNRegressor(4, max_iter=2, weight_decay=0.1, random_state=0)
ESTIMATORS = {
    "network": NETWORK,
    "bayesian": BayesianFFNNRegressor(3, n_restarts=1, max_iter=5, random_state=0),
    "ensemble": FFNNEnsembleRegressor(NETWORK, 2, random_state=0),
    "search": FFNNGridSearchCV(NETWORK, {"learning_rate": [0.02, 0.05]}, cv=2),
}
every_estimator = pytest.mark.parametrize("name", ESTIMATORS)
no_advice = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:One or more of the test scores",
    "ignore:Scoring failed",
    "ignore::sklearn.exceptions.FitFailedWarning",
)


def with_nat(moments):
    moments = moments.copy()
    moments[3] = "NaT"
    return moments


DAYS = pd.date_range("2020-01-01", periods=N)
MOMENTS, DURATIONS = DAYS.to_numpy(), (DAYS - DAYS[0]).to_numpy()
NUMBERS = np.arange(N) / N
X, Y = np.c_[NUMBERS, NUMBERS**2], np.sin(9 * NUMBERS)

# One column of dates or durations, in all their forms.
COLUMNS = {
    "datetime64": MOMENTS,
    "datetime64 with NaT": with_nat(MOMENTS),
    "timedelta64": DURATIONS,
    "Series": pd.Series(DAYS),
    "Series with a time zone": pd.Series(DAYS.tz_localize("UTC")),
    "Series of periods": pd.Series(DAYS.to_period()),
    "categories": pd.Series(DAYS).astype("category"),
    "objects": np.array(list(DAYS), dtype=object),
    "list of Timestamp": list(DAYS),
    "list of Timedelta": list(DAYS - DAYS[0]),
    "list of datetime64": list(MOMENTS),
    "list of datetime": [datetime(2020, 1, 1 + k % 28) for k in range(N)],
    "list of date": [date(2020, 1, 1 + k % 28) for k in range(N)],
    "list of time": [time(k % 24) for k in range(N)],
    "list of timedelta": [timedelta(k) for k in range(N)],
    "one among numbers": [MOMENTS[0], *NUMBERS[1:]],
}


def frames():
    """Frames of several libraries whose column "when" has dates."""
    found = {
        "pandas": pd.DataFrame({"x": NUMBERS, "when": DAYS}),
        "pandas, dates alone": pd.DataFrame({"when": DAYS}),
        "pandas with a time zone": pd.DataFrame(
            {"x": NUMBERS, "when": DAYS.tz_localize("UTC")}
        ),
        "pandas, durations": pd.DataFrame({"x": NUMBERS, "when": DURATIONS}),
        "pandas, objects": pd.DataFrame(
            {"x": NUMBERS, "when": pd.Series(list(DAYS), dtype=object)}
        ),
    }
    polars = pytest.importorskip("polars")
    found["polars"] = polars.DataFrame({"x": NUMBERS, "when": MOMENTS})
    found["polars, dates"] = found["polars"].with_columns(
        polars.col("when").cast(polars.Date)
    )
    found["polars, durations"] = polars.DataFrame({"x": NUMBERS, "when": DURATIONS})
    for kind in (datetime(2020, 1, 1), timedelta(1)):
        objects = polars.Series("when", [kind] * N, dtype=polars.Object)
        found[f"polars, {type(kind).__name__} objects"] = polars.DataFrame(
            {"x": NUMBERS, "when": objects}
        )
    arrow = pytest.importorskip("pyarrow")
    found["arrow"] = arrow.table({"x": NUMBERS, "when": MOMENTS})
    stamps = pd.Series(DAYS).astype("timestamp[ns][pyarrow]")
    found["pandas, arrow"] = pd.DataFrame({"x": NUMBERS, "when": stamps})
    return found


# Dates and durations ------------------------------------------------------------------


@pytest.mark.parametrize("kind", COLUMNS)
def test_dates_are_no_targets(kind):
    with pytest.raises(ValueError, match=r"y has dates or times.*timedelta64\(1, 'D'"):
        clone(NETWORK).fit(X, COLUMNS[kind])


@pytest.mark.parametrize("kind", COLUMNS)
def test_dates_are_no_inputs_and_no_weights(kind):
    column = COLUMNS[kind]
    table = [[value] for value in column]
    if isinstance(column, np.ndarray):
        table = column[:, np.newaxis]
    elif isinstance(column, pd.Series):
        table = column.to_frame("when")
    model = clone(NETWORK)
    with pytest.raises(ValueError, match=r"X has dates or times.*skrub"):
        model.fit(table, Y)
    with pytest.raises(ValueError, match="sample_weight has dates or times"):
        model.fit(X, Y, sample_weight=column)
    model.fit(X[:, :1], Y)
    with pytest.raises(ValueError, match="X has dates or times"):
        model.predict(table)


@no_advice
def test_dates_in_frames_are_named():
    for kind, frame in frames().items():
        model = clone(NETWORK)
        with pytest.raises(ValueError, match="X has dates or times in when:"):
            model.fit(frame, Y)
        assert not hasattr(model, "theta_"), kind


def test_columns_that_share_a_name_are_all_looked_at():
    frame = pd.DataFrame(np.c_[NUMBERS, NUMBERS].astype(object), columns=["a", "a"])
    frame.iloc[3, 1] = DAYS[0]
    with pytest.raises(ValueError, match="dates or times in a:"):
        refuse(frame, "X")


@no_advice
@every_estimator
def test_no_estimator_learns_or_predicts_dates(name):
    model, frame = clone(ESTIMATORS[name]), pd.DataFrame({"x": NUMBERS, "when": DAYS})
    with pytest.raises(ValueError, match="X has dates or times in when"):
        model.fit(frame, Y)
    with pytest.raises(ValueError, match="y has dates or times"):
        model.fit(X, MOMENTS)
    model.fit(X, Y)
    with pytest.raises(ValueError, match="X has dates or times"):
        model.predict(np.c_[MOMENTS, MOMENTS])


@no_advice
def test_dates_are_refused_wherever_rows_are_passed():
    model = clone(NETWORK)
    with pytest.raises(ValueError, match="validation rows: y has dates"):
        model.fit(X, Y, X_val=X, y_val=MOMENTS)
    with pytest.raises(ValueError, match="validation rows: X has dates"):
        model.fit(X, Y, X_val=np.c_[MOMENTS, MOMENTS], y_val=Y)
    with pytest.raises(ValueError, match="y has dates"):
        model.partial_fit(X, DURATIONS)
    with pytest.raises(ValueError, match="y has dates"):
        evaluate(model, X, with_nat(MOMENTS))
    model.fit(X, Y)
    with pytest.raises(ValueError, match="y has dates"):
        trace(model, X, MOMENTS)
    with pytest.raises(ValueError, match="X has dates"):
        model.input_gradient(np.c_[MOMENTS, MOMENTS])
    given = {"y_mean": MOMENTS[0], "y_scale": DURATIONS[1]}
    with pytest.raises(ValueError, match="y_mean has dates"):
        clone(NETWORK).set_params(standardize=given).fit(X, Y)


def test_what_is_made_of_dates_is_learnt():
    days = (pd.Series(DAYS) - DAYS[0]) / np.timedelta64(1, "D")
    clone(NETWORK).fit(days.to_frame("days"), days)


@pytest.mark.parametrize(
    "values",
    [
        NUMBERS,
        NUMBERS.astype(object),
        list(NUMBERS),
        pd.Series(np.arange(N), dtype="Int64"),
        pd.Series(NUMBERS).astype("category"),
        np.ma.masked_array(NUMBERS),
        NUMBERS > 0.5,
        None,
    ],
    ids=lambda values: type(values).__name__,
)
def test_numbers_of_any_kind_are_no_dates(values):
    refuse(values, "y")


# Collections that are still to be computed --------------------------------------------


class Graph:
    """What tells a collection of Dask, and nothing else of it."""

    def __init__(self, graph):
        self.graph = graph

    def __dask_graph__(self):
        return self.graph


class Sparkling:
    """A frame of Spark: it can be gathered in several ways."""

    def toPandas(self):
        raise AssertionError("gathered")

    collect = toPandas


@pytest.fixture(params=["dask", "spark", "polars"])
def lazy(request):
    """A collection that is still to be computed, and what computes it."""
    if request.param == "dask":
        return Graph({"a": 1}), r"compute\(\)"
    if request.param == "spark":
        return Sparkling(), r"toPandas\(\)"
    polars = pytest.importorskip("polars")
    return polars.LazyFrame({"a": NUMBERS, "b": NUMBERS}), r"collect\(\)"


@no_advice
@every_estimator
def test_no_estimator_gathers_a_lazy_collection(name, lazy):
    values, compute = lazy
    model = clone(ESTIMATORS[name])
    for position, argument in enumerate(["X", "y", "sample_weight"]):
        rows = [X, Y, np.ones(N)]
        rows[position] = values
        with pytest.raises(ValueError, match=rf"{argument}\.{compute}"):
            model.fit(*rows[:2], sample_weight=rows[2])
    with pytest.raises(ValueError, match=rf"X\.{compute}"):
        model.fit(X, Y).predict(values)


def test_a_lazy_collection_is_refused_wherever_rows_are_passed(lazy):
    values, compute = lazy
    model = clone(NETWORK)
    with pytest.raises(ValueError, match=rf"validation rows: X .*X\.{compute}"):
        model.fit(X, Y, X_val=values, y_val=Y)
    with pytest.raises(ValueError, match=rf"validation rows: y .*y\.{compute}"):
        model.fit(X, Y, X_val=X, y_val=values)
    for rows in ((values, Y), (X, values)):
        with pytest.raises(ValueError, match=compute):
            evaluate(model, *rows)
        with pytest.raises(ValueError, match=compute):
            model.partial_fit(*rows)
    steps = make_pipeline("passthrough", model)
    with pytest.raises(ValueError, match=rf"X\.{compute}"):
        steps.fit(values, Y)


def test_what_may_be_lazy_and_is_not_is_taken_as_it_is():
    refuse_lazy(Graph(None), "X")  # xarray's arrays, where nothing is to be computed
    refuse_lazy(pd.DataFrame({"collect": NUMBERS, "execute": NUMBERS}), "X")
    polars = pytest.importorskip("polars")
    refuse_lazy(polars.DataFrame({"a": NUMBERS}), "X")
    arrow = pytest.importorskip("pyarrow")
    refuse_lazy(arrow.table({"a": NUMBERS}), "X")


def test_dask_itself():
    array = pytest.importorskip("dask.array")
    for kind in ("network", "search"):
        with pytest.raises(ValueError, match=r"X is a dask .*X\.compute\(\)"):
            clone(ESTIMATORS[kind]).fit(array.from_array(X), Y)
    with pytest.raises(ValueError, match=r"y\.compute\(\)"):
        clone(NETWORK).fit(X, array.from_array(Y))


def test_every_lazy_kind_is_told_what_computes_it():
    for attribute, compute in LAZY.items():
        kind = type("Lazy", (), {attribute: lambda self: {}})
        told = re.escape(f"pass {compute.format(name='X')}.")
        with pytest.raises(ValueError, match=told):
            refuse_lazy(kind(), "X")


# Numbers that are none ----------------------------------------------------------------

NO_FLOATS = {
    "a large whole number": 10**400,
    "a large fraction": Fraction(10**400, 3),
    "a signaling NaN": Decimal("sNaN"),
    "a long double": np.longdouble(2) ** 16_000,
    "a number of two parts": 1j,
    "a dict": {},
}


@every_estimator
@no_advice
def test_none_is_a_gap_in_x_and_an_error_elsewhere(name):
    model = clone(ESTIMATORS[name])
    gaps = [[None, 1.0], *X.tolist()[1:]]
    model.fit(gaps, Y)
    assert np.isfinite(model.predict(gaps)).all()
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X, [None] + [1.0] * (N - 1))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X, Y, sample_weight=[None] + [1.0] * (N - 1))


@pytest.mark.parametrize("kind", NO_FLOATS)
@every_estimator
@no_advice
def test_numbers_that_no_float_can_hold_are_an_error(name, kind):
    model, one = clone(ESTIMATORS[name]), [NO_FLOATS[kind]]
    if kind == "a long double" and np.isinf(one[0]):
        pytest.skip("there are none here")
    wrong = [[*one, 1.0], *X.tolist()[1:]]
    told = pytest.raises((ValueError, TypeError))
    with told:
        model.fit(wrong, Y)
    with told:
        model.fit(X, one + [1.0] * (N - 1))
    with told:
        model.fit(X, Y, sample_weight=one + [1.0] * (N - 1))
    model.fit(X, Y)
    with told:
        model.predict(wrong)


def test_errors_that_have_another_cause_are_left_alone():
    with pytest.raises(TypeError, match=r"^another$"), needing_numbers("X"):
        raise TypeError("another")


def test_columns_of_numbers_are_not_taken_out_to_be_looked_at(monkeypatch):
    taken = []
    monkeypatch.setattr(foreign, "_column", lambda frame, k: taken.append(k))
    X = pd.DataFrame({"a": [1.0], "b": [2], "c": [True], "d": ["x"], "e": [None]})
    foreign.refuse(X.astype({"d": object, "e": object, "b": "Int64"}), "X")
    assert taken == [3, 4]
