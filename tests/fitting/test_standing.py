"""Standing: the best weights of a run, and where it is after a collapse."""

import numpy as np
import pytest

from skffnn.core.data import Data
from skffnn.core.losses import LOSSES
from skffnn.core.network import Network
from skffnn.fitting.standing import Standing
from skffnn.fitting.state import State


@pytest.fixture
def standing():
    """A run that begins with weights of 7."""
    layout = Network([1, 1], ["identity"], LOSSES["squared_error"])
    data = Data(np.zeros((2, 1)), np.zeros((2, 1)))
    state = State.new(layout, data, seed=0, standardized=True, metric="rmse")
    state.theta = np.full(2, 7.0)
    return Standing.at_the_start(state)


def test_best_keeps_a_copy_of_the_best_weights(standing):
    theta = np.zeros(2)
    for epoch, loss in enumerate([3.0, 1.0, 2.0], start=1):
        theta[...] = epoch
        standing.note(epoch, loss, theta)
    assert (standing.best_loss, standing.best_epoch) == (1, 2)
    np.testing.assert_array_equal(standing.best_theta, [2, 2])


def test_the_first_of_equals_is_the_best(standing):
    standing.note(1, 1.0, np.ones(2))
    standing.note(2, 1.0, np.zeros(2))
    assert standing.best_epoch == 1


def test_before_the_first_epoch_the_start_is_kept(standing):
    assert standing.best_epoch == 0
    standing.note(1, np.nan, np.full(2, np.nan))
    assert standing.best_epoch == 0
    np.testing.assert_array_equal(standing.best_theta, [7, 7])


def test_a_snapshot_is_written_to_no_more(standing):
    snapshot = standing.snapshot()
    standing.patience["wait"] = standing.collapse["wait"] = 5
    assert snapshot.patience["wait"] == snapshot.collapse["wait"] == 0


@pytest.mark.parametrize(
    ("done", "ended", "outcome", "goes_on"),
    [
        (3, False, "completed", True),
        (3, False, "max_iter", True),
        (3, True, "stopped", False),
        (3, False, "diverged", False),
        (9, False, "completed", False),
    ],
)
def test_a_run_goes_on_that_nothing_has_ended(standing, done, ended, outcome, goes_on):
    standing.done, standing.ended, standing.outcome = done, ended, outcome
    assert standing.goes_on(max_iter=9) == goes_on
