"""`save` and `load`: the same estimator, which goes on as if nothing had been."""

import copy
import io
import json
import os
import pickle
import tracemalloc
import warnings
import zipfile

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import make_scorer, mean_squared_error
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skffnn
from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
    ModelCheckpoint,
)
from skffnn.saving.mixin import FORMAT

N = 60
X = np.random.default_rng(0).normal(size=(N, 3))
y = X[:, 0] + 0.1 * np.random.default_rng(1).normal(size=N)
Y = np.c_[y, -2 * y]
NAMED = pd.DataFrame(X, columns=["a", "b b", "ç.$a"])
# Gaps, and categories of each kind: few, many, and of numbers.
MIXED = NAMED.assign(
    town=np.where(X[:, 1] > 0, "Köln", "\0 $tuple"),
    shop=[f"no. {k % 20}" for k in range(N)],
    zone=pd.Categorical(np.arange(N) % 3 / 2),
)
MIXED.loc[::7, ["a", "town", "shop", "zone"]] = None


def network(**parameters):
    defaults = {
        "hidden_layer_sizes": 4, "max_iter": 8, "random_state": 0, "weight_decay": 0.1,
    }  # fmt: skip
    return FFNNRegressor(**{**defaults, **parameters})


def fitted(model, X=X, y=y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X, y, **options)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


@pytest.fixture
def again(path):
    """A model after it has been saved and loaded."""

    def through_a_file(model):
        model.save(path)
        return type(model).load(path)

    return through_a_file


# Round trips --------------------------------------------------------------------------


class Own(FFNNRegressor):
    """Somebody's own, with a parameter more."""

    def __init__(self, hidden_layer_sizes=(5,), *, more=None, max_iter=8):
        super().__init__(hidden_layer_sizes, max_iter=max_iter, random_state=0)
        self.more = more


UNFITTED = {
    "defaults": FFNNRegressor(),
    "a list": FFNNRegressor([3, 2], activation=["tanh", "relu"]),
    "a tuple of tuples": Own(more=(1, (2, [3, (4,)]), {"a": (5,)})),
    "an array": FFNNRegressor(np.array([3, 2])),
    "arrays": Own(
        more=[
            np.arange(3),
            np.zeros((0, 2), np.float32),
            np.array(2.5),
            np.array(["a", "b"], object),
        ]
    ),
    "numbers of NumPy": FFNNRegressor(
        np.int64(3),
        learning_rate=np.float32(0.1),
        tol=np.float64(0.0),
        shuffle=np.bool_(False),
        loss=np.str_("huber"),
    ),
    "large numbers": Own(more=[10**400, -(2**64), 5e-324, 1.7976931348623157e308]),
    "numbers that are none": Own(
        more=[float("inf"), -float("inf"), float("nan"), -0.0]
    ),
    "a RandomState": FFNNRegressor(random_state=np.random.RandomState(3)),
    "a Generator": Own(more=np.random.default_rng(3)),
    "odd names": Own(more={"$tuple": 1, "a.b": 2, 3: 4, None: 5, (6, 7): 8, "": 9}),
    "arrays of one name": Own(
        more={"a.b": np.ones(2), "a": {"b": np.zeros(3)}, "\0": np.ones(1), "": Y}
    ),
    "odd strings": Own(more=["\0", "\ud800", "é", "\n", "$array", "'"]),
    "an estimator": Own(more=FFNNRegressor(3)),
    "an ensemble": FFNNEnsembleRegressor(FFNNRegressor(2), n_jobs=2),
    "bayesian": BayesianFFNNRegressor("auto", activation="elu"),
    "a search": FFNNGridSearchCV(
        FFNNRegressor(),
        [{"learning_rate": [0.1, np.float64(1)]}, {"loss": ("huber",)}],
        scoring={"R²": "r2", "e": "neg_mean_squared_error"},
        refit="e",
        cv=[(np.arange(5), np.arange(5, 9))],
        error_score="raise",
    ),
}


@pytest.mark.parametrize("model", UNFITTED.values(), ids=UNFITTED)
def test_an_unfitted_estimator_comes_back(again, equal, model):
    loaded = again(model)
    assert equal(vars(loaded), vars(model))
    assert type(loaded) is type(model)
    with pytest.raises(NotFittedError):
        loaded.predict(X)


def test_a_random_state_goes_on_where_it_was(again):
    for state in (np.random.RandomState(3), np.random.default_rng(3)):
        state.normal(size=7)  # an odd number leaves one to come
        loaded = again(Own(more=state)).more
        np.testing.assert_array_equal(loaded.normal(size=9), state.normal(size=9))


