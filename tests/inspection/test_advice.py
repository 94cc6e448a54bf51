"""What is advised of a model is what its fit has said, wherever it is said."""

import warnings

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, VotingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, Ridge, SGDRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
    evaluate,
)
from skffnn.inspection.advice import advice_of, longer_training, open_parameters


def network(**parameters):
    usual = {"hidden_layer_sizes": (32, 32), "weight_decay": 0.1, "random_state": 0}
    return FFNNRegressor(**{**usual, "max_iter": 40, **parameters})


# Networks that are warned of, and how the warning begins what it advises.
WARNED = {
    "too low": ({"learning_rate": 1e-6}, "a higher learning_rate (now 1e-06)"),
    "too high": (
        {"learning_rate": 3.0, "hidden_layer_sizes": (64, 64)},
        "a lower learning_rate (now 3)",
    ),
    "too short": (
        {"learning_rate_schedule": "constant", "learning_rate": 0.001},
        "a larger max_iter",
    ),
    "regularised": ({"solver": "lbfgs", "weight_decay": 1e3}, "less regularisation"),
}
every_warning = pytest.mark.parametrize(
    ("parameters", "first"), WARNED.values(), ids=WARNED
)


def heard(function):
    """What a function returns, and the warnings of training on the way."""
    with warnings.catch_warnings(record=True) as messages:
        warnings.simplefilter("always")
        result = function()
    return result, [
        str(each.message) for each in messages if each.category is ConvergenceWarning
    ]


@pytest.fixture
def wave(rng):
    X = rng.uniform(-3, 3, (200, 1))
    return X, np.sin(4 * X[:, 0])


def wrapped(model):
    """A network, wherever it may stand."""
    rates = {"clip_norm": [None, 1.0]}
    return {
        "alone": model,
        "pipeline": make_pipeline(StandardScaler(), model),
        "search": FFNNGridSearchCV(model, rates, cv=2),
        "target": TransformedTargetRegressor(model, transformer=StandardScaler()),
        "ensemble": FFNNEnsembleRegressor(model, n_estimators=2, random_state=0),
        "vote": VotingRegressor([("line", Ridge()), ("network", model)]),
    }


@every_warning
@pytest.mark.parametrize("where", wrapped(None))
def test_it_is_what_the_fit_has_said(wave, where, parameters, first):
    if where == "search" and parameters.get("solver") == "lbfgs":
        pytest.skip("it clips nothing")
    model, messages = heard(lambda: wrapped(network(**parameters))[where].fit(*wave))
    phrases = advice_of(model)
    assert phrases[0].startswith(first)
    for phrase in phrases:
        assert any(phrase.removeprefix("a larger ") in each for each in messages)


@pytest.mark.parametrize("where", wrapped(None))
def test_a_good_fit_leaves_nothing_to_say(wave, where):
    model = network(learning_rate=0.03, max_iter=200)
    model, messages = heard(lambda: wrapped(model)[where].fit(*wave))
    assert advice_of(model) == messages == []


def test_others_say_nothing(wave):
    assert advice_of(Ridge().fit(*wave)) == []


@pytest.mark.parametrize("where", ["alone", "pipeline", "target", "vote"])
def test_a_committee_says_what_its_fit_has_said(where):
    X = np.linspace(-10, 10, 101)[:, np.newaxis]
    y = np.sin(4 * X[:, 0])
    model = BayesianFFNNRegressor(random_state=0)
    model, (message,) = heard(lambda: wrapped(model)[where].fit(X, y))
    phrases = advice_of(model)
    assert phrases == [
        "hidden_layer_sizes=30 (now (10, 10))",
        "a larger n_restarts (now 4)",
    ]
    assert all(phrase in message for phrase in phrases)
    found, _ = heard(lambda: evaluate(model, X, y, random_state=0))
    assert advice_of(found.estimator)[0] in found.verdict


def test_what_a_committee_advises_helps():
    X = np.linspace(-10, 10, 101)[:, np.newaxis]
    y = np.sin(4 * X[:, 0])
    followed = BayesianFFNNRegressor(30, random_state=0)
    followed, _ = heard(lambda: followed.fit(X, y))
    assert followed.score(X, y) > 0.99


def test_a_file_keeps_it(wave, tmp_path):
    model, _ = heard(lambda: network(learning_rate=1e-6).fit(*wave))
    model.save(tmp_path / "model.npz")
    assert advice_of(FFNNRegressor.load(tmp_path / "model.npz")) == advice_of(model)


@every_warning
def test_the_verdict_says_the_same(wave, parameters, first):
    found, messages = heard(
        lambda: evaluate(network(**parameters), *wave, random_state=0)
    )
    assert len(messages) == 1
    assert advice_of(found.estimator)[0] in found.verdict
    assert first in found.verdict


def test_what_was_too_fast_is_never_told_to_be_faster(rng):
    """All units of the layers die; the error had been lower before."""
    X = rng.uniform(0, 60, (500, 1))
    for rate in (0.1, 0.3, 1.0):
        model = FFNNRegressor(learning_rate=rate, max_iter=60, random_state=0)
        found, messages = heard(
            lambda model=model: evaluate(model, X, np.sin(X[:, 0]), random_state=0)
        )
        said = " ".join([*messages, found.verdict, *advice_of(found.estimator)])
        assert "higher" not in said
        assert "learning_rate" in found.verdict


# Searches -----------------------------------------------------------------------------


def first_of(results):
    return 0


@pytest.mark.parametrize("kind", [GridSearchCV, FFNNGridSearchCV])
def test_what_a_search_has_tried_is_not_advised(wave, kind):
    def search_of(*rates):
        return kind(network(), {"learning_rate": rates}, cv=2, refit=first_of)

    search, _ = heard(lambda: search_of(1e-7, 1e-6).fit(*wave))
    best = search.best_estimator_
    assert advice_of(best)[0] == "a higher learning_rate (now 1e-07)"
    assert advice_of(search) == advice_of(best)[1:]
    found, _ = heard(lambda: evaluate(search_of(1e-7, 1e-6), *wave))
    assert "learning_rate" not in found.verdict
    # Beyond what was tried there may be more.
    search, _ = heard(lambda: search_of(1e-6, 1e-7).fit(*wave))
    assert advice_of(search)[0] == "a higher learning_rate (now 1e-06)"


def test_parameters_that_a_search_has_chosen_are_not_open(wave):
    pipeline = make_pipeline(
        StandardScaler(), network(max_iter=200, learning_rate=0.03)
    )
    grid = {"ffnnregressor__weight_decay": [0.01, 0.1], "standardscaler": [None]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(*wave)
    of_search = open_parameters(search)
    of_network = open_parameters(search.best_estimator_)
    assert of_network.keys() - of_search.keys() == {"weight_decay"}
    assert open_parameters(Ridge()) == Ridge().get_params()


# Without advice -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "advice"),
    [
        (FFNNRegressor(), "a higher learning_rate"),
        (FFNNRegressor(learning_rate=0.2), "a lower learning_rate"),
        (FFNNRegressor(solver="lbfgs"), "a larger max_iter"),
        (BayesianFFNNRegressor(), "a larger n_restarts"),
        (MLPRegressor(), "a higher learning_rate_init"),
        (HistGradientBoostingRegressor(), "a higher learning_rate"),
        (SGDRegressor(), "a more flexible model"),  # its learning_rate is a word
        (LinearRegression(), "a more flexible model"),
    ],
)
def test_what_is_left_to_try_if_little_was_learnt(model, advice):
    assert longer_training(model.get_params()) == advice
