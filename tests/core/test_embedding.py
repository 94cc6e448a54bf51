"""Embedding tables: rows that are chosen in place of computed, forward and backward."""

from itertools import pairwise

import numpy as np
import pytest

from skffnn.core import backprop
from skffnn.core.data import Data
from skffnn.core.gradient_check import check_gradient
from skffnn.core.initializers import initialize
from skffnn.core.layout import Layout
from skffnn.core.lbfgs import lbfgs
from skffnn.core.losses import LOSSES, loss_of, squared_error
from skffnn.core.network import Network
from skffnn.core.optimizers import Adam
from skffnn.core.schedules import constant
from skffnn.core.second_order.evidence import groups_of
from skffnn.core.second_order.gauss_newton import GaussNewton, RowGradients
from skffnn.core.stack import Run, train
from skffnn.core.tracing import trace
from skffnn.core.training import Recipe, draw_unknown

TABLES = ((4, 2), (3, 1))
UNITS = (2 + 2 + 1, 4, 1)
N = 12


def network_of(units=UNITS, loss=squared_error, hidden="tanh", tables=TABLES):
    names = [hidden] * (len(units) - 2) + [loss.output or "identity"]
    return Network(units, names, loss, tables)


def theta_of(network, seeds=0, dtype=np.float64):
    theta = np.empty((*np.shape(seeds), network.layout.size), dtype)
    rngs = [np.random.default_rng(seed) for seed in np.atleast_1d(seeds)]
    initialize(network.layout, theta, network.activations, rngs)
    return theta


def rows_of(n=N, seed=3, outputs=1, dtype=np.float64):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2)).astype(dtype)
    codes = np.column_stack([rng.integers(0, m, n) for m, _ in TABLES])
    Y = rng.normal(size=(n, outputs)).astype(dtype)
    return X, codes.astype(np.int32), Y


def one_hot(codes):
    return np.hstack([np.eye(m)[codes[:, c]] for c, (m, _) in enumerate(TABLES)])


def value_and_gradient(network, X, codes, Y):
    def of(theta):
        grad = np.empty_like(theta)
        J = network.gradient(theta, grad, X, Y, codes=codes)
        return J.sum(), grad

    return of


# The place in theta -------------------------------------------------------------------


def test_tables_lie_between_weights_and_biases():
    layout = Layout(UNITS, TABLES)
    n_weights = sum(m * n for m, n in pairwise(UNITS)) + 4 * 2 + 3 * 1
    assert layout.n_weights == n_weights
    assert layout.size == n_weights + sum(UNITS[1:])
    assert (layout.n_inputs, layout.n_embedded) == (2, 3)
    theta = np.arange(float(layout.size))
    parameters = layout.views(theta)
    assert [E.shape for E in parameters.E] == list(TABLES)
    assert parameters.E[0][0, 0] == sum(m * n for m, n in pairwise(UNITS))
    assert parameters.E[1][-1, -1] == n_weights - 1
    assert parameters.b[0][0, 0] == n_weights
    W, b = parameters  # still a pair
    assert (len(W), len(b)) == (2, 2)
    parameters.E[1][...] = -1
    assert (theta[n_weights - 3 : n_weights] == -1).all()


def test_without_tables_there_are_none():
    layout = Layout((2, 3, 1))
    parameters = layout.views(np.zeros(layout.size))
    assert list(parameters.E) == []
    assert layout.lookup() is None
    assert layout.n_inputs == 2


@pytest.mark.parametrize("stack", [(), (3,)])
def test_the_lookup_finds_the_rows_that_codes_choose(stack):
    layout = Layout(UNITS, TABLES)
    theta = np.random.default_rng(0).normal(size=(*stack, layout.size))
    parameters = layout.views(theta)
    codes = np.broadcast_to(rows_of()[1], (*stack, N, 2))
    spread, places = np.empty((2, *stack, N, 3), np.int32)
    places = layout.lookup(stack).places(codes, spread, places.astype(np.intp))
    found = theta.reshape(-1)[places]
    for k in np.ndindex(*stack):
        E = [E_c[k] for E_c in parameters.E]
        expected = np.hstack([E[0][codes[k][:, 0]], E[1][codes[k][:, 1]]])
        np.testing.assert_array_equal(found[k], expected)


