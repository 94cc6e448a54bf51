"""FFNNGridSearchCV beside GridSearchCV: the same to the last bit."""

import gc
import os
import pickle
import warnings
import weakref

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.datasets import make_friedman1
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning, NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import make_scorer, mean_absolute_error
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    ShuffleSplit,
    TimeSeriesSplit,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skffnn import FFNNGridSearchCV, FFNNRegressor
from skffnn.base import GradientDescentNetwork
from skffnn.fitting import rehearsal, side_by_side
from skffnn.fitting.callbacks import AVAILABLE, progress_bar

RATES = {"learning_rate": [0.02, 0.05, 0.1]}
TIMES = ("fit_time", "score_time")


def model_of(**params):
    own = {"hidden_layer_sizes": 8, "max_iter": 20, "weight_decay": 0.1}
    return FFNNRegressor(**{"random_state": 0, **own, **params})


@pytest.fixture(scope="module")
def friedman():
    return make_friedman1(n_samples=103, noise=1, random_state=0)


def network(estimator):
    """The network at the end, or whatever is there."""
    return getattr(estimator, "steps", [(None, estimator)])[-1][1]


@pytest.fixture
def stacked(monkeypatch):
    """How many networks each stack had; empty if nothing was stacked."""
    sizes = []
    real = side_by_side.fit_side_by_side

    def fit_side_by_side(models, lessons, task):
        sizes.append(len(models))
        return real(models, lessons, task)

    monkeypatch.setattr(side_by_side, "fit_side_by_side", fit_side_by_side)
    return sizes


@pytest.fixture
def same(stacked):
    """Search with both; assert that nothing but the times differs."""

    def search(estimator, grid, X, y, *, stacks=True, fit_params=None, **options):
        fit_params = fit_params or {}
        ours = FFNNGridSearchCV(estimator, grid, **options).fit(X, y, **fit_params)
        assert bool(stacked) == stacks
        theirs = GridSearchCV(estimator, grid, **options).fit(X, y, **fit_params)
        assert list(ours.cv_results_) == list(theirs.cv_results_)
        for name, column in theirs.cv_results_.items():
            if not name.endswith(TIMES):
                np.testing.assert_array_equal(ours.cv_results_[name], column, name)
        assert ours.n_splits_ == theirs.n_splits_
        assert ours.multimetric_ == theirs.multimetric_
        for name in ("best_index_", "best_params_", "best_score_"):
            assert getattr(ours, name, None) == getattr(theirs, name, None)
        if theirs.refit:
            same_model(network(ours.best_estimator_), network(theirs.best_estimator_))
            np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
            assert ours.score(X, y) == theirs.score(X, y)
        return ours

    return search


def same_model(ours, theirs):
    if not isinstance(theirs, FFNNRegressor):
        return
    np.testing.assert_array_equal(ours.theta_, theirs.theta_)
    for name, column in theirs.history_.items():
        np.testing.assert_array_equal(ours.history_[name], column, name)


GRIDS = {
    "learning rates": RATES,
    "weight decays": {"weight_decay": [0, 0.1, "auto"], "learning_rate": [0.01, 0.1]},
    "seeds": {"random_state": [0, 1, 2]},
    "schedules": {
        "learning_rate_schedule": ["constant", "cosine", "invscaling", "adaptive"],
        "n_iter_no_change": [2, 3],
        "tol": [1e-4, 0.3],
    },
    "momenta": {"solver": ["sgd"], "momentum": [0, 0.5, 0.9]},
    "limits": {"clip_norm": [None, 0.1, 1.0], "solver": ["adam", "sgd"]},
    "shapes": {"hidden_layer_sizes": [(), 3, (4, 4)], "learning_rate": [0.01, 0.1]},
    "batches": {"batch_size": [16, 50], "dropout": [0, 0.2]},
    "solvers": {"solver": ["adam", "sgd", "lbfgs"], "max_iter": [8, 9]},
    "several": [{"activation": ["tanh", "relu"]}, {"loss": ["huber"], **RATES}],
}


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_grid_gives_what_grid_search_gives(friedman, same, stacked, grid):
    same(model_of(), grid, *friedman, cv=3)
    assert max(stacked) > 1


