"""The weight decay that is chosen on held-out rows."""

import tracemalloc
from copy import deepcopy

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_friedman1

from skffnn import FFNNRegressor
from skffnn.core.data import Data
from skffnn.core.lbfgs import LBFGS
from skffnn.core.losses import squared_error
from skffnn.core.network import Network
from skffnn.core.optimizers import Adam
from skffnn.core.schedules import cosine
from skffnn.core.training import Recipe, epochs, evaluate
from skffnn.fitting import weight_decay

UNITS = [10, 16, 1]
AMOUNTS = Adam.weight_decays
CANDIDATES = AMOUNTS.candidates


def friedman(noise, n=300):
    return make_friedman1(n, noise=noise, random_state=0)


@pytest.fixture
def model():
    return FFNNRegressor((32, 32), max_iter=60, random_state=0)


@pytest.fixture
def network():
    return Network(UNITS, ["relu", "identity"], squared_error)


def recipe(theta, weight_decay, order, dropout):
    return Recipe(
        Adam(theta), cosine, 0.01, weight_decay, max_iter=8, order_rngs=[order]
    )


def choose(network, data, recipe, seed):
    trial = weight_decay.WeightDecayTrial(data, recipe, AMOUNTS, seed)
    return weight_decay.choose(network, [trial])[0]


def data_of(X, y, weight=None):
    X, Y = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean())[:, np.newaxis] / y.std()
    return Data(X, Y, None if weight is None else weight[:, np.newaxis])


def test_a_noisy_table_gets_more_than_a_smooth_one(model):
    model.set_params(max_iter=100)
    noisy = model.fit(*friedman(noise=6)).weight_decay_
    smooth = model.fit(*friedman(noise=0, n=1000)).weight_decay_
    assert noisy > 1 > smooth


def test_it_is_the_network_with_the_lowest_loss_on_rows_that_none_has_seen(network):
    data = data_of(*friedman(noise=2))
    rng, init, order, _ = np.random.default_rng(3).spawn(4)
    sample = weight_decay._sample(data, rng)
    number, n_distinct = weight_decay._distinct(sample)
    held_out = rng.permutation(n_distinct)[number] < weight_decay.HELD_OUT * n_distinct
    assert held_out.sum() == 60
    losses = []
    for candidate in CANDIDATES:  # each alone
        theta = np.empty(network.layout.size, np.float32)
        weight_decay.initialize(
            network.layout, theta, network.activations, [deepcopy(init)]
        )
        learnt = Data(sample.X[~held_out], sample.Y[~held_out])
        how = recipe(theta, candidate, deepcopy(order), None)
        for _ in epochs(network, theta, learnt, how, []):
            pass
        kept_back = Data(sample.X[held_out], sample.Y[held_out])
        losses.append(evaluate(network, theta, kept_back)[0].item())
    assert len(set(losses)) == len(losses)
    chosen = choose(network, data, recipe, seed=3)
    assert chosen == CANDIDATES[np.argmin(losses)]


def test_equal_rows_are_held_out_together(network, rng, monkeypatch):
    X, y = friedman(noise=1, n=100)
    times = rng.integers(1, 5, size=len(y))
    once, often = data_of(X, y), data_of(np.repeat(X, times, 0), np.repeat(y, times))
    often.X[...], often.Y[...] = (np.repeat(a, times, 0) for a in (once.X, once.Y))
    seen = []

    def evaluate_and_keep(network, theta, data):
        seen.append(data.X[data.chosen[0], 0])
        return evaluate(network, theta, data)

    monkeypatch.setattr(weight_decay, "evaluate", evaluate_and_keep)
    for data in (once, often):
        choose(network, data, recipe, seed=0)
    held_out, repeated = seen
    assert len(held_out) == 20
    where = np.isin(often.X[:, 0].astype(np.float32), held_out)
    np.testing.assert_array_equal(repeated, often.X[where, 0].astype(np.float32))


@pytest.mark.parametrize("times", [1, 300])
def test_few_rows_cannot_choose_however_often_they_are_repeated(network, times):
    data = data_of(*friedman(noise=1, n=99))
    often = Data(np.repeat(data.X, times, 0), np.repeat(data.Y, times, 0))
    assert choose(network, often, recipe, seed=0) == AMOUNTS.few_rows


def test_rows_of_next_to_no_weight_are_no_rows(network):
    X, y = friedman(noise=1)
    weight = np.where(np.arange(len(y)) < 50, 1, 1e-9)
    assert choose(network, data_of(X, y, weight), recipe, 0) == AMOUNTS.few_rows
    weight[:150] = 1
    assert choose(network, data_of(X, y, weight), recipe, 0) in CANDIDATES


