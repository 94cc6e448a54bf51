"""One fit: when it ends, which weights it keeps, and what it prints."""

import re

import numpy as np
import pytest
from sklearn.metrics import root_mean_squared_error

from skffnn import FFNNRegressor


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
