"""Going on: partial_fit, warm_start, copies, interrupts, failed refits."""

import copy
import io
import pickle
from dataclasses import fields

import joblib
import numpy as np
import pytest

from skffnn import FFNNRegressor
from skffnn.fitting.standing import Standing
from skffnn.fitting.state import State


@pytest.mark.parametrize(
    "parameters",
    [{}, {"solver": "sgd"}, {"dropout": 0.3, "clip_norm": 0.5}, {"shuffle": False}],
)
def test_fit_partial_fit_and_warm_start_agree(
    assert_same, fitted, model_of, table, parameters
):
    whole = fitted(model_of(**parameters), *table)
    parts = model_of(**parameters)
    warm = model_of(**parameters, max_iter=1, warm_start=True)
    for _ in range(10):
        parts.partial_fit(*table)
        fitted(warm, *table)
    assert_same(whole, parts)
    assert_same(whole, warm)
    assert parts.n_iter_ == warm.n_iter_ == 10


def test_partial_fit_uses_the_constant_rate(model_of, table):
    a = model_of().partial_fit(*table)
    b = model_of(learning_rate_schedule="cosine").partial_fit(*table)
    np.testing.assert_array_equal(a.theta_, b.theta_)
    assert b.history_["learning_rate"] == [b.learning_rate]


def test_partial_fit_freezes_the_standardisation_at_its_first_call(model_of, table):
    X, y = table
    model = model_of().partial_fit(X, y)
    mean = model.x_mean_.copy()
    model.partial_fit(X + 1, y + 1)
    np.testing.assert_array_equal(model.x_mean_, mean)


@pytest.mark.parametrize(
    "parameters",
    [{"solver": "lbfgs"}, {"early_stopping": True}, {"validation_fraction": 0.1}],
)
def test_partial_fit_is_refused_where_it_makes_no_sense(table, parameters):
    model = FFNNRegressor(**parameters)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as refused:
        model.partial_fit(*table)
    assert "use" in str(refused.value.__cause__) or "leave" in str(
        refused.value.__cause__
    )


@pytest.mark.parametrize(
    "copied",
    [
        lambda model: pickle.loads(pickle.dumps(model)),
        lambda model: joblib.load(_joblib_dump(model)),
        copy.deepcopy,
    ],
)
def test_copies_are_identical_and_stay_trainable(assert_same, model_of, table, copied):
    X, y = table
    model = model_of(dropout=0.2).partial_fit(X, y)
    twin = copied(model)
    np.testing.assert_array_equal(twin.predict(X), model.predict(X))
    model.partial_fit(X, y)
    assert twin.n_iter_ == 1  # the copy shares no memory
    assert_same(twin.partial_fit(X, y), model)


def _joblib_dump(model):
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    buffer.seek(0)
    return buffer


def test_early_stopping_over_warm_starts_keeps_the_best_of_all(diabetes):
    model = FFNNRegressor(
        (50, 50), early_stopping=True, warm_start=True, max_iter=20, weight_decay=0.1,
        random_state=0,
    )  # fmt: skip
    model.fit(*diabetes)
    first = model.best_loss_
    model.set_params(learning_rate=1.0).fit(*diabetes)  # too high to improve on it
    assert model.best_loss_ == first
    assert model.n_iter_ == 40
    rows = model.validation_indices_
    X, y = diabetes
    kept = np.mean((y[rows] - model.predict(X[rows])) ** 2) / 2
    np.testing.assert_allclose(kept, min(model.validation_loss_curve_), rtol=1e-9)
    np.testing.assert_allclose(kept, model.best_loss_, rtol=1e-9)


def test_early_stopping_may_begin_with_a_warm_start(fitted, diabetes):
    model = FFNNRegressor(
        (50, 50), validation_fraction=0.2, warm_start=True, max_iter=60,
        weight_decay=0.1, random_state=0,
    )  # fmt: skip
    model.fit(*diabetes)
    assert model.best_iter_ < 60  # but the weights are those of the last epoch
    last = model.validation_loss_curve_[-1]
    fitted(model.set_params(early_stopping=True, learning_rate=0.1), *diabetes)
    assert model.best_loss_ <= last * (1 + 1e-9)
    reported = model.validation_loss_curve_[model.best_iter_ - 1]
    np.testing.assert_allclose(model.best_loss_, reported, rtol=1e-9)


def test_warm_starts_hold_out_the_same_rows(fitted, model_of, table):
    model = model_of(validation_fraction=0.2, warm_start=True, random_state=None)
    held_out = fitted(model, *table).validation_indices_
    np.testing.assert_array_equal(fitted(model, *table).validation_indices_, held_out)


def test_the_adaptive_rate_goes_on_where_it_was(fitted, model_of, table):
    parameters = {
        "learning_rate_schedule": "adaptive", "n_iter_no_change": 2, "tol": 0.1
    }  # fmt: skip
    whole = fitted(model_of(**parameters, max_iter=60), *table)
    parts = model_of(**parameters, max_iter=1, warm_start=True)
    for _ in range(whole.n_iter_):
        fitted(parts, *table)
    assert min(whole.history_["learning_rate"]) < whole.learning_rate
    assert parts.history_["learning_rate"] == whole.history_["learning_rate"]
    np.testing.assert_array_equal(parts.theta_, whole.theta_)