# The passes ---------------------------------------------------------------------------


def test_a_chosen_row_is_a_one_hot_row_multiplied():
    """[X, E[codes]] W is [X, one-hot] [[W_x], [E W_e]]: the same network, unfolded."""
    network, (X, codes, Y) = network_of(), rows_of()
    theta = theta_of(network, 1)
    W, b = parameters = network.layout.views(theta)
    grad = np.empty_like(theta)
    J = network.gradient(theta, grad, X, Y, codes=codes)
    hot = one_hot(codes)
    wide = network_of((2 + 7, 4, 1), tables=())
    theta_wide = np.empty(wide.layout.size)
    W_wide, b_wide = wide.layout.views(theta_wide)
    W_wide[0][:2] = W[0][:2]
    W_wide[0][2:6] = parameters.E[0] @ W[0][2:4]
    W_wide[0][6:] = parameters.E[1] @ W[0][4:]
    W_wide[1][...], b_wide[0][...], b_wide[1][...] = W[1], b[0], b[1]
    grad_wide = np.empty_like(theta_wide)
    J_wide = wide.gradient(theta_wide, grad_wide, np.hstack([X, hot]), Y)
    np.testing.assert_allclose(J, J_wide)
    dW, dE = network.layout.views(grad).W, network.layout.views(grad).E
    dW_wide = wide.layout.views(grad_wide).W
    np.testing.assert_allclose(dW[1], dW_wide[1])
    np.testing.assert_allclose(dE[0], dW_wide[0][2:6] @ W[0][2:4].T, atol=1e-15)
    np.testing.assert_allclose(dE[1], dW_wide[0][6:] @ W[0][4:].T, atol=1e-15)


@pytest.mark.parametrize("loss", list(LOSSES))
def test_the_gradient_is_that_of_the_value(loss):
    loss = loss_of(loss)
    loss = loss.filled_in(**dict.fromkeys(loss.hyperparameters, 0.5))
    network, (X, codes, Y) = network_of((5, 4, 2), loss, "silu"), rows_of(outputs=2)
    check = check_gradient(
        value_and_gradient(network, X, codes, np.abs(Y)),
        theta_of(network, 5),
        units=network.layout.units,
        tables=TABLES,
    )
    assert {"E1", "E2", "W1", "b1", "W2", "b2"} == check.errors.keys()
    assert check, str(check)


def test_a_planted_error_in_a_table_is_found(monkeypatch):
    right = backprop.errors_of_chosen

    def wrong(parameters, batch):
        right(parameters, batch)
        batch.e[..., 0] *= 1.01

    monkeypatch.setattr(backprop, "errors_of_chosen", wrong)
    network, (X, codes, Y) = network_of(), rows_of()
    function = value_and_gradient(network, X, codes, Y)
    theta = theta_of(network, 5)
    check = check_gradient(function, theta, units=UNITS, tables=TABLES)
    assert check.wrong == ["E1"]


def test_levels_that_nobody_chooses_have_no_gradient():
    network, (X, codes, Y) = network_of(), rows_of()
    codes[codes[:, 0] == 2, 0] = 1
    theta = theta_of(network)
    grad = np.full_like(theta, np.nan)  # all of it is written
    network.gradient(theta, grad, X, Y, codes=codes)
    dE = network.layout.views(grad).E
    assert (dE[0][2] == 0).all()
    assert (dE[0][[0, 1, 3]] != 0).any(axis=1).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_stack_has_the_gradients_of_each_network_alone(dtype):
    network, (X, codes, Y) = network_of(), rows_of(dtype=dtype)
    theta = theta_of(network, [1, 2, 3], dtype)
    grad = np.empty_like(theta)

    def each(value):
        return np.broadcast_to(value, (3, *value.shape))

    network.gradient(theta, grad, each(X), each(Y), codes=each(codes))
    for theta_k, grad_k in zip(theta, grad, strict=True):
        alone = np.empty_like(theta_k)
        network.gradient(theta_k, alone, X, Y, codes=codes)
        np.testing.assert_array_equal(grad_k, alone)


