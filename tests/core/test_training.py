"""The loop: what a step is, and that a stack is nothing but its networks."""

import threading
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

from skffnn.core import training
from skffnn.core.data import Data
from skffnn.core.layout import Layout, Workspace
from skffnn.core.losses import LOSSES, Loss, added
from skffnn.core.optimizers import SGD
from skffnn.core.schedules import constant, cosine, invscaling
from skffnn.core.training import Recipe, draw_masks, epochs, evaluate, shuffle

SOLVERS = ["sgd", "momentum", "nesterov", "adam"]

every_solver = pytest.mark.parametrize("solver", SOLVERS)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def generators(seeds):
    return [np.random.default_rng(seed) for seed in seeds]


# What a step is -----------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", ["squared_error", "root_mean_squared_error", "huber"])
def test_a_full_batch_epoch_is_one_step_down_the_gradient(
    make_network, make_theta, make_data, train, loss, weighted
):
    units = [3, 4, 2]
    network = make_network(units, loss=loss)
    data, theta = make_data(20, units, weighted=weighted), make_theta(network)
    share = data.weight / data.weight.sum() if weighted else None
    grad, start = np.empty_like(theta), theta.copy()
    J = network.gradient(theta, grad, data.X, data.Y, share)
    [record] = train(
        network,
        theta,
        data,
        learning_rate=0.3,
        batch_size=99,
        max_iter=1,
        shuffle=False,
    )
    np.testing.assert_allclose(theta, start - 0.3 * grad, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(record.loss, J, rtol=1e-13)


@pytest.mark.parametrize("weighted", [False, True])
def test_an_epoch_is_one_step_per_batch_the_last_one_short(
    make_network, make_theta, make_data, train, weighted
):
    units, decay, rate = [3, 4, 1], 0.5, 0.1
    network = make_network(units)
    data, theta = make_data(20, units, weighted=weighted), make_theta(network)
    expected, grad = theta.copy(), np.empty_like(theta)
    for part in (slice(0, 8), slice(8, 16), slice(16, 20)):
        n = part.stop - part.start
        share = data.weight[part] / n if weighted else None
        network.gradient(expected, grad, data.X[part], data.Y[part], share)
        grad[: network.layout.n_weights] += decay * expected[: network.layout.n_weights]
        expected -= rate * grad
    train(
        network,
        theta,
        data,
        learning_rate=rate,
        weight_decay=decay,
        batch_size=8,
        max_iter=1,
        shuffle=False,
    )
    np.testing.assert_allclose(theta, expected, rtol=1e-12, atol=1e-15)


def test_each_epoch_visits_every_row_once_in_a_new_order(
    make_network, make_theta, make_data, train, monkeypatch
):
    units, visited = [2, 1], []
    data, network = make_data(11, units), make_network(units)

    def remember(self, rows, batch, gather=Data.gather):
        visited.append(rows.copy())
        gather(self, rows, batch)

    monkeypatch.setattr(Data, "gather", remember)
    train(
        network,
        make_theta(network),
        data,
        batch_size=4,
        max_iter=2,
        order_rngs=generators([0]),
    )
    assert [len(rows) for rows in visited] == [4, 4, 3, 4, 4, 3]
    first, second = np.concatenate(visited[:3]), np.concatenate(visited[3:])
    assert sorted(first) == sorted(second) == list(range(11))
    assert (first != second).any()
    np.testing.assert_array_equal(data.rows, np.arange(11))


@pytest.mark.parametrize("schedule", [cosine, invscaling])
def test_each_step_has_the_rate_that_the_schedule_gives_it(
    make_network, make_theta, make_data, train, schedule
):
    units, rates = [2, 1], []
    network = make_network(units)
    theta = make_theta(network)

    class Recording(SGD):
        def step(self, theta, grad, learning_rate):
            rates.append(learning_rate)

    records = train(
        network,
        theta,
        make_data(10, units),
        optimizer=Recording(theta),
        learning_rate=0.3,
        schedule=schedule,
        batch_size=4,
        max_iter=5,
    )
    np.testing.assert_allclose(rates, 0.3 * schedule(np.arange(15), 15, []), rtol=1e-14)
    assert [record.learning_rate for record in records] == rates[2::3]


def test_the_schedule_sees_the_losses_that_the_consumer_appends(
    make_network, make_theta, make_data
):
    seen, network = [], make_network([2, 1])
    theta, losses = make_theta(network), []

    def schedule(step, steps, losses):
        seen.append(list(losses))
        return constant(step, steps, losses)

    recipe = Recipe(SGD(theta), schedule, 0.1, max_iter=3)
    for record in epochs(network, theta, make_data(10, [2, 1]), recipe, losses):
        losses.append(10 * record.epoch)
    assert seen == [[], [10], [10, 20]]


def test_weight_decay_shrinks_weights_and_no_biases(
    make_network, make_theta, make_data, train
):
    network, data = make_network([2, 1]), make_data(10, [2, 1])
    theta = make_theta(network)
    data.X[...], data.Y[...], theta[2] = 0, 3, 3  # a perfect fit: no gradient at all
    start = theta.copy()
    train(network, theta, data, learning_rate=0.1, weight_decay=2, max_iter=1)
    np.testing.assert_allclose(theta[:2], 0.8 * start[:2], rtol=1e-14)
    assert theta[2] == 3


def test_clip_norm_bounds_the_length_of_a_step(
    make_network, make_theta, make_data, train
):
    network, data = make_network([2, 3, 1]), make_data(10, [2, 3, 1])
    data.Y[...] *= 100
    theta = make_theta(network)
    start = theta.copy()
    train(network, theta, data, learning_rate=0.5, clip_norm=0.1, max_iter=1)
    assert np.linalg.norm(theta - start) == pytest.approx(0.05, rel=1e-12)


# Curves -------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
def test_the_curve_is_the_mean_over_the_batches_in_passing(
    make_network, make_theta, make_data, train, weighted
):
    units = [3, 4, 2]
    network, data = make_network(units), make_data(20, units, weighted=weighted)
    theta = make_theta(network)
    passing, total = theta.copy(), np.zeros(2)
    parts = slice(0, 10), slice(10, 20)
    if weighted:  # each batch counts for as much, so that it may train alone
        weight = [data.weight[part] / data.weight[part].mean() for part in parts]
        data = Data(data.X, data.Y, np.concatenate(weight))
    for part in parts:
        weight = data.weight[part] if weighted else None
        one = Data(data.X[part], data.Y[part], weight)
        total += evaluate(network, passing, one)[0]
        train(network, passing, one, max_iter=1, shuffle=False)
    [record] = train(network, theta, data, batch_size=10, max_iter=1, shuffle=False)
    np.testing.assert_allclose(record.loss, total / 2, rtol=1e-12)
    np.testing.assert_allclose(record.metric, total, rtol=1e-12)
    assert record.validation_loss is record.validation_metric is None


@pytest.mark.parametrize("loss", [*LOSSES])
@pytest.mark.parametrize("weighted", [False, True])
def test_curves_are_the_same_computed_in_blocks(
    make_network, make_theta, make_data, monkeypatch, loss, weighted
):
    units = [3, 4, 2]
    output = "exp" if loss == "poisson" else "identity"
    network = make_network(units, output=output, loss=loss)
    data, theta = make_data(20, units, weighted=weighted), make_theta(network)
    np.abs(data.Y, out=data.Y)
    order = data.order()
    shuffle(order, generators([0]))
    y_hat = network.predict(theta, data)
    whole = evaluate(network, theta, data)
    for size in (1, 7, 20, 99):
        monkeypatch.setattr(training, "BLOCK", size)
        for found in (
            evaluate(network, theta, data),
            training.measure(network, y_hat[order], data, order),
        ):
            np.testing.assert_allclose(found, whole, rtol=1e-13)


def test_with_validation_rows_both_curves_are_those_of_the_epochs_end(
    make_network, make_theta, make_data, train
):
    units = [3, 8, 2]
    network, data = make_network(units), make_data(30, units, weighted=True)
    theta = make_theta(network)
    held_out = Data(data.X, data.Y, data.weight, np.arange(20, 30))
    data = Data(data.X, data.Y, data.weight, np.arange(20))
    record = train(
        network,
        theta,
        data,
        held_out,
        batch_size=7,
        max_iter=3,
        dropout=0.5,
        dropout_rngs=generators([0]),
    )[-1]
    W, b = network.layout.views(theta)
    squares = (np.tanh(data.X @ W[0] + b[0]) @ W[1] + b[1] - data.Y) ** 2
    for rows, loss, mse in (
        (data.rows, record.loss, record.metric),
        (held_out.rows, record.validation_loss, record.validation_metric),
    ):
        expected = np.average(squares[rows], axis=0, weights=data.weight[rows, 0])
        np.testing.assert_allclose(mse, expected, rtol=1e-12)
        np.testing.assert_allclose(loss, mse / 2, rtol=1e-13)


def test_validation_rows_change_nothing_else(
    make_network, make_theta, make_data, train
):
    network, data = make_network([3, 4, 1]), make_data(30, [3, 4, 1])
    results = []
    for validation in (None, make_data(10, [3, 4, 1])):
        theta = make_theta(network)
        train(network, theta, data, validation, max_iter=3, order_rngs=generators([1]))
        results.append(theta)
    np.testing.assert_array_equal(*results)


# Dropout ------------------------------------------------------------------------------


@both_dtypes
def test_dropout_masks_have_the_right_rate_and_mean_one(dtype):
    space = Workspace(Layout((2, 60, 50, 1)), 400, dtype, dropout=True)
    mask = space.head(400).mask
    draw_masks(mask, 0.2, generators([0]))
    for m in mask[1:-1]:
        assert m.dtype == dtype
        assert set(np.unique(m)) == {dtype(0), dtype(1 / (1 - 0.2))}
        assert (m == 0).mean() == pytest.approx(0.2, abs=0.02)
        assert m.mean() == pytest.approx(1, abs=0.02)
    assert (mask[1][:, :50] != mask[2]).any()


def test_every_step_draws_new_masks(make_network, make_theta, make_data, monkeypatch):
    drawn = []

    def remember(mask, dropout, rngs):
        draw_masks(mask, dropout, rngs)
        drawn.append(mask[1].copy())

    monkeypatch.setattr(training, "draw_masks", remember)
    network, data = make_network([2, 9, 1]), make_data(10, [2, 9, 1])
    theta = make_theta(network)
    recipe = Recipe(
        SGD(theta),
        constant,
        0.1,
        batch_size=5,
        max_iter=2,
        dropout=0.5,
        dropout_rngs=generators([0]),
    )
    assert len(list(epochs(network, theta, data, recipe, []))) == 2
    assert len(drawn) == len({m.tobytes() for m in drawn}) == 4


def test_dropout_without_hidden_layers_does_nothing(
    make_network, make_theta, make_data, train
):
    network, data = make_network([3, 1]), make_data(10, [3, 1])
    results = []
    for dropout in (0.0, 0.5):
        theta = make_theta(network)
        train(
            network,
            theta,
            data,
            dropout=dropout,
            max_iter=2,
            shuffle=False,
            dropout_rngs=generators([0]),
        )
        results.append(theta)
    np.testing.assert_array_equal(*results)


# The stack ----------------------------------------------------------------------------

SEEDS = [3, 1, 4]
SHAPES = {
    "one hidden": [3, 4, 2],
    "two hidden": [2, 6, 5, 1],
    "no hidden": [3, 2],
    "one to one": [1, 1],
    "one input": [1, 5, 1],
    "wide": [20, 40, 30, 1],
}


class Networks:
    """K networks with their own seeds and options, to train alone or as a stack."""

    def __init__(self, make_theta, make_optimizer, train, network, data, solver):
        self.make_theta, self.make_optimizer = make_theta, make_optimizer
        self.train, self.network, self.data, self.solver = train, network, data, solver

    def alone(self, k, rows, own, schedule, **recipe):
        own = {name: values[k] for name, values in own.items()}
        rows = None if rows is None else rows[k]
        return self._run(SEEDS[k], [SEEDS[k]], rows, own, schedule, recipe)

    def together(self, rows, own, schedule, **recipe):
        own = {name: np.array(v)[:, np.newaxis] for name, v in own.items()}
        if rows is None:
            rows = np.tile(self.data.rows, (len(SEEDS), 1))
        return self._run(SEEDS, SEEDS, rows, own, schedule, recipe)

    def _run(self, seed, seeds, rows, own, schedule, recipe):
        theta = self.make_theta(self.network, seed, self.data.X.dtype)
        data = Data(self.data.X, self.data.Y, self.data.weight, rows)
        recipe = {"learning_rate": 0.05, "batch_size": 6, "max_iter": 4, **recipe}
        records = self.train(
            self.network,
            theta,
            data,
            optimizer=self.make_optimizer(self.solver, theta),
            schedule=schedule(),
            order_rngs=generators(seeds),
            dropout_rngs=generators([seed + 100 for seed in seeds]),
            **{**recipe, **own},
        )
        return theta, records

    def assert_same(self, rows=None, own=None, schedule=lambda: constant, **recipe):
        """Each network of the stack ends as it does alone, bit for bit."""
        own = own or {}
        theta, records = self.together(rows, own, schedule, **recipe)
        for k in range(len(SEEDS)):
            alone, alone_records = self.alone(k, rows, own, schedule, **recipe)
            assert np.isfinite(alone).all()
            np.testing.assert_array_equal(theta[k], alone)
            for stacked, single in zip(records, alone_records, strict=True):
                np.testing.assert_allclose(stacked.loss[k], single.loss, rtol=1e-14)
                np.testing.assert_allclose(stacked.metric[k], single.metric, rtol=1e-14)
                rate = np.broadcast_to(stacked.learning_rate, (len(SEEDS), 1))[k]
                assert rate == single.learning_rate
        assert len({row.tobytes() for row in theta}) == len(SEEDS)
        return theta, records


@pytest.fixture
def networks(make_network, make_theta, make_optimizer, make_data, train):
    """Return K networks of a shape, on a table whose last batch is short."""

    def make(units, solver, dtype=np.float64, n=33, weighted=False, **options):
        network = make_network(units, **options)
        data = make_data(n, units, dtype, weighted)
        return Networks(make_theta, make_optimizer, train, network, data, solver)

    return make


def rows_of_each(n=25):
    """As many rows for each network, others for each."""
    return np.stack([rng.permutation(33)[:n] for rng in generators(SEEDS)])


RATES = {"learning_rate": [0.05, 0.01, 0.002]}
DECAYS = {"weight_decay": [0.0, 0.5, 2.0]}


@every_solver
@both_dtypes
@pytest.mark.parametrize("units", SHAPES.values(), ids=SHAPES)
def test_stack_with_seeds_and_rows_of_its_own(networks, units, solver, dtype):
    networks(units, solver, dtype).assert_same(rows_of_each())


@every_solver
@both_dtypes
@pytest.mark.parametrize("units", SHAPES.values(), ids=SHAPES)
def test_stack_with_everything_at_once(networks, units, solver, dtype):
    networks(units, solver, dtype, weighted=True).assert_same(
        rows_of_each(),
        {**RATES, **DECAYS},
        schedule=lambda: cosine,
        clip_norm=0.5,
        dropout=0.3 if len(units) > 2 else 0.0,
    )


@every_solver
@pytest.mark.parametrize("own", [RATES, DECAYS, {**RATES, **DECAYS}])
@pytest.mark.parametrize("schedule", [constant, cosine, invscaling])
@pytest.mark.parametrize("batch_size", [6, 100])
def test_stack_with_rates_and_decays_of_its_own(
    networks, solver, own, schedule, batch_size
):
    networks([3, 4, 2], solver).assert_same(
        own=own, schedule=lambda: schedule, batch_size=batch_size
    )


@every_solver
@both_dtypes
@pytest.mark.parametrize(
    "options",
    [{"dropout": 0.5}, {"clip_norm": 0.05}, {"weight_decay": 0.5}, {"batch_size": 1}],
    ids=str,
)
@pytest.mark.parametrize("weighted", [False, True])
def test_stack_with_shared_options(networks, solver, dtype, options, weighted):
    networks([3, 4, 2], solver, dtype, weighted=weighted).assert_same(**options)


@pytest.mark.parametrize(
    "loss", ["root_mean_squared_error", "absolute_error", "huber", "quantile"]
)
@both_dtypes
def test_stack_with_other_losses(networks, loss, dtype):
    networks([3, 4, 2], "adam", dtype, weighted=True, loss=loss).assert_same()


@both_dtypes
def test_stack_with_an_exponential_output(networks, dtype):
    stack = networks([3, 4, 2], "adam", dtype, loss="poisson", output="exp")
    np.abs(stack.data.Y, out=stack.data.Y)
    stack.assert_same()


@pytest.mark.parametrize("hidden", ["logistic", "relu", "leaky_relu", "elu", "selu"])
@both_dtypes
def test_stack_with_other_activations(networks, hidden, dtype):
    networks([3, 4, 2], "adam", dtype, hidden=hidden).assert_same()


def test_stack_of_one_is_a_network(make_network, make_theta, make_data, train):
    network, data = make_network([3, 4, 2]), make_data(20, [3, 4, 2])
    alone, stack = make_theta(network, 5), make_theta(network, [5])
    train(network, alone, data, batch_size=6, max_iter=3, order_rngs=generators([0]))
    data = Data(data.X, data.Y, rows=data.rows[np.newaxis])
    train(network, stack, data, batch_size=6, max_iter=3, order_rngs=generators([0]))
    np.testing.assert_array_equal(stack[0], alone)


def test_shuffle_gives_each_network_its_own_order():
    rows = np.arange(20).reshape(2, 10)
    order, alone = rows.copy(), rows[1].copy()
    shuffle(order, generators([0, 1]))
    shuffle(alone, generators([1]))
    np.testing.assert_array_equal(np.sort(order), rows)
    assert (order[0] != order[1] - 10).any()
    np.testing.assert_array_equal(order[1], alone)


# Memory and dtypes --------------------------------------------------------------------

# Every weight matrix and every layer of a batch is WIDE x WIDE: in float32 too, one of
# them is larger than the few blocks of 64 KiB that NumPy's casts need as they work.
WIDE = 256
SMALLEST = WIDE * WIDE * 4


def peak_of_one_epoch(network, theta, data, optimizer, **options):
    """Bytes that a pass over all minibatches allocates at its worst moment."""
    steps = -(-len(data.rows) // WIDE)
    recipe = Recipe(optimizer, constant, 0.01, batch_size=WIDE, **options)
    loop = training._Loop(network, theta, data, recipe)
    order, rates = data.order(), np.full(steps, 0.01)
    loop.run(order, rates)  # makes the views of full and short batches
    tracemalloc.start()
    try:
        loop.run(order, rates)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


LOSS_OF = {
    "relu": "squared_error",
    "selu": "huber",
    "elu": "quantile",
    "leaky_relu": "absolute_error",
    "tanh": "root_mean_squared_error",
    "logistic": "poisson",
}


@both_dtypes
@pytest.mark.parametrize(
    ("solver", "hidden"),
    [
        *((solver, "relu") for solver in SOLVERS),
        *(("adam", hidden) for hidden in LOSS_OF if hidden != "relu"),
    ],
)
def test_nothing_is_allocated_in_the_inner_loop(
    make_network, make_theta, make_data, make_optimizer, solver, dtype, hidden
):
    units, loss = [WIDE] * 4, LOSS_OF[hidden]
    output = "exp" if loss == "poisson" else "identity"
    network = make_network(units, hidden, output, loss)
    peaks = []
    for n in (WIDE + 100, 6 * WIDE + 100):
        data = make_data(n, units, dtype, weighted=True)
        np.abs(data.Y, out=data.Y)
        theta = make_theta(network, 0, dtype)
        peaks.append(
            peak_of_one_epoch(
                network,
                theta,
                data,
                make_optimizer(solver, theta),
                dropout=0.2,
                dropout_rngs=generators([0]),
                clip_norm=1.0,
                weight_decay=0.1,
            )
        )
    assert max(peaks) < SMALLEST / 2
    assert peaks[1] - peaks[0] < 4096


def test_the_measure_of_allocations_sees_a_single_array(
    make_network, make_theta, make_data
):
    class Wasteful(SGD):
        def step(self, theta, grad, learning_rate):
            np.ones(SMALLEST // 4, np.float32).sum()

    network, data = make_network([64, 8]), make_data(600, [64, 8])
    theta = make_theta(network)
    assert peak_of_one_epoch(network, theta, data, Wasteful(theta)) > SMALLEST


class Float32Only(np.ndarray):
    """An array that takes part in no operation with a float64, not even a scalar."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=(), **options):
        outside = [np.asarray(x) for x in out]
        plain = [np.asarray(x) if isinstance(x, np.ndarray) else x for x in inputs]
        if out:
            options["out"] = tuple(outside)
        result = getattr(ufunc, method)(*plain, **options)
        for x in (*plain, *outside, result):
            wide = isinstance(x, np.ndarray | np.generic) and x.dtype == np.float64
            assert not wide, f"float64 in {ufunc.__name__}"
        return out[0] if out else np.asarray(result).view(Float32Only)


@pytest.fixture
def float32_only(monkeypatch):
    """Make every array of a work space watch what it is combined with."""
    flat = Workspace._flat
    monkeypatch.setattr(Workspace, "_flat", lambda *args: flat(*args).view(Float32Only))


@every_solver
@pytest.mark.parametrize("hidden", LOSS_OF)
@pytest.mark.parametrize("stacked", [False, True])
def test_no_float64_takes_part_in_a_float32_step(
    float32_only,
    make_network,
    make_theta,
    make_data,
    make_optimizer,
    solver,
    hidden,
    stacked,
):
    units, seeds = [3, 4, 2], [0, 1] if stacked else 0
    output = "exp" if LOSS_OF[hidden] == "poisson" else "identity"
    network, data = (
        make_network(units, hidden, output, LOSS_OF[hidden]),
        make_data(10, units, np.float32, True),
    )
    np.abs(data.Y, out=data.Y)
    if stacked:
        data = Data(data.X, data.Y, data.weight, np.tile(data.rows, (2, 1)))
    theta = make_theta(network, seeds, np.float32).view(Float32Only)
    start, optimizer = theta.copy(), make_optimizer(solver, theta)
    recipe = Recipe(
        optimizer,
        constant,
        0.1,
        weight_decay=0.1,
        batch_size=4,
        clip_norm=0.5,
        dropout=0.3,
        dropout_rngs=generators(np.ravel(seeds)),
    )
    loop = training._Loop(network, theta, data, recipe)
    loop.run(data.rows, np.full(3, 0.1))
    assert (np.asarray(theta) != np.asarray(start)).any()
    kept = [theta, loop.grad, loop.y_hat, loop.space.ones]
    for value in [*vars(optimizer).values(), *optimizer.state.values()]:
        kept += [value] if isinstance(value, np.ndarray) else []
    kept += [b for blocks in loop.space.blocks.values() for b in blocks]
    assert {array.dtype for array in kept} == {np.dtype(np.float32)}


def test_the_watch_sees_a_float64(float32_only, make_network, make_theta, make_data):
    network, data = make_network([3, 4, 2]), make_data(10, [3, 4, 2], np.float32)
    theta = make_theta(network, 0, np.float32).view(Float32Only)

    def careless(y_hat, y, share, dJ):
        dJ *= np.float64(0.5)
        return LOSSES["squared_error"].function(y_hat, y, share, dJ)

    network.loss = Loss(careless, degree=2)
    loop = training._Loop(network, theta, data, Recipe(SGD(theta), constant, 0.1))
    with pytest.raises(AssertionError, match="float64 in multiply"):
        loop.run(data.rows, np.full(1, 0.1))


@both_dtypes
@every_solver
def test_a_run_can_be_repeated_to_the_bit(
    make_network, make_theta, make_data, make_optimizer, train, solver, dtype
):
    units, results = [3, 8, 2], []
    network, data = make_network(units), make_data(40, units, dtype)
    for _ in range(2):
        theta = make_theta(network, 0, dtype)
        train(
            network,
            theta,
            data,
            optimizer=make_optimizer(solver, theta),
            dropout=0.2,
            batch_size=16,
            max_iter=5,
            order_rngs=generators([1]),
            dropout_rngs=generators([2]),
        )
        results.append(theta.tobytes())
    assert results[0] == results[1]


@every_solver
def test_float32_follows_float64_to_rounding(
    make_network, make_theta, make_data, make_optimizer, train, solver
):
    units, results = [3, 8, 2], []
    network = make_network(units)
    for dtype in (np.float32, np.float64):
        theta = make_theta(network, 0, dtype)
        train(
            network,
            theta,
            make_data(40, units, dtype),
            learning_rate=0.01,
            optimizer=make_optimizer(solver, theta),
            max_iter=3,
            order_rngs=generators([1]),
        )
        results.append(theta)
    np.testing.assert_allclose(*results, rtol=1e-4, atol=1e-5)


def test_records_are_computed_in_float64(make_network, make_theta, make_data, train):
    units = [3, 4, 2]
    network, data = make_network(units), make_data(20, units, np.float32, weighted=True)
    theta = make_theta(network, 0, np.float32)
    for validation in (None, data):
        [record] = train(network, theta, data, validation, max_iter=1)
        assert record.loss.dtype == record.metric.dtype == np.float64


# The generator ------------------------------------------------------------------------


def test_overflow_is_silent_inside_and_errstate_stays_inside(
    make_network, make_theta, make_data
):
    network, data = make_network([3, 4, 1], "relu"), make_data(20, [3, 4, 1])
    data.Y[...] *= 1e150
    theta = make_theta(network)
    with np.errstate(all="raise"):
        before = np.geterr()
        recipe = Recipe(SGD(theta), constant, 1e100, max_iter=3)
        losses = []
        for record in epochs(network, theta, data, recipe, [], validation=data):
            assert np.geterr() == before
            losses.append(record.loss)
        assert np.geterr() == before
    assert not np.isfinite(losses).all()


def test_an_epoch_is_trained_only_when_it_is_asked_for(
    make_network, make_theta, make_data
):
    network, theta_of = make_network([2, 3, 1]), []
    theta = make_theta(network)
    run = epochs(
        network,
        theta,
        make_data(10, [2, 3, 1]),
        Recipe(SGD(theta), constant, 0.1, max_iter=3),
        [],
    )
    theta_of.append(theta.copy())
    for record in run:
        assert record.epoch == len(theta_of)
        assert (theta != theta_of[-1]).any()
        theta_of.append(theta.copy())
    assert len(theta_of) == 4


def test_rows_decide_what_is_learnt_from(make_network, make_theta, make_data, train):
    network, data = make_network([2, 3, 1]), make_data(30, [2, 3, 1])
    rows = np.arange(5, 20)
    some, part = make_theta(network), make_theta(network)
    train(network, some, Data(data.X, data.Y, rows=rows), max_iter=2, shuffle=False)
    train(network, part, Data(data.X[rows], data.Y[rows]), max_iter=2, shuffle=False)
    np.testing.assert_array_equal(some, part)


# Several machines ---------------------------------------------------------------------


class Together:
    """Adds up what several threads have summed, as machines of a cluster would."""

    def __init__(self, n):
        self.barrier, self.parts = threading.Barrier(n, timeout=30), [None] * n

    def reduce(self, own):
        def add_up(sums):
            self.parts[own] = sums.copy()
            self.barrier.wait()
            total = np.sum(self.parts, axis=0)
            self.barrier.wait()
            sums[...] = total

        return add_up


@pytest.mark.parametrize("loss", [n for n, l in LOSSES.items() if l.join is added])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("validated", [False, True])
def test_machines_that_add_up_learn_what_one_learns(
    make_network, make_theta, make_data, train, loss, weighted, validated
):
    """Two machines have 3 and 5 rows of each batch of 8; the last batch is shorter."""
    n, output = 44, LOSSES[loss].output or "identity"
    network = make_network([3, 6, 2], "tanh", output, loss)
    data = make_data(n, [3, 6, 2], weighted=weighted)
    np.abs(data.Y, out=data.Y)
    expected = make_theta(network)
    options = {"batch_size": 8, "max_iter": 4, "shuffle": False}
    how = {**options, "weight_decay": 0.1, "clip_norm": 0.05}
    records = train(network, expected, data, data if validated else None, **how)

    together, place = Together(2), np.arange(n) % 8
    thetas, found = [make_theta(network) for _ in range(2)], [None] * 2

    def work(own):
        rows = np.flatnonzero((place < 3) if own == 0 else (place >= 3))
        weight = None if data.weight is None else data.weight[rows]
        part = Data(data.X[rows], data.Y[rows], weight)
        part.whole = n
        if weighted:
            part.mean_weight = data.mean_weight
        ends = np.searchsorted(rows, range(0, n + 8, 8))
        batches = [
            (slice(*pair), min(8, n - 8 * i)) for i, pair in enumerate(pairwise(ends))
        ]
        own_how = {**how, "reduce": together.reduce(own), "batches": batches}
        validation = part if validated else None
        found[own] = train(network, thetas[own], part, validation, **own_how)

    threads = [threading.Thread(target=work, args=(own,)) for own in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(*thetas)  # the machines agree to the last bit
    np.testing.assert_allclose(thetas[0], expected, rtol=1e-10, atol=1e-12)
    for mine, theirs in zip(found[0], records, strict=True):
        for name in ("loss", "metric", "validation_loss", "validation_metric"):
            a, b = getattr(mine, name), getattr(theirs, name)
            assert (a is None) == (b is None)
            if a is not None:
                np.testing.assert_allclose(a, b, rtol=1e-10)