def test_a_run_that_diverged_can_be_gone_on_from(fitted, model_of, table):
    X, y = table
    model = fitted(
        model_of(solver="sgd", momentum=0.9, early_stopping=True, warm_start=True), X, y
    )
    before = model.predict(X)
    with pytest.raises(FloatingPointError, match="first epoch"):
        model.set_params(learning_rate=1e30).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)
    late = fitted(
        model_of(
            solver="sgd", learning_rate=0.5, momentum=0.9, weight_decay=0.0,
            clip_norm=None, max_iter=500, warm_start=True,
        ), X, y,
    )  # fmt: skip
    assert late.n_iter_ < 500  # it diverged
    assert "sgd" not in late._state["memory"]
    kept = late.score(X, y)
    fitted(late.set_params(learning_rate=1e-3, max_iter=50), X, y)
    assert late.score(X, y) > kept


def test_the_best_epoch_is_judged_by_what_is_watched_now(fitted, model_of, table):
    X, y = table
    model = model_of(
        warm_start=True, max_iter=30, weight_decay=0.0, learning_rate_schedule="cosine"
    )
    fitted(model, X[:100], y[:100])
    model.fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    curve = model.validation_loss_curve_
    assert model.best_iter_ == np.nanargmin(curve) + 1
    assert model.best_loss_ == np.nanmin(curve)
    fitted(model.set_params(loss="absolute_error"), X[:100], y[:100])
    assert model.best_iter_ > 60
    assert model.best_loss_ == min(model.loss_curve_[60:])


@pytest.mark.parametrize(
    ("loss", "parameter", "before", "now"),
    [("huber", "huber_delta", 0.1, 5.0), ("quantile", "quantile", 0.01, 0.5)],
)
def test_a_loss_with_another_parameter_is_another_loss(
    fitted, model_of, table, loss, parameter, before, now
):
    model = model_of(loss=loss, warm_start=True, max_iter=30, **{parameter: before})
    lowest = fitted(model, *table).best_loss_
    fitted(model.set_params(**{parameter: now}), *table)
    assert model.best_loss_ == min(model.loss_curve_[30:]) > lowest
    assert model.best_iter_ == 31 + np.argmin(model.loss_curve_[30:])
    # A parameter of another loss is none of this one.
    other = "quantile" if loss == "huber" else "huber_delta"
    best = model.best_loss_
    fitted(model.set_params(**{other: 0.3}), *table)
    assert model.best_loss_ == min(model.loss_curve_[30:]) <= best


def test_an_adaptive_rate_that_is_exhausted_begins_anew(fitted, model_of, table):
    model = model_of(
        learning_rate_schedule="adaptive", max_iter=2000, n_iter_no_change=2, tol=0.1,
        warm_start=True,
    )  # fmt: skip
    first = fitted(model, *table).n_iter_
    assert first < 2000
    fitted(model, *table)
    assert model.n_iter_ > first + 5
    assert model.history_["learning_rate"][first] == model.learning_rate


def test_warm_start_refuses_another_standardisation(fitted, model_of, table):
    model = fitted(model_of(), *table).set_params(warm_start=True, standardize=False)
    with pytest.raises(ValueError, match="warm_start=False"):
        model.fit(*table)


def test_many_calls_of_partial_fit_leave_earlier_copies_alone(model_of, table):
    model = model_of().partial_fit(*table)
    early = copy.copy(model)
    model.partial_fit(*table)
    assert len(early.history_["rmse"]) == 1
    assert early._state["memory"]["adam"]["t"] < model._state["memory"]["adam"]["t"]


def test_warm_start_refuses_another_network(fitted, model_of, table):
    model = fitted(model_of(), *table).set_params(
        warm_start=True, hidden_layer_sizes=(3, 3)
    )
    with pytest.raises(ValueError, match="warm_start=False"):
        model.fit(*table)


# What fails leaves no trace ----------------------------------------------------------


@pytest.mark.parametrize("spoil", ["y", "parameter", "divergence"])
def test_a_failed_refit_leaves_the_model_as_it_was(fitted, model_of, table, spoil):
    X, y = table
    model = fitted(model_of(), X, y)
    before = copy.deepcopy(vars(model))
    bad_y = np.where(y > 50, np.nan, y) if spoil == "y" else y
    if spoil == "parameter":
        model.set_params(learning_rate=-1)
    if spoil == "divergence":
        model.set_params(solver="sgd", learning_rate=1e6)
    with pytest.raises((ValueError, FloatingPointError)):
        model.fit(X[:, :2], bad_y)
    model.set_params(learning_rate=0.02, solver="adam")
    after = vars(model)
    assert after.keys() == before.keys()
    assert model.n_features_in_ == 4
    np.testing.assert_array_equal(after["theta_"], before["theta_"])
    assert after["history_"] == before["history_"]
    np.testing.assert_array_equal(model.predict(X), model.predict(X))


def test_a_failed_first_fit_leaves_the_model_unfitted(model_of, table):
    X, y = table
    model = model_of()
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X, np.where(y > 50, np.nan, y))
    assert not [name for name in vars(model) if name.endswith("_")]


def test_a_field_without_a_rule_would_be_forgotten():
    """What `State` has is kept under a rule, or is an attribute of the model itself."""
    on_the_model = {"theta", "history", "kept"}
    for kind, others in ((State, on_the_model), (Standing, set())):
        without = {each.name for each in fields(kind) if "rule" not in each.metadata}
        assert without == others