def test_the_jacobian_is_the_gradient_of_each_row():
    network, (X, codes, Y) = network_of(), rows_of()
    theta, data = theta_of(network, 1), Data(X, Y, codes=codes)
    rows = RowGradients(network, data)
    ((_, batch),) = rows.passes(theta)
    J = rows.of(theta, batch).copy()

    def y_hat(theta):
        return network.predict(theta, data)[:, 0]

    for p in range(len(theta)):
        step = np.zeros_like(theta)
        step[p] = 1e-6
        slope = (y_hat(theta + step) - y_hat(theta - step)) / 2e-6
        np.testing.assert_allclose(J[:, p], slope, atol=1e-8)
    curvature = GaussNewton(network, data)
    curvature.sums(theta)
    lower = np.tril(J.T @ J)
    np.testing.assert_allclose(np.tril(curvature.matrix), lower, atol=1e-12)


def test_each_table_is_a_group_of_its_own():
    layout = Layout(UNITS, TABLES)
    for by_input in (False, True):
        groups = groups_of(layout, by_input)
        E = layout.views(groups).E
        first = len(UNITS) - 1 + UNITS[0] * by_input
        assert [set(E_c.ravel()) for E_c in E] == [{first}, {first + 1}]
        assert set(groups) == set(range(first + 2))


# Predictions, data and training -------------------------------------------------------


@pytest.mark.parametrize("n", [5, 3000])
@pytest.mark.parametrize("stack", [(), (2,)])
def test_few_rows_and_chunks_of_many_are_predicted_alike(n, stack):
    network, (X, codes, _) = network_of(), rows_of(n)
    theta = theta_of(network, np.arange(np.prod(stack, dtype=int)).reshape(stack))
    scaling = {"mean": np.array([0.3, -2.0]), "scale": np.array([2.0, 0.5])}
    rows = np.broadcast_to(np.arange(n), (*stack, n)) if stack else None
    y_hat = network.predict(theta, Data(X, None, rows=rows, codes=codes, **scaling))
    x = (X - scaling["mean"]) / scaling["scale"]
    for k in np.ndindex(*stack):
        parameters = network.layout.views(theta[k])
        a = np.hstack([x, *(E[codes[:, c]] for c, E in enumerate(parameters.E))])
        a = np.tanh(a @ parameters.W[0] + parameters.b[0])
        expected = a @ parameters.W[1] + parameters.b[1]
        np.testing.assert_allclose(y_hat[k], expected, rtol=1e-9, atol=1e-12)


def test_gathered_rows_have_fixed_numbers_and_no_gaps():
    X = np.array([[1.0, np.nan], [3.0, 5.0], [np.nan, 7.0]])
    table = np.array([[0.0, -1.0], [2.0, 3.0]])
    codes = np.array([1, 0, 1], np.uint8)
    scaling = {"mean": np.array([2.0, 6.0]), "scale": np.array([1.0, 2.0])}
    data = Data(X, None, gaps=True, fixed=[(codes, table)], **scaling)
    assert data.n_inputs == 4
    assert not data.ready
    a = np.empty((3, 4))
    data.gather_inputs(slice(0, 3), a)
    expected = [[-1, 0, 2, 3], [1, -0.5, 0, -1], [0, 0.5, 2, 3]]
    np.testing.assert_array_equal(a, expected)
    stack = np.empty((2, 2, 4))
    data.gather_inputs(np.array([[0, 2], [1, 1]]), stack)
    np.testing.assert_array_equal(stack, np.array(expected)[[[0, 2], [1, 1]]])


def run_of(network, data, seed, **recipe):
    init, order, left_out = np.random.default_rng(seed).spawn(3)
    theta = np.empty(network.layout.size)
    initialize(network.layout, theta, network.activations, [init])
    how = Recipe(
        Adam(theta), constant, 0.05, batch_size=8, max_iter=5, order_rngs=[order],
        dropout_rngs=[left_out], **{"weight_decay": 0.0, **recipe},
    )  # fmt: skip
    return Run(theta, data, how, losses=[])


