"""A committee: several starts, weighed by their evidence."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

from skffnn import BayesianFFNNRegressor
from skffnn.fitting import committee


@pytest.fixture(scope="module")
def fitted(waves):
    return BayesianFFNNRegressor(random_state=0).fit(*waves[:2])


def test_weights_follow_the_evidence(fitted):
    steps = pd.DataFrame(fitted.history_)
    evidence = steps.groupby("restart")["log_evidence"].max().to_numpy()
    expected = np.exp(committee.PER_ROW * (evidence - evidence.max()) / 200)
    expected = expected[expected / expected.sum() >= committee.LEAST_WEIGHT]
    np.testing.assert_allclose(fitted.committee_weights_, expected / expected.sum())
    assert fitted.log_evidence_ == pytest.approx(evidence.max())
    assert len(evidence) == fitted.n_restarts
    assert len(fitted.theta_) == len(expected) > 1


def test_the_second_start_takes_its_time(fitted):
    steps = pd.DataFrame(fitted.history_)
    second = steps[steps["restart"] == 2]
    scale = fitted.y_scale_[0]
    assert len(second) > committee.INTRICATE[1]
    warm = second["noise"].iloc[: committee.INTRICATE[1]] / scale
    assert warm.nunique() == 1
    assert len(set(steps[steps["restart"] == 1]["noise"].iloc[:6])) > 1


def test_history_is_a_table_in_the_targets_units(fitted, waves):
    X, y, *_ = waves
    steps = pd.DataFrame(fitted.history_)
    assert steps.columns.tolist() == [
        "restart", "iteration", "rmse", "noise", "log_evidence",
        "n_effective_parameters",
    ]  # fmt: skip
    assert len(fitted.seconds_) == len(steps)
    assert min(fitted.seconds_) > 0
    assert steps["iteration"].max() == fitted.n_iter_
    assert steps["restart"].unique().tolist() == [1, 2, 3, 4]
    best = steps.loc[steps["log_evidence"].idxmax()]
    assert 0.08 < best["rmse"] < best["noise"] < 0.12
    alone = BayesianFFNNRegressor(random_state=0, n_restarts=1).fit(X, y)
    first = steps[steps["restart"] == 1]
    assert alone.history_["rmse"] == first["rmse"].tolist()


def test_a_single_network_reports_its_own_numbers(waves):
    X, y, *_ = waves
    model = BayesianFFNNRegressor(random_state=0, n_restarts=1).fit(X, y)
    steps = pd.DataFrame(model.history_)
    best = steps.loc[steps["log_evidence"].idxmax()]
    assert model.committee_weights_.tolist() == [1.0]
    assert model.log_evidence_ == best["log_evidence"]
    assert model.alpha_**-0.5 == pytest.approx(best["noise"])
    assert model.n_effective_parameters_ == best["n_effective_parameters"]
    rmse = np.sqrt(np.mean((model.predict(X) - y) ** 2))
    assert rmse == pytest.approx(best["rmse"], rel=1e-6)


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


# By heart ----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [slow(1), 3, slow(5)])
def test_rare_events_are_not_learnt_by_heart(seed):
    """The evidence prefers networks that know each of them, and have R^2 below -2."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2600, 8))
    y = 1.0 * (rng.random(2600) < 0.05 * np.exp(0.7 * X[:, 0]))
    model = BayesianFFNNRegressor(random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X[:600], y[:600])
    assert -0.05 < model.score(X[600:], y[600:]) < 0.1
    low, high = model.predict_interval(X[600:], 0.9)
    assert np.mean((low <= y[600:]) & (y[600:] <= high)) > 0.85


@pytest.mark.parametrize("seed", [0, slow(1)])
def test_heavy_tails_are_not_learnt_by_heart(seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2600, 2))
    y = 0.3 * X[:, 0] + rng.standard_t(2, 2600)
    model = BayesianFFNNRegressor(random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert model.fit(X[:600], y[:600]).score(X[600:], y[600:]) > -0.05


@pytest.mark.parametrize("first", [True, False])
def test_what_is_learnt_by_heart_counts_where_there_is_nothing_else(
    waves, first, monkeypatch
):
    """Here all runs are called so, with or without the first."""
    n_judged = 0

    class Watched(committee.Committee):
        def _judged(self, best):
            nonlocal n_judged
            n_judged += 1
            return super()._judged(best)._replace(memorizes=first or n_judged > 1)

    monkeypatch.setattr(committee, "Committee", Watched)
    model = BayesianFFNNRegressor(4, n_restarts=3, random_state=0).fit(*waves[:2])
    assert n_judged == 3
    assert len(model.theta_) == (3 if first else 1)
