"""From checked tables to what a network learns from."""

import numpy as np
import pytest

from skffnn import FFNNRegressor
from skffnn.preprocessing.preparation import draw_seed, prepare


def model_of(**parameters):
    return FFNNRegressor(
        **{"hidden_layer_sizes": 10, "max_iter": 5, "random_state": 0, **parameters}
    )


def test_rows_of_weight_zero_may_be_anything(table):
    X, y = table
    weight, wrong = np.ones(len(y)), y.copy()
    weight[0], wrong[0] = 0, -1
    model_of(loss="poisson", max_iter=300).fit(X, wrong, sample_weight=weight)


def test_too_few_rows_to_hold_out_are_told_so(table):
    X, y = table
    with pytest.raises(ValueError, match="n_samples=1 is too few to hold out"):
        model_of(early_stopping=True).fit(X[:1], y[:1])


def test_huge_weights_count_by_their_ratios(table):
    X, y = table
    huge = model_of(max_iter=20).fit(X, y, sample_weight=np.full(len(y), 1e308))
    ones = model_of(max_iter=20).fit(X, y, sample_weight=np.ones(len(y)))
    np.testing.assert_array_equal(huge.theta_, ones.theta_)


def test_targets_too_large_for_float32_are_an_error(table):
    X, y = table
    model = model_of(standardize=False)
    with pytest.raises(ValueError, match=r"X is float32.*Pass X as float64"):
        model.fit(X.astype(np.float32), y * 1e40)
    weight, wrong = np.ones(len(y)), y.copy()
    weight[0], wrong[0] = 0, 1e40
    model.set_params(standardize=True)
    model.fit(X.astype(np.float32), wrong, sample_weight=weight)


def test_zero_weight_rows_are_never_held_out(table):
    X, y = table
    weight = np.arange(len(y)) % 2
    model = model_of(max_iter=50, validation_fraction=0.3)
    model.fit(X, y, sample_weight=weight)
    assert (weight[model.validation_indices_] == 1).all()


def test_prepare_weighs_splits_scales_and_hands_over(table):
    X, y = table
    weight = np.arange(len(y)) % 3.0
    model = model_of(validation_fraction=0.25)
    table, validation, target = model._check_rows(X, y, weight, (None, None, None))
    prepared = prepare(model, table, validation, target, seed=0)
    learnt, held_out = prepared.training_data, prepared.validation_data
    assert len(learnt) + len(held_out) == np.count_nonzero(weight)
    assert len(held_out) == len(prepared.held_out) == 25
    np.testing.assert_allclose(learnt.weight.mean(), 1)
    mean = np.average(learnt.X, axis=0, weights=learnt.weight[:, 0])
    np.testing.assert_allclose(mean, 0, atol=1e-12)
    np.testing.assert_allclose(
        held_out.Y * prepared.scaling.y_scale + prepared.scaling.y_mean,
        y[prepared.held_out, np.newaxis],
    )


def test_a_seed_is_drawn_from_every_kind_of_random_state():
    assert draw_seed(7) == draw_seed(7)
    assert draw_seed(np.random.RandomState(7)) == draw_seed(7)
    state = np.random.RandomState(7)
    assert draw_seed(state) != draw_seed(state)
