"""Standardised tables: what the training loop gathers its batches from."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone

from skffnn import BayesianFFNNRegressor, FFNNRegressor
from skffnn.preprocessing.checks import Table
from skffnn.preprocessing.columns import Columns
from skffnn.preprocessing.encoding import encoding_of, gapped_columns
from skffnn.preprocessing.inputs import standardized
from skffnn.preprocessing.scaling import Scaling, extremes, input_statistics

N = 200


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    X = rng.normal(3, 2, (N, 3))
    X[::5, 1] = np.nan
    codes = tuple(np.array(rng.integers(0, m, N), np.uint8) for m in (3, 40))
    columns = Columns(5, {3: list("abc"), 4: [f"{k:02}" for k in range(40)]})
    return Table(X, rng.normal(size=(N, 1)), None, 1, False, codes, columns, True)


def scaling_of(table, gapped=()):
    rows = range(len(table.Y))
    ends = extremes(table.X, rows)
    y = np.zeros(1), np.ones(1)
    return Scaling(*input_statistics(table.X, rows, None, ends, gapped), *y)


def test_gaps_are_0_and_have_no_say_in_mean_and_scale(table):
    rows = range(N)
    some, empty = gapped_columns(table.X, rows)
    scaling = scaling_of(table, some + empty)
    there = ~np.isnan(table.X[:, 1])
    assert scaling.x_mean[1] == pytest.approx(table.X[there, 1].mean())
    assert scaling.x_scale[1] == pytest.approx(table.X[there, 1].std())
    encoding = encoding_of(table, rows, None, (some, empty), True)
    data = standardized(table, rows, None, scaling, encoding)
    assert data.ready
    assert data.X.flags.c_contiguous
    assert (data.X[~there, 1] == 0).all()
    np.testing.assert_allclose(data.X.mean(axis=0), 0, atol=1e-12)
    assert data.codes.shape == (N, 1)
    part = np.arange(N)[::3]
    some_rows = standardized(table, part, None, scaling, encoding)
    np.testing.assert_array_equal(some_rows.X, data.X[part])
    np.testing.assert_array_equal(some_rows.codes, data.codes[part])


@pytest.mark.parametrize("kind", ["on disk", "sparse"])
def test_what_is_on_disk_or_sparse_is_standardised_batch_by_batch(kind, table):
    X = table.X.copy()
    if kind == "sparse":
        X[np.isnan(X)] = 0
        X = csr_array(X)
    raw = Table(X, table.Y, None, 1, kind == "on disk", gaps=kind == "on disk")
    dense = Table(
        X.toarray() if kind == "sparse" else X, table.Y, None, 1, False, gaps=raw.gaps
    )
    rows, gaps = range(N), ([1], []) if raw.gaps else ([], [])
    scaling = scaling_of(dense, gaps[0])
    encoding = encoding_of(raw, rows, None, gaps, True)
    data = standardized(raw, rows, None, scaling, encoding)
    assert not data.ready
    a = np.empty((N, data.n_inputs))
    data.gather_inputs(np.arange(N), a)
    ready = standardized(dense, rows, None, scaling, encoding)
    np.testing.assert_allclose(a, ready.X)


@pytest.mark.parametrize(
    ("model", "dtype"),
    [
        (FFNNRegressor(8, max_iter=2), np.float32),
        (FFNNRegressor(8, max_iter=2, solver="lbfgs"), np.float64),
        (BayesianFFNNRegressor(2, n_restarts=1, max_iter=2), np.float64),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_tables_with_categories_are_computed_in_float32_if_the_solver_can(model, dtype):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"size": rng.normal(size=N), "kind": rng.choice(["a", "b"], N)}
    )
    assert clone(model).fit(frame, frame["size"]).theta_.dtype == dtype
    numbers = clone(model).fit(frame[["size"]], frame["size"])
    assert numbers.theta_.dtype == np.float64


def test_numbers_are_standardised_before_they_are_rounded():
    rng = np.random.default_rng(0)
    hours = rng.uniform(0, 24, N)
    frame = pd.DataFrame({"ns": 1.7e18 + 3.6e12 * hours})  # float32 has steps of 1e11
    frame["kind"] = rng.choice(["a", "b"], N)
    y = np.sin(hours / 4)
    model = FFNNRegressor(random_state=0).fit(frame, y)
    assert model.theta_.dtype == np.float32
    assert model.score(frame, y) > 0.999
    one_second_later = model.predict(frame.assign(ns=frame["ns"] + 1e9))
    assert (one_second_later != model.predict(frame)).mean() > 0.9