def test_one_row_repeated_does_not_hide_the_others(network):
    X, y = friedman(noise=1)
    often = np.append(np.arange(len(y)), np.zeros(1000, int))
    assert choose(network, data_of(X[often], y[often]), recipe, 0) in CANDIDATES


def test_which_rows_are_held_out_does_not_depend_on_their_values(network):
    data = data_of(*friedman(noise=1))
    other = Data(3 * data.X[:, ::-1], -data.Y)
    numbers = [
        weight_decay._distinct(weight_decay._sample(d, None))[0] for d in (data, other)
    ]
    np.testing.assert_array_equal(*numbers)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((99, 2), 99), ((10**6, 2), 30_000), ((10**6, 2**14), 2**10), ((500, 2**20), 100)],
)
def test_the_rows_to_choose_by_are_bounded(shape, expected):
    X = np.broadcast_to(np.float32(0), shape)
    data = Data(X, np.broadcast_to(np.float32(0), (shape[0], 1)))
    assert weight_decay.sample_size(data) == expected


def test_the_choice_takes_no_more_memory_for_more_rows(network, rng, monkeypatch):
    monkeypatch.setattr(weight_decay, "MOST_ROWS", 1000)

    def peak(n):
        X = rng.normal(size=(n, 10)).astype(np.float32)
        data = Data(X, X[:, :1])
        tracemalloc.start()
        try:
            choose(network, data, recipe, seed=0)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = 2000, 100_000
    assert peak(many) < peak(few) + 20 * (many - few)  # bytes to draw each row by


@pytest.mark.parametrize("scaled", [False, True])
def test_the_sample_is_of_the_networks_own_rows(scaled, rng, monkeypatch):
    monkeypatch.setattr(weight_decay, "MOST_ROWS", 40)
    X, own = rng.normal(size=(200, 3)), np.arange(50, 150)
    scaling = {"mean": np.ones(3), "scale": np.full(3, 2.0)} if scaled else {}
    weight = rng.random((200, 1))
    data = Data(X, X[:, :1], weight, own, **scaling)
    sample = weight_decay._sample(data, rng)
    assert sample.X.shape == (40, 3)
    assert sample.X.dtype == sample.Y.dtype == sample.weight.dtype == np.float32
    y, of_own = sample.Y[:, 0], X[own, 0].astype(np.float32)
    assert np.isin(y, of_own).all() and len(np.unique(y)) == 40  # noqa: PT018
    expected = (y - 1) / 2 if scaled else y
    np.testing.assert_allclose(sample.X[:, 0], expected, atol=1e-6)


@pytest.mark.parametrize(("solver", "amount"), [("adam", 2.0), ("sgd", 0.01)])
def test_few_rows_get_a_number_that_nobody_chose(solver, amount):
    X, y = friedman(noise=1, n=99)
    model = FFNNRegressor(8, solver=solver, max_iter=20, random_state=0).fit(X, y)
    assert model.weight_decay_ == amount


@pytest.mark.parametrize("learning_rate", [0.02, 0.1])
def test_plain_gradient_descent_learns_few_rows(rng, learning_rate):
    X = rng.normal(size=(80, 3))
    y = X @ [1, 2, 3] + 0.1 * rng.normal(size=80)
    model = FFNNRegressor(
        solver="sgd", momentum=0, learning_rate=learning_rate, random_state=0
    )
    assert model.fit(X, y).score(X, y) > 0.9


def test_few_epochs_choose_nothing(model, monkeypatch):
    X, y = friedman(noise=1)
    monkeypatch.setattr("skffnn.fitting.run.choose", lambda *_: [0.7])
    assert model.set_params(max_iter=18).fit(X, y).weight_decay_ == 0.1
    assert model.set_params(max_iter=20).fit(X, y).weight_decay_ == 0.7


@pytest.fixture
def epochs_to_choose_by(monkeypatch):
    """How many epochs each choice was to take; none is made."""
    epochs_of = []

    def choose(network, trials):
        theta = np.empty(network.layout.size)
        for trial in trials:
            epochs_of.append(trial.recipe(theta, 1.0, (), ()).max_iter)
        return [1e-3] * len(trials)

    monkeypatch.setattr("skffnn.fitting.run.choose", choose)
    return epochs_of


def test_gradient_descent_gets_the_whole_budget_to_choose_by(
    model, epochs_to_choose_by
):
    for solver in ("adam", "sgd"):
        model.set_params(solver=solver).fit(*friedman(noise=1))
    assert epochs_to_choose_by == [30, 60]