FITS = {
    "plain": (network(), {}),
    "names": (network(), {"X": NAMED}),
    "no layers": (network(hidden_layer_sizes=()), {}),
    "several outputs": (network(), {"y": Y}),
    "one output as a column": (network(), {"y": y[:, np.newaxis]}),
    "float32": (network(), {"X": X.astype(np.float32)}),
    "gradient descent": (network(solver="sgd"), {}),
    "lbfgs": (network(solver="lbfgs"), {}),
    "early stopping": (network(early_stopping=True), {}),
    "validation rows": (network(validation_fraction=0.2), {}),
    "validation rows of one's own": (network(), {"X_val": X[:9], "y_val": y[:9]}),
    "an adaptive rate": (
        network(learning_rate_schedule="adaptive", n_iter_no_change=1, tol=0.5),
        {},
    ),
    "a constant rate": (network(learning_rate_schedule="constant"), {}),
    "dropout": (network(dropout=0.3), {}),
    "a chosen weight decay": (network(weight_decay="auto", max_iter=20), {}),
    "huber, as it is": (network(loss="huber", standardize=False), {"y": Y}),
    "poisson": (network(loss="poisson"), {"y": np.abs(Y) * [1, 0]}),
    "quantile": (network(loss="quantile", quantile=np.float32(0.3)), {}),
    "another output": (network(output_activation="tanh"), {"y": np.tanh(y)}),
    "rows that do not count": (network(), {"sample_weight": np.arange(N) % 2}),
    "a constant target": (network(), {"y": np.zeros(N)}),
    "heavy tails": (network(), {"X": np.c_[X, X[:, 0] ** 31]}),
    "huge numbers": (
        network(standardize=False),
        {"X": X.astype(np.float32), "y": 1e20 * y},
    ),
    "somebody's own": (Own(more=np.arange(3)), {"X": NAMED}),
    "categories and gaps": (network(), {"X": MIXED}),
    "categories alone": (network(), {"X": MIXED[["shop", "town"]]}),
    "gaps alone": (network(), {"X": MIXED.iloc[:, :3]}),
    "an array with categories": (
        network(categorical_features=[1]),
        {"X": np.c_[X[:, 0], np.arange(N) % 4]},
    ),
    "an ensemble": (FFNNEnsembleRegressor(network(), 2, random_state=0), {"X": NAMED}),
    "an ensemble with categories": (
        FFNNEnsembleRegressor(network(), 3, bootstrap=True, random_state=0),
        {"X": MIXED},
    ),
    "a calibrated ensemble": (
        FFNNEnsembleRegressor(
            network(), 3, bootstrap=True, calibration_fraction=0.3, random_state=0
        ),
        {"y": Y},
    ),
    "bayesian": (
        BayesianFFNNRegressor(3, n_restarts=2, max_iter=6, random_state=0),
        {"X": NAMED},
    ),
    "bayesian, with categories": (
        BayesianFFNNRegressor(2, n_restarts=2, max_iter=6, random_state=0),
        {"X": MIXED},
    ),
    "bayesian, of a chosen size": (
        BayesianFFNNRegressor("auto", n_restarts=1, max_iter=4, random_state=0),
        {},
    ),
    "bayesian, linear": (BayesianFFNNRegressor((), ard=False, random_state=0), {}),
    "a search": (
        FFNNGridSearchCV(network(), {"learning_rate": [0.1, 0.01]}, cv=2),
        {"X": NAMED},
    ),
    "a search with categories": (
        FFNNGridSearchCV(network(), {"learning_rate": [0.1, 0.01]}, cv=2),
        {"X": MIXED},
    ),
    "a search without a best": (
        FFNNGridSearchCV(network(), {"learning_rate": [0.1]}, cv=2, refit=False),
        {},
    ),
    "a search of many kinds": (
        FFNNGridSearchCV(
            network(),
            [
                {"hidden_layer_sizes": [(), (3, 2), [4]], "clip_norm": [None, 1.0]},
                {"activation": ["tanh", ["relu"]], "shuffle": [False]},
            ],
            cv=2,
            scoring=("r2", "neg_mean_squared_error"),
            refit="r2",
            return_train_score=True,
        ),
        {},
    ),
    "a search over arrays": (
        FFNNGridSearchCV(
            network(),
            {"hidden_layer_sizes": [np.array([3, 2]), np.array([2, 2])]},
            cv=2,
        ),
        {},
    ),
    "a search over random states": (
        FFNNGridSearchCV(network(), {"random_state": [np.random.RandomState(1)]}, cv=2),
        {},
    ),
    "a search over networks": (
        FFNNGridSearchCV(
            FFNNEnsembleRegressor(n_estimators=2, random_state=0),
            {"estimator": [network(), network(solver="sgd")]},
            cv=2,
        ),
        {},
    ),
    "a search of a bayesian one": (
        FFNNGridSearchCV(
            BayesianFFNNRegressor(2, max_iter=4, n_restarts=1, random_state=0),
            {"ard": [True, False]},
            cv=2,
        ),
        {},
    ),
}


@pytest.fixture(scope="module")
def fits():
    """Each of them, fitted once."""
    return {
        name: fitted(clone(model), **{"X": X, "y": y, **options})
        for name, (model, options) in FITS.items()
    }


def rows_of(name):
    return FITS[name][1].get("X", X)


@pytest.mark.parametrize("name", FITS)
def test_a_fitted_estimator_comes_back(again, equal, fits, name):
    model, rows = fits[name], rows_of(name)
    loaded = again(model)
    lost = {"_metadata_request", "_checked_cv_orig", "_seconds"}
    assert vars(loaded).keys() == vars(model).keys() - lost
    assert equal(loaded, model)
    if not hasattr(model, "predict"):
        return
    np.testing.assert_array_equal(loaded.predict(rows), model.predict(rows))
    if isinstance(model, FFNNEnsembleRegressor | BayesianFFNNRegressor):
        for a, b in zip(
            loaded.predict_interval(rows, 0.6),
            model.predict_interval(rows, 0.6),
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)
    if isinstance(model, FFNNGridSearchCV):
        target = FITS[name][1].get("y", y)
        assert loaded.score(rows, target) == model.score(rows, target)


@pytest.mark.parametrize("name", FITS)
def test_saving_twice_gives_the_same_bytes(path, fits, name):
    model = fits[name]
    model.save(path)
    first = path.read_bytes()
    model.save(path)
    assert path.read_bytes() == first
    type(model).load(path).save(path)
    assert path.read_bytes() == first


# joblib knows no masked arrays, and those are what searches are full of.
HASHED = [name for name, (model, _) in FITS.items() if not hasattr(model, "cv")]


@pytest.mark.parametrize("name", FITS)
def test_equal_fits_are_equal_to_the_last_byte(path, fits, name):
    model, options = FITS[name]
    other = fitted(clone(model), **{"X": X, "y": y, **options})
    assert pickle.dumps(other) == pickle.dumps(fits[name])
    written = []
    for each in (other, fits[name]):
        each.save(path)
        written.append(path.read_bytes())
    assert written[0] == written[1]


@pytest.mark.parametrize("name", HASHED)
def test_equal_fits_have_one_hash_wherever_they_have_been(again, fits, name):
    model, options = FITS[name]
    other = fitted(clone(model), **{"X": X, "y": y, **options})
    hashed = joblib.hash(fits[name])
    assert joblib.hash(other) == hashed
    assert joblib.hash(pickle.loads(pickle.dumps(other))) == hashed
    assert joblib.hash(copy.deepcopy(other)) == hashed
    if name != "quantile":  # a number of NumPy becomes one of Python
        assert joblib.hash(again(other)) == hashed


