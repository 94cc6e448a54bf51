"""Ctrl-C at any line: the model is what it was, or whole, and can go on."""

import copy
import linecache
import signal
import sys
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_info, threadpool_limits

import skffnn
from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
)

PACKAGE = str(Path(skffnn.__file__).parent)
N = 24
X = pd.DataFrame(np.random.default_rng(0).normal(size=(N, 3)), columns=["a", "b", "c"])
y = X["a"].to_numpy() + 0.1 * np.random.default_rng(1).normal(size=N)
OTHER = X.iloc[:, :2].to_numpy()


class Lines:
    """Counts the lines of this package that are run, and interrupts the n-th of them.

    A `with` is passed a second time when its block has ended. Python runs no handler of
    a signal there, or no lock would ever be sure to be released: it is left out.
    """

    def __init__(self, n=None):
        self.n, self.count, self.within = n, 0, set()

    def _trace(self, frame, event, arg):
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line" and not self._leaves_a_block(frame):
            self.count += 1
            if self.count == self.n:
                raise KeyboardInterrupt
        return self._trace

    def _leaves_a_block(self, frame):
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        if not line.lstrip().startswith("with "):
            return False
        place = frame, frame.f_lineno
        self.within ^= {place}
        return place not in self.within

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self._trace)
        return self

    def __exit__(self, *error):
        sys.settrace(self.before)


# Models and what is done to them ------------------------------------------------------


def network(**parameters):
    defaults = {
        "hidden_layer_sizes": 3, "max_iter": 3, "random_state": 0, "weight_decay": 0.1,
    }  # fmt: skip
    return FFNNRegressor(**{**defaults, **parameters})


def fitted(model, X=OTHER, y=y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X, y)


def fit(model):
    return model.fit(X, y)


def fit_others(model):
    """With other columns, and without names, than those of `fit`."""
    return model.fit(OTHER, y)


def partial_fit(model):
    return model.partial_fit(OTHER, y)


def resume(model):
    return model.fit(OTHER, y, resume=True)


def interrupted(interrupt, **parameters):
    model = network(**parameters, max_iter=6)
    with interrupt(2):
        fitted(model)
    assert model.n_iter_ == 2
    return model


# Of the model before, from the fixture that interrupts; and what is done then.
NETWORKS = {
    "unfitted": (lambda _: network(), fit),
    "fitted, other columns": (lambda _: fitted(network()), fit),
    "names, then none": (lambda _: fitted(network(), X), fit_others),
    "warm start": (lambda _: fitted(network(warm_start=True)), fit_others),
    "partial fit": (lambda _: network(), partial_fit),
    "partial fit again": (lambda _: network().partial_fit(OTHER, y), partial_fit),
    "resume": (interrupted, resume),
    "resume early stopping": (lambda i: interrupted(i, early_stopping=True), resume),
    "early stopping": (lambda _: network(early_stopping=True, max_iter=4), fit),
    "patience": (
        lambda _: network(
            early_stopping=True, learning_rate_schedule="adaptive", n_iter_no_change=1,
            tol=0.5, dropout=0.1, max_iter=5,
        ), fit,
    ),
    "gradient descent": (
        lambda _: network(solver="sgd", validation_fraction=0.2, loss="huber"), fit,
    ),
    "a chosen weight decay": (
        lambda _: network(weight_decay="auto", max_iter=20, batch_size=N), fit,
    ),
    "divergence": (
        lambda _: network(
            solver="sgd", learning_rate=0.4, momentum=0.9, weight_decay=0.0,
            clip_norm=None, max_iter=40, learning_rate_schedule="constant",
            n_iter_no_change=100, hidden_layer_sizes=10, random_state=2,
        ), fit_others,
    ),
}  # fmt: skip
MANY = {
    "ensemble": (
        lambda _: FFNNEnsembleRegressor(
            network(), 2, calibration_fraction=0.2, bootstrap=True, random_state=0
        ),
        fit,
    ),
    "ensemble, other columns": (
        lambda _: fitted(FFNNEnsembleRegressor(network(), 2, random_state=0)), fit,
    ),
    "bayesian": (
        lambda _: BayesianFFNNRegressor(
            2, n_restarts=2, max_iter=3, n_iter_no_change=1, random_state=0
        ), fit,
    ),
    "bayesian, other columns": (
        lambda _: fitted(
            BayesianFFNNRegressor(2, n_restarts=1, max_iter=2, random_state=0)
        ), fit,
    ),
    "search": (
        lambda _: FFNNGridSearchCV(network(), {"learning_rate": [0.1, 0.01]}, cv=2),
        fit,
    ),
    "search, other columns": (
        lambda _: fitted(
            FFNNGridSearchCV(network(), {"learning_rate": [0.1, 0.01]}, cv=2)
        ), fit,
    ),
}  # fmt: skip


# What must hold -----------------------------------------------------------------------


def n_threads():
    """Of BLAS, as whoever fits has set it."""
    return [
        each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"
    ]


def curves(model):
    """All that two fits have in common if they do the same; not the times."""
    own = model._without_times(vars(model))
    if "cv_results_" in own:
        own.pop("scorer_")
        own.pop("_checked_cv_orig", None)
    for name in ("estimators_", "best_estimator_"):
        if name in own:
            several = own[name] if isinstance(own[name], list) else [own[name]]
            own[name] = [curves(each) for each in several]
    return own


def rows_of(model):
    return X if hasattr(model, "feature_names_in_") else OTHER


