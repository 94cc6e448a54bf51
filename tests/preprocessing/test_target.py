"""Targets: what y may be, on which scale it is learnt, and the way back."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skffnn import FFNNRegressor
from skffnn.core.data import Data
from skffnn.core.losses import LOSSES
from skffnn.core.network import Network
from skffnn.preprocessing.target import NumericTarget


def model_of(**parameters):
    return FFNNRegressor(
        **{"hidden_layer_sizes": 10, "max_iter": 5, "random_state": 0, **parameters}
    )


def test_counts_too_large_for_an_exponential_are_an_error(table):
    X, y = table
    for scale in (1e155, 1e306):
        with pytest.raises(ValueError, match="too large to be standardised"):
            model_of(loss="poisson").fit(X, y * scale)


def test_poisson_refuses_negative_targets(table):
    X, y = table
    with pytest.raises(ValueError, match="counts and rates"):
        model_of(loss="poisson").fit(X, y - 60)


def test_targets_out_of_the_outputs_reach_are_warned_of(table):
    with (
        pytest.warns(UserWarning, match="reaches only 0 to 1"),
        pytest.warns(ConvergenceWarning),
    ):
        model_of(output_activation="logistic").fit(*table)


# Other values than a half, which every hyperparameter has here.
OTHERS = {"quantile": {"q": 0.8}}


def filled_in(name):
    half = dict.fromkeys(LOSSES[name].hyperparameters, 0.5)
    return LOSSES[name].filled_in(**{**half, **OTHERS.get(name, {})})


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_the_baseline_is_the_lowest_loss_of_a_constant(rng, name, weighted):
    loss = filled_in(name)
    Y = rng.lognormal(size=(200, 2))
    weight = rng.uniform(0.1, 2, (200, 1)) if weighted else None
    if weighted:
        weight /= weight.mean()
    network = Network([1, 2], ["identity"], loss)
    data = Data(np.zeros((200, 1)), Y, weight)
    baseline = NumericTarget(loss).baseline(network, data)
    share = np.full((200, 1), 1 / 200) if weight is None else weight / 200
    constants = np.linspace(0.05, 5, 2000)
    losses = [
        loss(np.full(Y.shape, c), Y.copy(), share, np.empty_like(Y)) for c in constants
    ]
    assert baseline <= np.min(losses, axis=0).sum() * (1 + 1e-12)
    assert baseline == pytest.approx(np.min(losses, axis=0).sum(), rel=1e-3)


def test_the_way_back_undoes_the_way_in(rng):
    target, y = NumericTarget(LOSSES["squared_error"]), rng.lognormal(size=(50, 2))
    Y, y_ndim = target.encode(y, None, "a network")
    mean, scale = target.statistics(Y, range(50), None)
    np.testing.assert_allclose(target.decode((Y - mean) / scale, mean, scale), y)
    assert y_ndim == 2


@pytest.mark.parametrize("name", LOSSES)
def test_curves_are_in_the_units_of_the_target(rng, name):
    """A target in other units has a loss in those, by the degree of the loss."""
    y_hat, Y = rng.uniform(1, 2, (2, 30, 1))
    loss = filled_in(name)
    scale = np.array([7.0])
    share, dJ = np.full((30, 1), 1 / 30), np.empty_like(Y)
    along = {key: loss.values[key] * scale for key in loss.in_deviations}
    in_units = loss.filled_in(**{**loss.values, **along})(
        scale * y_hat, scale * Y, share, dJ
    )
    standardised = loss(y_hat.copy(), Y.copy(), share, dJ)
    metric = np.mean((y_hat - Y) ** 2, axis=0)
    reported, rmse = NumericTarget(loss).curves(standardised, metric, scale)
    assert reported == pytest.approx(in_units.sum())
    assert rmse == pytest.approx(7 * metric[0] ** 0.5)


ROBUST = [name for name, each in LOSSES.items() if each.robust]


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_of_a_robust_loss_is_bounded(name):
    y, dJ = np.array([[1e6], [1.0]]), np.empty((2, 1))
    filled_in(name)(np.ones((2, 1)), y, 0.5, dJ)
    if name in ROBUST:
        assert abs(dJ).max() <= 1
    if name == "squared_error":
        assert abs(dJ).max() > 1e5


@pytest.mark.parametrize("far", [1e4, 1e9])
@pytest.mark.parametrize("name", ROBUST)
def test_one_wild_target_spoils_no_robust_loss(rng, name, far):
    X = rng.uniform(-2, 2, (500, 2))
    y = np.sin(2 * X[:, 0]) + X[:, 1]
    y[0] = far
    model = model_of(
        hidden_layer_sizes=32, activation="tanh", loss=name, max_iter=120
    ).fit(X, y)
    assert model.score(X[1:], y[1:]) > 0.98
    tame = model_of(loss=name).fit(X[1:], y[1:])
    np.testing.assert_allclose(model.y_scale_, tame.y_scale_, rtol=0.02)


@pytest.mark.parametrize("name", ROBUST)
def test_a_loss_is_robust_in_the_units_of_y_too(rng, name):
    """What is in deviations of y is in robust ones, also where y is not scaled."""
    Y = rng.normal(size=(400, 1))
    Y[0] = 1e6
    target = NumericTarget(LOSSES[name], standardized=False)
    deviations = target.deviations(Data(np.zeros((400, 1)), Y))
    if LOSSES[name].in_deviations:
        assert deviations == pytest.approx(1, abs=0.1)
    else:
        assert deviations is None