FOLDS = {
    "equal": 2,
    "unequal": KFold(4, shuffle=True, random_state=0),  # 77 and 78 rows
    "growing": TimeSeriesSplit(3),
    "random": ShuffleSplit(3, random_state=np.random.RandomState(0)),
    "given": [(np.arange(60), np.arange(60, 103)), (np.arange(40, 103), np.arange(40))],
    "masks": [(np.arange(103) < 60, np.arange(103) >= 60)],
}


@pytest.mark.parametrize("cv", FOLDS.values(), ids=FOLDS)
def test_every_kind_of_fold(friedman, stacked, cv):
    search = FFNNGridSearchCV(model_of(), RATES, cv=pickle.loads(pickle.dumps(cv)))
    ours = search.fit(*friedman)
    theirs = GridSearchCV(model_of(), RATES, cv=cv).fit(*friedman)
    for name in ("split0_test_score", "mean_test_score"):
        np.testing.assert_array_equal(ours.cv_results_[name], theirs.cv_results_[name])
    assert stacked


@pytest.mark.parametrize("model", [model_of(), Ridge()])
def test_folds_that_can_be_read_once(friedman, model):
    X, y = friedman
    grid = RATES if isinstance(model, FFNNRegressor) else {"alpha": [1, 2]}
    folds = KFold(3).split(X)
    ours = FFNNGridSearchCV(model, grid, cv=folds).fit(X, y)
    theirs = GridSearchCV(model, grid, cv=KFold(3)).fit(X, y)
    scores = (each.cv_results_["mean_test_score"] for each in (ours, theirs))
    np.testing.assert_array_equal(*scores)
    assert ours.cv is folds


MODELS = {
    "automatic decay": {"weight_decay": "auto", "max_iter": 25},
    "one output of two layers": {"hidden_layer_sizes": (6, 6), "activation": "tanh"},
    "stopping early": {
        "early_stopping": True, "learning_rate_schedule": "constant",
        "n_iter_no_change": 2, "max_iter": 60,
    },
    "held-out rows": {"validation_fraction": 0.2},
    "the adaptive rate": {
        "learning_rate_schedule": "adaptive", "n_iter_no_change": 1, "tol": 0.1,
        "max_iter": 60,
    },
    "not standardised": {"standardize": False, "loss": "huber"},
    "poisson": {"loss": "poisson"},
    "quantile": {"loss": "quantile", "quantile": 0.9},
    "rmse": {"loss": "root_mean_squared_error"},
    "no shuffling": {"shuffle": False},
    "dropout": {"dropout": 0.3},
    "a random state": {"random_state": np.random.RandomState(3)},
}  # fmt: skip


