"""Error bars: asked for by name, through pipelines, and far from all rows."""

import warnings
from itertools import product

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
)

NETWORK = FFNNRegressor(8, weight_decay=0.1, max_iter=60)
MODELS = {
    "Bayesian": BayesianFFNNRegressor(4, n_restarts=2, random_state=0),
    "ensemble": FFNNEnsembleRegressor(NETWORK, 4, random_state=0),
    "calibrated": FFNNEnsembleRegressor(
        NETWORK, 4, calibration_fraction=0.3, random_state=0
    ),
}
every_model = pytest.mark.parametrize("kind", MODELS)


@pytest.fixture(params=MODELS)
def fitted(request, waves):
    return clone(MODELS[request.param]).fit(*waves[:2])


def assert_same(answers, expected):
    assert len(answers) == len(expected)
    for own, other in zip(answers, expected, strict=True):
        np.testing.assert_array_equal(own, other)


def test_predict_returns_the_interval_that_predict_interval_does(fitted, waves):
    X = waves[2]
    y_hat, std = fitted.predict(X, return_std=True)
    low, high = fitted.predict_interval(X, 0.8)
    assert_same(fitted.predict(X, return_interval=0.8), (y_hat, low, high))
    both = fitted.predict(X, return_std=True, return_interval=0.8)
    assert_same(both, (y_hat, std, low, high))
    np.testing.assert_array_equal(fitted.predict(X, return_interval=None), y_hat)


def test_several_outputs_have_an_interval_each(ensemble_of, friedman):
    X, y = friedman
    model = ensemble_of(calibration_fraction=0.25).fit(X, np.c_[y, -3 * y])
    y_hat, low, high = model.predict(X, return_interval=0.9)
    assert y_hat.shape == low.shape == high.shape == (len(X), 2)
    assert_same((low, high), model.predict_interval(X, 0.9))


@every_model
def test_a_pipeline_passes_the_question_on(kind, waves):
    X, y, X_new, _ = waves
    model = make_pipeline(StandardScaler(), clone(MODELS[kind])).fit(X, y)
    inner = model[:-1].transform(X_new)
    expected = model[-1].predict(inner), *model[-1].predict_interval(inner, 0.7)
    assert_same(model.predict(X_new, return_interval=0.7), expected)
    y_hat, std, low, high = model.predict(X_new, return_std=True, return_interval=0.7)
    assert_same((y_hat, low, high), expected)
    assert_same((y_hat, std), model[-1].predict(inner, return_std=True))


@every_model
@pytest.mark.parametrize("search", [GridSearchCV, FFNNGridSearchCV])
def test_the_best_of_a_search_is_asked(kind, search, waves):
    X, y, X_new, _ = waves
    pipeline = make_pipeline(StandardScaler(), clone(MODELS[kind]))
    name = f"{pipeline.steps[-1][0]}__random_state"
    best = search(pipeline, {name: [0, 1]}, cv=2).fit(X, y).best_estimator_
    inner = best[:-1].transform(X_new)
    _, *interval = best.predict(X_new, return_interval=0.7)
    assert_same(interval, best[-1].predict_interval(inner, 0.7))


@every_model
def test_with_metadata_routing_it_is_requested(kind, waves):
    X, y, X_new, _ = waves
    with sklearn.config_context(enable_metadata_routing=True):
        asked = clone(MODELS[kind]).set_predict_request(
            return_std=True, return_interval=True
        )
        model = make_pipeline(StandardScaler(), asked).fit(X, y)
        answers = model.predict(X_new, return_std=True, return_interval=0.7)
        inner = model[:-1].transform(X_new)
        expected = model[-1].predict(inner, return_std=True, return_interval=0.7)
        assert_same(answers, expected)


@every_model
def test_behind_a_transformed_target_the_inner_model_is_asked(kind, waves):
    X, y, X_new, _ = waves
    model = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), clone(MODELS[kind])),
        func=np.log,
        inverse_func=np.exp,
    ).fit(X, y)
    y_hat, low, high = map(np.exp, model.regressor_.predict(X_new, return_interval=0.8))
    np.testing.assert_allclose(y_hat, model.predict(X_new))
    assert np.all((low < y_hat) & (y_hat < high))


