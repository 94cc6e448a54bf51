"""Networks that are trained side by side, each beside itself alone."""

from copy import deepcopy

import numpy as np
import pytest

from skffnn.core import schedules, stack
from skffnn.core.backprop import stack_product
from skffnn.core.data import Data
from skffnn.core.initializers import initialize
from skffnn.core.layout import Layout
from skffnn.core.losses import squared_error
from skffnn.core.network import Network
from skffnn.core.optimizers import SGD, Adam
from skffnn.core.stack import Run, largest_stack, stacks, train
from skffnn.core.training import Recipe

EPOCHS, N = 6, 50


class Ending(Run):
    """A run that ends after some epochs, and keeps what it was told."""

    def __init__(self, *args, ends=EPOCHS, **kwargs):
        super().__init__(*args, **kwargs)
        self.ends, self.records = ends, []

    def take(self, record):
        self.records.append(record)
        self.losses.append(float(record.loss.sum()))
        return record.epoch == self.ends


@pytest.fixture
def network():
    return Network([3, 5, 1], ["tanh", "identity"], squared_error)


def table_of(seed, n=N, dtype=np.float64, *, weighted=False):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)).astype(dtype)
    weight = rng.random((n, 1)).astype(dtype) if weighted else None
    return Data(X, np.sin(X[:, :1]), weight)


def run_of(network, data, seed=0, *, ends=EPOCHS, validation=None, sgd=None, **recipe):
    init, order, dropout = np.random.default_rng(seed).spawn(3)
    theta = np.empty(network.layout.size, data.Y.dtype)
    initialize(network.layout, theta, network.activations, [init])
    own = {"schedule": schedules.cosine, "learning_rate": 0.05, "batch_size": 16}
    optimizer = Adam(theta) if sgd is None else SGD(theta, sgd, nesterov=True)
    how = Recipe(
        optimizer, max_iter=EPOCHS, order_rngs=[order], dropout_rngs=[dropout],
        **{**own, **recipe},
    )  # fmt: skip
    return Ending(theta, data, how, validation, [], ends=ends)


def several(network, dtype=np.float64):
    """Runs that differ in all that may differ, on two tables."""
    tables = [table_of(seed, dtype=dtype) for seed in (1, 2)]
    adaptive = schedules.Adaptive(1, 0.5)
    return [
        run_of(network, tables[0], 0, learning_rate=0.01),
        run_of(network, tables[0], 0, weight_decay=3.0, ends=2),
        run_of(network, tables[1], 1, schedule=adaptive, ends=4),
        run_of(network, tables[1].of(np.arange(N)[::-1]), 2, ends=4),
        run_of(network, tables[1], 3, schedule=schedules.constant),
    ]


def finish(network, runs):
    sizes = [len(together) for together in train(network, runs)]
    assert sizes
    return sizes


def same(runs, others):
    for run, other in zip(runs, others, strict=True):
        np.testing.assert_array_equal(run.theta, other.theta)
        assert run.losses == other.losses
        for name, value in other.recipe.optimizer.state.items():
            np.testing.assert_array_equal(run.recipe.optimizer.state[name], value)
        for record, alone in zip(run.records, other.records, strict=True):
            assert record.epoch == alone.epoch
            assert record.learning_rate == alone.learning_rate
            assert record.metric == alone.metric
            assert record.validation_loss == alone.validation_loss
        rng, alone = run.recipe.order_rngs[0], other.recipe.order_rngs[0]
        assert rng.random() == alone.random()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_each_network_takes_the_path_that_it_takes_alone(network, dtype):
    together = several(network, dtype)
    alone = several(network, dtype)
    assert finish(network, together) == [5] * EPOCHS
    for run in alone:
        finish(network, [run])
    same(together, alone)
    assert [len(run.records) for run in together] == [6, 2, 4, 4, 6]
    assert together[0].theta.dtype == dtype
    assert together[0].theta.base is None  # nothing of the stack is left