def test_a_function_of_an_equal_fit_is_not_computed_again(tmp_path):
    calls = []

    def predictions(model):
        calls.append(1)
        return model.predict(X)

    cached = joblib.Memory(tmp_path, verbose=0).cache(predictions)
    for _ in range(2):
        cached(fitted(network()))
    assert len(calls) == 1


def test_what_was_interrupted_and_resumed_equals_what_was_not(interrupt):
    whole, model = fitted(network()), network()
    with interrupt(3):
        fitted(model)
    assert joblib.hash(fitted(model, resume=True)) == joblib.hash(whole)


def test_times_of_a_search_are_known_in_memory_alone(again, fits):
    search = fits["a search"]
    for other in (again(search), pickle.loads(pickle.dumps(search))):
        assert other.cv_results_.keys() == search.cv_results_.keys()
        times = [name for name in search.cv_results_ if name.endswith("_time")]
        assert len(times) == 4
        for name in times:
            assert np.isfinite(search.cv_results_[name]).all()
            assert np.isnan(other.cv_results_[name]).all()
        assert search.refit_time_ > 0
        assert np.isnan(other.refit_time_)


@pytest.mark.parametrize("name", FITS)
def test_it_is_a_file_of_arrays_without_objects(path, fits, name):
    fits[name].save(path)
    with np.load(path, allow_pickle=False) as arrays:
        names = [name for name in arrays if name != "header.json"]
        assert all(arrays[name].dtype.kind in "biuf" for name in names)
    with zipfile.ZipFile(path) as archive:
        header = json.loads(archive.read("header.json"))
    assert header["format"] == FORMAT
    assert header["versions"].keys() == {
        "skffnn",
        "python",
        "numpy",
        "scipy",
        "sklearn",
    }


@pytest.mark.parametrize("name", FITS)
def test_a_loaded_estimator_shares_nothing_and_can_be_written_to(again, fits, name):
    loaded = again(fits[name])
    arrays = [value for value in vars(loaded).values() if isinstance(value, np.ndarray)]
    assert all(array.flags.writeable for array in arrays)
    assert not any(
        np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i]
    )


def test_it_shows_what_made_it(path):
    network().save(path)
    with zipfile.ZipFile(path) as archive:
        versions = json.loads(archive.read("header.json"))["versions"]
    assert versions["skffnn"] == skffnn.__version__
    assert versions["numpy"] == np.__version__


# It goes on as if nothing had been ----------------------------------------------------


def assert_same_end(a, b, equal):
    assert equal(a, b)


LEARNERS = [
    name
    for name, (model, options) in FITS.items()
    if isinstance(model, FFNNRegressor)
    and hasattr(model, "partial_fit")
    and "X_val" not in options
    and name not in ("huge numbers", "somebody's own")
]


@pytest.mark.parametrize("name", LEARNERS)
def test_partial_fit_goes_on(again, equal, fits, name):
    model = fits[name]
    rows, target = rows_of(name), FITS[name][1].get("y", y)
    loaded, kept = again(model), pickle.loads(pickle.dumps(model))
    for _ in range(3):
        assert_same_end(
            loaded.partial_fit(rows, target), kept.partial_fit(rows, target), equal
        )
        loaded = again(loaded)


def test_partial_fit_goes_on_with_another_solver(again, equal):
    model = network().partial_fit(X, y).set_params(solver="sgd").partial_fit(X, y)
    loaded = again(model)
    assert {"adam", "sgd"} == loaded._state["memory"].keys()
    for solver in ("adam", "sgd"):
        a = model.set_params(solver=solver).partial_fit(X, y)
        b = loaded.set_params(solver=solver).partial_fit(X, y)
        assert_same_end(a, b, equal)


@pytest.mark.parametrize("name", [*LEARNERS, "lbfgs", "early stopping"])
def test_a_warm_start_goes_on(again, equal, fits, name):
    model = pickle.loads(pickle.dumps(fits[name])).set_params(warm_start=True)
    loaded, rows = again(model), rows_of(name)
    target = FITS[name][1].get("y", y)
    assert_same_end(fitted(model, rows, target), fitted(loaded, rows, target), equal)


def test_a_warm_start_with_another_loss_comes_back(again, equal):
    model = fitted(network(warm_start=True))
    for loss in ("absolute_error", "huber", "quantile"):
        fitted(model.set_params(loss=loss))
        loaded = again(model)
        assert equal(loaded, model)
        assert_same_end(
            fitted(loaded), fitted(pickle.loads(pickle.dumps(model))), equal
        )


@pytest.mark.parametrize("n", [1, 5])
@pytest.mark.parametrize(
    "parameters",
    [
        {}, {"solver": "sgd"}, {"early_stopping": True}, {"dropout": 0.3},
        {"learning_rate_schedule": "adaptive", "n_iter_no_change": 1, "tol": 0.5},
        {"weight_decay": "auto", "max_iter": 20},
        {"random_state": np.random.RandomState(3)},
        {"loss": "huber", "standardize": False},
    ],
)  # fmt: skip
def test_an_interrupted_fit_ends_as_if_nothing_had_been(
    again, equal, interrupt, parameters, n
):
    expected = fitted(clone(network(**parameters)))
    model = clone(network(**parameters))
    with interrupt(n):
        fitted(model)
    loaded = again(model)
    assert equal(loaded, model)
    assert loaded.n_iter_ == n
    assert np.isfinite(loaded.predict(X)).all()
    assert_same_end(fitted(loaded, resume=True), expected, equal)


def test_a_warm_start_that_was_interrupted_is_resumed(again, equal, interrupt):
    model = fitted(network(warm_start=True, validation_fraction=0.2))
    expected = fitted(pickle.loads(pickle.dumps(model)))
    with interrupt(3):
        fitted(model)
    loaded = again(again(model))
    assert loaded.n_iter_ == 11
    assert_same_end(fitted(loaded, resume=True), expected, equal)


