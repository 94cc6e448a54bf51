"""Whatever a file says: it is refused with ValueError, or it is a model that works."""

import copy
import io
import json
import random
import sys
import time
import tracemalloc
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
)
from skffnn.saving.mixin import FORMAT

# Bytes of memory for each byte of the file. The worst that JSON does is `{"":{}},`: its
# nine bytes become two dicts, of 232 and 64 bytes, 34 times the file. An array is in
# memory twice while it is read.
TIMES = 40
# What reading takes whatever the file: the chunks of the checksum, and modules.
CONSTANT = 4 * 2**20
# Many times what the slowest takes on a busy machine; a hang is a hang.
SECONDS = 20

# Files in the formats of earlier versions, which are brought up to date.
EARLIER = Path(__file__).parents[1] / "data"

N = 60
NETWORK = {
    "hidden_layer_sizes": 3, "max_iter": 6, "weight_decay": 0.1, "random_state": 0,
}  # fmt: skip
X = pd.DataFrame(np.random.default_rng(0).normal(size=(N, 3)), columns=["a", "b", "c"])
y = X["a"].to_numpy() + 0.1 * np.random.default_rng(1).normal(size=N)
TARGETS = {"outputs": np.c_[y, -y]}
# Gaps, and categories: few, many, and of numbers.
MIXED = X.assign(
    town=np.where(y > 0, "Aix", "Ulm"),
    shop=[f"{k % 20}" for k in range(N)],
    zone=pd.Categorical(np.arange(N) % 3 / 2),
)
MIXED.loc[::7, ["a", "town", "zone"]] = None


def seeds(interrupt):
    """One model of each kind, by name."""
    network = FFNNRegressor(**NETWORK)
    cut_short = FFNNRegressor(
        **{**NETWORK, "random_state": np.random.RandomState(1)}, early_stopping=True
    )
    with interrupt(4):
        cut_short.fit(X, y)
    outputs = FFNNRegressor(
        **NETWORK, solver="sgd", learning_rate_schedule="adaptive", dropout=0.1,
        standardize=False, loss="huber",
    )  # fmt: skip
    ensemble = FFNNEnsembleRegressor(
        network, 2, calibration_fraction=0.3, random_state=0
    )
    search = FFNNGridSearchCV(
        network, {"learning_rate": [0.01, 0.1], "clip_norm": [None, 1.0]}, cv=2
    )
    return {
        "network": network.fit(X, y),
        "interrupted": cut_short,
        "outputs": outputs.fit(X.to_numpy(), TARGETS["outputs"]),
        "mixed": FFNNRegressor(**NETWORK).fit(MIXED, y),
        "mixed ensemble": FFNNEnsembleRegressor(
            network, 2, bootstrap=True, random_state=0
        ).fit(MIXED[["a", "town", "shop"]], y),
        "unfitted": FFNNRegressor((4, 2), activation=["tanh", "relu"]),
        "ensemble": ensemble.fit(X, y),
        "bayesian": BayesianFFNNRegressor(
            2, random_state=0, n_restarts=2, max_iter=8
        ).fit(X, y),
        "search": search.fit(X, y),
    }


