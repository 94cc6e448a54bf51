"""One fit: when it ends, which weights it keeps, and what it prints."""

import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import root_mean_squared_error

from skffnn import FFNNEnsembleRegressor, FFNNRegressor
from skffnn.core.stopping import Collapse


def model_of(**parameters):
    return FFNNRegressor(
        **{"hidden_layer_sizes": 20, "max_iter": 50, "random_state": 0, **parameters}
    )


def test_verbose_prints_a_line_now_and_then(table, capsys):
    model_of(verbose=True, validation_fraction=0.2).fit(*table)
    chosen, *lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"weight_decay=\S+", chosen)
    assert len(lines) == 11
    assert "validation RMSE" in lines[0]
    model_of().fit(*table)
    assert capsys.readouterr().out == ""


def test_lbfgs_stops_early_too(diabetes):
    model = model_of(
        hidden_layer_sizes=(100, 100), solver="lbfgs", early_stopping=True,
        weight_decay=0.0, max_iter=1000,
    ).fit(*diabetes)  # fmt: skip
    assert model.n_iter_ == model.best_iter_ + 10


@pytest.mark.parametrize("schedule", ["constant", "adaptive"])
def test_patience_ends_the_run_early(diabetes, schedule):
    model = model_of(
        learning_rate_schedule=schedule, early_stopping=True, max_iter=2000
    ).fit(*diabetes)
    assert model.n_iter_ < 2000
    assert model.n_iter_ >= model.best_iter_ + 10
    if schedule == "adaptive":
        rates = model.history_["learning_rate"]
        assert rates[-1] < rates[0] / 100


def test_early_stopping_keeps_the_best_validation_epoch(diabetes):
    X, y = diabetes
    model = model_of(
        hidden_layer_sizes=(100, 100), early_stopping=True, weight_decay=0.0
    ).fit(X, y)
    curve = model.validation_loss_curve_
    assert len(model.validation_indices_) == 45
    assert model.n_iter_ == len(curve) == 50  # a decaying schedule is completed
    assert model.best_iter_ == np.argmin(curve) + 1 < 50
    assert model.best_loss_ == min(curve)
    rows = model.validation_indices_
    kept = root_mean_squared_error(y[rows], model.predict(X[rows]))
    np.testing.assert_allclose(
        kept, model.history_["validation_rmse"][model.best_iter_ - 1], rtol=1e-10
    )
    assert model.loss_ == model.history_["loss"][model.best_iter_ - 1]


def test_of_several_outputs_the_kept_epoch_is_the_reported_one(diabetes):
    X, y = diabetes
    Y = np.c_[y, 1000 * np.random.default_rng(0).normal(size=len(y))]
    model = model_of(early_stopping=True, validation_fraction=0.2).fit(X, Y)
    rows = model.validation_indices_
    kept = root_mean_squared_error(Y[rows], model.predict(X[rows]))
    reported = model.history_["validation_rmse"][model.best_iter_ - 1]
    np.testing.assert_allclose(kept, reported, rtol=1e-10)
    assert model.best_loss_ == model.validation_loss_curve_[model.best_iter_ - 1]


# Collapse -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rare():
    """A target that is 0 on most rows, at which units die easily."""
    X = np.random.default_rng(0).uniform(-1, 1, (600, 2))
    return X, np.where(abs(X[:, 0]) > 0.9, np.sign(X[:, 0]) * X[:, 1], 0.0)


def hasty(**parameters):
    defaults = {
        "hidden_layer_sizes": (16, 16), "learning_rate": 0.2, "max_iter": 60,
        "weight_decay": 0.1, "random_state": 0,
    }  # fmt: skip
    return FFNNRegressor(**{**defaults, **parameters})


def dropped(model):
    """The epochs before which the rate has dropped, out of its schedule."""
    rate = np.array(model.history_["learning_rate"][:50])
    return 1 + np.flatnonzero(rate[1:] < rate[:-1] / 2)