def test_a_run_that_diverged_comes_back(again, equal, table):
    model = FFNNRegressor(
        10, solver="sgd", learning_rate=0.5, momentum=0.9, weight_decay=0.0,
        clip_norm=None, max_iter=500, learning_rate_schedule="constant",
        random_state=0, warm_start=True,
    )  # fmt: skip
    with pytest.warns(match="diverged"):
        model.fit(*table)
    loaded = again(model)
    assert equal(loaded, model)
    for each in (model, loaded):
        fitted(each.set_params(learning_rate=1e-3, max_iter=5), *table)
    assert_same_end(loaded, model, equal)


def test_an_ensemble_and_a_search_are_fitted_anew(again, equal, fits):
    for name in ("a calibrated ensemble", "bayesian"):
        rows, target = rows_of(name), FITS[name][1].get("y", y)
        loaded = fitted(again(fits[name]), rows, target)
        np.testing.assert_array_equal(loaded.predict(rows), fits[name].predict(rows))
    loaded = fitted(again(fits["a search"]), NAMED)
    assert loaded.best_params_ == fits["a search"].best_params_


# Whose file it is ---------------------------------------------------------------------


@pytest.mark.parametrize("cls", [FFNNEnsembleRegressor, BayesianFFNNRegressor, Own])
def test_another_class_says_which(path, cls):
    fitted(network()).save(path)
    with pytest.raises(
        ValueError, match=r"it holds a FFNNRegressor.*FFNNRegressor\.load"
    ):
        cls.load(path)


def test_somebodys_own_class_is_known_to_itself_only(path):
    Own().save(path)
    for cls in (FFNNRegressor, FFNNEnsembleRegressor):
        with pytest.raises(ValueError, match="'Own', which skffnn does not know"):
            cls.load(path)


def test_what_stands_in_for_a_network_is_no_class_of_a_file(path, forge):
    FFNNRegressor().save(path)

    def rename(header):
        header["model"]["$estimator"][0] = "_Notes"

    refused(path, forge.changed(path, header=rename), "'_Notes', which skffnn does not")


def test_the_path_is_in_the_message(path):
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"Cannot load .*model\.npz'"):
        FFNNRegressor.load(str(path))
    with pytest.raises(FileNotFoundError):
        FFNNRegressor.load(path.with_name("none"))


@pytest.mark.parametrize(
    "cls", [FFNNRegressor, FFNNGridSearchCV, BayesianFFNNRegressor]
)
@pytest.mark.parametrize("wrong", [3, True, None, 1.5, ["a"], io.BytesIO(), network()])
def test_what_is_no_path_is_an_error(cls, wrong):
    """A number would be taken for a file that is open."""
    model = cls(network(), {}) if cls is FFNNGridSearchCV else cls()
    for action in (cls.load, model.save, ModelCheckpoint):
        with pytest.raises(TypeError, match=r"path must be .* got an object of type"):
            action(wrong)


def test_a_name_that_no_file_can_have_is_an_error():
    for action in (FFNNRegressor.load, network().save, ModelCheckpoint):
        for name in ("a\0b", b"a\0"):
            with pytest.raises(ValueError, match="path must be the name of a file"):
                action(name)


def test_a_path_of_bytes(tmp_path):
    path = os.fsencode(tmp_path / "a")
    network().save(path)
    assert FFNNRegressor.load(path).max_iter == 8


# What cannot be saved -----------------------------------------------------------------


class Text(str):
    """A string of somebody's own."""


NOT_PLAIN = {
    "scoring": (
        FFNNGridSearchCV(network(), {}, scoring=make_scorer(mean_squared_error)),
        "parameters.scoring .*_Scorer",
    ),
    "a function": (
        FFNNGridSearchCV(network(), {}, refit=lambda results: 0),
        "parameters.refit .*function",
    ),
    "folds": (FFNNGridSearchCV(network(), {}, cv=KFold(3)), "parameters.cv .*KFold"),
    "a generator of folds": (
        FFNNGridSearchCV(network(), {}, cv=iter([])),
        "parameters.cv .*iterator",
    ),
    "another estimator": (
        FFNNGridSearchCV(Ridge(), {"alpha": [1]}),
        "parameters.estimator .*Ridge",
    ),
    "a pipeline": (
        FFNNGridSearchCV(make_pipeline(StandardScaler(), network()), {}),
        "parameters.estimator .*Pipeline",
    ),
    "deep inside": (
        FFNNGridSearchCV(network(), [{"loss": ["huber", {"a": (1, print)}]}]),
        "parameters.param_grid.0.loss.1.a.1 .*builtin_function",
    ),
    "a set": (Own(more={1, 2}), "parameters.more .*set"),
    "bytes": (Own(more=b"a"), "parameters.more .*bytes"),
    "a complex number": (Own(more=[1j]), "parameters.more.0 .*complex"),
    "complex numbers": (Own(more=np.array([1j])), "parameters.more .*ndarray"),
    "dates": (Own(more=np.array(["2020-01-01"], "M8[D]")), "parameters.more .*ndarray"),
    "objects": (Own(more=np.array([None, 1])), "parameters.more .*ndarray"),
    "another generator": (
        Own(more=np.random.Generator(np.random.PCG64DXSM(0))),
        "parameters.more .*Gener",
    ),
    "an estimator of somebody's own": (
        FFNNGridSearchCV(Own(), {}),
        "parameters.estimator .*Own",
    ),
}