@pytest.fixture(scope="module")
def files(tmp_path_factory, interrupt):
    """Class, path and bytes of a good file of each kind."""
    folder, made = tmp_path_factory.mktemp("files"), {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = seeds(interrupt)
    for name, model in models.items():
        path = folder / f"{name}.npz"
        model.save(path)
        made[name] = type(model), path, path.read_bytes()
    for path in EARLIER.glob("*/interrupted.npz"):
        made[path.parent.name] = FFNNRegressor, path, path.read_bytes()
    return made


# Mutations of bytes -------------------------------------------------------------------


def flip(data, rng):
    for _ in range(rng.choice([1, 1, 2, 8])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def cut(data, rng):
    del data[rng.randrange(len(data)) :]


def drop(data, rng):
    start = rng.randrange(len(data))
    del data[start : start + rng.randrange(1, 200)]


def insert(data, rng):
    start = rng.randrange(len(data))
    data[start:start] = rng.randbytes(rng.randrange(1, 200))


def swap(data, rng):
    size = rng.randrange(1, 300)
    i, j = sorted(rng.randrange(len(data) - size) for _ in range(2))
    block = data[i : i + size]
    data[i : i + size] = data[j : j + size]
    data[j : j + size] = block


RAW = (flip, cut, drop, insert, swap)


def directory(data, rng):
    """Change the zip's own words: of its directory, its end, or a member's head."""
    places = []
    for mark in (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"):
        start = data.find(mark)
        while start >= 0:
            places.append(start)
            start = data.find(mark, start + 1)
    place = rng.choice(places) + rng.randrange(46)
    values = [0, 1, 8, 0x7F, 0xFE, 0xFF, rng.randrange(256)]
    for offset in range(rng.choice([1, 1, 2, 4, 8])):
        if place + offset < len(data):
            data[place + offset] = rng.choice(values)


# Mutations of what a file says --------------------------------------------------------

NUMBERS = [
    -1, 0, 1, 2, 3, 7, 600, 2**31, 2**32, 2**63, 2**64, -(2**63), 10**30, 10**400,
    0.5, -0.0, 1e-320, 1e-30, 1e30, 1e300, float("nan"), float("inf"), -float("inf"),
]  # fmt: skip
OTHERS = [
    None, True, False, "", "a", "theta_", "relu", "exp", "adam", "sgd", "lbfgs", "auto",
    "poisson", "float64", "FFNNRegressor", "_Notes", "\ud800", "\0", [], {}, [[]],
    [1, [2]], {"$tuple": []}, {"$tuple": [1, 2]}, {"$array": "theta_"}, {"$array": []},
    {"$array": "x_mean_"}, {"$strings": [[1], ["a"]]}, {"$strings": [[3], {"a": 1}]},
    {"$strings": [[-1], ["a", "b", "c"]]}, {"$masked": [[1.0], [False], "float64"]},
    {"$masked": [[1.0, 2.0, 3.0], [False, True, False], "float64"]},
    {"$masked": [[1], [[True, False], [True, False]], "object"]},
    {"$dict": [["a", 1]]}, {"$dict": [[[], 1]]}, {"$dict": 5}, {"$generator": {}},
    {"$random_state": {}}, {"$estimator": []}, {"$unknown": 1}, {"$": 1},
    {"$estimator": ["FFNNRegressor", {"parameters": {}, "fitted": {}}]},
]  # fmt: skip


def containers(value, path=()):
    """The ways down to all objects and lists of a header that are not empty."""
    if isinstance(value, dict | list) and value:
        yield path
        for name in value if isinstance(value, dict) else range(len(value)):
            yield from containers(value[name], (*path, name))


def place(header, rng):
    """The way down to something in a header; few things lie in the long lists."""
    path = rng.choice(list(containers(header)))
    inside = at(header, path)
    return *path, rng.choice(
        list(inside if isinstance(inside, dict) else range(len(inside)))
    )


def at(value, path):
    for name in path:
        value = value[name]
    return value


def mutate_header(header, rng):
    path = place(header, rng)
    parent, name = at(header, path[:-1]), path[-1]
    old = parent[name]
    kind = rng.choice(["value", "value", "drop", "add", "copy", "wrap", "rename"])
    if kind == "value":
        parent[name] = copy.deepcopy(rng.choice(NUMBERS + OTHERS))
    elif kind == "copy":
        parent[name] = copy.deepcopy(at(header, place(header, rng)))
    elif kind == "drop":
        del parent[name]
    elif kind == "wrap":
        tag = rng.choice(["$tuple", "$dict", "$array", "$masked", "$strings", "a"])
        parent[name] = rng.choice([[old], {tag: old}, {tag: [old]}, {tag: [old, old]}])
    elif isinstance(parent, dict):
        new = rng.choice(["a", "$tuple", "theta_", "run", "_state", name + "_"])
        parent[new] = parent.pop(name) if kind == "rename" else rng.choice(NUMBERS)
    else:
        parent.insert(name, copy.deepcopy(rng.choice([*NUMBERS, old, *OTHERS])))


def mutate_array(array, rng):
    kind = rng.choice(["shape", "dtype", "value", "value", "value", "length"])
    if kind == "dtype":
        dtypes = ["f2", "f4", "f8", "g", "i1", "i8", "u8", "?", ">f8", "c16", "O", "S3"]
        with np.errstate(all="ignore"):
            return array.astype(rng.choice(dtypes))
    if kind == "shape":
        shapes = [array.T, array[np.newaxis], array[..., np.newaxis], array.ravel()]
        return rng.choice([*shapes, array.reshape(-1, order="F"), array.sum()])
    if kind == "length":
        flat = array.ravel()
        return rng.choice([flat[:-1], flat[:0], np.append(flat, flat[-1:]), flat[1:]])
    array = array.copy()
    if array.size:
        with np.errstate(all="ignore"):
            value = np.array(rng.choice(NUMBERS[:7] + NUMBERS[14:]))
            if rng.random() < 0.2:
                array[...] = value.astype(array.dtype)
            else:
                array.flat[rng.randrange(array.size)] = value.astype(array.dtype)
    return array


def mutate_description(part, rng):
    """Change some characters of what an entry says of its array."""
    head, content = bytearray(part[:128]), part[128:]
    for _ in range(rng.choice([1, 2, 3])):
        head[rng.randrange(len(head))] = rng.choice(b"0123456789,()-{}'<>fiubO|: TrueL")
    return bytes(head) + content


def mutate_parts(parts, forge, rng):
    i = rng.randrange(len(parts))
    name, content = parts[i]
    kind = rng.choice(["header", "array", "header", "array", "members", "description"])
    arrays = [k for k, (name, _) in enumerate(parts) if name.endswith(".npy")]
    if kind == "header" or not arrays:
        header = json.loads(dict(parts)["header.json"])
        for _ in range(rng.choice([1, 1, 1, 2, 4])):
            mutate_header(header, rng)
        text = json.dumps(header).encode()
        parts[:] = [(n, text if n == "header.json" else c) for n, c in parts]
    elif kind == "members":
        other = rng.choice(
            ["", "a.npy", "../a.npy", "header.json", name[:-4] + "/.npy"]
        )
        changes = {
            "drop": lambda: parts.pop(i),
            "twice": lambda: parts.append(parts[i]),
            "order": lambda: rng.shuffle(parts),
            "name": lambda: parts.__setitem__(i, (other, content)),
            "another": lambda: parts.append((other, content)),
            "swap": lambda: parts.__setitem__(i, (name, rng.choice(parts)[1])),
        }
        changes[rng.choice(list(changes))]()
    else:
        i = rng.choice(arrays)
        name, content = parts[i]
        if kind == "description":
            parts[i] = name, mutate_description(content, rng)
        else:
            array = np.load(io.BytesIO(content))
            parts[i] = name, forge.npy(mutate_array(array, rng))


def mutated(path, data, forge, rng):
    """The bytes of a file that is not what was written."""
    kind = rng.choice(["raw", "signed", "zip", "zip", *["parts"] * 6])
    if kind == "parts":
        parts = forge.parts(path)
        # What has been changed before may leave nothing to change.
        with suppress(Exception):
            for _ in range(rng.choice([1, 1, 1, 2])):
                mutate_parts(parts, forge, rng)
        return forge.packed(parts)
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2])):
        change = directory if kind == "zip" else rng.choice(RAW)
        if len(data) > 400:
            change(data, rng)
    return bytes(data) if kind == "raw" else forge.signed(data)