@pytest.mark.parametrize("seed", range(4))
def test_after_a_collapse_it_goes_on_from_better_weights_and_more_slowly(rare, seed):
    with pytest.warns(ConvergenceWarning, match=r"Try learning_rate=0.04 from"):
        model = hasty(random_state=seed).fit(*rare)
    (epoch,) = dropped(model)[:1]
    loss = np.array(model.history_["loss"])
    lost = loss[epoch - 3 : epoch]
    assert (lost >= np.var(rare[1]) / 2 * (1 - 1e-9)).all()
    assert loss[-1] < loss[:epoch].min()
    assert len(loss) == 60
    assert model.score(*rare) > 0.1


def test_what_is_advised_after_a_collapse_helps(rare):
    with pytest.warns(ConvergenceWarning, match="collapsed") as warned:
        hasty(random_state=1).fit(*rare)
    (rate,) = re.findall(r"Try learning_rate=(\S+) from", str(warned[0].message))
    model = hasty(random_state=1, learning_rate=float(rate)).fit(*rare)
    assert not len(dropped(model))
    assert model.score(*rare) > 0.5


@pytest.mark.filterwarnings("ignore:Training collapsed")
@pytest.mark.filterwarnings("ignore:.*neighbouring rows err alike")
def test_a_collapse_in_a_stack_is_that_of_each_alone(rare):
    ensemble = FFNNEnsembleRegressor(hasty(), 4, random_state=0).fit(*rare)
    networks = ensemble.estimators_
    epochs = {tuple(dropped(network)) for network in networks}
    assert len(epochs) > 1
    for network in networks:
        alone = clone(network).fit(*rare)
        np.testing.assert_array_equal(alone.theta_, network.theta_)
        assert alone.history_["loss"] == network.history_["loss"]


@pytest.mark.filterwarnings("ignore:Training collapsed")
@pytest.mark.parametrize("after", [-2, -1, 0, 1, 5])
def test_an_interrupt_around_a_collapse_loses_nothing(rare, monkeypatch, after):
    from skffnn.core import training

    whole = hasty().fit(*rare)
    run, calls = training._Loop.run, iter(range(dropped(whole)[0] + after))

    def interrupted(self, order, rates):
        if next(calls, None) is None:
            raise KeyboardInterrupt
        run(self, order, rates)

    model = hasty()
    with monkeypatch.context() as patch:
        patch.setattr(training._Loop, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.fit(*rare)
    again = pickle.loads(pickle.dumps(model)).fit(*rare, resume=True)
    np.testing.assert_array_equal(again.theta_, whole.theta_)
    assert again.history_["loss"] == whole.history_["loss"]


def test_a_collapse_at_the_very_end_keeps_better_weights(rare, monkeypatch):
    """There is no time to go on: what the last epochs lost is taken back."""
    monkeypatch.setattr(Collapse, "CONSTANT", 1000)
    monkeypatch.setattr(Collapse, "ANY", 1000)
    with pytest.warns(ConvergenceWarning, match=r"weights of epoch \d+ were kept"):
        model = hasty().fit(*rare)
    assert model.kept_iter_ == np.argmin(model.history_["loss"]) + 1 < 60
    assert model.score(*rare) > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Training collapsed")
@pytest.mark.parametrize("seed", range(5))
def test_the_default_learns_what_is_rare(seed):
    X = np.random.default_rng(0).uniform(-1, 1, (4000, 3))
    rare = abs(X[:, 0]) > 0.97
    y = np.where(rare, np.sign(X[:, 0]) * X[:, 1], 1e-5 * np.sin(3 * X[:, 2]))
    model = FFNNRegressor(random_state=seed).fit(X[:3000], y[:3000])
    assert model.score(X[:3000], y[:3000]) > 0.5
    assert model.score(X[3000:], y[3000:]) > 0.5


@pytest.mark.parametrize("sizes", [16, (32, 32)])
def test_lbfgs_that_is_held_back_has_not_collapsed(rng, sizes):
    """A constant is the minimum of what it was asked to minimise."""
    X = rng.uniform(-3, 3, (200, 1))
    model = FFNNRegressor(sizes, solver="lbfgs", weight_decay=1e3, random_state=0)
    with pytest.warns(ConvergenceWarning, match="Try less regularisation"):
        model.fit(X, np.sin(4 * X[:, 0]))
    assert model._advice == ["less regularisation"]
    assert np.abs(model.theta_[:-1]).max() < 1e-3