@pytest.mark.parametrize(("model", "message"), NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_what_only_pickle_can_keep_is_named(path, model, message):
    path.write_bytes(b"what was there")
    with pytest.raises(ValueError, match=message + ".*skops.io.dump or joblib.dump"):
        model.save(path)
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == b"what was there"


def test_strings_of_ones_own_become_strings(again):
    assert again(Own(more=Text("a"))).more == "a"


# What a file says is held against itself ----------------------------------------------


def refused(path, data, message, cls=FFNNRegressor):
    path.write_bytes(data)
    with pytest.raises(ValueError, match=message):
        cls.load(path)


@pytest.fixture
def cut_short(path, interrupt):
    """The file of a fit with most that there can be, interrupted."""
    model = network(early_stopping=True, random_state=np.random.RandomState(0))
    with interrupt(3):
        fitted(model, NAMED)
    model.save(path)
    return path


def inside(header):
    """Name, parameters and fitted attributes."""
    _, values = header["model"]["$estimator"]
    return values["parameters"], values["fitted"]


def test_a_forged_file_is_loaded_if_it_is_good(cut_short, forge):
    """Or what follows would show nothing."""
    data = forge.changed(cut_short, header=lambda header: None)
    cut_short.write_bytes(data)
    assert FFNNRegressor.load(cut_short).n_iter_ == 3


@pytest.mark.parametrize("number", [FORMAT + 1, FORMAT + 2, 10**6])
def test_a_newer_format_says_what_it_needs(path, forge, number):
    network().save(path)

    def change(header):
        header["format"], header["versions"]["skffnn"] = number, "7.1"

    message = f"skffnn 7.1 has written it in format {number}; .*upgrade skffnn"
    refused(path, forge.changed(path, header=change), message)
    refused(
        path,
        forge.changed(path, header=lambda h: h.update(format=number, versions=None)),
        "skffnn None has written it",
    )


@pytest.mark.parametrize("number", [0, -1, "1", None, 1.0, [], {}])
def test_a_format_is_a_number(path, forge, number):
    network().save(path)
    data = forge.changed(path, header=lambda header: header.update(format=number))
    refused(path, data, "its format is")


@pytest.mark.parametrize(
    ("names", "change"),
    [
        (name, change)
        for name in (
            "theta_",
            "x_mean_",
            "x_scale_",
            "y_mean_",
            "y_scale_",
            "_state.memory.adam.m",
            "_state.run.theta",
            "_state.run.best_theta",
        )
        for change in ("longer", "deeper", "int", "float32", "float128", "NaN", "gone")
    ]
    + [
        ("_state.memory.adam.v", "longer"),
        ("x_limit_", "deeper"),
        ("x_limit_", "float32"),
    ],
)
def test_arrays_are_of_the_shape_and_dtype_that_the_network_needs(
    cut_short, forge, names, change
):
    array = np.load(cut_short)[names]
    if change == "NaN" and ".adam." in names:
        return  # they may have overflowed
    other = {
        "longer": lambda: np.resize(array, array.size + 1),
        "deeper": lambda: array[np.newaxis],
        "int": lambda: array.astype(np.int64),
        "float32": lambda: array.astype(np.float32),
        "float128": lambda: array.astype(np.longdouble),
        "NaN": lambda: np.where(np.arange(len(array)) == 0, np.nan, array),
        "gone": lambda: None,
    }[change]()  # fmt: skip
    if change == "float128" and other.dtype == np.float64:
        pytest.skip("a long double is a double here")
    refused(cut_short, forge.changed(cut_short, **{names: other}), "Cannot load")


@pytest.mark.parametrize("limit", [0.0, -4.0, np.nan])
def test_limits_of_columns_are_positive(cut_short, forge, limit):
    data = forge.changed(cut_short, x_limit_=np.array([4.0, limit, np.inf]))
    refused(cut_short, data, "x_limit_")


@pytest.mark.parametrize("scale", [0.0, -1.0, np.inf, np.nan])
@pytest.mark.parametrize("name", ["x_scale_", "y_scale_"])
def test_scales_are_positive(cut_short, forge, name, scale):
    array = np.load(cut_short)[name]
    array[0] = scale
    refused(cut_short, forge.changed(cut_short, **{name: array}), name)


def test_an_array_that_nothing_needs_is_refused(cut_short, forge):
    data = forge.changed(cut_short, more=np.ones(3))
    refused(cut_short, data, "nothing needs its array 'more'")


def test_an_array_is_given_away_once(cut_short, forge):
    def twice(header):
        _, own = inside(header)
        own["y_mean_"] = own["y_scale_"]

    refused(cut_short, forge.changed(cut_short, header=twice), "not there: 'y_scale_'")


LIES = {
    "units of another network": lambda _, own: own["units_"].__setitem__(1, 5),
    "huge units": lambda _, own: own["units_"].__setitem__(1, 10**12),
    "no units": lambda _, own: own.update(units_=[]),
    "units that are none": lambda _, own: own["units_"].__setitem__(1, True),
    "negative units": lambda _, own: own["units_"].__setitem__(1, -4),
    "unknown activations": lambda _, own: own["activations_"].__setitem__(0, "abs"),
    "fewer activations": lambda _, own: own["activations_"].pop(),
    "activations that are none": lambda _, own: own["activations_"].__setitem__(0, []),
    "other columns": lambda _, own: own.update(n_features_in_=4),
    "a flag for a number": lambda _, own: own.update(n_outputs_=True),
    "a float for a number": lambda _, own: own.update(n_outputs_=1.0),
    "outputs": lambda _, own: own.update(n_outputs_=2),
    "fewer names": lambda _, own: own["feature_names_in_"].update(
        {"$strings": [[2], ["a", "b"]]}
    ),
    "names in two rows": lambda _, own: own["feature_names_in_"].update(
        {"$strings": [[1, 3], ["a", "b", "c"]]}
    ),
    "names that are none": lambda _, own: own["feature_names_in_"].update(
        {"$strings": [[3], ["a", "b", 1]]}
    ),
    "names of an object": lambda _, own: own["feature_names_in_"].update(
        {"$strings": [[3], {"a": 1, "b": 2, "c": 3}]}
    ),
    "a shorter history": lambda _, own: own["history_"]["rmse"].pop(),
    "a history of text": lambda _, own: own["history_"]["rmse"].__setitem__(0, "1"),
    "a history without losses": lambda _, own: own["history_"].pop("loss"),
    "a history with more": lambda _, own: own["history_"].update(more=[1, 2, 3]),
    "huge losses": lambda _, own: own["history_"]["loss"].__setitem__(0, 10**400),
    "more epochs": lambda _, own: own.update(n_iter_=4),
    "a later epoch": lambda _, own: own.update(kept_iter_=4),
    "an earlier epoch": lambda _, own: own.update(kept_iter_=-1),
    "a missing attribute": lambda _, own: own.pop("loss_"),
    "an unknown attribute": lambda _, own: own.update(predict=1),
    "an unknown private one": lambda _, own: own.update(_fitted=[]),
    "three axes": lambda _, own: own.update(_y_ndim=3),
    "rows that are none": lambda _, own: own.update(validation_indices_=[1, 2]),
    "an unknown parameter": lambda given, _: given.update(more=1),
    "no state": lambda _, own: own.update(_state=None),
    "an empty state": lambda _, own: own.update(_state={}),
    "more state": lambda _, own: own["_state"].update(more=1),
    "a seed that is none": lambda _, own: own["_state"].update(seed="0"),
    "an order that is none": lambda _, own: own["_state"].update(order=[]),
    "two orders in one": lambda _, own: own["_state"].update(
        order={"$random_state": own["_state"]["order"]["$generator"]}
    ),
    "steps that no float can hold": lambda _, own: own["_state"]["memory"][
        "adam"
    ].update(t=10**400),
    "no steps": lambda _, own: own["_state"]["memory"]["adam"].pop("t"),
    "another optimizer": lambda _, own: own["_state"]["memory"].update(
        sgd={"velocity": own["_state"]["memory"].pop("adam")["m"]}
    ),
    "no lowest": lambda _, own: own["_state"].update(lowest=[1.0]),
    "the lowest of a later epoch": lambda _, own: own["_state"].update(
        lowest=[1.0, 9, 1.0]
    ),
    "a schedule of more": lambda _, own: own["_state"].update(schedule={"more": 1}),
    "huge patience": lambda _, own: own["_state"]["run"]["patience"].update(
        best=10**400
    ),
    "no patience": lambda _, own: own["_state"]["run"].update(patience={}),
    "a run of more epochs": lambda _, own: own["_state"]["run"].update(done=4),
    "a run before": lambda _, own: own["_state"]["run"].update(
        done=4, epochs_before=-1
    ),
    "a huge loss": lambda _, own: own["_state"]["run"].update(best_loss=10**400),
    "an outcome": lambda _, own: own["_state"]["run"].update(outcome="diverged"),
    "half a run": lambda _, own: own["_state"]["run"].pop("best_theta"),
    "a task that is none": lambda _, own: own["_state"].update(task=[]),
    "an unknown tag": lambda given, _: given.update(loss={"$code": "print(1)"}),
    "an array for a name": lambda given, _: given.update(loss={"$array": []}),
    "names that cannot be": lambda given, _: given.update(loss={"$dict": [[[], 1]]}),
    "a mask of another size": lambda given, _: given.update(
        loss={"$masked": [[1], [True, False, True], "float64"]}
    ),
    "a masked array of what is not": lambda given, _: given.update(
        loss={"$masked": [[1], [True], "O"]}
    ),
    "an unknown class": lambda given, _: given.update(
        loss={"$estimator": ["os.system", {"parameters": {}, "fitted": {}}]}
    ),
    "a class of scikit-learn's": lambda given, _: given.update(
        loss={"$estimator": ["Ridge", {"parameters": {}, "fitted": {}}]}
    ),
    "an estimator without a word": lambda given, _: given.update(
        loss={"$estimator": None}
    ),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_contradicts_is_refused(cut_short, forge, lie):
    data = forge.changed(cut_short, header=lambda header: lie(*inside(header)))
    refused(cut_short, data, "Cannot load")


def state_of(header, name):
    """The state of the generator of that name, or of the RandomState."""
    given, own = inside(header)
    if name == "random_state":
        return given["random_state"]["$random_state"]
    return own["_state"][name]["$generator"]


def fixed_point(state):
    """A state that a step leads back to: every draw is the same, and some never end."""
    value, multiplier = 2**64 - 1, 47026247687942121848144207491837523525
    inc = value * (1 - multiplier) % 2**128
    state["state"].update(state=value, inc=inc)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("order", lambda state: state.update(bit_generator="MT19937")),
        ("order", lambda state: state.update(bit_generator=["PCG64"])),
        ("order", lambda state: state.pop("state")),
        ("order", lambda state: state.update(state=None)),
        ("order", lambda state: state["state"].pop("inc")),
        ("order", lambda state: state["state"].update(state=2**128)),
        ("order", lambda state: state["state"].update(state=-1)),
        ("order", lambda state: state["state"].update(state=1.5)),
        ("order", lambda state: state.update(uinteger=2**64)),
        ("order", lambda state: state.update(uinteger=-1)),
        ("order", lambda state: state.update(has_uint32="yes")),
        ("order", lambda state: state.update(has_uint32=2)),
        ("order", lambda state: state.update(has_uint32=True)),
        ("order", lambda state: state["state"].update(inc=state["state"]["inc"] + 1)),
        ("order", lambda state: state["state"].update(inc=0)),
        ("order", lambda state: state["state"].update(inc=2**128 + 1)),
        ("order", fixed_point),
        ("dropout", fixed_point),
        *(
            (name, lambda state, kind=kind: state.update(bit_generator=kind))
            for name in ("order", "random_state")
            for kind in ("PCG64DXSM", "Philox", "SFC64")
        ),
        ("order", lambda state: state.update(state={"$strings": [[1], ["a"]]})),
        ("random_state", lambda state: state["state"].update(pos=625)),
        ("random_state", lambda state: state["state"].update(pos=-1)),
        ("random_state", lambda state: state["state"].update(pos=2**40)),
        ("random_state", lambda state: state["state"].update(pos=1.0)),
        ("random_state", lambda state: state["state"].update(pos=True)),
        ("random_state", lambda state: state.update(has_gauss=2)),
        ("random_state", lambda state: state.update(has_gauss=0.5)),
        ("random_state", lambda state: state.update(gauss=float("nan"))),
        ("random_state", lambda state: state.update(gauss=-float("inf"))),
        ("random_state", lambda state: state["state"].update(key=[0] * 624)),
        ("random_state", lambda state: state["state"].pop("pos")),
        ("random_state", lambda state: state.pop("state")),
        ("random_state", lambda state: state.update(gauss="a")),
        ("random_state", lambda state: state.update(bit_generator="PCG64")),
        ("random_state", lambda state: state.update(state=[])),
    ],
)  # fmt: skip
def test_a_generator_has_the_state_of_one(cut_short, forge, name, change):
    data = forge.changed(cut_short, header=lambda h: change(state_of(h, name)))
    refused(cut_short, data, "Cannot load")