# What must hold -----------------------------------------------------------------------


def loaded(cls, path):
    """The model, None if it is refused; in the memory and time that its size allows."""
    size, started = path.stat().st_size, time.perf_counter()
    tracemalloc.start()
    try:
        return cls.load(path)
    except (ValueError, OSError):
        return None
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < TIMES * size + CONSTANT
        assert time.perf_counter() - started < SECONDS


def extreme(model):
    """Whether its numbers are such that predictions may overflow."""
    parts = [model, *getattr(model, "estimators_", ())]
    parts.append(getattr(model, "best_estimator_", model))
    arrays = [
        np.abs(value[value != 0])
        for part in parts
        for value in vars(part).values()
        if isinstance(value, np.ndarray) and value.dtype.kind == "f"
    ]
    factors = [np.abs(f[f != 0]) for f in getattr(model, "_factors", ())]
    tables = [
        np.abs(table[table != 0])
        for part in parts
        for entry in ("gaps", "one_hot")
        for _, table in (getattr(part, "_encoding", None) or {}).get(entry, ())
    ]
    numbers = np.concatenate([a.ravel() for a in [*arrays, *factors, *tables]])
    return numbers.max(initial=1) > 1e25 or numbers.min(initial=1) < 1e-25


def check_works(model, name):
    """It predicts and goes on, or says why not, with an error that is documented."""
    rows = X if len(getattr(model, "feature_names_in_", ())) == 3 else X.to_numpy()
    if "mixed" in name:
        rows = MIXED if name == "mixed" else MIXED[["a", "town", "shop"]]
    try:
        finite = np.isfinite(model.predict(rows)).all()
    except ValueError:  # NotFittedError among them
        return
    except AttributeError:  # a search without refit has no such method
        assert not hasattr(model, "predict")
        return
    assert finite or extreme(model)
    if isinstance(model, FFNNRegressor):
        check_goes_on(model, rows, TARGETS.get(name, y))
    elif isinstance(model, FFNNEnsembleRegressor | BayesianFFNNRegressor):
        with suppress(ValueError):
            model.predict(rows, return_std=True)
            model.predict_interval(rows, 0.5)


