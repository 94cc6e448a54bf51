"""Tables that do not fit the memory: from a memory map, and batch by batch."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skffnn import FFNNRegressor

# From a memory map -------------------------------------------------------------------

ROWS, COLUMNS = 600_000, 100
TABLE = 4 * ROWS * COLUMNS  # bytes, in float32: 229 MiB
# Bytes: a row's place in the order (8), its prediction (4), its target in float32 (4),
# and that in float64 (8), checked and scaled (8).
A_ROW = 8 + 4 + 4 + 8 + 8
WORK = 8 * 2**20  # blocks of rows, a network and a batch, whatever the rows

# The limit counts private memory, and no pages of a file that is mapped. What a process
# makes once, such as work space of BLAS, is made before.
LIMITED = textwrap.dedent(
    """
    import resource, sys
    import numpy as np
    from skffnn import FFNNRegressor

    def private():
        with open("/proc/self/status") as status:
            line = next(line for line in status if line.startswith("VmData"))
        return 1024 * int(line.split()[1])

    def fitted(X, y):
        model = FFNNRegressor(
            (16,), batch_size=512, max_iter=2, weight_decay=0.1, random_state=0
        )
        return model.fit(X, y)

    task, bound, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    few = np.random.default_rng(0).standard_normal((2000, 100), np.float32)
    model = fitted(few, few[:, 0])
    model.predict(few)
    X, y = np.load(f"{folder}/X.npy", mmap_mode="r"), np.load(f"{folder}/y.npy")
    if task == "fit in memory":
        X = np.array(X)
    limit = private() + bound
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    try:
        y_hat = model.predict(X) if task == "predict" else fitted(X, y).predict(X[:9])
    except MemoryError:
        print("MemoryError")
    else:
        print(len(y_hat), np.isfinite(y_hat).all())
    """
)

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="RLIMIT_DATA is Linux's"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table on disk, written block by block, and its target."""
    path, rng = tmp_path_factory.mktemp("table"), np.random.default_rng(0)
    X = np.lib.format.open_memmap(path / "X.npy", "w+", np.float32, (ROWS, COLUMNS))
    for start in range(0, ROWS, 10_000):
        part = X[start : start + 10_000]
        rng.standard_normal(dtype=np.float32, out=part)
    np.save(path / "y.npy", X[:, 0] - X[:, 1])
    del X, part
    yield path
    (path / "X.npy").unlink()


def limited(task, bound, folder):
    """What a task prints in a process that may allocate no more than so many bytes."""
    command = [sys.executable, "-W", "error", "-c", LIMITED, task, str(bound), folder]
    # What was freed before goes back to the system, and none of it serves the task.
    env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    return done.stdout.strip()


@pytest.mark.slow
@linux
def test_a_fit_on_a_memory_map_allocates_some_numbers_a_row(folder):
    bound = A_ROW * ROWS + WORK
    assert bound < TABLE / 8
    assert limited("fit", bound, folder) == "9 True"
    assert limited("fit in memory", bound, folder) == "MemoryError"


@pytest.mark.slow
@linux
def test_a_prediction_from_a_memory_map_allocates_its_result(folder):
    assert limited("predict", 8 * ROWS + WORK, folder) == f"{ROWS} True"
    assert limited("predict", 8 * ROWS - 1, folder) == "MemoryError"


# Batch by batch ----------------------------------------------------------------------

BATCH = 128


@pytest.fixture
def frame(rng):
    X = rng.normal(size=(1000, 5)).astype(np.float32)
    names = [f"x{k}" for k in range(5)]
    return pd.DataFrame(X, columns=names).assign(y=X[:, 0] * X[:, 1])


def learnt_by_parts(batches):
    model = FFNNRegressor((8, 8), random_state=0)
    for _ in range(3):
        for X, y in batches():
            model.partial_fit(X, y)
    return model


def split(batch):
    return batch.drop(columns="y"), batch["y"]


def slices(frame, path):
    X, y = frame.drop(columns="y").to_numpy(), frame["y"].to_numpy()
    for start in range(0, len(X), BATCH):
        yield X[start : start + BATCH], y[start : start + BATCH]


def generated(frame, path):
    rows = frame.to_numpy()
    while len(rows):
        yield rows[:BATCH, :-1], rows[:BATCH, -1]
        rows = rows[BATCH:]


def parquet(frame, path):
    pq.write_table(pa.Table.from_pandas(frame), path / "table.parquet")
    for batch in pq.ParquetFile(path / "table.parquet").iter_batches(BATCH):
        yield split(batch.to_pandas())


def chunks(frame, path):
    frame.to_csv(path / "table.csv", index=False)
    single = dict.fromkeys(frame, np.float32)
    with pd.read_csv(path / "table.csv", chunksize=BATCH, dtype=single) as reader:
        yield from map(split, reader)


@pytest.mark.parametrize("source", [generated, parquet, chunks])
def test_batches_are_learnt_from_wherever_they_come(source, frame, tmp_path):
    expected = learnt_by_parts(lambda: slices(frame, tmp_path))
    model = learnt_by_parts(lambda: source(frame, tmp_path))
    assert model.n_iter_ == expected.n_iter_ == 3 * 8
    assert model.theta_.dtype == np.float32
    np.testing.assert_array_equal(model.theta_, expected.theta_)
    X, _ = split(frame)
    np.testing.assert_array_equal(
        model.predict(X if source is not generated else X.to_numpy()),
        expected.predict(X.to_numpy()),
    )