@pytest.fixture
def holds(tmp_path, equal):
    """Whether a model is the one before, or a part of one that ends as expected."""

    def check(model, before, expected, action):
        if equal(model, before):
            return "before"
        # One of the new fit, of which nothing is missing.
        assert vars(model).keys() == vars(expected).keys()
        assert np.isfinite(model.predict(rows_of(model))).all()
        model.save(tmp_path / "model.npz")
        assert equal(type(model).load(tmp_path / "model.npz"), model)
        if equal(curves(model), curves(expected)):
            return "complete"
        assert action is not partial_fit
        rows = rows_of(expected)
        assert model.n_iter_ <= expected.n_iter_
        model.fit(rows, y, resume=True)
        assert equal(curves(model), curves(expected))
        return "a part"

    return check


@pytest.fixture
def interrupt_at_all(interrupt, holds):
    """Interrupt what is done to a model at up to so many lines; what came of it."""

    def run(make, action, most):
        with warnings.catch_warnings(), threadpool_limits(2, "blas"):
            warnings.simplefilter("ignore")
            before = make(interrupt)
            expected = copy.deepcopy(before)
            action(expected)  # what is cached is cached now
            with Lines() as lines:
                action(copy.deepcopy(before))
            threads, ends, n_lines = n_threads(), [], lines.count
            for n in np.linspace(1, n_lines, min(most, n_lines), dtype=int):
                model = copy.deepcopy(before)
                try:
                    with suppress(KeyboardInterrupt), Lines(n) as lines:
                        action(model)
                        assert lines.count < n  # some are run once in a while
                    assert n_threads() == threads
                    ends.append(holds(model, before, expected, action))
                except BaseException as error:
                    error.add_note(f"interrupted at line {n} of {n_lines}")
                    raise
        return ends

    return run


@pytest.mark.parametrize(("make", "action"), NETWORKS.values(), ids=NETWORKS)
def test_a_network_is_what_it_was_or_whole(interrupt_at_all, make, action):
    ends = interrupt_at_all(make, action, 12)
    assert {"before", "a part"} >= {*ends} - {"complete"}
    assert action is partial_fit or "a part" in ends


@pytest.mark.parametrize(("make", "action"), MANY.values(), ids=MANY)
def test_what_is_made_of_networks_is_what_it_was_or_whole(
    interrupt_at_all, make, action
):
    assert {"before"} >= {*interrupt_at_all(make, action, 9)} - {"complete"}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*NETWORKS, *MANY])
def test_ctrl_c_at_hundreds_of_lines(interrupt_at_all, record_property, name):
    make, action = {**NETWORKS, **MANY}[name]
    ends = interrupt_at_all(make, action, 1200 if name in NETWORKS else 400)
    record_property("interrupts", len(ends))


def test_the_last_step_of_a_pipeline_is_whole_or_unfitted(interrupt, holds):
    pipeline = make_pipeline(StandardScaler(), network(early_stopping=True, max_iter=4))
    last, expected = copy.deepcopy(pipeline[-1]), fitted(copy.deepcopy(pipeline), X)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = copy.deepcopy(pipeline)
        with Lines() as lines:
            model.fit(X, y)
        for n in np.linspace(1, lines.count, 12, dtype=int):
            model = copy.deepcopy(pipeline)
            with pytest.raises(KeyboardInterrupt), Lines(n):
                model.fit(X, y)
            if vars(model[-1]).keys() != vars(last).keys():
                assert np.isfinite(model.predict(X)).all()
            model.fit(X, y, ffnnregressor__resume=True)
            np.testing.assert_array_equal(model[-1].theta_, expected[-1].theta_)


def test_a_search_of_others_leaves_the_network_alone(interrupt, equal):
    grid = {"learning_rate": [0.1, 0.01]}
    search = GridSearchCV(network(), grid, cv=2)
    before = copy.deepcopy(search.estimator)
    with warnings.catch_warnings(), threadpool_limits(2, "blas"):
        warnings.simplefilter("ignore")
        model = copy.deepcopy(search)
        with Lines() as lines:
            model.fit(X, y)
        threads = n_threads()
        for n in np.linspace(1, lines.count, 15, dtype=int):
            model = copy.deepcopy(search)
            with pytest.raises(KeyboardInterrupt), Lines(n):
                model.fit(X, y)
            assert n_threads() == threads
            assert equal(model.estimator, before)
            assert not hasattr(model, "cv_results_") or hasattr(model, "best_params_")


@pytest.fixture
def _heeds_signals():
    """Workers of pytest-xdist ignore Ctrl-C."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.usefixtures("_heeds_signals")
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs signals")
def test_ctrl_c_by_a_real_signal_at_any_time(holds, record_property):
    """From another thread, while NumPy computes as well."""
    model = network(max_iter=400, early_stopping=True)
    expected = fitted(copy.deepcopy(model), X)
    started = time.perf_counter()
    fitted(copy.deepcopy(model), X)
    seconds, rng, ends = time.perf_counter() - started, np.random.default_rng(), []
    main = threading.main_thread().ident
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for _ in range(200):
            own, before = copy.deepcopy(model), copy.deepcopy(model)
            timer = threading.Timer(
                rng.uniform(0, seconds), signal.pthread_kill, [main, signal.SIGINT]
            )
            with suppress(KeyboardInterrupt):
                timer.start()
                own.fit(X, y)
                timer.join()
            ends.append(holds(own, before, expected, fit))
    assert "a part" in ends
    record_property("interrupts", len(ends))
