"""Fitting many models at once: which share a stack, and what each would be alone."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skffnn import FFNNEnsembleRegressor, FFNNGridSearchCV, FFNNRegressor
from skffnn.core.optimizers import OPTIMIZERS
from skffnn.core.solvers import SOLVERS
from skffnn.fitting import side_by_side
from skffnn.fitting.callbacks import FitTask
from skffnn.fitting.side_by_side import FitArguments, Workers, fit_all, fixed_key


def test_the_networks_form_a_stack(ensemble_of, friedman, monkeypatch):
    sizes = []
    real = side_by_side.fit_side_by_side

    def fit_side_by_side(models, lessons, task):
        sizes.append((len(models), len({id(lesson) for lesson in lessons})))
        return real(models, lessons, task)

    monkeypatch.setattr(side_by_side, "fit_side_by_side", fit_side_by_side)
    ensemble_of().fit(*friedman)
    ensemble_of(bootstrap=True).fit(*friedman)
    assert sizes == [(4, 1), (4, 4)]


def test_the_networks_share_no_memory(ensemble_of, friedman):
    X, y = friedman
    model = ensemble_of(2).fit(pd.DataFrame(X).add_prefix("x"), y)
    one, other = (vars(own) for own in model.estimators_)
    arrays = [name for name, value in one.items() if isinstance(value, np.ndarray)]
    assert {"theta_", "x_mean_", "y_scale_", "feature_names_in_"} <= set(arrays)
    for name in arrays:
        assert not np.shares_memory(one[name], other[name]), name
        assert not np.shares_memory(one[name], vars(model).get(name, X)), name
    assert not np.shares_memory(*model.estimators_samples_)


def test_a_key_is_equal_where_only_what_may_differ_does(network_of):
    key = fixed_key(network_of())
    for free in (
        {"learning_rate": 0.5}, {"momentum": 0.5}, {"power_t": 1.0}, {"tol": 0.1},
        {"weight_decay": 2.0}, {"clip_norm": 1.0}, {"random_state": 7},
        {"learning_rate_schedule": "adaptive"}, {"verbose": True},
    ):  # fmt: skip
        assert fixed_key(network_of(**free)) == key, free
    for fixed in (
        {"hidden_layer_sizes": 9}, {"solver": "sgd"}, {"beta_1": 0.8}, {"dropout": 0.1},
        {"loss": "huber"}, {"huber_delta": 2.0}, {"max_iter": 26}, {"batch_size": 7},
        {"standardize": {"x_mean": 0, "x_scale": 1}}, {"activation": "tanh"},
    ):  # fmt: skip
        assert fixed_key(network_of(**fixed)) != key, fixed


def test_a_key_knows_the_model_s_own_solver(network_of, monkeypatch):
    """What another solver lets differ, it need not."""

    class Other(SOLVERS["adam"]):
        differ = ("beta_1",)

    monkeypatch.setitem(OPTIMIZERS, "other", Other)
    assert fixed_key(network_of(beta_1=0.8)) != fixed_key(network_of())
    one, two = network_of(solver="other", beta_1=0.8), network_of(solver="other")
    assert fixed_key(one) == fixed_key(two)


@pytest.mark.parametrize("n_workers", [1, 3])
def test_each_model_is_what_its_own_fit_makes(network_of, friedman, n_workers):
    X, y = friedman
    models = [
        network_of(random_state=k, learning_rate=0.01 * (k + 1)) for k in range(4)
    ]
    models += [network_of(solver="lbfgs", tol=0.1, random_state=0), network_of(tol=-1)]
    given = [FitArguments(X, y, {})] * len(models)
    fits, errors, seconds = fit_all(
        [clone(model) for model in models],
        given,
        Workers(n_workers),
        FitTask(None, None),
    )
    for model, fit in zip(models[:-1], fits, strict=False):
        np.testing.assert_array_equal(fit.theta_, model.fit(X, y).theta_)
    assert errors[:-1] == [None] * (len(models) - 1)
    assert "tol must be" in str(errors[-1])
    assert (seconds > 0).all()


def test_a_divergence_is_an_error_of_its_own(network_of, friedman):
    X, y = friedman
    wild = network_of(solver="sgd", clip_norm=None, random_state=0)
    models = [clone(wild).set_params(learning_rate=rate) for rate in (0.01, 1e8, 0.02)]
    _, errors, _ = fit_all(
        models, [FitArguments(X, y, {})] * 3, Workers(1), FitTask(None, None)
    )
    assert [type(error) for error in errors] == [
        type(None), FloatingPointError, type(None)
    ]  # fmt: skip


@pytest.mark.parametrize("n_jobs", [10**400, -(10**400), 2**31], ids=["+", "-", "C"])
def test_a_number_of_jobs_that_nobody_can_count_is_named(table, n_jobs):
    networks = FFNNEnsembleRegressor(FFNNRegressor(4), 2, n_jobs=n_jobs)
    search = FFNNGridSearchCV(FFNNRegressor(4), {"solver": ["lbfgs"]}, n_jobs=n_jobs)
    for model in (networks, search):
        with pytest.raises(ValueError, match="n_jobs must be None or a whole number"):
            model.fit(*table)
