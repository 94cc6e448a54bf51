"""Patience, the best weights and divergence."""

import numpy as np
import pytest

from skffnn.core.stopping import Collapse, Patience, below, diverged


def answers(patience, losses):
    return np.array([patience(loss) for loss in losses])


def test_patience_counts_epochs_without_progress():
    losses = [1.0, 0.5, 0.5, 0.5, 0.4, 0.4, 0.4, 0.4]
    expected = [False] * 7 + [True]
    assert answers(Patience(3, 0.0), losses).tolist() == expected


def test_progress_is_relative_to_the_best_loss():
    for scale in (1e-6, 1, 1e6):
        losses = scale * np.array([1, 0.95, 0.91, 0.90])
        assert answers(Patience(3, 0.1), losses).tolist() == [False] * 3 + [True]
        losses = scale * np.array([1, 0.95, 0.89, 0.88])
        assert not answers(Patience(3, 0.1), losses).any()


def test_progress_is_measured_from_the_best_not_from_the_last():
    assert answers(Patience(2, 0.0), [1.0, 5.0, 4.0])[-1]


def test_a_loss_that_is_no_number_is_no_progress():
    assert answers(Patience(2, 0.0), [1.0, np.nan, np.nan])[-1]


def test_restart_forgets_wait_and_best():
    patience = Patience(2, 0.0)
    answers(patience, [1.0, 2.0])
    patience.restart()
    assert answers(patience, [5.0, 6.0, 6.0]).tolist() == [False, False, True]


def test_patience_keeps_its_state_where_it_is_told_to():
    state = {}
    said = [Patience(2, 0.0, state)(loss) for loss in (1.0, 2.0, 2.0)]
    assert said == [False, False, True]
    assert (state["best"], state["wait"]) == (1, 2)


def test_of_a_loss_that_hardly_any_rows_make_up_progress_is_relative_to_the_others():
    assert below(0.3, 0.1) == below(0.3, 0.1, most=0.3) == 0.3 * 0.9
    assert below(1e6, 0.1, most=2.0) == pytest.approx(1e6 - 0.2)
    losses = 1e6 + np.array([2, 1.9, 1.7, 1.65])
    assert answers(Patience(3, 0.1), losses)[-1]
    assert not answers(Patience(3, 0.1, most=1.0), losses).any()
    assert answers(Patience(3, 0.1, most=10.0), losses)[-1]
    assert not Patience(1, 0.1, most=1.0)(1e6)  # the first is progress


# Divergence ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "theta", "expected"),
    [
        (1.0, [1, 2], False),
        (9.9, [1, 2], False),
        (10.1, [1, 2], True),
        (np.inf, [1, 2], True),
        (np.nan, [1, 2], True),
        (0.1, [1, np.nan], True),
        (0.1, [-np.inf, 2], True),
    ],
)
def test_diverged(loss, theta, expected):
    assert diverged(loss, 1.0, np.array(theta, float)) == expected


# Collapse -----------------------------------------------------------------------------


def collapses(losses, constant, baseline=1.0, **options):
    """The epochs, from 1, in which a collapse is seen."""
    collapse = Collapse(baseline, **options)
    seen = [collapse(loss, lambda: constant) for loss in losses]
    return [epoch for epoch, told in enumerate(seen, start=1) if told]


def test_a_constant_after_something_was_learnt_is_a_collapse():
    assert collapses([1.2, 0.9, 1.0, 1.01, 1.0], constant=True) == [5]


def test_an_overshoot_has_time_to_mend_itself():
    assert collapses([0.5, *[1.5] * 9, 0.4], constant=False) == []
    assert collapses([0.5, *[1.5] * 10], constant=False) == [11]


def test_what_has_learnt_nothing_has_nothing_to_lose():
    assert collapses([0.99, *[1.0] * 20], constant=True) == []
    assert collapses([0.5, *[1.0] * 20], constant=True, baseline=0.0) == []


def test_what_can_be_learnt_can_be_next_to_nothing_of_the_loss():
    losses = [1001.2, 1000.9, *[1001.0] * 3]
    assert collapses(losses, constant=True, baseline=1001.0) == []
    assert collapses(losses, constant=True, baseline=1001.0, most=1.0) == [5]


def test_whether_it_is_constant_is_asked_only_where_it_matters():
    def never():
        raise AssertionError

    collapse = Collapse(1.0)
    for loss in [2.0, 2.0, 2.0, 0.9, 1.0, 1.0, 0.8, 1.0]:
        assert not collapse(loss, never)


def test_a_collapse_can_come_again():
    collapse = Collapse(1.0)
    for _ in range(2):
        seen = [collapse(loss, lambda: True) for loss in (0.5, 1.0, 1.0, 1.0)]
        assert seen == [False, False, False, True]
        collapse.restart()