OPTIONS = {
    "weights": {"weighted": True},
    "dropout": {"dropout": 0.4},
    "no shuffling": {"shuffle": False},
    "limits": {"clip_norm": 0.01},
    "gradient descent": {"sgd": 0.0},
    "momentum": {"sgd": 0.9},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_with_every_option(network, options, dtype):
    options = dict(options)
    weighted = options.pop("weighted", False)

    def runs():
        data, other, validation = (
            table_of(seed, n, dtype, weighted=weighted)
            for seed, n in ((1, N), (2, N), (3, 20))
        )
        return [
            run_of(network, data, 0, validation=validation, **options),
            run_of(network, other, 1, validation=data.of(np.arange(20)), **options),
        ]

    together, alone = runs(), runs()
    finish(network, together)
    for run in alone:
        finish(network, [run])
    same(together, alone)


def test_a_network_that_has_stopped_costs_no_more(network, monkeypatch):
    shapes = []
    real = stack.epochs

    def epochs(network, theta, *rest):
        for record in real(network, theta, *rest):
            shapes.append(theta.shape)
            yield record

    monkeypatch.setattr(stack, "epochs", epochs)
    finish(network, several(network))
    P = network.layout.size
    assert shapes == [(5, P)] * 2 + [(4, P)] * 2 + [(2, P)] * 2


def test_the_last_to_go_on_is_trained_as_one(network):
    data = table_of(1)
    together = [run_of(network, data, ends=2), run_of(network, data, 1)]
    alone = deepcopy(together)
    finish(network, together)
    for run in alone:
        finish(network, [run])
    same(together, alone)


def test_limits_and_momenta_of_their_own(network):
    data = table_of(1)
    grid = [(0.5, 0.1), (0.9, 0.01), (0.99, 10.0)]

    def runs():
        return [run_of(network, data, sgd=mu, clip_norm=limit) for mu, limit in grid]

    together, alone = runs(), runs()
    assert finish(network, together) == [3] * EPOCHS
    for run in alone:
        finish(network, [run])
    same(together, alone)


def test_who_trains_together(network):
    data, other, longer = table_of(1), table_of(2), table_of(3, N + 1)
    runs = [
        run_of(network, data),
        run_of(network, longer),
        run_of(network, other),
        run_of(network, data, clip_norm=1.0),
        run_of(network, data, validation=other),
        run_of(network, longer, learning_rate=1.0),
    ]
    found = [
        [runs.index(run) for run in together] for together in stacks(network, runs)
    ]
    assert sorted(found) == [[0, 2], [1, 5], [3], [4]]


def test_plain_descent_and_momentum_are_apart(network):
    data = table_of(1)
    runs = [run_of(network, data, sgd=momentum) for momentum in (0.0, 0.5, 0.9)]
    assert sorted(map(len, stacks(network, runs))) == [1, 2]


def test_tables_to_be_standardised_batch_by_batch_are_not_joined(network):
    data, other = table_of(1), table_of(2)
    scaling = {"mean": np.ones(3), "scale": np.ones(3)}
    for_later = Data(data.X, data.Y, **scaling)
    runs = [run_of(network, d) for d in (for_later, for_later, other)]
    assert sorted(map(len, stacks(network, runs))) == [1, 2]


def test_large_tables_are_not_joined(network, monkeypatch):
    data, other = table_of(1), table_of(2)
    runs = [run_of(network, d) for d in (data, data, other)]
    monkeypatch.setattr(stack, "NUMBERS", data.X.size + other.X.size - 1)
    assert sorted(map(len, stacks(network, runs))) == [1, 2]


def test_a_stack_fits_the_cache(network, monkeypatch):
    data = table_of(1)
    runs = [run_of(network, data, seed) for seed in range(7)]
    largest = largest_stack(network.layout, 16, 8, 2)
    monkeypatch.setattr(stack, "CACHE", stack.CACHE * 3 // largest)
    assert largest_stack(network.layout, 16, 8, 2) == 3
    assert [len(together) for together in stacks(network, runs)] == [3, 3, 1]
    assert largest_stack(Layout([10, 1000, 1000, 1]), 500, 8, 2) == 1


def test_single_precision_has_room_for_twice_as_many():
    units = [8, 50, 1]
    assert largest_stack(Layout(units), 32, 4, 2) == pytest.approx(
        2 * largest_stack(Layout(units), 32, 8, 2), abs=1
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shapes", [((4, 7, 1), (4, 1, 5)), ((4, 7, 3), (4, 3, 5))])
def test_the_product_of_a_stack_is_that_of_its_networks(rng, shapes, dtype):
    x, y = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    out = np.empty((4, 7, 5), dtype)
    stack_product(x, y, out=out)
    np.testing.assert_array_equal(
        out, [x_k.dot(y_k) for x_k, y_k in zip(x, y, strict=True)]
    )
