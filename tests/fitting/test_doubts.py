"""What is said of a committee: each sentence where it is due, and nowhere else."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skffnn import BayesianFFNNRegressor


def heard(model, X, y, **more):
    """The fitted model, and what it said."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y, **more)
    return model, [str(each.message) for each in caught]


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


def wave(times, n=101):
    X = np.linspace(-10, 10, n)[:, np.newaxis]
    return X, np.sin(times * X[:, 0])


@pytest.mark.parametrize(
    ("times", "seed"), [(1, 0), (1, 1), slow(1, 2), slow(1, 3), slow(2, 0), (3, 0)]
)
def test_waves_are_found_from_every_seed(times, seed):
    """The usual starts find the slow one from seed 1 alone."""
    model, messages = heard(BayesianFFNNRegressor(random_state=seed), *wave(times))
    assert model.score(*wave(times)) > 0.999
    assert not any("explain" in message for message in messages)


def test_what_nobody_finds_is_said_with_what_helps():
    X, y = wave(6, 401)
    model, (message,) = heard(BayesianFFNNRegressor(random_state=0), X, y)
    assert model.score(X, y) < 0.1
    assert "explain 0% of the variance of y" in message
    assert "neighbouring rows err alike" in message
    assert "hidden_layer_sizes=30 (now (10, 10))" in message
    assert "a larger n_restarts (now 4)" in message


@pytest.mark.slow
def test_what_is_said_to_help_helps():
    X, y = wave(6, 401)
    model, _ = heard(BayesianFFNNRegressor(30, random_state=0), X, y)
    assert model.score(X, y) > 0.5
    model, messages = heard(
        BayesianFFNNRegressor(60, n_restarts=8, random_state=0), X, y
    )
    assert model.score(X, y) > 0.99
    assert not any("explain" in message for message in messages)


def test_chance_is_called_so(rng):
    X, y = rng.normal(size=(60, 3)), rng.normal(size=60)
    model, (message,) = heard(BayesianFFNNRegressor(random_state=0), X, y)
    assert "about as much as chance would" in message or "explain 0%" in message
    assert "X may say nothing about y" in message
    assert model._advice[1] == "a larger n_restarts (now 4)"


@pytest.mark.parametrize("noise", [0.5, 1.0, 2.0])
def test_noisy_tables_are_not_doubted(rng, noise):
    """R^2 may be 0.2 and the model as good as can be."""
    X = rng.normal(size=(300, 3))
    y = X[:, 0] + noise * rng.normal(size=300)
    model, messages = heard(BayesianFFNNRegressor(random_state=0), X, y)
    assert messages == model._advice == []
    assert set(model.history_["restart"]) == {1, 2, 3, 4}  # nor looked at further


def test_a_run_that_was_cut_short_is_counted(waves):
    X, y, *_ = waves
    with pytest.warns(ConvergenceWarning, match="max_iter=3 ended 2 of 2 runs"):
        model = BayesianFFNNRegressor(n_restarts=2, max_iter=3, random_state=0).fit(
            X, y
        )
    assert model._advice[-1] == "a larger max_iter (now 3)"


def test_a_linear_model_has_one_solution(rng):
    """Further starts would find it again."""
    X, y = rng.normal(size=(100, 3)), rng.normal(size=100)
    model, messages = heard(BayesianFFNNRegressor((), random_state=0), X, y)
    assert messages == []
    assert max(model.history_["restart"]) == 4


def test_too_large_for_second_order_is_refused_by_its_work(rng):
    X, y = rng.normal(size=(50, 2)), rng.normal(size=50)
    with pytest.raises(ValueError, match="50 rows a step of second order takes"):
        BayesianFFNNRegressor(2000).fit(X, y)
