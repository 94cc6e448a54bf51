"""Encodings in files: what a fit makes is taken, all else is refused."""

import copy
import sys
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from skffnn import BayesianFFNNRegressor, FFNNEnsembleRegressor, FFNNRegressor
from skffnn.preprocessing.saved_encoding import (
    has_inputs,
    is_encoding,
    layout_of,
    n_features_in,
    n_numeric_in,
)

N = 120
SMALL = FFNNRegressor(4, max_iter=5, weight_decay=0.1, random_state=0)


def table():
    """Numbers with gaps, and categories of every kind: few, many, and of numbers."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "town": rng.choice(["Aix", "Bath", "Ulm"], N).astype(object),
            "size": rng.normal(size=N),
            "shop": rng.permutation(np.arange(N) % 40).astype(str),
            "year": rng.normal(size=N),
            "zone": pd.Categorical(rng.choice([1.5, 2.5], N)),
            "nothing": np.nan,
        }
    )
    X.loc[::5, "size"] = np.nan
    X.loc[::7, "town"] = None
    return X, np.nan_to_num(X["size"]) + (X["town"] == "Ulm")


@pytest.fixture(scope="module")
def model():
    with pytest.warns(UserWarning, match="nothing but gaps"):
        return SMALL.fit(*table())


@pytest.fixture
def values(model):
    return copy.deepcopy(model._encoding)


def taken(values, model):
    return is_encoding(values, {"x_mean_": model.x_mean_})


def test_what_a_fit_makes_is_taken(model, values):
    """Or what follows would show nothing."""
    assert taken(values, model)
    assert taken(None, model)
    assert values["n_features"] == 6
    assert [feature for feature, _ in values["levels"]] == [0, 2, 4]
    assert values["empty"] == [2]
    assert [feature for feature, _ in values["gaps"]] == [0]
    assert [feature for feature, _ in values["one_hot"]] == [0, 4]
    assert [feature for feature, _, _ in values["embedded"]] == [2]


def test_what_follows_from_it(model, values):
    others = {"_encoding": values, "units_": model.units_}
    assert layout_of(others).size == model.theta_.size
    assert n_features_in(others) == 6
    assert n_numeric_in(others) == 3
    assert has_inputs(model.units_, others)
    assert not has_inputs([model.units_[0] + 1, 4, 1], others)
    others = {"_encoding": None, "units_": [3, 4, 1]}
    assert n_features_in(others) == n_numeric_in(others) == 3
    assert has_inputs([3, 4, 1], others)
    assert layout_of(others).size == 21


def in_place(name, k, *change):
    """A function that changes a part of the k-th tuple of an entry."""

    def lie(values):
        parts = list(values[name][k])
        for place, new in zip(change[::2], change[1::2], strict=True):
            parts[place] = new(parts[place]) if callable(new) else new
        values[name][k] = tuple(parts)

    return lie


def put(name, value):
    return lambda values: values.__setitem__(
        name, value(values[name]) if callable(value) else value
    )


def with_value(index, value):
    def changed(array):
        array[index] = value
        return array

    return changed


LIES = {
    "fewer columns": put("n_features", 5),
    "more columns": put("n_features", 7),
    "a float for columns": put("n_features", 6.0),
    "no columns": put("n_features", 0),
    "columns without end": put("n_features", 10**30),
    "another entry": put("more", []),
    "no levels": put("levels", []),
    "levels of none": put("levels", None),
    "levels of one column twice": put("levels", lambda pairs: [pairs[0], *pairs]),
    "levels in another order": put("levels", lambda pairs: pairs[::-1]),
    "levels of a column too many": put("levels", lambda p: [*p, (5, ["a", "b"])]),
    "levels of a column that there is not": in_place("levels", 2, 0, 6),
    "levels of a column of text": in_place("levels", 0, 0, "0"),
    "levels of a column of lists": in_place("levels", 0, 0, []),
    "a list for a pair": put("levels", lambda pairs: [list(p) for p in pairs]),
    "a triple for a pair": put("levels", lambda pairs: [(*p, 1) for p in pairs]),
    "levels that are none": in_place("levels", 0, 1, "abc"),
    "levels in a dict": in_place("levels", 0, 1, {"a": 1, "b": 2, "c": 3}),
    "fewer levels": in_place("levels", 0, 1, ["Aix", "Bath"]),
    "more levels": in_place("levels", 0, 1, ["Aix", "Bath", "Rome", "Ulm"]),
    "unsorted levels": in_place("levels", 0, 1, ["Aix", "Ulm", "Bath"]),
    "a level twice": in_place("levels", 0, 1, ["Aix", "Bath", "Bath"]),
    "mixed levels": in_place("levels", 0, 1, ["Aix", "Bath", 1.0]),
    "levels of lists": in_place("levels", 0, 1, [["a"], ["b"], ["c"]]),
    "levels that are whole numbers": in_place("levels", 2, 1, [1, 2]),
    "truth values for levels": in_place("levels", 2, 1, [False, True]),
    "an infinite level": in_place("levels", 2, 1, [1.5, np.inf]),
    "a level that is no number": in_place("levels", 2, 1, [np.nan, 1.5]),
    "zero twice": in_place("levels", 2, 1, [-0.0, 0.0]),
    "empty of another column": put("empty", [3]),
    "a negative empty column": put("empty", [-1]),
    "empty twice": put("empty", [2, 2]),
    "a float for an empty column": put("empty", [2.0]),
    "empty and with some gaps": put("empty", [0, 2]),
    "gaps of a column that there is not": in_place("gaps", 0, 0, 3),
    "gaps twice": put("gaps", lambda pairs: pairs * 2),
    "gaps of two inputs": in_place("gaps", 0, 1, np.zeros((2, 2))),
    "gaps of three kinds": in_place("gaps", 0, 1, np.zeros((3, 1))),
    "gaps of no number": in_place("gaps", 0, 1, with_value((1, 0), np.nan)),
    "gaps in single precision": in_place("gaps", 0, 1, lambda a: a.astype("f4")),
    "gaps in a list": in_place("gaps", 0, 1, lambda a: a.tolist()),
    "one-hot twice": put("one_hot", lambda pairs: [pairs[0], *pairs]),
    "one-hot in another order": put("one_hot", lambda pairs: pairs[::-1]),
    "one-hot of a column of numbers": in_place("one_hot", 0, 0, 1),
    "one-hot of what is embedded": in_place("one_hot", 1, 0, 2),
    "a category without inputs": put("one_hot", lambda pairs: pairs[:1]),
    "a table without columns": in_place("one_hot", 0, 1, lambda a: a[:, :0]),
    "a table of fewer codes": in_place("one_hot", 0, 1, lambda a: a[:-1]),
    "a table of three axes": in_place("one_hot", 0, 1, lambda a: a[np.newaxis]),
    "a table in one axis": in_place("one_hot", 0, 1, lambda a: a[:, 0]),
    "a table of infinity": in_place("one_hot", 0, 1, with_value((0, 0), np.inf)),
    "a table of whole numbers": in_place("one_hot", 0, 1, lambda a: a.astype(int)),
    "embedded of a column of numbers": in_place("embedded", 0, 0, 3),
    "embedded and one-hot": put("embedded", lambda t: [(0, *t[0][1:]), *t]),
    "embedded twice": put("embedded", lambda triples: triples * 2),
    "nothing embedded": put("embedded", []),
    "choices of fewer codes": in_place("embedded", 0, 1, lambda a: a[:-1]),
    "choices in int64": in_place("embedded", 0, 1, lambda a: a.astype(np.int64)),
    "choices of floats": in_place("embedded", 0, 1, lambda a: a.astype(float)),
    "a negative choice": in_place("embedded", 0, 1, with_value(0, -1)),
    "a choice beyond the table": in_place("embedded", 0, 1, with_value(0, 2**31 - 1)),
    "a row that nothing chooses": in_place("embedded", 0, 1, with_value(3, 4)),
    "unknown levels that have no row": in_place("embedded", 0, 1, with_value(-1, 0)),
    "no width": in_place("embedded", 0, 2, 0),
    "a width of truth": in_place("embedded", 0, 2, True),
    "a width of a half": in_place("embedded", 0, 2, 2.5),
    "a width without end": in_place("embedded", 0, 2, 10**30),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_all_else_is_refused(model, values, lie):
    lie(values)
    assert not taken(values, model)


@pytest.mark.parametrize("n", [1.0, True, "1", None, 2])
def test_the_number_of_columns_is_one_where_there_are_gaps_alone(n):
    parts = {"levels": [], "empty": [0], "gaps": [], "one_hot": [], "embedded": []}
    others = {"x_mean_": np.zeros(1)}
    assert is_encoding({"n_features": 1, **parts}, others)
    assert not is_encoding({"n_features": n, **parts}, others)


@pytest.mark.parametrize("value", [[], {}, 0, "none", True, np.zeros(3), {"levels": 1}])
def test_what_is_no_encoding_is_refused(model, value):
    assert not taken(value, model)


@pytest.mark.parametrize("mean", [None, 1.0, np.zeros((3, 1)), np.zeros(4), [0, 0, 0]])
def test_means_that_have_not_been_checked_do_no_harm(values, mean):
    assert not is_encoding(values, {"x_mean_": mean})


# In files -----------------------------------------------------------------------------


def fitted_part(header):
    """What a file says of a fitted network, or of the first of an ensemble."""
    own = header["model"]["$estimator"][1]["fitted"]
    if "estimators_" in own:
        return own["estimators_"][0]["$estimator"][1]["fitted"]
    return own


def pair(header, name, k):
    return fitted_part(header)["_encoding"][name][k]["$tuple"]


def set_levels(levels):
    return lambda header: pair(header, "levels", 0).__setitem__(1, levels)


FORGED = {
    "unsorted": set_levels(["Ulm", "Bath", "Aix"]),
    "mixed": set_levels(["Aix", "Bath", 3.5]),
    "more": set_levels(["Aix", "Bath", "Rome", "Ulm"]),
    "a feature": lambda header: pair(header, "levels", 0).__setitem__(0, 1),
    "columns": lambda header: fitted_part(header)["_encoding"].update(n_features=6.0),
    "nothing": lambda header: fitted_part(header).update(_encoding=None),
    "a width": lambda header: pair(header, "embedded", 0).__setitem__(2, 2**62),
    "a table": lambda header: pair(header, "one_hot", 0).__setitem__(1, None),
}


@pytest.fixture(scope="module", params=["network", "ensemble", "committee"])
def kept(request, tmp_path_factory):
    """The class and the file of a fitted model."""
    model = {
        "network": SMALL,
        "ensemble": FFNNEnsembleRegressor(SMALL, 2, bootstrap=True, random_state=0),
        "committee": BayesianFFNNRegressor(2, n_restarts=1, random_state=0),
    }[request.param]
    X, y = table()
    path = tmp_path_factory.mktemp("kept") / "model.npz"
    model.fit(X.drop(columns="nothing"), y).save(path)
    return type(model), path


def test_a_forged_file_is_loaded_if_it_is_good(kept, forge, tmp_path):
    cls, path = kept
    (tmp_path / "a").write_bytes(forge.changed(path, header=lambda header: None))
    model, X = cls.load(tmp_path / "a"), table()[0].drop(columns="nothing")
    np.testing.assert_array_equal(model.predict(X), cls.load(path).predict(X))


@pytest.mark.parametrize("lie", FORGED.values(), ids=FORGED)
def test_a_forged_encoding_is_refused(kept, forge, tmp_path, lie):
    cls, path = kept
    (tmp_path / "a").write_bytes(forge.changed(path, header=lie))
    with pytest.raises(ValueError, match="Cannot load"):
        cls.load(tmp_path / "a")


def test_networks_of_an_ensemble_have_the_same_columns(forge, tmp_path):
    X, y = table()
    model = FFNNEnsembleRegressor(SMALL, 2, random_state=0)
    model.fit(X[["town", "year"]], y).save(tmp_path / "a")

    def other_levels(header):
        pair(header, "levels", 0)[1][0] = "Aachen"

    (tmp_path / "b").write_bytes(forge.changed(tmp_path / "a", header=other_levels))
    with pytest.raises(ValueError, match="estimators_"):
        FFNNEnsembleRegressor.load(tmp_path / "b")


# Time and memory ----------------------------------------------------------------------


def many(n):
    """An encoding of n columns of numbers, half of which have gaps, and n categories.

    Of these, one has n levels more than the others, and is embedded.
    """
    levels = [(n + k, ["a"]) for k in range(n - 1)]
    levels.append((2 * n - 1, [f"{k:06d}" for k in range(n)]))
    return {
        "n_features": 2 * n,
        "levels": levels,
        "empty": [],
        "gaps": [(k, np.zeros((2, 1))) for k in range(0, n, 2)],
        "one_hot": [(n + k, np.zeros((3, 1))) for k in range(n - 1)],
        "embedded": [(2 * n - 1, np.arange(n + 2, dtype=np.int32), 3)],
    }


def n_calls(function, *arguments):
    """How many functions of Python and of C it calls."""
    calls = []
    sys.setprofile(lambda frame, event, argument: calls.append("call" in event))
    try:
        assert function(*arguments)
    finally:
        sys.setprofile(None)
    return sum(calls)


def test_work_and_memory_are_in_proportion_to_the_columns():
    calls = []
    for n in (500, 2000):
        values, others = many(n), {"x_mean_": np.zeros(n)}
        calls.append(n_calls(is_encoding, values, others))
        tracemalloc.start()
        assert is_encoding(values, others)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1000 * n
    assert calls[1] < 5 * calls[0]


def test_a_file_of_many_levels_takes_no_more_memory_than_others(forge, tmp_path):
    """Some thirty times what the header has."""
    X, y = table()
    model = FFNNRegressor(2, max_iter=2, random_state=0).fit(X[["shop", "year"]], y)
    model.save(tmp_path / "a")

    def more(header):
        pair(header, "levels", 0)[1][:] = [f"{k:06d}" for k in range(40_000)]

    data = forge.changed(tmp_path / "a", header=more)
    (tmp_path / "b").write_bytes(data)
    tracemalloc.start()
    with pytest.raises(ValueError, match="_encoding"):
        FFNNRegressor.load(tmp_path / "b")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 2**20 + 40 * len(data)