@pytest.mark.parametrize("coverage", [0, 1, -0.5, 90, "0.9", True, False])
def test_the_share_is_named_as_users_know_it(fitted, waves, coverage):
    for method, name in (
        (fitted.predict, "return_interval"),
        (fitted.predict_interval, "coverage"),
    ):
        with pytest.raises(ValueError, match=f"^{name} must be a number between 0"):
            method(waves[0], **{name: coverage})


@every_model
def test_asking_needs_fitting(kind, waves):
    for question in ({"return_std": True}, {"return_interval": 0.9}):
        with pytest.raises(NotFittedError):
            clone(MODELS[kind]).predict(waves[0], **question)


# Far outside of the data --------------------------------------------------------------

QUESTIONS = {
    "predictions": lambda model, X: model.predict(X),
    "deviations": lambda model, X: model.predict(X, return_std=True),
    "both": lambda model, X: model.predict(X, return_std=True, return_interval=0.9),
    "interval": lambda model, X: model.predict_interval(X),
}
FAR = [1e154, 1e200, 1e300, 1.7e308]


def answered(question, model, X):
    """The answers, and the warnings: of this package alone, and at most one."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        answers = np.stack(np.atleast_2d(QUESTIONS[question](model, X)))
    messages = [str(each.message) for each in heard]
    assert len(messages) <= 1, messages
    assert all("are not finite" in message for message in messages)
    return answers, messages


@every_model
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_what_overflows_is_said_once(kind, activation, waves):
    model = clone(MODELS[kind])
    name = "activation" if kind == "Bayesian" else "estimator__activation"
    model.set_params(**{name: activation}).fit(*waves[:2])
    for question, far in product(QUESTIONS, FAR):
        X = np.r_[np.full((2, 2), far), waves[2][:3], -np.full((2, 2), far)]
        answers, messages = answered(question, model, X)
        assert bool(messages) == (not np.isfinite(answers).all()), (question, far)
        assert np.isfinite(answers[:, 2:5]).all(), (question, far)


def test_the_warning_says_what_is_not_finite(waves):
    X, y, *_ = waves
    model = clone(MODELS["ensemble"]).fit(X, y)
    _, (message,) = answered("deviations", model, np.full((3, 2), 1e200))
    assert message.startswith("The standard deviations of 3 rows are not finite")


def test_a_limit_at_infinity_that_is_meant_is_no_overflow(ensemble_of, friedman):
    X, y = friedman
    model = ensemble_of(calibration_fraction=0.25).fit(X, y)
    model.calibration_scores_[...] = np.inf
    answers, messages = answered("interval", model, X)
    assert np.isinf(answers).all()
    assert messages == []


@every_model
@pytest.mark.parametrize("question", QUESTIONS)
def test_gaps_that_nobody_checks_are_named(kind, question, waves):
    model = clone(MODELS[kind]).fit(*waves[:2])
    X = waves[2][:4].copy()
    X[1, 0], X[2, 1] = np.nan, np.inf
    with (
        sklearn.config_context(assume_finite=True),
        pytest.warns(
            UserWarning, match="of [12] rows are not finite: X has NaN"
        ) as heard,
    ):
        answers = QUESTIONS[question](model, X)
    assert len(heard) == 1
    assert np.isfinite(np.stack(np.atleast_2d(answers))[:, [0, 3]]).all()


@every_model
@pytest.mark.parametrize("question", QUESTIONS)
def test_the_largest_numbers_of_both_signs_are_looked_at_in_silence(
    kind, question, waves
):
    """Their sum, by which scikit-learn looks for gaps, is no number."""
    model = clone(MODELS[kind]).fit(*waves[:2])
    X = 1.7e308 * np.array([[1, -1], [1, 1], [-1, -1], [-1, 1.0]])
    answered(question, model, X)