@pytest.mark.parametrize(
    "key",
    [
        np.zeros(623, np.uint32),
        np.zeros(625, np.uint32),
        np.zeros((624, 1)),
        np.zeros(624),
        np.zeros(624, np.uint32),
        np.array([2**31 - 1, *[0] * 623], np.uint32),
    ],
)
def test_a_random_state_has_the_key_of_one(cut_short, forge, key):
    name = "parameters.random_state.state.key"
    refused(cut_short, forge.changed(cut_short, **{name: key}), "Cannot load")


@pytest.mark.parametrize("opening", ["[", '{"a":', '{"$tuple":', '{"$dict":['])
@pytest.mark.parametrize("depth", [300, 900, 100_000])
def test_a_deep_header_is_refused(path, forge, opening, depth):
    closing = "".join({"[": "]", "{": "}"}[c] for c in reversed(opening) if c in "[{")
    model = f"{opening * depth}[]{closing * depth}"
    text = f'{{"format": {FORMAT}, "versions": 0, "model": {model}}}'
    data = forge.packed([("header.json", text.encode())])
    refused(path, data, "Cannot load")


def test_memory_is_in_proportion_to_the_file(path, forge):
    for unit in ('{"":{}}', "{}", "[[]]", '{"$masked":[[],[],"bool"]}', "1.5"):
        many = ",".join([unit] * (150_000 // len(unit)))
        text = f'{{"format": {FORMAT}, "versions": 0, "model": [{many}]}}'
        data = forge.packed([("header.json", text.encode())])
        tracemalloc.start()
        try:
            refused(path, data, "it holds no estimator|more than 1000 masked arrays")
            assert tracemalloc.get_traced_memory()[1] < 80 * len(data)
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("kind", ["$generator", "$random_state"])
def test_a_generator_in_a_parameter_is_checked_as_well(path, forge, kind):
    own = np.random.default_rng(0)
    Own(more=own if kind == "$generator" else np.random.RandomState(0)).save(path)

    def change(header):
        state = inside(header)[0]["more"][kind]
        fixed_point(state) if kind == "$generator" else state.update(has_gauss=-1)

    refused(path, forge.changed(path, header=change), "Cannot load", Own)


def test_a_seed_is_one_that_numpy_takes(cut_short, forge):
    def change(header):
        inside(header)[1]["_state"]["seed"] = 2**32

    refused(cut_short, forge.changed(cut_short, header=change), "seed")


def test_a_fingerprint_of_unknown_parameters_is_another_one(cut_short, forge):
    def change(header):
        fingerprint = inside(header)[1]["_state"]["fingerprint"]
        fingerprint["parameters"]["tol"] = 1
        fingerprint["parameters"] = {"unknown": 1, **fingerprint["parameters"]}

    cut_short.write_bytes(forge.changed(cut_short, header=change))
    with pytest.raises(ValueError, match=r"whose tol was 1; it is now 0\.0001"):
        FFNNRegressor.load(cut_short).fit(NAMED, y, resume=True)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_parameter_that_is_younger_than_a_fingerprint_had_its_default(
    cut_short, forge
):
    def change(header):
        del inside(header)[1]["_state"]["fingerprint"]["parameters"]["tol"]

    expected = FFNNRegressor.load(cut_short).fit(NAMED, y, resume=True)
    cut_short.write_bytes(forge.changed(cut_short, header=change))
    model = FFNNRegressor.load(cut_short).fit(NAMED, y, resume=True)
    np.testing.assert_array_equal(model.theta_, expected.theta_)


OTHER_LIES = {
    "an ensemble of nothing": ("an ensemble", lambda own: own.update(estimators_=[])),
    "an ensemble of numbers": (
        "an ensemble",
        lambda own: own.update(estimators_=[1, 2]),
    ),
    "an unfitted network": (
        "an ensemble",
        lambda own: own["estimators_"][1]["$estimator"][1].update(fitted={}),
    ),
    "networks of two kinds": (
        "an ensemble",
        lambda own: own["estimators_"][1]["$estimator"][1]["fitted"].update(_y_ndim=2),
    ),
    "samples of none": ("an ensemble", lambda own: own.update(estimators_samples_=[])),
    "negative noise": (
        "an ensemble",
        lambda own: own.update(noise_=[-1.0]),
    ),
    "scores of no rows": (
        "a calibrated ensemble",
        lambda own: own.update(calibration_indices_=None),
    ),
    "weights of more": (
        "bayesian",
        lambda own: own["hidden_layer_sizes_"].update({"$tuple": [3, 3]}),
    ),
    "fewer factors": ("bayesian", lambda own: own["_factors"].pop()),
    "no steps": ("bayesian", lambda own: own.update(n_iter_=7)),
    "evidence of nothing": ("bayesian", lambda own: own.update(_evidence=[1])),
    "other candidates": ("a search", lambda own: own["cv_results_"]["params"].pop()),
    "no best": ("a search", lambda own: own.update(best_index_=2)),
    "another best": ("a search", lambda own: own.update(best_params_={"loss": 1})),
    "a best that cannot predict": (
        "a search",
        lambda own: own.update(best_estimator_=1),
    ),
    "names that are none": ("a search", lambda own: own.update(feature_names_in_=[1])),
    "no folds": ("a search", lambda own: own.update(n_splits_=0)),
}


@pytest.mark.parametrize(("name", "lie"), OTHER_LIES.values(), ids=OTHER_LIES)
def test_what_contradicts_in_others_is_refused(path, forge, fits, name, lie):
    fits[name].save(path)
    data = forge.changed(path, header=lambda header: lie(inside(header)[1]))
    refused(path, data, "Cannot load", type(fits[name]))


@pytest.mark.parametrize(
    ("name", "array", "change"),
    [
        ("bayesian", "_factors.0", lambda a: a[:-1]),
        ("bayesian", "_factors.0", lambda a: a * 0),
        ("bayesian", "_factors.0", lambda a: a * np.nan),
        ("bayesian", "committee_weights_", lambda a: a * 2),
        ("bayesian", "committee_weights_", lambda a: -a),
        ("bayesian", "_noise", lambda a: -a),
        ("bayesian", "theta_", lambda a: a[:, :-1]),
        ("bayesian", "lambda_", lambda a: a[np.newaxis]),
        ("a calibrated ensemble", "calibration_scores_", lambda a: a[1:]),
        ("a calibrated ensemble", "noise_", lambda a: a[1:]),
        ("a calibrated ensemble", "estimators_samples_.0", lambda a: a * 1.0),
        ("a search", "cv_results_.mean_test_score", lambda a: a[1:]),
    ],
)
def test_arrays_of_others_are_of_the_right_shape(
    path, forge, fits, name, array, change
):
    fits[name].save(path)
    data = forge.changed(path, **{array: change(np.load(path)[array])})
    refused(path, data, "Cannot load", type(fits[name]))


# What a search lists ------------------------------------------------------------------


def test_a_search_over_networks_lists_the_networks():
    """A masked array would take an attribute `_data` in their place."""
    networks = [network(), network(solver="sgd")]
    search = GridSearchCV(
        FFNNEnsembleRegressor(n_estimators=1), {"estimator": networks}, cv=2
    )
    listed = fitted(search).cv_results_["param_estimator"]
    assert [type(each) for each in listed] == [FFNNRegressor] * 2


def test_an_ensemble_of_something_else_says_so(fits):
    with pytest.raises(ValueError, match="must be an FFNNRegressor"):
        FFNNEnsembleRegressor(5).fit(X, y)


# skops --------------------------------------------------------------------------------


@pytest.mark.parametrize("pipeline", [False, True])
@pytest.mark.parametrize(
    "name", ["plain", "names", "an ensemble", "a calibrated ensemble", "bayesian"]
)
def test_skops_asks_for_one_name(fits, name, pipeline):
    io = pytest.importorskip("skops.io")
    model, rows = fits[name], rows_of(name)
    if pipeline:
        model = fitted(
            make_pipeline(StandardScaler(), clone(model)),
            rows,
            FITS[name][1].get("y", y),
        )
    data = io.dumps(model)
    types = io.get_untrusted_types(data=data)
    cls = type(fits[name])
    assert types == [f"{cls.__module__}.{cls.__qualname__}"]
    loaded = io.loads(data, trusted=types)
    np.testing.assert_array_equal(loaded.predict(rows), model.predict(rows))


@pytest.mark.parametrize("name", [name for name in FITS if "categories" in name])
def test_skops_needs_no_more_for_categories(fits, name):
    io = pytest.importorskip("skops.io")
    model, rows = fits[name], rows_of(name)
    cls = type(model)
    trusted = [f"{cls.__module__}.{cls.__qualname__}"]
    if isinstance(model, FFNNGridSearchCV):
        trusted = io.get_untrusted_types(data=io.dumps(fits["a search"]))
    for each in (model, fitted(make_pipeline(clone(model)), rows)):
        data = io.dumps(each)
        assert io.get_untrusted_types(data=data) == trusted
        loaded = io.loads(data, trusted=trusted)
        np.testing.assert_array_equal(loaded.predict(rows), each.predict(rows))


def test_partial_fit_goes_on_after_skops(fits, equal):
    io = pytest.importorskip("skops.io")
    for name in (
        "plain",
        "gradient descent",
        "dropout",
        "names",
        "categories and gaps",
    ):
        model = pickle.loads(pickle.dumps(fits[name]))
        data = io.dumps(model)
        loaded = io.loads(data, trusted=io.get_untrusted_types(data=data))
        rows = rows_of(name)
        for _ in range(2):
            a, b = model.partial_fit(rows, y), loaded.partial_fit(rows, y)
        assert_same_end(a, b, equal)


# A class of the user's, and others that a file has no place for -----------------------


class Sub(FFNNRegressor):
    """A class of the user's."""


def test_a_parameter_that_is_younger_than_the_file_has_its_default(path, forge):
    network(power_t=0.3).save(path)
    path.write_bytes(
        forge.changed(path, header=lambda header: inside(header)[0].pop("power_t"))
    )
    assert FFNNRegressor.load(path).power_t == 0.5


def test_a_model_that_was_spoilt_does_not_replace_a_good_one(path):
    model = fitted(network())
    model.save(path)
    for spoil in ({"theta_": model.theta_[1:]}, {"units_": [3, 6, 1]}, {"mine_": 1}):
        bad = copy.copy(model)
        vars(bad).update(spoil)
        with pytest.raises(ValueError, match=r"theta_|mine_"):
            bad.save(path)
    np.testing.assert_array_equal(FFNNRegressor.load(path).theta_, model.theta_)


def test_copies_of_an_ensemble_are_of_its_class(equal):
    model = FFNNEnsembleRegressor(Sub(3), 2)
    assert type(copy.deepcopy(model).estimator) is Sub
    model = FFNNEnsembleRegressor({"not": "a network"})
    assert copy.deepcopy(model).estimator == {"not": "a network"}
    model = fitted(FFNNEnsembleRegressor(network(), 2, random_state=0))
    assert equal(copy.deepcopy(model), model)
