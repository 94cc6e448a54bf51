"""Every loss against a formula of one line; its gradient is in test_backprop."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn import metrics

from skffnn.core.losses import LOSSES, Loss, loss_of, over_rows

DELTA, Q = 0.7, 0.3

# Each metric is a mean over rows, weighted, one number per output.
METRICS = {
    "squared_error": lambda *args, **options: (
        metrics.mean_squared_error(*args, **options) / 2
    ),
    "root_mean_squared_error": metrics.root_mean_squared_error,
    "absolute_error": metrics.mean_absolute_error,
    "quantile": partial(metrics.mean_pinball_loss, alpha=Q),
}

every_loss = pytest.mark.parametrize("name", [*LOSSES])
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture
def table():
    """Positive targets and predictions, so that they suit every loss; and weights."""
    rng = np.random.default_rng(0)
    y_hat, y = rng.gamma(2, 1, (2, 9, 3))
    y[0, 0] = 0  # poisson: no event
    return y_hat, y, rng.uniform(0.1, 2, (9, 1))


@pytest.fixture
def call(make_loss):
    """Call a loss by its name on copies; return J and dJ."""

    def value_and_gradient(name, y_hat, y, share):
        dJ = np.full_like(y_hat, np.nan)
        J = make_loss(name)(y_hat.copy(), y.copy(), share, dJ)
        return J, dJ

    return value_and_gradient


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", [*METRICS])
def test_value_is_the_metric(call, table, name, weighted):
    y_hat, y, weight = table
    share = weight / weight.sum() if weighted else 1 / len(y)
    J, _ = call(name, y_hat, y, share)
    expected = METRICS[name](
        y,
        y_hat,
        sample_weight=weight.ravel() if weighted else None,
        multioutput="raw_values",
    )
    np.testing.assert_allclose(J, expected, rtol=1e-13)


def test_poisson_is_half_the_deviance(call, table):
    y_hat, y, weight = table
    J, _ = call("poisson", y_hat, y, weight / weight.sum())
    expected = [
        metrics.mean_poisson_deviance(y[:, k], y_hat[:, k], sample_weight=weight[:, 0])
        for k in range(3)
    ]
    np.testing.assert_allclose(J, np.array(expected) / 2, rtol=1e-12)


def test_poisson_is_zero_at_a_perfect_fit(call):
    y = np.array([[0.5], [3.0], [1e4]])
    J, dJ = call("poisson", y, y, 1 / 3)
    assert J == 0
    assert not dJ.any()


def test_huber_is_the_formula(call, table):
    y_hat, y, weight = table
    share = weight / weight.sum()
    e = abs(y_hat - y)
    assert (e < DELTA).any()
    assert (e > DELTA).any()
    J, _ = call("huber", y_hat, y, share)
    rows = np.where(e <= DELTA, e**2 / 2, DELTA * (e - DELTA / 2))
    np.testing.assert_allclose(J, (share * rows).sum(axis=0), rtol=1e-13)


def test_huber_takes_a_delta_per_output(table):
    y_hat, y, _ = table
    delta, e = np.array([0.1, 0.7, 10]), abs(y_hat - y)
    J = LOSSES["huber"].function(y_hat, y, 1 / 9, np.empty_like(y), delta=delta)
    rows = np.where(e <= delta, e**2 / 2, delta * (e - delta / 2))
    np.testing.assert_allclose(J, rows.mean(axis=0), rtol=1e-13)


@every_loss
def test_degree_is_how_the_loss_scales(call, make_loss, table, name):
    y_hat, y, _ = table
    J, _ = call(name, y_hat, y, 1 / 9)
    loss, dJ = make_loss(name), np.empty_like(y)
    along = {name: 5 * loss.values[name] for name in loss.in_deviations}
    scaled = loss.filled_in(**{**loss.values, **along})(5 * y_hat, 5 * y, 1 / 9, dJ)
    np.testing.assert_allclose(scaled, 5 ** LOSSES[name].degree * J, rtol=1e-12)


@every_loss
@both_dtypes
@pytest.mark.parametrize("weighted", [False, True])
def test_dtype_and_predictions_are_kept(make_loss, table, name, dtype, weighted):
    y_hat, y, weight = (array.astype(dtype) for array in table)
    share = weight / 9 if weighted else 1 / 9
    before, dJ = y_hat.copy(), np.full_like(y_hat, np.nan)
    J = make_loss(name)(y_hat, y, share, dJ)
    assert J.dtype == dJ.dtype == dtype
    assert J.shape == (3,)
    assert np.isfinite(dJ).all()
    np.testing.assert_array_equal(y_hat, before)


@every_loss
def test_every_network_of_a_stack_has_its_own_loss(call, table, name):
    y_hat, y, weight = table
    y_hats, ys = np.stack([y_hat, y_hat + 1]), np.stack([y, y[::-1]])
    shares = np.stack([weight / 9, weight[::-1] / 9])
    J, dJ = call(name, y_hats, ys, shares)
    for k in range(2):
        J_k, dJ_k = call(name, y_hats[k], ys[k], shares[k])
        np.testing.assert_array_equal(J[k], J_k)
        np.testing.assert_array_equal(dJ[k], dJ_k)


@both_dtypes
def test_rmse_at_a_perfect_fit_has_gradient_zero(call, dtype):
    y = np.ones((4, 2), dtype)
    y_hat = y.copy()
    y_hat[0, 1] = 2  # one output fits perfectly, the other does not
    J, dJ = call("root_mean_squared_error", y_hat, y, 0.25)
    np.testing.assert_array_equal(J, [0, 0.5])
    np.testing.assert_array_equal(dJ, [[0, 0.5], [0, 0], [0, 0], [0, 0]])


@pytest.mark.parametrize("name", ["absolute_error", "quantile"])
def test_gradient_at_the_kink_is_the_middle(call, name):
    y = np.ones((2, 1))
    above, at, below = (call(name, y + step, y, 0.5)[1] for step in (1, 0, -1))
    np.testing.assert_allclose(at, (above + below) / 2, atol=1e-16)


@every_loss
def test_extremes_are_finite_in_float32(call, name):
    y_hat = np.array([[1e15], [1e-15], [1.0]], np.float32)
    y = np.array([[0.0], [1e3], [1e15]], np.float32)
    J, dJ = call(name, y_hat, y, 1 / 3)
    assert np.isfinite(J).all()
    assert np.isfinite(dJ).all()


@every_loss
def test_small_errors_do_not_vanish(call, name):
    y = np.ones((4, 1))
    J, dJ = call(name, y + 1e-6, y, 0.25)
    assert J > 0
    assert (dJ > 0).all()


def test_over_rows_is_the_sum_of_products():
    u, v = np.random.default_rng(0).normal(size=(2, 4, 5, 3))
    np.testing.assert_allclose(over_rows(u, v), (u * v).sum(axis=-2), rtol=1e-12)


# Less than the value, and more ------------------------------------------------------


@every_loss
@pytest.mark.parametrize("weighted", [False, True])
def test_without_its_value_a_loss_writes_the_same_gradient(
    call, make_loss, table, name, weighted
):
    y_hat, y, weight = table
    share = weight / weight.sum() if weighted else 1 / len(y)
    _, expected = call(name, y_hat, y, share)
    dJ = np.full_like(y_hat, np.nan)
    J = make_loss(name).gradient_only(y_hat.copy(), y.copy(), share, dJ)
    np.testing.assert_array_equal(dJ, expected)
    # The gradient of the RMSE needs its value; the others leave it out.
    assert (J is None) == (name != "root_mean_squared_error")


def test_a_loss_that_always_returns_its_value_is_left_alone():
    def loss(y_hat, y, share, dJ):
        return 7.0

    assert Loss(loss, degree=1).gradient_only is loss


@every_loss
@pytest.mark.parametrize("n_blocks", [1, 2, 4])
def test_blocks_of_rows_join_to_the_whole(call, make_loss, table, name, n_blocks):
    y_hat, y, weight = table
    share = weight / weight.sum()
    whole, _ = call(name, y_hat, y, share)
    parts = [
        call(name, y_hat[rows], y[rows], share[rows])[0]
        for rows in np.array_split(np.arange(len(y)), n_blocks)
    ]
    np.testing.assert_allclose(make_loss(name).joined(parts), whole, rtol=1e-13)


# The best constant --------------------------------------------------------------------


@every_loss
@pytest.mark.parametrize("weighted", [False, True])
def test_no_constant_is_better_than_the_best(make_loss, call, table, name, weighted):
    _, y, weight = table
    own = weight[:, 0] if weighted else None
    share = weight / weight.sum() if weighted else 1 / len(y)
    best = make_loss(name).best_constant(y, own)
    assert best.shape == (3,)
    least, _ = call(name, np.broadcast_to(best, y.shape), y, share)
    for step in (-0.1, -1e-3, 1e-3, 0.1):
        J, _ = call(name, np.broadcast_to(best + step, y.shape), y, share)
        assert (least * (1 - 1e-12) <= J).all()


@every_loss
def test_the_search_finds_what_the_formula_says(make_loss, call, table, name):
    _, y, weight = table
    formula = make_loss(name)
    found = replace(formula, constant=None).best_constant(y, weight[:, 0])
    share = weight / weight.sum()
    J, least = (
        call(name, np.broadcast_to(constant, y.shape), y, share)[0]
        for constant in (found, formula.best_constant(y, weight[:, 0]))
    )
    np.testing.assert_allclose(J, least, rtol=1e-9)


def test_best_constants_are_those_of_the_textbook(table):
    _, y, _ = table
    for name, expected in {
        "squared_error": y.mean(axis=0),
        "root_mean_squared_error": y.mean(axis=0),
        "absolute_error": np.median(y, axis=0),  # of nine rows, the fifth
        "poisson": y.mean(axis=0),
    }.items():
        np.testing.assert_allclose(LOSSES[name].best_constant(y), expected)


def test_an_unknown_name_is_told_the_right_ones():
    with pytest.raises(ValueError, match=r"no loss 'mse'.*squared_error, root_mean"):
        loss_of("mse")