def check_goes_on(model, rows, Y):
    with suppress(ValueError, FloatingPointError):
        copy.deepcopy(model).fit(rows, Y, resume=True)
    if hasattr(model, "partial_fit"):
        with suppress(ValueError, FloatingPointError):
            model.partial_fit(rows, Y)


def check(cls, path, name, note):
    """Load it, and try what it is good for; whether it was taken for good."""
    try:
        model = loaded(cls, path)
        if model is not None:
            check_works(model, name)
        return model is not None
    except Exception as error:
        error.add_note(f"{note}, made of {name!r}")
        raise


def fuzz(files, forge, path, seed, n):
    """Load n mutated files; how many of them were taken for good."""
    names, n_loaded = list(files), 0
    for i in range(n):
        rng, name = random.Random(f"{seed} {i}"), names[i % len(names)]
        cls, good, data = files[name]
        with np.errstate(all="ignore"):
            path.write_bytes(mutated(good, data, forge, rng))
        n_loaded += check(cls, path, name, f"file {i} of seed {seed}")
    return n_loaded


@pytest.mark.filterwarnings("ignore")
def test_a_good_file_of_each_kind_is_loaded_and_works(files):
    for name, (cls, path, _) in files.items():
        model = loaded(cls, path)
        assert model is not None
        check_works(model, name)


@pytest.mark.filterwarnings("ignore")
def test_a_mutated_file_is_refused_or_makes_a_model_that_works(files, forge, tmp_path):
    n_loaded = fuzz(files, forge, tmp_path / "model.npz", seed=0, n=300)
    assert 0 < n_loaded < 200  # of both there are some


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(1, 5))
def test_ten_thousand_mutated_files_are_refused_or_work(
    files, forge, tmp_path, record_property, seed
):
    n = 3000
    fuzz(files, forge, tmp_path / "model.npz", seed=seed, n=n)
    record_property("files", n)


