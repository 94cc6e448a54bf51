"""Targets that are far off: what is learnt of the others does not depend on how far."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import mean_absolute_error, r2_score

from skffnn import FFNNEnsembleRegressor, FFNNRegressor
from skffnn.core.data import Data
from skffnn.core.losses import LOSSES, huber, squared_error
from skffnn.core.network import Network
from skffnn.fitting.reach import FAR_OFF, Judge, near_rows, spread
from skffnn.preprocessing.target import NumericTarget

ROBUST = [name for name, each in LOSSES.items() if each.robust]
HUBER = huber.filled_in(delta=1.35)


def waves(far=None, n=1000, rows=1, dtype=np.float64):
    """A smooth table, of which the first rows are far off; and which are not."""
    X = np.random.default_rng(0).uniform(-2, 2, (n, 2))
    y = np.sin(2 * X[:, 0]) + X[:, 1]
    if far is not None:
        y[:rows] = far
    return X.astype(dtype), y, np.arange(n) >= rows


def prepared(training, validation=None, loss=HUBER):
    return SimpleNamespace(
        training_data=training, validation_data=validation, target=NumericTarget(loss)
    )


@pytest.fixture
def rows(rng):
    """Rows that have a normal target, but for the last, which is far off."""
    Y = rng.normal(size=(200, 1))
    Y[-1] = 1e30
    return Data(rng.normal(size=(200, 3)), Y)


@pytest.fixture
def network():
    return Network([3, 4, 1], ["tanh", "identity"], HUBER)


# The judge ----------------------------------------------------------------------------


def test_rows_are_near_if_all_their_targets_are():
    Y = np.tile(np.linspace(-2, 2, 101)[:, np.newaxis], 2)
    Y[3, 0], Y[5, 1], Y[7, 1] = 1e6, -1e9, 50
    data = Data(np.zeros((101, 1)), Y)
    near = near_rows(data, FAR_OFF, *spread(data))
    assert np.flatnonzero(~near).tolist() == [3, 5]


def test_rows_of_no_weight_say_nothing_of_the_spread(rng):
    Y, weight = rng.normal(size=(100, 1)), np.ones((100, 1))
    Y[:60], weight[:60] = 1e12, 1e-9
    _, scale = spread(Data(np.zeros((100, 1)), Y, weight))
    assert scale < 2


def test_most_tables_are_judged_as_they_are(network, rows):
    near = rows.of(np.arange(199))
    least_squares = Network([3, 1], ["identity"], squared_error)
    for judge in (
        Judge(network, prepared(near, near)),
        Judge(least_squares, prepared(rows)),
        Judge(network, prepared(rows), decides=False),
    ):
        assert judge.as_it_is
        assert judge.training is judge.near
        assert judge.most == np.inf
        assert judge.within_reach(rows, np.float32) is rows
    assert Judge(network, prepared(near, near)).validation is near


@pytest.mark.parametrize("held_out", [False, True])
def test_what_there_is_to_be_learnt_is_that_of_the_near_rows(network, rows, held_out):
    near = rows.of(np.arange(199))
    given = (near, rows) if held_out else (rows, None)
    judge = Judge(network, prepared(*given))
    assert not judge.as_it_is
    expected = NumericTarget(HUBER).baseline(network, near)
    assert judge.most == pytest.approx(expected)
    np.testing.assert_array_equal(judge.near.rows, np.arange(199))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_within_reach_the_gradient_is_the_same_and_the_loss_has_digits(
    network, rows, dtype, rng
):
    rows = Data(rows.X.astype(dtype), rows.Y.astype(dtype))
    within = Judge(network, prepared(rows)).training
    assert within.Y.dtype == dtype
    theta = rng.normal(size=network.layout.size).astype(dtype)
    grad, J = np.empty((3, *theta.shape), dtype), np.empty(3)
    for i, (data, start) in enumerate([(rows, theta), (within, theta)]):
        J[i] = network.gradient(start, grad[i], data.X, data.Y).sum()
    np.testing.assert_array_equal(grad[0], grad[1])
    step = 0.1 * grad[0] / np.linalg.norm(grad[0])
    J[2] = network.gradient(theta - step, grad[2], within.X, within.Y).sum()
    assert 0.08 < (J[1] - J[2]) / np.linalg.norm(grad[0]) < 0.1
    assert J[0] > 1e27


# Fits ---------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:max_iter")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("far", [1e4, 1e6, 1e10, 1e20, -1e30])
@pytest.mark.parametrize("loss", ROBUST)
def test_lbfgs_learns_all_other_rows(loss, far, dtype):
    X, y, others = waves(far, dtype=dtype)
    model = FFNNRegressor(solver="lbfgs", loss=loss, random_state=0).fit(X, y)
    assert r2_score(y[others], model.predict(X[others])) > 0.985


@pytest.mark.filterwarnings("ignore:max_iter")
@pytest.mark.parametrize("far", [1e6, 1e20, -1e30])
@pytest.mark.parametrize("loss", ROBUST)
def test_lbfgs_learns_all_other_rows_with_a_fixed_decay(loss, far):
    X, y, others = waves(far)
    model = FFNNRegressor(
        32, solver="lbfgs", loss=loss, weight_decay=1e-3, random_state=0
    ).fit(X, y)
    assert r2_score(y[others], model.predict(X[others])) > 0.985
    error = mean_absolute_error(y, model.predict(X))
    if loss == "absolute_error":
        assert model.loss_ == pytest.approx(error)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("schedule", ["constant", "adaptive"])
@pytest.mark.parametrize("rows", [1, 50])
def test_patience_does_not_depend_on_how_far_off_they_are(solver, schedule, rows):
    model = FFNNRegressor(
        32, solver=solver, loss="huber", learning_rate_schedule=schedule,
        max_iter=60, random_state=0,
    )  # fmt: skip
    fits = []
    for far in (1e4, 1e30):
        X, y, others = waves(far, rows=rows)
        fits.append(clone(model).fit(X, y))
        assert r2_score(y[others], fits[-1].predict(X[others])) > 0.98
    for other in fits[1:]:
        assert other.n_iter_ == fits[0].n_iter_
        np.testing.assert_array_equal(other.theta_, fits[0].theta_)


@pytest.mark.filterwarnings("ignore:y_val lies far|max_iter")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_validation_row_that_is_far_off_hides_no_epoch(solver):
    X, y, _ = waves()
    model = FFNNRegressor(
        32, solver=solver, loss="absolute_error", early_stopping=True,
        weight_decay=0.001, max_iter=60, random_state=0,
    )  # fmt: skip
    usual, far = (
        clone(model).fit(X, y, X_val=X[:100], y_val=waves(value)[1][:100])
        for value in (None, 1e25)
    )
    assert far.best_iter_ == pytest.approx(usual.best_iter_, abs=10)
    assert far.score(X, y) > 0.99
    error = mean_absolute_error(waves(1e25)[1][:100], far.predict(X[:100]))
    assert far.best_loss_ == pytest.approx(error)


@pytest.mark.filterwarnings("ignore:max_iter")
def test_a_stack_is_judged_network_by_network():
    X, y, _ = waves(1e15, n=300)
    network = FFNNRegressor(
        8, loss="huber", learning_rate_schedule="adaptive", tol=0.01, max_iter=40
    )
    ensemble = FFNNEnsembleRegressor(network, n_estimators=3, random_state=0).fit(X, y)
    for member in ensemble.estimators_:
        alone = clone(member).fit(X, y)
        np.testing.assert_array_equal(alone.theta_, member.theta_)
        assert alone.n_iter_ == member.n_iter_


@pytest.mark.filterwarnings("ignore:max_iter")
def test_an_interrupted_run_is_judged_alike(monkeypatch):
    X, y, _ = waves(1e15, n=300)
    model = FFNNRegressor(
        8, loss="huber", learning_rate_schedule="adaptive", tol=0.01, max_iter=40,
        random_state=0,
    )  # fmt: skip
    through, losses, calls = clone(model).fit(X, y), Judge.losses, []

    def interrupted(judge, theta, record):
        calls.append(record.epoch)
        if len(calls) == 15:
            raise KeyboardInterrupt
        return losses(judge, theta, record)

    monkeypatch.setattr(Judge, "losses", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    model.fit(X, y, resume=True)
    np.testing.assert_array_equal(model.theta_, through.theta_)
    assert model.history_["loss"] == through.history_["loss"]
