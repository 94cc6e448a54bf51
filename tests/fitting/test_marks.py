"""Marks: an interrupted fit comes back to the end of its last epoch."""

import copy
import pkgutil

import numpy as np
import pytest


def interrupt_after(monkeypatch, epochs):
    """Raise KeyboardInterrupt in the middle of an epoch."""
    from skffnn.core import training

    step, calls = training._Loop.run, iter(range(epochs))

    def run(self, order, rates):
        if next(calls, None) is None:
            self.theta += 1e-3  # as if some steps had been taken
            raise KeyboardInterrupt
        return step(self, order, rates)

    monkeypatch.setattr(training._Loop, "run", run)


def _interrupt(*_, **__):
    raise KeyboardInterrupt


def test_an_interrupt_leaves_the_last_complete_epoch_and_is_raised_again(
    assert_same, fitted, model_of, table, monkeypatch
):
    X, y = table
    five = fitted(model_of(max_iter=5), X, y)
    interrupt_after(monkeypatch, 5)
    model = model_of()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert model.n_iter_ == 5
    assert_same(model, five)
    assert np.isfinite(model.predict(X)).all()


def test_an_interrupt_with_validation_rows_leaves_the_best_weights(
    model_of, diabetes, monkeypatch
):
    X, y = diabetes
    interrupt_after(monkeypatch, 40)
    model = model_of(
        hidden_layer_sizes=(100, 100), validation_fraction=0.3, weight_decay=0.0,
        max_iter=100,
    )  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    rows = model.validation_indices_
    kept = np.mean((y[rows] - model.predict(X[rows])) ** 2) / 2
    np.testing.assert_allclose(kept, min(model.validation_loss_curve_), rtol=1e-9)
    assert model.best_iter_ < 40


@pytest.mark.parametrize("warm_start", [False, True])
def test_an_interrupt_in_the_first_epoch_leaves_the_model_as_it_was(
    fitted, model_of, table, monkeypatch, warm_start
):
    X, y = table
    model = fitted(model_of(warm_start=warm_start), X, y)
    before = vars(model).copy()
    interrupt_after(monkeypatch, 0)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert vars(model) == before
    fresh = model_of()
    with pytest.raises(KeyboardInterrupt):
        fresh.fit(X, y)
    assert not [name for name in vars(fresh) if name.endswith("_")]


@pytest.mark.parametrize("where", ["fitting.run.Fit.choose_weights", "base.explain"])
def test_an_interrupt_after_the_last_epoch_loses_nothing(
    assert_same, fitted, model_of, table, monkeypatch, where
):
    X, y = table
    model = model_of(learning_rate_schedule="cosine")
    expected, once = fitted(copy.deepcopy(model), X, y), iter([_interrupt])
    original = pkgutil.resolve_name(f"skffnn.{where}")
    monkeypatch.setattr(
        f"skffnn.{where}", lambda *given, **named: next(once, original)(*given, **named)
    )
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert_same(model, expected)
    assert_same(model.fit(X, y, resume=True), expected)


def test_an_interrupt_after_a_blow_up_leaves_finite_weights(
    fitted, model_of, table, monkeypatch
):
    from skffnn.core import training

    def run(self, order, rates):
        self.theta[0] = np.nan
        raise KeyboardInterrupt

    model = fitted(model_of(warm_start=True), *table)
    before = model.theta_.copy()
    monkeypatch.setattr(training._Loop, "run", run)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*table)
    np.testing.assert_array_equal(model.theta_, before)


def test_an_interrupt_in_a_refit_with_other_columns_is_consistent(
    fitted, model_of, table, monkeypatch
):
    X, y = table
    model = fitted(model_of(), X, y)
    monkeypatch.setattr("skffnn.base.fitted", lambda *arguments: _interrupt())
    with pytest.raises(KeyboardInterrupt):
        fitted(model, X[:, :2], y)
    assert model.n_features_in_ == 4
    assert model.predict(X).shape == y.shape


def test_an_interrupt_stops_a_search(model_of, table, monkeypatch):
    from sklearn.model_selection import GridSearchCV

    interrupt_after(monkeypatch, 5)
    with pytest.raises(KeyboardInterrupt):
        GridSearchCV(model_of(), {"learning_rate": [0.1, 0.01]}).fit(*table)