def test_networks_side_by_side_take_the_path_that_each_takes_alone():
    network = network_of()
    tables = [Data(X, Y, codes=codes) for X, codes, Y in map(rows_of, (40, 40), (1, 2))]
    plans = [(tables[0], 0, 0.0), (tables[1], 1, 0.3), (tables[0], 2, 3.0)]

    def runs():
        how = {"level_dropout": 1.0}
        return [run_of(network, d, s, weight_decay=w, **how) for d, s, w in plans]

    together, alone = runs(), runs()
    for _ in train(network, together):
        pass
    for run in alone:
        for _ in train(network, [run]):
            pass
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one.theta, other.theta)


def test_rare_levels_are_often_taken_for_unknown_ones():
    counts = [900, 90, 9, 1, 0]  # the last row is that of unknown levels
    codes = np.repeat(np.arange(5), counts).astype(np.int32)[:, np.newaxis]
    data = Data(np.zeros((1000, 1)), np.zeros((1000, 1)), codes=codes)
    network = Network((2, 1), ["identity"], squared_error, ((5, 1),))
    (n_rows,) = data.rows_of_levels(network.layout.tables)
    assert n_rows.tolist() == counts
    batch = network.workspace(np.zeros(network.layout.size), 1000).head(1000)
    seen, rng = np.zeros(5), np.random.default_rng(0)
    for _ in range(200):
        batch.codes[...] = codes
        draw_unknown(batch, [1 / (1 + n_rows)], [rng])
        assert ((batch.codes == codes) | (batch.codes == 4)).all()
        seen += np.bincount(codes[batch.codes[:, 0] == 4, 0], minlength=5)
    share = seen[:4] / (200 * n_rows[:4])
    expected = 1 / (1 + n_rows[:4])
    error = np.sqrt(expected * (1 - expected) / (200 * n_rows[:4]))
    assert (np.abs(share - expected) < 4 * error).all()


def test_what_is_unknown_is_learnt_with_levels_left_out_and_not_without():
    network, (X, codes, Y) = network_of(), rows_of(40)
    codes = np.minimum(codes, [2, 1])  # nobody has the last rows
    data = Data(X, Y, codes=codes.astype(np.int32))
    for share, moves in ((0.0, False), (1.0, True)):
        run = run_of(network, data, 0, level_dropout=share)
        before = [E[-1].copy() for E in network.layout.views(run.theta).E]
        for _ in train(network, [run]):
            pass
        after = [E[-1] for E in network.layout.views(run.theta).E]
        pairs = zip(after, before, strict=True)
        assert [bool((a != b).any()) for a, b in pairs] == [moves, moves]


def test_lbfgs_learns_what_each_level_adds():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 30, (600, 1)).astype(np.int32)
    effect = rng.normal(size=30)
    Y = effect[codes]
    network = Network((0 + 2, 8, 1), ["tanh", "identity"], squared_error, ((30, 2),))
    theta, data = theta_of(network), Data(np.empty((600, 0)), Y, codes=codes)
    lbfgs(
        network, theta, data, lambda record: False, max_iter=300, tol=1e-6,
        weight_decay=0.0, validation=None,
    )  # fmt: skip
    error = network.predict(theta, data) - Y
    assert np.sqrt(np.mean(error**2)) < 0.02


def test_a_trace_shows_the_step_before_layer_1():
    network, (X, codes, Y) = network_of(), rows_of(4)
    theta = theta_of(network, 2)
    grad = np.empty_like(theta)
    network.gradient(theta, grad, X, Y, codes=codes)
    seen, gradient = (
        trace(network, theta, X, Y, codes=codes),
        network.layout.views(grad),
    )
    np.testing.assert_array_equal(seen.e[:, :2], seen.E[0][codes[:, 0]])
    np.testing.assert_array_equal(seen.a[0], np.hstack([X, seen.e]))
    for mine, theirs in zip(seen.dE, gradient.E, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-15)
    text = str(seen)
    assert text.index("Embedding") < text.index("Forward")
    for line in ("E1", "codes2", "e = E1[codes1], E2[codes2]", "a1 = [X, e]", "dJ/dE2"):
        assert line in text
    assert "Embedding" not in str(trace(network_of((2, 3, 1), tables=()),
                                        np.zeros(13), X, Y))  # fmt: skip
