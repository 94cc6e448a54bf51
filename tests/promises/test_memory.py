"""How much memory a fit and a prediction take, measured by NumPy's own allocations."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from skffnn import FFNNRegressor

ROWS, COLUMNS = 120_000, 20
COPY = ROWS * COLUMNS * 4  # bytes of X in float32
WORK = 2 * 2**20  # blocks of rows, a network and a batch, whatever the rows

every_kind = pytest.mark.parametrize("kind", ["array", "DataFrame", "memory map"])


@pytest.fixture
def table(tmp_path):
    """Return X of the kind asked for, and y, in float32."""

    def make(kind, n=ROWS):
        X = np.random.default_rng(0).normal(size=(n, COLUMNS)).astype(np.float32)
        y = X[:, 0] + X[:, 1]
        if kind == "DataFrame":
            return pd.DataFrame(np.asfortranarray(X), copy=False), y
        if kind == "memory map":
            np.save(tmp_path / "X.npy", X)
            return np.load(tmp_path / "X.npy", mmap_mode="r"), y
        return X, y

    return make


def peak(function, *arguments):
    """Bytes that are allocated at the worst moment of a call."""
    tracemalloc.start()
    try:
        function(*arguments)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def model_of(max_iter=1):
    return FFNNRegressor(
        (16,), max_iter=max_iter, batch_size=512, random_state=0,
        learning_rate_schedule="constant", n_iter_no_change=99,
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore:max_iter")
@every_kind
def test_fit_takes_one_copy_of_the_table_and_a_few_numbers_a_row(table, kind):
    X, y = table(kind)
    copy = 0 if kind == "memory map" else COPY
    # A row's place in the order, its target and its prediction; once the target in
    # float64, as it is checked and scaled.
    assert peak(model_of().fit, X, y) < copy + 40 * ROWS + WORK


@pytest.mark.filterwarnings("ignore:max_iter")
def test_epochs_take_no_more_memory_than_one(table):
    X, y = table("array", 20_000)
    one, many = (peak(model_of(n).fit, X, y) for n in (1, 12))
    assert many < one + 2**16


@pytest.mark.filterwarnings("ignore:max_iter")
@every_kind
@pytest.mark.parametrize("outputs", [1, 5])
def test_a_prediction_takes_its_result_and_a_chunk_of_rows(table, kind, outputs):
    X, y = table(kind)
    Y = np.asarray(X)[:2000, :outputs] if outputs > 1 else y[:2000]
    model = model_of(20).fit(X[:2000], Y)
    result = model.predict(X).nbytes
    assert result == 8 * outputs * ROWS
    assert peak(model.predict, X) < result + WORK


@pytest.mark.filterwarnings("ignore:max_iter")
def test_a_chunk_of_a_wide_table_is_no_larger():
    X = np.random.default_rng(0).normal(size=(2000, 1500))
    model = model_of().set_params(max_iter=3).fit(X, X[:, 0])
    assert peak(model.predict, X) < 3 * WORK


@pytest.mark.filterwarnings("ignore:max_iter")
def test_lbfgs_makes_one_work_space():
    X = np.random.default_rng(0).normal(size=(20_000, COLUMNS)).astype(np.float32)
    model = FFNNRegressor((4,), solver="lbfgs", max_iter=5, tol=0, random_state=0)
    # The standardised table, the same as inputs of the network, and little else.
    assert peak(model.fit, X, X[:, 0] * X[:, 1]) < 3 * X.nbytes + WORK
