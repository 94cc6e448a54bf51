"""A fit that was interrupted ends with the weights of one that was not."""

import pickle
import re
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import FFNNGridSearchCV, FFNNRegressor
from skffnn.core import training

RUNS = {
    "plain": {},
    "gradient descent": {"solver": "sgd"},
    "dropout": {"dropout": 0.2, "validation_fraction": 0.2},
    "a chosen weight decay": {"weight_decay": "auto"},
    "the best of a whole run": {"early_stopping": True},
    "the best, with patience": {
        "early_stopping": True,
        "learning_rate_schedule": "constant",
        "n_iter_no_change": 5,
    },
    "patience": {
        "learning_rate_schedule": "constant",
        "n_iter_no_change": 4,
        "max_iter": 200,
    },
    "rates that drop": {
        "learning_rate_schedule": "adaptive",
        "n_iter_no_change": 2,
        "tol": 0.05,
        "max_iter": 90,
    },
}


def model_of(**parameters):
    defaults = {
        "hidden_layer_sizes": 10, "max_iter": 30, "random_state": 3,
        "weight_decay": 0.1,
    }  # fmt: skip
    return FFNNRegressor(**{**defaults, **parameters})


@pytest.fixture
def interrupted(monkeypatch):
    """Return whether a fit is interrupted in the middle of its epoch n + 1."""
    epoch = training._Loop.run

    def fit(model, n, X, y, **options):
        calls = iter(range(n))

        def run(self, order, rates):
            epoch(self, order, rates)
            # A stack is that of the choice of a weight decay.
            if self.theta.ndim == 1 and next(calls, None) is None:
                raise KeyboardInterrupt

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            monkeypatch.setattr(training._Loop, "run", run)
            try:
                model.fit(X, y, **options)
            except KeyboardInterrupt:
                return True
            finally:
                monkeypatch.setattr(training._Loop, "run", epoch)
        return False

    return fit


def whole(model, X, y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y, **options)


def assert_same_end(a, b):
    np.testing.assert_array_equal(a.theta_, b.theta_)
    for name in a.history_:
        np.testing.assert_array_equal(a.history_[name], b.history_[name])
    for name in ("n_iter_", "kept_iter_", "best_iter_", "best_loss_", "loss_"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    for name in ("order", "dropout"):
        assert a._state[name].bit_generator.state == b._state[name].bit_generator.state
    assert a._state.keys() == b._state.keys()
    assert a._state["memory"].keys() == b._state["memory"].keys()


@pytest.mark.parametrize("parameters", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("n", [1, 4])
def test_ends_with_the_weights_of_a_whole_run(table, interrupted, parameters, n):
    X, y = table
    expected = whole(model_of(**parameters), X, y)
    model, done = model_of(**parameters), 0
    while interrupted(model, n, X, y, resume=True):
        done += n
        assert np.isfinite(model.predict(X)).all()
        assert model.n_iter_ == done
    assert done > 8
    assert_same_end(model, expected)


def test_with_validation_rows_and_weights_of_ones_own(table, interrupted):
    X, y = table
    options = {
        "sample_weight": np.arange(120.0), "X_val": X[120:], "y_val": y[120:],
    }  # fmt: skip
    expected = whole(model_of(early_stopping=True), X[:120], y[:120], **options)
    model = model_of(early_stopping=True)
    assert interrupted(model, 20, X[:120], y[:120], **options)
    assert_same_end(whole(model, X[:120], y[:120], resume=True, **options), expected)


def test_a_warm_start_is_resumed(table, interrupted):
    model = whole(model_of(warm_start=True), *table)
    expected = whole(pickle.loads(pickle.dumps(model)), *table)
    assert interrupted(model, 10, *table)
    assert_same_end(whole(model, *table, resume=True), expected)


def test_through_pickle_and_in_a_pipeline(table, interrupted):
    expected = whole(make_pipeline(StandardScaler(), model_of()), *table)
    pipeline = make_pipeline(StandardScaler(), model_of())
    assert interrupted(pipeline, 7, *table)
    pipeline = pickle.loads(pickle.dumps(pipeline))
    whole(pipeline, *table, ffnnregressor__resume=True)
    assert_same_end(pipeline[-1], expected[-1])


def test_in_a_search_there_is_nothing_to_resume(table):
    grid = {"learning_rate": [0.01, 0.1]}
    search = FFNNGridSearchCV(model_of(), grid, cv=2)
    expected = clone(search).fit(*table).cv_results_["mean_test_score"]
    scores = search.fit(*table, resume=True).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(scores, expected)


def test_a_complete_fit_stays_what_it_is(table):
    model = whole(model_of(), *table)
    before = model.theta_
    assert model.fit(*table, resume=True).theta_ is before
    assert model.n_iter_ == 30


def test_a_run_that_goes_on_otherwise_is_no_longer_resumed(table, interrupted):
    model = model_of(warm_start=True)
    assert interrupted(model, 5, *table)
    assert whole(model, *table).n_iter_ == 35
    assert model.fit(*table, resume=True).n_iter_ == 35
    model = model_of()
    assert interrupted(model, 5, *table)
    model.partial_fit(*table)
    with pytest.raises(ValueError, match="no fit to resume"):
        model.fit(*table, resume=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.1}, "whose learning_rate was 0.02; it is now 0.1"),
        ({"max_iter": 50}, "whose max_iter was 30"),
        ({"hidden_layer_sizes": 11}, "whose hidden_layer_sizes was '(10,)'"),
        ({"activation": ["tanh"]}, "whose activation was 'relu'; it is now 'tanh'"),
        ({"standardize": False}, "whose standardize was True; it is now False"),
        ({"standardize": {"y_mean": [0], "y_scale": [1]}}, "it is now 'hash "),
    ],
)
@pytest.mark.parametrize("complete", [True, False])
def test_another_lesson_is_refused(table, interrupted, change, message, complete):
    model = model_of()
    if complete:
        whole(model, *table)
    else:
        assert interrupted(model, 5, *table)
    model.set_params(**change)
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(*table, resume=True)


