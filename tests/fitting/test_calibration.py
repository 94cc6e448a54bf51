"""Calibration: what errors on held-out rows say of the spread between networks."""

import numpy as np
import pytest

from skffnn.fitting import calibration
from skffnn.preprocessing.checks import Table


class Oracle:
    """Predicts the first column."""

    n_outputs_ = 1

    def _predict(self, X):
        return X[:, :1]


def table_of(X, y):
    return Table(X, y[:, np.newaxis], None, 1, False)


def test_perfect_predictions_have_intervals_without_width(ensemble_of, friedman):
    X, y = friedman
    model = ensemble_of(calibration_fraction=0.25).fit(X, y)
    noise, scores = calibration.calibrated(
        [Oracle(), Oracle()], table_of(X, X[:, 0]), model.calibration_indices_
    )
    np.testing.assert_array_equal(noise, 0)
    np.testing.assert_array_equal(scores, 0)
    model.noise_, model.calibration_scores_ = noise, scores
    assert calibration.deviations_for(0.9, model.calibration_scores_) == 0


def test_an_error_without_deviation_rules_nothing_out(ensemble_of, friedman):
    X, y = friedman
    model = ensemble_of(calibration_fraction=0.25).fit(X, y)
    model.noise_[...] = 0
    model.calibration_scores_[-5:] = np.inf
    low, high = model.predict_interval(X, 0.9)
    assert (low == -np.inf).all()
    assert (high == np.inf).all()
    assert np.isfinite(model.predict_interval(X, 0.5)).all()


@pytest.mark.parametrize(("n", "coverage"), [(9, 0.9), (19, 0.95), (1, 0.5)])
def test_the_fewest_calibration_rows(ensemble_of, friedman, n, coverage):
    X, y = friedman
    rows = slice(0, 4 * (n + 1))
    for held_out, enough in ((n, True), (n - 1, False)):
        if not held_out:
            continue
        model = ensemble_of(2).fit(X[rows], y[rows])
        model.noise_, model.calibration_scores_ = calibration.calibrated(
            model.estimators_, table_of(X, y), np.arange(held_out)
        )
        if enough:
            model.predict_interval(X, coverage)
        else:
            with pytest.raises(ValueError, match=f"takes at least {n}"):
                model.predict_interval(X, coverage)


def test_deviations_without_scores_are_those_of_a_normal_distribution():
    assert calibration.deviations_for(0.6826894921370859, None) == pytest.approx(1)


def test_deviations_of_scores_are_of_the_rank_that_covers():
    scores = np.arange(1.0, 10.0)[:, np.newaxis]
    assert calibration.deviations_for(0.9, scores) == 9  # nine of ten
    assert calibration.deviations_for(0.5, scores) == 5
    with pytest.raises(ValueError, match="at least 19"):
        calibration.deviations_for(0.95, scores)


def test_the_mean_and_the_spread_are_those_of_the_predictions():
    class Constant:
        n_outputs_ = 2

        def __init__(self, value):
            self.value = value

        def _predict(self, X):
            return np.full((len(X), 2), self.value)

    models = [Constant(1.0), Constant(3.0)]
    mean, spread = calibration.mean_and_spread(models, np.zeros((4, 1)))
    np.testing.assert_array_equal(mean, np.full((4, 2), 2.0))
    np.testing.assert_allclose(spread, np.full((4, 2), 2**0.5))
    assert calibration.mean_and_spread(models[:1], np.zeros((4, 1)))[1].max() == 0