# What is small for the work, or the memory, that it asks for --------------------------

# Hashes are numbers modulo this one.
PRIME = 2**61 - 1
BOMBS = {
    "names of one hash": lambda i: f"[{i * PRIME}, 0]",
    "names that look for a place": lambda i: f"[{i << 40 | 5}, 0]",
    "tuples of one hash": lambda i: f'[{{"$tuple": [{i * PRIME}]}}, 0]',
    "masked arrays": lambda i: '{"$masked":[[],[],"bool"]}',
    "strings": lambda i: '{"$strings":[[0],[]]}',
    "dicts": lambda i: '{"$dict":[[0,0]]}',
    "objects": lambda i: '{"":{}}',
    "lists": lambda i: "[[]]",
    "generators": lambda i: (
        f'{{"$generator":{{"bit_generator":"PCG64","state":{{"state":{i},"inc":1}},'
        '"has_uint32":0,"uinteger":0}}'
    ),
    "estimators": lambda i: (
        '{"$estimator":["FFNNRegressor",{"parameters":{},"fitted":{}}]}'
    ),
}
WRAPPED = {
    "a list": ("[", "]"),
    "a dict": ('{"$dict":[', "]}"),
    "a tuple": ('{"$tuple":[', "]}"),
}


def bomb(forge, name, wrapped, size):
    """The bytes of a file with a parameter of that many bytes."""
    n = size // len(BOMBS[name](99))
    content = ",".join(BOMBS[name](i) for i in range(n)).join(WRAPPED[wrapped])
    values = f'{{"parameters": {{"loss": {content}}}, "fitted": {{}}}}'
    model = f'{{"$estimator": ["FFNNRegressor", {values}]}}'
    header = f'{{"format": {FORMAT}, "versions": {{}}, "model": {model}}}'
    return forge.packed([("header.json", header.encode())])


def n_calls(path):
    """How many functions of Python and of C are called while a file is loaded."""
    calls = []
    sys.setprofile(lambda frame, event, arg: calls.append("call" in event))
    try:
        with suppress(ValueError):
            FFNNRegressor.load(path)
    finally:
        sys.setprofile(None)
    return sum(calls)


@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("name", BOMBS)
def test_memory_and_work_are_in_proportion_to_the_size(tmp_path, forge, name, wrapped):
    path, calls = tmp_path / "model.npz", []
    for size in (10_000, 40_000):
        path.write_bytes(bomb(forge, name, wrapped, size))
        calls.append(n_calls(path))
    assert calls[1] < 5 * calls[0] + 1000
    size = path.write_bytes(bomb(forge, name, wrapped, 100_000))
    tracemalloc.start()
    with suppress(ValueError):
        FFNNRegressor.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < TIMES * size


def every_place(header):
    """The way to each word of a header; of the long lists, to the first."""
    for path in containers(header):
        inside = at(header, path)
        for name in inside if isinstance(inside, dict) else range(len(inside)):
            if "history_" not in path or path[-1] == "history_" or name == 0:
                yield *path, name


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", ["interrupted", "outputs", "bayesian", "mixed", "format-1"]
)
def test_every_word_of_a_header_in_the_place_of_every_other(
    files, forge, tmp_path, record_property, name
):
    (cls, good, _), path, n = files[name], tmp_path / "model.npz", 0
    parts = dict(forge.parts(good))
    header = json.loads(parts["header.json"])
    for place in every_place(header):
        for value in [*NUMBERS, *OTHERS]:
            other = copy.deepcopy(header)
            at(other, place[:-1])[place[-1]] = copy.deepcopy(value)
            content = {**parts, "header.json": json.dumps(other).encode()}
            path.write_bytes(forge.packed(content.items()))
            check(cls, path, name, f"{value!r} at {place}")
            n += 1
    record_property("files", n)