def test_what_means_the_same_is_no_other_lesson(table, interrupted):
    model = model_of(hidden_layer_sizes=(10,), standardize={"y_mean": 1, "y_scale": 2})
    expected = whole(clone(model), *table)
    assert interrupted(model, 5, *table)
    model.set_params(
        hidden_layer_sizes=np.array([10]), activation=["relu"], random_state=7,
        learning_rate=np.float64(0.02), standardize={"y_mean": 1, "y_scale": 2},
    )  # fmt: skip
    assert_same_end(whole(model, *table, resume=True), expected)


@pytest.mark.parametrize("other", ["X", "one number", "y", "weights", "validation"])
def test_other_rows_are_refused(table, interrupted, other):
    X, y = table
    model = model_of()
    assert interrupted(model, 5, X, y)
    options = {}
    if other == "X":
        X = X + 1e-9
    if other == "one number":
        X = np.where(np.arange(X.size).reshape(X.shape) == 333, 0, X)
    if other == "y":
        y = y + 1e-9
    if other == "weights":
        options = {"sample_weight": np.ones(len(y))}
    if other == "validation":
        options = {"X_val": X, "y_val": y}
    before = model.theta_
    with pytest.raises(ValueError, match="on other rows"):
        model.fit(X, y, resume=True, **options)
    assert model.theta_ is before


def test_lbfgs_says_that_it_cannot(table, monkeypatch):
    model = FFNNRegressor(10, solver="lbfgs", random_state=0, max_iter=50)

    def interrupt(self, row, epoch):
        if epoch == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr("skffnn.fitting.run.print_epoch", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(verbose=True).fit(*table)
    assert model.n_iter_ == 4
    with pytest.raises(ValueError, match="cannot resume an interrupted fit"):
        model.fit(*table, resume=True)


def test_resume_is_a_flag(table):
    with pytest.raises(ValueError, match="resume must be True or False; got 'yes'"):
        model_of().fit(*table, resume="yes")
