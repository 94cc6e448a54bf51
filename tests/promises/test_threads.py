"""Threads and processes: the same bits, and BLAS left as it was."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_info, threadpool_limits

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
)
from skffnn.core.prediction import chunk_rows
from skffnn.fitting.threads import LARGE

THREADS = 16


def network_of(**params):
    own = {"hidden_layer_sizes": 8, "max_iter": 25, "weight_decay": 0.1}
    return FFNNRegressor(**{**own, "random_state": 0, **params})


def ensemble_of(**params):
    network = network_of(random_state=None)
    return FFNNEnsembleRegressor(network, 4, random_state=0, **params)


MODELS = {
    "network": network_of(),
    "ensemble": ensemble_of(),
    "Bayesian": BayesianFFNNRegressor(4, n_restarts=2, tol=0.01, random_state=0),
}
GRID = {"learning_rate": [0.02, 0.05], "hidden_layer_sizes": [4, (6, 6)]}


def at_once(functions):
    """Their results, each in a thread of its own; all of them begin together."""
    barrier = Barrier(len(functions))

    def run(function):
        barrier.wait()
        return function()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(run, functions))


def blas():
    """Threads of each library of BLAS."""
    return [
        each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"
    ]


# Threads -----------------------------------------------------------------------------


@pytest.fixture(scope="module", params=MODELS)
def fitted(request, friedman):
    return clone(MODELS[request.param]).fit(*friedman)


@pytest.mark.parametrize("n", [1, 3, 5000])
def test_many_threads_predict_what_one_does(fitted, n, rng):
    X = rng.uniform(size=(n, 10))
    assert 3 < chunk_rows([10, 8, 1]) < 5000
    alone = fitted.predict(X)
    for y_hat in at_once([lambda: fitted.predict(X)] * THREADS):
        np.testing.assert_array_equal(y_hat, alone)


def test_each_thread_predicts_its_own_rows(fitted, rng):
    parts = [rng.uniform(size=(2000 + 7 * k, 10)) for k in range(THREADS)]
    alone = [fitted.predict(X) for X in parts]
    together = at_once([lambda X=X: fitted.predict(X) for X in parts])
    for own, y_hat in zip(alone, together, strict=True):
        np.testing.assert_array_equal(y_hat, own)


def weights_of(model):
    models = getattr(model, "estimators_", [model])
    return np.concatenate([each.theta_ for each in models])


@pytest.mark.parametrize("kind", MODELS)
def test_fits_in_many_threads_are_those_one_after_the_other(friedman, kind):
    models = [clone(MODELS[kind]).set_params(random_state=k) for k in range(THREADS)]
    alone = [weights_of(clone(model).fit(*friedman)) for model in models]
    fits = [lambda model=model: model.fit(*friedman) for model in models]
    for own, model in zip(alone, at_once(fits), strict=True):
        np.testing.assert_array_equal(weights_of(model), own)


@pytest.mark.parametrize("threads", [1, 2])
def test_large_and_small_fits_at_once_leave_blas_as_it_was(rng, threads):
    X = rng.normal(size=(256, 64))
    large = network_of(
        hidden_layer_sizes=(256, 192), batch_size=256, max_iter=10, learning_rate=2e-3
    )
    assert LARGE < 256 * (64 * 256 + 256 * 192 + 192)
    models = [large, network_of()] * (THREADS // 4)
    models = [clone(m).set_params(random_state=k) for k, m in enumerate(models)]
    fits = [lambda model=model: model.fit(X, X[:, 0]).theta_ for model in models]
    with threadpool_limits(threads, "blas"):
        before = blas()
        together = at_once(fits)
        assert blas() == before
        alone = [fit() for fit in fits]
        assert blas() == before
    # A large fit has one thread of BLAS beside a small one, and all of them without.
    for own, theta in list(zip(alone, together, strict=True))[threads - 1 :: threads]:
        np.testing.assert_array_equal(theta, own)


def test_a_fit_that_fails_beside_others_leaves_blas_as_it_was(friedman):
    X, y = friedman

    def fail():
        with pytest.raises(FloatingPointError):
            network_of(learning_rate=1e8, solver="sgd", clip_norm=None).fit(X, y)

    with threadpool_limits(2, "blas"):
        before = blas()
        at_once([fail, lambda: network_of().fit(X, y)] * 8)
        assert blas() == before


@pytest.mark.parametrize("kind", MODELS)
def test_a_model_predicts_while_its_clones_are_fitted(friedman, kind):
    X, y = friedman
    model = clone(MODELS[kind]).fit(X, y)
    alone, over = model.predict(X), Event()

    def refit():
        try:
            for k in range(4):
                clone(model).set_params(random_state=k).fit(X, -2 * y)
        finally:
            over.set()

    def predict():
        n = 0
        while not over.is_set() or n == 0:
            np.testing.assert_array_equal(model.predict(X), alone)
            n += 1
        return n

    assert min(at_once([refit, predict, predict])[1:]) > 0


# Processes ---------------------------------------------------------------------------

FORKS = """
import os, signal, sys, threading, warnings
import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits
from skffnn import BayesianFFNNRegressor, FFNNRegressor