def test_a_large_max_iter_does_not_make_the_choice_longer(epochs_to_choose_by):
    for max_iter in ("auto", 5000):
        model = FFNNRegressor(
            4, max_iter=max_iter, learning_rate_schedule="constant",
            early_stopping=True, random_state=0,
        )  # fmt: skip
        model.fit(*friedman(noise=1))
    assert len(set(epochs_to_choose_by)) == 1


def test_a_number_is_taken_as_it_is(model, monkeypatch):
    monkeypatch.setattr("skffnn.fitting.run.choose", None)
    model.set_params(weight_decay=0.7).fit(*friedman(noise=1))
    assert model.weight_decay_ == 0.7


def test_partial_fit_chooses_nothing(model, monkeypatch):
    monkeypatch.setattr("skffnn.fitting.run.choose", None)
    assert model.partial_fit(*friedman(noise=1)).weight_decay_ == 0.1


def test_lbfgs_lets_the_table_choose_too():
    """What is smooth gets hardly any, what is noise gets much."""
    x = np.linspace(-3, 3, 200)[:, None]
    smooth = FFNNRegressor(30, solver="lbfgs", activation="tanh", random_state=0)
    smooth.fit(x, np.sin(x[:, 0]))
    noisy = FFNNRegressor(30, solver="lbfgs", random_state=0, tol=0.001)
    noisy.fit(*friedman(noise=6))
    least, *_, most = LBFGS.weight_decays.candidates
    assert smooth.weight_decay_ == least
    assert noisy.weight_decay_ == most
    assert smooth.score(x, np.sin(x[:, 0])) > 0.9999


@pytest.mark.parametrize("n", [20, 50, 99])
def test_lbfgs_lets_few_rows_choose(n):
    x = np.linspace(-3, 3, n)[:, np.newaxis]
    between, y = (x[1:] + x[:-1]) / 2, np.sin(x[:, 0])
    model = FFNNRegressor(
        50, solver="lbfgs", activation="logistic", max_iter=1000, random_state=0
    )
    assert model.fit(x, y).score(between, np.sin(between[:, 0])) > 0.9995
    assert model.weight_decay_ == LBFGS.weight_decays.candidates[0]


@pytest.mark.parametrize("n", [50, 99])
def test_few_rows_that_are_mostly_noise_choose_much(n, rng):
    X = rng.normal(size=(n, 10))
    y = X[:, 0] + 3 * rng.normal(size=n)
    model = FFNNRegressor(30, solver="lbfgs", random_state=0).fit(X, y)
    assert model.weight_decay_ == LBFGS.weight_decays.candidates[-1]


@pytest.mark.parametrize("held_out", ["early_stopping", "validation_fraction"])
def test_lbfgs_chooses_by_what_validation_rows_leave_of_a_table(held_out):
    x = np.linspace(-3, 3, 100)[:, np.newaxis]
    given = {"early_stopping": True, "validation_fraction": 0.3}
    model = FFNNRegressor(
        50, solver="lbfgs", activation="logistic", max_iter=1000, random_state=0,
        **{held_out: given[held_out]},
    )  # fmt: skip
    assert model.fit(x, np.sin(x[:, 0])).score(x, np.sin(x[:, 0])) > 0.99
    assert model.weight_decay_ == LBFGS.weight_decays.candidates[0]


def test_hardly_any_rows_choose_nothing():
    x = np.linspace(-3, 3, 4)[:, np.newaxis]
    model = FFNNRegressor(4, solver="lbfgs", random_state=0, tol=0.01)
    assert model.fit(x, x[:, 0]).weight_decay_ == LBFGS.weight_decays.few_rows
    often = np.tile(x, (50, 1))
    assert model.fit(often, often[:, 0]).weight_decay_ == LBFGS.weight_decays.few_rows


@pytest.mark.parametrize("n", [5, 17, 80, 99])
def test_of_few_rows_each_is_held_out_once(n, rng):
    X, times = rng.normal(size=(n, 2)).astype(np.float32), rng.integers(1, 4, size=n)
    data = Data(np.repeat(X, times, 0), np.repeat(X[:, :1], times, 0))
    splits = weight_decay._splits(data, 0, fewest=5)
    assert len(splits) == 5
    for learnt, held_out in splits:
        assert not np.intersect1d(learnt.Y[learnt.rows], held_out.Y[held_out.rows]).size
        assert len(learnt) + len(held_out) == times.sum()
        assert len(np.unique(held_out.Y[held_out.rows])) == pytest.approx(n / 5, abs=1)
    everyone = np.concatenate([held_out.rows for _, held_out in splits])
    np.testing.assert_array_equal(np.sort(everyone), np.arange(times.sum()))
    assert weight_decay._splits(data, 0, fewest=n + 1) == []


