"""Settings: what the parameters of a model ask of one fit."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skffnn import FFNNGridSearchCV, FFNNRegressor
from skffnn.core.optimizers import OPTIMIZERS, Adam


def small(**parameters):
    return FFNNRegressor(
        **{"hidden_layer_sizes": 10, "max_iter": 40, "random_state": 0, **parameters}
    )


@pytest.mark.parametrize(
    ("parameters", "limit"),
    [
        ({"solver": "adam"}, None),
        ({"solver": "sgd", "momentum": 0, "learning_rate": 0.2}, None),
        ({"solver": "sgd"}, 0.25),
        ({"solver": "sgd", "momentum": 0.998}, 0.1),
    ],
)
def test_gradients_are_limited_where_momentum_adds_them_up(table, parameters, limit):
    auto, explicit, other = (
        small(clip_norm=clip_norm, **parameters).fit(*table).theta_
        for clip_norm in ("auto", limit, 0.2)
    )
    np.testing.assert_allclose(auto, explicit, rtol=1e-9)
    assert (auto != other).any()


def test_huber_delta_is_in_standard_deviations_whatever_is_standardised(rng):
    X = rng.normal(size=(200, 1))
    y = (X[:, 0] - X.mean()) / X.std()
    kwargs = {"loss": "huber", "huber_delta": 0.5, "standardize": False}
    model = small(**kwargs).fit(X, y)
    tenfold = small(**kwargs).fit(X, 10 * y)
    assert model._state.keys() == tenfold._state.keys()
    # In the quadratic part a tenfold target has a hundredfold loss; with a delta that
    # did not follow the target, the linear part would make it about tenfold.
    assert tenfold.history_["loss"][0] > 50 * model.history_["loss"][0]


# What a solver has no use for ---------------------------------------------------------


def without(*words):
    """Adam, if it had no use for those."""

    class Modest(Adam):
        uses = Adam.uses - set(words)

        @classmethod
        def stack(cls, theta, singles):
            assert "stack" in cls.uses
            return super().stack(theta, singles)

    return Modest


@pytest.mark.filterwarnings("ignore:max_iter=40 was reached")
@pytest.mark.parametrize("word", sorted(Adam.uses))
def test_a_solver_gets_only_what_it_has_a_use_for(table, monkeypatch, word):
    monkeypatch.setitem(OPTIMIZERS, "modest", without(word))
    X, y = table
    grid = {"learning_rate": [0.01, 0.02]}
    FFNNGridSearchCV(small(solver="modest"), grid, cv=2).fit(X, y)
    model = small(solver="modest").fit(X, y)
    assert model.score(X, y) > 0.5
    if word == "batches":
        everything = small(batch_size=len(X)).fit(X, y)
        assert model.n_iter_ == everything.n_iter_
        np.testing.assert_array_equal(model.theta_, everything.theta_)
    if word == "schedule":
        assert set(model.history_["learning_rate"]) == {model.learning_rate}


@pytest.mark.parametrize(
    "ignored",
    [
        {"dropout": 0.5}, {"clip_norm": 0.1}, {"learning_rate_schedule": "adaptive"},
        {"learning_rate": 3.0}, {"batch_size": 7}, {"momentum": 0.5},
    ],
)  # fmt: skip
def test_what_a_solver_has_no_use_for_it_ignores(table, ignored):
    """So that a search over solvers can be one over the parameters of each."""
    model = small(solver="lbfgs", tol=0.01, max_iter=200)
    plain = clone(model).fit(*table)
    model.set_params(**ignored).fit(*table)
    np.testing.assert_array_equal(model.theta_, plain.theta_)


def test_a_search_over_solvers_and_dropout_has_no_failures(table):
    grid = {"solver": ["adam", "lbfgs"], "dropout": [0.0, 0.2]}
    for search in (FFNNGridSearchCV, GridSearchCV):
        model = small(tol=0.01, max_iter=60)
        results = search(model, grid, cv=2, error_score="raise").fit(*table).cv_results_
        by_lbfgs = results["param_solver"] == "lbfgs"
        assert len(set(results["mean_test_score"][by_lbfgs])) == 1
        assert len(set(results["mean_test_score"])) == 3