warnings.simplefilter("ignore")
X = np.random.default_rng(0).normal(size=(100, 2))
y = np.sin(X[:, 0])

def fit():
    FFNNRegressor(5, loss="huber", max_iter=3, random_state=0).fit(X, y)
    BayesianFFNNRegressor(3, n_restarts=1, random_state=0).fit(X, y)

def at_two():
    pools = threadpool_info()
    return {p["num_threads"] for p in pools if p["user_api"] == "blas"} == {2}

def fit_on():
    while not over.is_set():
        fit()
        fitted.set()

def child():
    signal.alarm(100)  # ends it, if it waits for what nobody gives back
    begun = at_two()
    fit()
    os._exit(0 if begun and at_two() else 3)

threadpool_limits(2, "blas")
over, fitted = threading.Event(), threading.Event()
threads = [threading.Thread(target=fit_on) for _ in range(3)]
for thread in threads:
    thread.start()
fitted.wait()
try:
    for _ in range(6):
        pid = os.fork() or child()
        _, status = os.waitpid(pid, 0)
        if status:
            sys.exit(f"a child ended with {status}")
finally:
    over.set()
    for thread in threads:
        thread.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")
def test_a_child_that_is_forked_while_threads_fit_is_as_any_other():
    ended = subprocess.run(
        [sys.executable, "-c", FORKS], capture_output=True, text=True, timeout=600
    )
    assert ended.returncode == 0, ended.stderr


def search_of(kind, **params):
    return kind(network_of(), GRID, cv=3, **params)


def assert_same_search(one, other):
    np.testing.assert_array_equal(
        one.cv_results_["mean_test_score"], other.cv_results_["mean_test_score"]
    )
    assert one.best_params_ == other.best_params_
    np.testing.assert_array_equal(
        one.best_estimator_.theta_, other.best_estimator_.theta_
    )


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_fit_the_ensemble_that_one_does(friedman, backend):
    alone = ensemble_of().fit(*friedman)
    with joblib.parallel_config(backend=backend):
        together = ensemble_of(n_jobs=2).fit(*friedman)
    np.testing.assert_array_equal(weights_of(together), weights_of(alone))


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_search_as_one_does(friedman, backend):
    alone = search_of(FFNNGridSearchCV).fit(*friedman)
    with joblib.parallel_config(backend=backend):
        together = search_of(FFNNGridSearchCV, n_jobs=2).fit(*friedman)
    assert_same_search(together, alone)


@pytest.fixture(scope="module")
def cluster():
    """Two processes of dask's, as joblib's backend."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as local,
        distributed.Client(local),
    ):
        yield


@pytest.mark.usefixtures("cluster")
def test_dask_works_in_processes_of_its_own():
    with joblib.parallel_config(backend="dask"):
        others = joblib.Parallel(n_jobs=2)([joblib.delayed(os.getpid)()] * 4)
    assert os.getpid() not in others


@pytest.mark.usefixtures("cluster")
def test_dask_fits_the_ensemble_that_one_process_does(friedman):
    alone = ensemble_of().fit(*friedman)
    with joblib.parallel_config(backend="dask"):
        together = ensemble_of(n_jobs=2).fit(*friedman)
    np.testing.assert_array_equal(weights_of(together), weights_of(alone))


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("kind", [FFNNGridSearchCV, GridSearchCV])
def test_dask_searches_as_one_process_does(friedman, kind):
    alone = search_of(kind).fit(*friedman)
    with joblib.parallel_config(backend="dask"):
        together = search_of(kind, n_jobs=2).fit(*friedman)
    assert_same_search(together, alone)
