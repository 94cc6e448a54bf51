"""A network that no memory can hold is refused before any work is done."""

import tracemalloc

import numpy as np
import pytest

from skffnn import FFNNEnsembleRegressor, FFNNRegressor
from skffnn.preprocessing import memory

HUGE = FFNNRegressor((10**6, 10**6), random_state=0)


@pytest.fixture(autouse=True)
def _no_network_is_small(monkeypatch):
    monkeypatch.setattr(memory, "SMALL", 0)


def no_work(*_):
    raise AssertionError("work was begun")


@pytest.mark.parametrize("model", [HUGE, FFNNEnsembleRegressor(HUGE, 2)])
def test_the_error_names_the_size_and_comes_before_the_work(table, monkeypatch, model):
    monkeypatch.setattr("skffnn.preprocessing.preparation.input_statistics", no_work)
    monkeypatch.setattr("skffnn.preprocessing.preparation.standardized", no_work)
    with pytest.raises(MemoryError, match=r"1,000,007,000,001 param.* 67,05\d\.\d GiB"):
        model.fit(*table)
    assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.filterwarnings("ignore:max_iter")
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_it_takes_about_what_it_says(table, monkeypatch, solver):
    X, y = table
    model = FFNNRegressor(
        (300, 300), solver=solver, max_iter=12, weight_decay=1e-3, random_state=0
    )
    tracemalloc.start()
    model.fit(X, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    monkeypatch.setattr(memory, "limit", lambda: 0.9 * peak)
    with pytest.raises(MemoryError):
        model.fit(X, y)
    monkeypatch.setattr(memory, "limit", lambda: 1.1 * peak)
    rows = 150 if solver == "lbfgs" else 32
    memory.check_memory([4, 300, 300, 1], rows, 8, solver)


def test_float32_takes_half(monkeypatch):
    monkeypatch.setattr(memory, "limit", lambda: 2**20)
    memory.check_memory([10, 100, 1], 32, 4, "adam")
    monkeypatch.setattr(memory, "limit", lambda: 2**17)
    memory.check_memory([10, 100, 1], 32, 4, "adam")
    with pytest.raises(MemoryError):
        memory.check_memory([10, 100, 1], 32, 8, "adam")


@pytest.mark.parametrize("version", [0, 1])
def test_the_limit_of_a_container_counts(monkeypatch, tmp_path, version):
    paths = [tmp_path / "memory.max", tmp_path / "memory.limit_in_bytes"]
    monkeypatch.setattr(memory, "CONTAINER", paths)
    machine = memory.limit()
    paths[version].write_text("max\n")
    assert memory.limit() == machine
    paths[version].write_text("1048576\n")
    assert memory.limit() == 2**20
    assert machine is None or machine > 2**20


def test_where_nothing_tells_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "limit", lambda: None)
    memory.check_memory([10**6, 10**6, 1], 32, 8, "adam")


def test_rows_of_a_batch_count(monkeypatch):
    monkeypatch.setattr(memory, "limit", lambda: 2**24)
    X = np.zeros((60_000, 40), np.float32)
    model = FFNNRegressor((8,), batch_size=60_000, max_iter=1, random_state=0)
    with pytest.raises(MemoryError, match="60,000 rows"):
        model.fit(X, X[:, 0])
