"""Schedules: the factors of an epoch's steps."""

import numpy as np
import pytest

from skffnn.core.schedules import Adaptive, constant, cosine, invscaling


def all_factors(schedule, steps, per_epoch, **options):
    return np.concatenate(
        [
            schedule(np.arange(start, start + per_epoch), steps, [], **options)
            for start in range(0, steps, per_epoch)
        ]
    )


def test_constant_is_one_everywhere():
    np.testing.assert_array_equal(all_factors(constant, 12, 4), np.ones(12))


def test_cosine_is_the_formula_after_its_warm_up():
    factors = all_factors(cosine, 1000, 10)
    step = np.arange(1000)
    expected = (1 + np.cos(np.pi * step / 1000)) / 2
    np.testing.assert_allclose(factors[20:], expected[20:], rtol=1e-12)
    np.testing.assert_allclose(
        factors[:20], expected[:20] * (step[:20] + 1) / 20, rtol=1e-12
    )


def test_cosine_rises_then_falls_to_nearly_nothing():
    factors = all_factors(cosine, 1000, 10)
    assert (np.diff(factors[:20]) > 0).all()
    assert (np.diff(factors[20:]) < 0).all()
    assert 0 < factors[0] < 0.06
    assert factors.max() > 0.99
    assert 0 < factors[-1] < 1e-5


@pytest.mark.parametrize("steps", [1, 2, 10])
def test_cosine_of_a_short_run_needs_no_warm_up(steps):
    factors = all_factors(cosine, steps, 1)
    assert factors[0] == 1
    assert (factors > 0).all()


def test_invscaling_is_a_power_of_the_step():
    factors = all_factors(invscaling, 12, 3, power_t=0.25)
    expected = [(t + 1) ** -0.25 for t in range(12)]
    np.testing.assert_allclose(factors, expected, rtol=1e-14)
    assert all_factors(invscaling, 4, 4)[3] == 0.5


# Adaptive -----------------------------------------------------------------------------


def factors_by_epoch(schedule, curve):
    """The factor of each epoch, the curve being the losses that the epochs give."""
    losses, factors = [], []
    for epoch, loss in enumerate(curve):
        step = np.arange(4 * epoch, 4 * epoch + 4)
        given = schedule(step, 4 * len(curve), losses)
        assert (given == given[0]).all()
        factors.append(given[0])
        losses.append(loss)
    return factors


def test_adaptive_drops_to_a_fifth_after_a_plateau():
    factors = factors_by_epoch(Adaptive(3, 0.01), [1.0] * 9)
    # The first loss is progress; three without any follow, and three after the drop
    # that come behind the new first loss.
    np.testing.assert_allclose(factors, [1, 1, 1, 1, 0.2, 0.2, 0.2, 0.2, 0.04])


def test_adaptive_never_drops_while_the_loss_falls():
    factors = factors_by_epoch(Adaptive(2, 0.01), 0.9 ** np.arange(30))
    assert set(factors) == {1}


def test_adaptive_takes_too_slow_a_fall_for_a_plateau():
    factors = factors_by_epoch(Adaptive(2, 0.1), 0.99 ** np.arange(5))
    assert factors[-1] == 0.2


def test_adaptive_measures_progress_by_what_can_be_learnt():
    curve = 1e6 + 0.9 ** np.arange(30)
    assert factors_by_epoch(Adaptive(2, 0.01), curve)[-1] < 1
    assert factors_by_epoch(Adaptive(2, 0.01, most=1.0), curve)[-1] == 1


def test_adaptive_does_not_keep_dropping_after_one_lucky_epoch():
    lucky, falling = [0.001], 0.9 ** np.arange(30)
    factors = factors_by_epoch(Adaptive(3, 0.01), [1.0, *lucky, *falling])
    assert factors[-1] == 0.2


def test_adaptive_is_exhausted_when_nothing_moves_any_more():
    schedule = Adaptive(1, 0.01)
    factors_by_epoch(schedule, [1.0] * 8)
    # 0.2 ** 3 and 0.2 ** 4 are still above 1e-3.
    assert not schedule.is_exhausted(schedule.state)
    factors_by_epoch(schedule, [1.0] * 4)
    assert schedule.is_exhausted(schedule.state)


def test_adaptive_keeps_its_state_where_it_is_told_to():
    curve = [1.0, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5]
    through = Adaptive(2, 0.01)
    expected = factors_by_epoch(through, curve)[-1]
    state = {}
    for loss in [[], *[[loss] for loss in curve[:-1]]]:
        factor = Adaptive(2, 0.01, state)(np.arange(4), 100, loss)[0]
    assert factor == expected
    assert state == through.state