def test_which_of_few_rows_are_held_out_does_not_depend_on_their_order(rng):
    X, Y = rng.integers(0, 3, size=(40, 3)).astype(float), rng.normal(size=(40, 1))
    order, often = rng.permutation(40), rng.integers(0, 40, 60)
    held_out = [
        [set(part.Y[part.rows, 0]) for _, part in weight_decay._splits(data, 0, 5)]
        for data in (Data(X, Y), Data(X[order], Y[order]))
    ]
    assert held_out[0] == held_out[1]
    all_and_more = np.append(often, order)
    again = Data(X[all_and_more], Y[all_and_more])
    splits = weight_decay._splits(again, 0, 5)
    assert [set(part.Y[part.rows, 0]) for _, part in splits] == held_out[0]


@pytest.mark.parametrize("weighted", [False, True])
def test_what_few_rows_choose_has_the_lowest_loss_over_all_of_them(
    network, weighted, rng
):
    X, y = friedman(noise=2, n=60)
    data = data_of(X, y, rng.uniform(0.5, 2, size=60) if weighted else None)
    amounts = AMOUNTS._replace(fewest=20)
    total = np.zeros(len(CANDIDATES))
    for learnt, held_out in weight_decay._splits(data, 3, fewest=20):
        trial = weight_decay.WeightDecayTrial(data, recipe, amounts, 3)
        weight = 1 if held_out.weight is None else held_out.weight[held_out.rows].mean()
        for k, run in enumerate(weight_decay._runs(network, trial, learnt)):
            for _ in epochs(network, run.theta, learnt, run.recipe, []):
                pass
            loss, _ = evaluate(network, run.theta, held_out)
            total[k] += loss.item() * len(held_out) * weight
    trial = weight_decay.WeightDecayTrial(data, recipe, amounts, 3)
    assert weight_decay.choose(network, [trial]) == [CANDIDATES[total.argmin()]]


def test_what_lbfgs_has_chosen_is_what_it_trains_with():
    X, y = friedman(noise=1)
    chosen = FFNNRegressor(8, solver="lbfgs", tol=0.001, random_state=0).fit(X, y)
    told = clone(chosen).set_params(weight_decay=chosen.weight_decay_).fit(X, y)
    np.testing.assert_array_equal(told.theta_, chosen.theta_)


def test_going_on_does_not_choose_again(model, monkeypatch):
    X, y = friedman(noise=2)
    chosen = model.set_params(warm_start=True).fit(X, y).weight_decay_
    monkeypatch.setattr("skffnn.fitting.run.choose", None)
    assert model.fit(X, y).weight_decay_ == chosen
    assert model.partial_fit(X, y).weight_decay_ == chosen


def test_the_fit_is_that_of_the_chosen_number(model):
    X, y = friedman(noise=2)
    theta = model.fit(X, y).theta_
    model.set_params(weight_decay=model.weight_decay_).fit(X, y)
    np.testing.assert_array_equal(model.theta_, theta)


def test_the_same_seed_chooses_the_same(model):
    X, y = friedman(noise=2)
    first = model.fit(X, y)
    theta, chosen = first.theta_, first.weight_decay_
    again = model.fit(X, y)
    assert again.weight_decay_ == chosen
    np.testing.assert_array_equal(again.theta_, theta)


def test_networks_that_blow_up_are_not_chosen(network, monkeypatch):
    data = data_of(*friedman(noise=1))
    blown_up = [np.nan, np.inf, np.nan]
    for losses, expected in (
        ([np.nan, 3.0, np.inf], CANDIDATES[1]),
        (blown_up, AMOUNTS.few_rows),
    ):
        column = np.array(losses)[:, np.newaxis]
        monkeypatch.setattr(weight_decay, "evaluate", lambda *_, c=column: (c, None))
        assert choose(network, data, recipe, seed=0) == expected


def test_an_interrupt_of_the_choice_leaves_the_model_as_it_was(model, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("skffnn.fitting.run.choose", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(*friedman(noise=1))
    assert not hasattr(model, "theta_")


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile", "poisson"])
def test_every_loss_chooses_by_itself(model, loss):
    X, y = friedman(noise=1)
    model.set_params(loss=loss, max_iter=20).fit(X, np.abs(y))
    assert model.weight_decay_ in CANDIDATES
