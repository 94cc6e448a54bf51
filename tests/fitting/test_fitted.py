"""No fitted attribute is forgotten: each is saved, or made of what is."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
)
from skffnn.core.losses import LOSSES
from skffnn.core.schedules import SCHEDULES
from skffnn.core.solvers import SOLVERS
from skffnn.fitting.fitted import from_format_1

# What scikit-learn puts on estimators, which is nothing that was learnt.
SCIKIT_LEARNS = {
    "_metadata_request", "_skl_callbacks", "_parent_callback_ctx", "_checked_cv_orig",
}  # fmt: skip
X = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=list("abc"))
y = np.exp(X["a"].to_numpy() / 2) + 0.1


def network(**parameters):
    defaults = {"hidden_layer_sizes": 4, "max_iter": 12, "random_state": 0}
    return FFNNRegressor(**{**defaults, **parameters})


MODELS = {
    **{f"loss {name}": network(loss=name) for name in LOSSES},
    **{f"solver {name}": network(solver=name) for name in SOLVERS},
    **{f"schedule {k}": network(learning_rate_schedule=k) for k in SCHEDULES},
    "validated": network(early_stopping=True, warm_start=True),
    "not standardised": network(standardize=False, dropout=0.1),
    "ensemble": FFNNEnsembleRegressor(network(), 2, calibration_fraction=0.2),
    "bootstrap": FFNNEnsembleRegressor(network(), 2, bootstrap=True),
    "Bayesian": BayesianFFNNRegressor(3, n_restarts=2, max_iter=30),
    "search": FFNNGridSearchCV(network(), {"learning_rate": [0.01, 0.02]}, cv=2),
    "search without a refit": FFNNGridSearchCV(
        network(), {"tol": [0]}, cv=2, refit=False
    ),
    "several scores": FFNNGridSearchCV(
        network(),
        {"tol": [0]},
        cv=2,
        scoring=["r2", "neg_mean_squared_error"],
        refit="r2",
    ),
}


def unknown(model):
    """Attributes that files know nothing of."""
    cls = type(model)
    known = {*cls._fitted, *cls._derived, *cls._times, *SCIKIT_LEARNS}
    known |= model.get_params(deep=False).keys()
    return vars(model).keys() - known


def forgotten(model):
    """The same for the estimator and all that it consists of."""
    parts = [model, *getattr(model, "estimators_", ())]
    parts += [getattr(model, "best_estimator_", model)]
    return set().union(*map(unknown, parts))


@pytest.mark.parametrize("name", MODELS)
def test_every_attribute_is_saved_or_made_of_what_is(name):
    model = MODELS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        for fit in range(2):  # a second time, over what the first has left
            model.fit(X, y)
            assert forgotten(model) == set(), fit
            model.predict(X) if hasattr(model, "predict") else None
            assert forgotten(model) == set()
        if hasattr(model, "partial_fit"):
            model.partial_fit(X, y)
    assert forgotten(model) == set()


def test_an_attribute_that_is_in_no_list_is_seen():
    model = network().fit(X, y)
    model._planted = 1
    assert forgotten(model) == {"_planted"}


def test_every_list_is_of_attributes_that_there_are():
    for model in MODELS.values():
        cls = type(model)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(X, y)
        missing = cls._fitted.keys() - vars(model).keys() - set(cls._optional)
        assert missing == set(), cls.__name__


# Files of earlier versions ------------------------------------------------------------


@pytest.mark.parametrize("weight_decay", [0.1, 0.0, "auto"])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_a_weight_decay_of_format_1_is_the_penalty_that_it_was(solver, weight_decay):
    parameters = {"solver": solver, "momentum": 0.9, "weight_decay": weight_decay}
    state = {
        "watched": ["huber", 0.5, 1.35, False], "standardize": True, "y_sd": None,
        "lesson": {"rows": "a digest", "parameters": dict(parameters)},
        "schedule": {"factor": 0.2}, "pace": [solver, 0.05, False],
        "weight_decay": 0.4, "run": {"done": 3},
        **({} if solver == "lbfgs" else {solver: {"t": 3}}),
    }  # fmt: skip
    attributes = {
        "x_mean_": np.zeros(3), "x_heavy_": np.array([1]), "weight_decay_": 0.4,
        "history_": {"epoch": [1], "seconds": [0.5]}, "_state": state,
    }  # fmt: skip
    from_format_1(parameters, attributes)
    share = 0.1 if solver == "sgd" else 1
    assert attributes["x_limit_"].tolist() == [np.inf, 4.0, np.inf]
    assert attributes["history_"] == {"epoch": [1]}
    assert attributes["weight_decay_"] == pytest.approx(0.4 * share)
    assert state["watched"] == ["huber", 1.35, False]
    assert state["schedule"] == {"adaptive": {"factor": 0.2}}
    name = "sgd" if solver == "sgd" else "adam"
    assert state["weight_decay"] == {name: pytest.approx(0.4 * share)}
    # A run that was interrupted goes on as it began.
    asked = state["fingerprint"]["parameters"]["weight_decay"]
    assert asked == parameters["weight_decay"]
    if weight_decay != "auto":
        assert asked == pytest.approx(weight_decay * share)


def test_an_estimator_of_format_1_that_was_not_fitted_is_brought_along():
    parameters = {"solver": "sgd", "momentum": 0.995, "weight_decay": 0.1}
    from_format_1(parameters, {})
    assert parameters["weight_decay"] == 0.0005