@pytest.mark.parametrize("params", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_kind_of_model(friedman, same, params, dtype):
    X, y = friedman
    same(model_of(**params), RATES, X.astype(dtype), y, cv=2)


def test_several_outputs(friedman, same):
    X, y = friedman
    same(model_of(), RATES, X, np.c_[y, X[:, 0], y**2], cv=3)


def test_sample_weights(friedman, same, rng):
    X, y = friedman
    weight = rng.integers(0, 3, len(y)).astype(float)
    same(model_of(), RATES, X, y, cv=3, fit_params={"sample_weight": weight})
    for dtype in (np.float64, np.float32):
        weight = 1e3 * rng.random(len(y)) + 1e-3
        params = {"sample_weight": weight}
        same(model_of(), RATES, X.astype(dtype), y, cv=2, fit_params=params)


def test_validation_rows_of_the_users_own(friedman, same, rng):
    X, y = friedman
    params = {
        "X_val": X[:20], "y_val": y[:20], "sample_weight_val": rng.random(20),
    }  # fmt: skip
    model = model_of(early_stopping=True)
    same(model, RATES, X, y, cv=3, fit_params=params)


@pytest.mark.parametrize("kind", [csr_array, pd.DataFrame, np.asfortranarray, list])
def test_every_kind_of_table(friedman, same, kind):
    X, y = friedman
    if kind is pd.DataFrame:
        X, y = pd.DataFrame(X).add_prefix("x"), pd.Series(y)
    elif kind is list:
        X, y = X.tolist(), y.tolist()
    else:
        X = kind(X)
    search = same(model_of(), RATES, X, y, cv=3)
    if kind is pd.DataFrame:
        assert list(search.feature_names_in_) == list(X.columns)
        assert list(search.best_estimator_.feature_names_in_) == list(X.columns)


def test_a_pipeline_fits_its_first_steps_once_a_fold(friedman, same, monkeypatch):
    X, y = friedman
    pipeline = make_pipeline(StandardScaler(), PCA(4), model_of())
    grid = {"ffnnregressor__learning_rate": [0.02, 0.05, 0.1]}
    same(pipeline, grid, X, y, cv=3)
    fitted = []
    real = PCA.fit_transform
    monkeypatch.setattr(
        PCA, "fit_transform", lambda *args: fitted.append(1) or real(*args)
    )
    FFNNGridSearchCV(pipeline, grid, cv=3).fit(X, y)
    assert len(fitted) == 3 + 1  # and once to refit


def test_sample_weights_through_a_pipeline(friedman, same, rng):
    X, y = friedman
    pipeline = make_pipeline(StandardScaler(), model_of())
    weight = rng.random(len(y))
    same(
        pipeline, {"ffnnregressor__learning_rate": [0.02, 0.1]}, X, y, cv=3,
        fit_params={"ffnnregressor__sample_weight": weight},
    )  # fmt: skip


# What a search can be asked for ------------------------------------------------------


def own_scorer(estimator, X, y):
    assert isinstance(estimator, FFNNRegressor)
    return -np.abs(estimator.predict(X) - y).mean() - 0.001 * estimator.n_iter_


def several_scores(estimator, X, y):
    return {"own": own_scorer(estimator, X, y), "r2": estimator.score(X, y)}


SCORINGS = {
    "none": (None, True),
    "a name": ("neg_root_mean_squared_error", True),
    "a scorer": (make_scorer(mean_absolute_error, greater_is_better=False), True),
    "a function": (own_scorer, True),
    "a list": (["r2", "neg_mean_absolute_error"], "r2"),
    "a dict": ({"mae": "neg_mean_absolute_error", "own": own_scorer}, "own"),
    "several in one": (several_scores, "own"),
    "no refit": ("r2", False),
    "no refit of several": (["r2", "explained_variance"], False),
}


@pytest.mark.parametrize(("scoring", "refit"), SCORINGS.values(), ids=SCORINGS)
@pytest.mark.parametrize("train", [False, True])
def test_every_kind_of_scoring(friedman, same, scoring, refit, train):
    search = same(
        model_of(), RATES, *friedman, cv=2, scoring=scoring, refit=refit,
        return_train_score=train,
    )  # fmt: skip
    assert "StandIn" not in repr(vars(search))


def worst(results):
    return int(np.argmin(results["mean_test_score"]))


def test_a_function_may_choose_the_best(friedman, same):
    search = same(model_of(), RATES, *friedman, cv=3, refit=worst)
    assert search.best_index_ == worst(search.cv_results_)
    assert not hasattr(search, "best_score_")


def test_groups_go_to_the_splitter(friedman, same, rng):
    X, y = friedman
    groups = rng.integers(0, 6, len(y))
    same(model_of(), RATES, X, y, cv=GroupKFold(3), fit_params={"groups": groups})


@pytest.mark.parametrize("n_jobs", [2, -1])
def test_stacks_are_trained_in_parallel(friedman, n_jobs):
    ours, theirs = (
        search(model_of(), RATES, cv=3, n_jobs=n_jobs)
        for search in (FFNNGridSearchCV, GridSearchCV)
    )
    theirs.fit(*friedman)
    scores = ours.fit(*friedman).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(scores, theirs.cv_results_["mean_test_score"])


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_a_backend_set_around_the_search(friedman, backend):
    theirs = GridSearchCV(model_of(), RATES, cv=3).fit(*friedman)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        ours = FFNNGridSearchCV(model_of(), RATES, cv=3).fit(*friedman)
    scores = (each.cv_results_["mean_test_score"] for each in (ours, theirs))
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize("kind", ["sparse", "on disk"])
def test_validation_rows_that_are_standardised_in_passing(
    friedman, same, kind, tmp_path
):
    X, y = friedman
    X_val = csr_array(X[:30])
    if kind == "on disk":
        X_val = np.memmap(tmp_path / "X", dtype=float, mode="w+", shape=(30, 10))
        X_val[...] = X[:30]
    params = {"X_val": X_val, "y_val": y[:30]}
    same(model_of(early_stopping=True), RATES, X, y, cv=3, fit_params=params)


def test_sparse_rows_held_out_by_other_seeds(friedman, same):
    X, y = friedman
    grid = {"random_state": [0, 1], **RATES}
    same(model_of(early_stopping=True), grid, csr_array(X), y, cv=3)


def test_few_tables_are_standardised_at_a_time(friedman, stacked, monkeypatch):
    X, y = friedman
    monkeypatch.setattr(side_by_side, "NUMBERS", 2 * X.size)
    FFNNGridSearchCV(model_of(), RATES, cv=5).fit(X, y)
    assert max(stacked) == 6  # three rates on two folds
    stacked.clear()
    seeds, X, y = {"random_state": range(6)}, X[:102], y[:102]
    FFNNGridSearchCV(model_of(), seeds, cv=2).fit(X, y)
    assert max(stacked) == 12  # all on the same rows
    stacked.clear()
    FFNNGridSearchCV(model_of(validation_fraction=0.2), seeds, cv=2).fit(X, y)
    assert max(stacked) <= 4  # each with rows of its own


def test_no_stack_is_larger_than_the_cache(friedman, stacked, monkeypatch):
    monkeypatch.setattr("skffnn.core.stack.CACHE", 2**16)
    FFNNGridSearchCV(model_of(), RATES, cv=5).fit(*friedman)
    assert len(stacked) > 1
    assert max(stacked) - min(stacked) <= 3  # the last fold is of another size
    stacked.clear()
    FFNNGridSearchCV(model_of(hidden_layer_sizes=500), RATES, cv=5).fit(*friedman)
    assert not stacked  # GridSearchCV does it


# What cannot be stacked --------------------------------------------------------------

ELSEWHERE = {
    "another estimator": (Ridge(), {"alpha": [1, 2]}),
    "preprocessing": (
        make_pipeline(PCA(), model_of()),
        {"pca__n_components": [2, 4], "ffnnregressor__learning_rate": [0.02, 0.1]},
    ),
    "steps": (
        make_pipeline(PCA(), model_of()), {"ffnnregressor": [Ridge(), model_of()]},
    ),
    "a transformed target": (
        TransformedTargetRegressor(model_of(), func=np.log1p, inverse_func=np.expm1),
        {"regressor__learning_rate": [0.01, 0.1]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("estimator", "grid"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_all_else_goes_to_grid_search(friedman, same, estimator, grid):
    same(estimator, grid, *friedman, cv=3, stacks=False)


def test_a_subclass_may_fit_otherwise(friedman, same):
    class Backwards(FFNNRegressor):
        def fit(self, X, y):
            return super().fit(X[::-1], y[::-1])

    model = Backwards(8, max_iter=20, weight_decay=0.1, random_state=0)
    same(model, RATES, *friedman, cv=3, stacks=False)


def test_large_tables_are_learnt_one_after_the_other(friedman, same, monkeypatch):
    monkeypatch.setattr(rehearsal, "MOST_NUMBERS", 3000)
    same(model_of(), RATES, *friedman, cv=3, stacks=False)


# What goes wrong ---------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores:UserWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_network_that_diverges_is_alone_in_it(friedman, same):
    grid = {"learning_rate": [0.01, 1e9], "solver": ["sgd"], "clip_norm": [None]}
    search = same(model_of(momentum=0.9), grid, *friedman, cv=3)
    finite = np.isfinite(search.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(finite, [True, False])
    same(model_of(momentum=0.9), grid, *friedman, cv=3, error_score=-7.0)


def test_a_candidate_that_makes_no_sense_fails_alone(friedman, same):
    grid = {"learning_rate": [0.05, -1.0], "momentum": [0.9, 2]}
    with (
        pytest.warns(FitFailedWarning, match="learning_rate must be a positive"),
        pytest.warns(UserWarning, match="scores are non-finite"),
    ):
        search = same(model_of(), grid, *friedman, cv=3)
    finite = np.isfinite(search.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(finite, [True, False, False, False])


def test_a_candidate_that_makes_no_sense_splits_no_stack(friedman, stacked):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grid = {"learning_rate": [-1.0, 0.05, 0.1]}
        FFNNGridSearchCV(model_of(), grid, cv=[*KFold(2).split(friedman[0])][:1]).fit(
            *friedman
        )
    assert stacked == [3]


def test_a_candidate_that_cannot_be_hashed_fails_by_itself(friedman, same):
    grid = {"learning_rate": [0.05, lambda: 1]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same(model_of(), grid, *friedman, cv=3, refit=False)


def test_error_score_raise_raises(friedman):
    search = FFNNGridSearchCV(
        model_of(), {"learning_rate": [0.01, -1.0]}, error_score="raise", cv=3
    )
    with pytest.raises(ValueError, match="learning_rate must be a positive number"):
        search.fit(*friedman)
    with pytest.raises(NotFittedError):
        search.predict(friedman[0])


BAD = {
    "no such parameter": ({"grid": {"learning_rte": [1]}}, "Invalid parameter"),
    "no such score": ({"scoring": "nonsense"}, "scoring"),
    "which score": ({"scoring": ["r2", "explained_variance"]}, "refit"),
    "folds": ({"cv": 1000}, "n_splits=1000"),
    "error score": ({"error_score": "nonsense"}, "error_score"),
    "an empty grid": ({"grid": {"learning_rate": []}}, "learning_rate"),
}


@pytest.mark.parametrize(("wrong", "message"), BAD.values(), ids=BAD)
def test_errors_are_those_of_grid_search(friedman, stacked, wrong, message):
    options = {"grid": RATES, **wrong}
    grid = options.pop("grid")
    with pytest.raises(ValueError, match=message) as theirs:
        GridSearchCV(model_of(), grid, **options).fit(*friedman)
    with pytest.raises(type(theirs.value), match=message):
        FFNNGridSearchCV(model_of(), grid, **options).fit(*friedman)
    assert not stacked  # nothing was trained in vain


def test_bad_rows_are_the_error_that_they_are_elsewhere(friedman):
    X, y = friedman
    X = X.copy()
    X[50, 0] = np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for search in (FFNNGridSearchCV, GridSearchCV):
            with pytest.raises(ValueError, match="Input X contains infinity"):
                search(model_of(), RATES, cv=3).fit(X, y)


def test_a_refit_that_fails_leaves_no_stand_in(friedman, monkeypatch):
    search = FFNNGridSearchCV(model_of(), RATES, cv=3)

    def broken(*_, **__):
        raise MemoryError("no room")

    monkeypatch.setattr(GradientDescentNetwork, "_learn", broken)
    with pytest.raises(MemoryError, match="no room"):
        search.fit(*friedman)
    assert not [name for name in vars(search) if name.endswith("_")]


@pytest.mark.parametrize(
    "grid", [RATES, {"solver": ["lbfgs"], "tol": [0.1, 0.2]}], ids=["stacked", "alone"]
)
@pytest.mark.parametrize("kind", ["network", "pipeline"])
def test_who_patches_grid_search_sees_a_search_like_any_other(
    friedman, monkeypatch, kind, grid
):
    """As trackers of experiments do: they log what `fit` has made, and pickle it."""
    plain, seen = GridSearchCV.fit, []

    def fit(self, X, y=None, **params):
        before = repr(self.get_params())
        result = plain(self, X, y, **params)
        seen.append((before, repr(self.get_params()), pickle.dumps(self)))
        return result

    monkeypatch.setattr(GridSearchCV, "fit", fit)
    model = model_of()
    if kind == "pipeline":
        model = make_pipeline(StandardScaler(), model)
        grid = {f"ffnnregressor__{name}": values for name, values in grid.items()}
    search = FFNNGridSearchCV(model, grid, cv=3).fit(*friedman)
    ((before, after, pickled),) = seen
    assert before == after == repr(search.get_params())
    again = pickle.loads(pickled)
    np.testing.assert_array_equal(
        again.predict(friedman[0]), search.predict(friedman[0])
    )
    for each in (search, again):
        parts = [each.estimator, each.best_estimator_, clone(each.best_estimator_)]
        names = {name for part in parts for name in vars(network(part))}
        assert not names & {"fit", "given", "__sklearn_clone__"}
    assert search.scorer_._estimator is model


@pytest.mark.parametrize(
    "model", [model_of(), make_pipeline(StandardScaler(), model_of())]
)
@pytest.mark.parametrize(
    "where",
    [
        "Rehearsal.plan", "Rehearsal._first_steps", "Rehearsal.fit",
        "Rehearsal.asked_for", "FitArguments", "_arguments", "_noting", "_models",
    ],
)  # fmt: skip
def test_a_bug_of_ours_is_seen(friedman, monkeypatch, where, model):
    """Whatever is expected to fail, a name that does not exist is not."""

    def broken(*_, **__):
        raise NameError("no such name")

    monkeypatch.setattr(f"skffnn.fitting.rehearsal.{where}", broken)
    prefix = "ffnnregressor__" if hasattr(model, "steps") else ""
    grid = {f"{prefix}{name}": values for name, values in RATES.items()}
    with pytest.raises(NameError, match="no such name"):
        FFNNGridSearchCV(model, grid, cv=3).fit(*friedman)


def in_which_process(estimator, X, y):
    return os.getpid()


def test_what_is_not_stacked_is_fitted_and_scored_by_the_workers(friedman):
    model = model_of(solver="lbfgs", tol=0.1, max_iter=200)
    grid = {"weight_decay": [0.0, 1e-4, 1e-3, 1e-2]}
    scoring = {"pid": in_which_process}
    search = FFNNGridSearchCV(
        model, grid, cv=3, n_jobs=2, scoring=scoring, refit=False
    ).fit(*friedman)
    columns = [search.cv_results_[f"split{k}_test_pid"] for k in range(3)]
    assert os.getpid() not in np.concatenate(columns)


class Announces(KFold):
    """A splitter with fewer folds than it says."""

    def split(self, X, y=None, groups=None):
        yield from list(super().split(X, y, groups))[: self.given]


def announces(given):
    cv = Announces(3)
    cv.given = given
    return cv


@pytest.mark.parametrize(
    ("grid", "cv"),
    [
        (RATES, []), (RATES, iter([])), ([], 3), (None, 3), (RATES, announces(0)),
        (RATES, announces(2)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("wrap", [lambda model: model, make_pipeline])
def test_nothing_to_search_is_the_error_of_grid_search(friedman, wrap, grid, cv):
    if grid is RATES and wrap is make_pipeline:
        grid = {f"ffnnregressor__{name}": values for name, values in RATES.items()}
    model, again = wrap(model_of()), list(cv) if hasattr(cv, "__next__") else cv
    with pytest.raises(ValueError, match=r"fits|split|'param_grid'") as theirs:
        GridSearchCV(model, grid, cv=again).fit(*friedman)
    with pytest.raises(ValueError, match=r"fits|split|'param_grid'") as ours:
        FFNNGridSearchCV(model, grid, cv=cv).fit(*friedman)
    assert str(ours.value).replace("FFNN", "") == str(theirs.value)


@pytest.mark.parametrize("numbers", [2**24, 1])
def test_folds_that_are_drawn_at_random_are_drawn_once(friedman, monkeypatch, numbers):
    """By a splitter that remembers, as those around `RandomState` do."""
    monkeypatch.setattr(rehearsal, "MOST_NUMBERS", numbers)
    drawn = []
    for search in (FFNNGridSearchCV, GridSearchCV):
        rng = np.random.RandomState(0)
        cv = KFold(3, shuffle=True, random_state=rng)
        results = search(model_of(), RATES, cv=cv).fit(*friedman).cv_results_
        drawn.append([results["mean_test_score"].tolist(), rng.randint(10**6)])
    assert drawn[0] == drawn[1]


class SetsOtherwise(FFNNRegressor):
    def set_params(self, **params):
        super().set_params(**params)
        return super().set_params(learning_rate=self.learning_rate / 10)


def test_a_subclass_that_is_another_network_is_searched_by_grid_search(friedman):
    model = SetsOtherwise(8, max_iter=40, weight_decay=0.1, random_state=0)
    ours, theirs = (
        search(model, {"learning_rate": [0.2, 0.5]}, cv=3).fit(*friedman)
        for search in (FFNNGridSearchCV, GridSearchCV)
    )
    for k in range(3):
        column = f"split{k}_test_score"
        np.testing.assert_array_equal(
            ours.cv_results_[column], theirs.cv_results_[column]
        )


def test_a_search_lets_go_of_the_rows(friedman):
    X = friedman[0].copy()
    gc.collect()
    gc.disable()
    try:
        freed = weakref.ref(X)
        FFNNGridSearchCV(model_of(), RATES, cv=3).fit(X, friedman[1])
        del X
        assert freed() is None
    finally:
        gc.enable()


def test_its_box_in_notebooks_links_to_its_page(friedman):
    search = FFNNGridSearchCV(model_of(), RATES)
    assert "generated/skffnn.FFNNGridSearchCV.html" in search._repr_html_()
    assert "generated/skffnn.FFNNRegressor.html" in search._repr_html_()


def test_an_error_of_ours_is_no_score(friedman, monkeypatch):
    def broken(*_):
        raise MemoryError("no room")

    monkeypatch.setattr(side_by_side, "fit_side_by_side", broken)
    with pytest.raises(MemoryError, match="no room"):
        FFNNGridSearchCV(model_of(), RATES, cv=3).fit(*friedman)


def test_warnings_of_a_fit_reach_the_user(friedman):
    model = model_of(learning_rate_schedule="constant")
    with pytest.warns(ConvergenceWarning, match="max_iter=20 was reached"):
        FFNNGridSearchCV(model, RATES, cv=3).fit(*friedman)


# As a scikit-learn estimator ---------------------------------------------------------


def test_the_times_are_shares_of_the_stacks(friedman):
    search = FFNNGridSearchCV(model_of(), RATES, cv=2).fit(*friedman)
    assert (search.cv_results_["mean_fit_time"] > 0).all()
    assert search.refit_time_ > 0


def test_a_search_can_be_cloned_pickled_and_shown(friedman):
    X, y = friedman
    search = clone(FFNNGridSearchCV(model_of(), RATES, cv=3)).fit(X, y)
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    assert "best_estimator_" in search._repr_html_()
    assert repr(search).startswith("FFNNGridSearchCV(")


@parametrize_with_checks(
    [
        FFNNGridSearchCV(
            FFNNRegressor(4, max_iter=12, weight_decay=0.1, random_state=0),
            {"learning_rate": [0.02, 0.1]},
            cv=2,
        )
    ]
)
@pytest.mark.filterwarnings("ignore")
def test_sklearn_compatible_estimator(estimator, check):
    check(estimator)


def test_the_tags_are_those_of_the_estimator():
    search = FFNNGridSearchCV(FFNNRegressor(), RATES)
    assert get_tags(search).target_tags.multi_output
    assert get_tags(search).input_tags.sparse
    counts = FFNNGridSearchCV(FFNNRegressor(loss="poisson"), RATES)
    assert get_tags(counts).target_tags.positive_only


# Metadata routing and callbacks ------------------------------------------------------


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("routing")
def test_metadata_is_routed(friedman, same, rng):
    X, y = friedman
    weight, groups = rng.random(len(y)), rng.integers(0, 6, len(y))
    model = model_of().set_fit_request(sample_weight="fit_weight")
    scorer = make_scorer(mean_absolute_error, greater_is_better=False)
    scorer.set_score_request(sample_weight="score_weight")
    params = {"fit_weight": weight, "score_weight": weight[::-1], "groups": groups}
    search = same(
        model, RATES, X, y, cv=GroupKFold(3), scoring={"mae": scorer, "r2": "r2"},
        refit="r2", fit_params=params,
    )  # fmt: skip
    unweighted = same(
        model_of(), RATES, X, y, cv=GroupKFold(3), fit_params={"groups": groups}
    )
    ours, theirs = search.cv_results_, unweighted.cv_results_
    assert (ours["mean_test_r2"] != theirs["mean_test_score"]).all()
    with pytest.raises(TypeError, match="unexpected argument"):
        FFNNGridSearchCV(model, RATES).fit(X, y, nonsense=weight)


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("name", ["rows", "groups"])
@pytest.mark.parametrize("of", ["fit", "score"])
def test_metadata_under_a_name_that_means_something_else(friedman, same, name, of):
    X, y = friedman
    model = getattr(model_of(), f"set_{of}_request")(sample_weight=name)
    same(model, RATES, X, y, cv=2, fit_params={name: y**2})


@pytest.mark.usefixtures("routing")
def test_metadata_is_routed_through_a_pipeline(friedman, same):
    X, y = friedman
    last = model_of(early_stopping=True).set_fit_request(X_val=True, y_val=True)
    pipeline = make_pipeline(StandardScaler(), last, transform_input=["X_val"])
    params = {"X_val": 2 * X[:30], "y_val": y[:30]}
    grid = {"ffnnregressor__learning_rate": [0.02, 0.1]}
    same(pipeline, grid, X, y, cv=3, fit_params=params)


needs_callbacks = pytest.mark.skipif(
    not AVAILABLE, reason="scikit-learn has no callbacks yet"
)


@needs_callbacks
def test_callbacks_of_the_search_see_stacks_and_their_epochs(friedman, told):
    search = FFNNGridSearchCV(model_of(), RATES, cv=[*KFold(2).split(friedman[0])] * 2)
    search.set_callbacks(told).fit(*friedman)
    stacks, epochs = 2, 20
    assert told.tasks.count("epoch") == stacks * epochs
    assert told.tasks.count("stack") == stacks
    assert told.tasks.count("refit-with-best-params") == 1
    assert told.tasks[-1] == "fit"
    assert told.open == 0


@needs_callbacks
def test_a_model_with_callbacks_of_its_own_is_trained_alone(friedman, stacked, told):
    FFNNGridSearchCV(model_of().set_callbacks(told), RATES, cv=2).fit(*friedman)
    assert told.tasks.count("epoch") == 20 * (2 * 3 + 1)
    assert not stacked


@needs_callbacks
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_a_progress_bar_shows_the_search(friedman, capsys, n_jobs):
    pytest.importorskip("rich")
    search = FFNNGridSearchCV(model_of(), RATES, cv=3, n_jobs=n_jobs)
    progress_bar(search).fit(*friedman)
    assert "FFNNGridSearchCV" in capsys.readouterr().out
    assert search.best_score_ > 0


@pytest.mark.parametrize("stacked", [True, False])
def test_equal_warnings_of_a_search_are_heard_once(rng, stacked):
    """An encoder says of each candidate and fold that it does not know a category."""
    X = pd.DataFrame({"kind": ["a"] * 57 + ["b", "c", "d"], "x": rng.normal(size=60)})
    encoder = OneHotEncoder(handle_unknown="warn", sparse_output=False)
    steps = make_column_transformer((encoder, ["kind"]), remainder="passthrough")
    network = FFNNRegressor(4, max_iter=20, weight_decay=0.1, random_state=0)
    grid = {"ffnnregressor__learning_rate": [0.02, 0.03, 0.05]}
    if not stacked:
        grid["columntransformer__remainder"] = ["passthrough"]
    search = FFNNGridSearchCV(make_pipeline(steps, network), grid, cv=3)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        search.fit(X, X["x"])
    assert sum("unknown categories" in str(each.message) for each in told) == 1
