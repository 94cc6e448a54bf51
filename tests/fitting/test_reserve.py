"""A network that dies between short runs goes back to better weights, and says so."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skffnn import FFNNRegressor, evaluate
from skffnn.fitting.reserve import MEMORY, Reserve
from skffnn.inspection.advice import advice_of

START = np.zeros(3)
DEAD, ALIVE = True, False


def reserve(**values):
    return Reserve(**{"theta": START, "epoch": 0, "lowest": 1.0, "loss": 1.0, **values})


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


# The rules ----------------------------------------------------------------------------


def test_better_weights_take_the_place_of_others():
    theta = np.ones(3)
    better = reserve().after(theta, 1, 0.5, MEMORY, ALIVE)
    assert (better.epoch, better.lowest) == (1, 0.75)
    theta[:] = 7.0
    np.testing.assert_array_equal(better.theta, 1.0)
    worse = better.after(theta, 2, 2.0, MEMORY, ALIVE)
    assert (worse.epoch, worse.lowest) == (1, 0.75)


def test_a_few_rows_that_are_easy_are_no_better_weights():
    easy = reserve(loss=1.1).after(np.ones(3), 1, 0.0, 10, ALIVE)
    assert easy.epoch == 0


def test_weights_of_a_dead_network_are_never_kept():
    assert reserve().after(np.ones(3), 1, 0.1, MEMORY, DEAD).epoch == 0


@pytest.mark.parametrize(
    ("steps", "runs"), [(1000, 3), (10, 3), (5, 6), (1, 30), (None, 1)]
)
def test_it_takes_some_runs_and_some_steps_in_a_row(steps, runs):
    kept = reserve()
    for run in range(runs):
        assert not kept.is_needed(steps)
        kept = kept.after(START, run, 1.0, 10, DEAD)
    assert kept.is_needed(steps)
    assert not kept.after(START, runs, 1.0, 10, ALIVE).is_needed(steps)


def test_each_collapse_lowers_the_rate_and_another_rate_begins_anew():
    kept = reserve(wait=3, loss=2.0).at_a_lower_rate().at_a_lower_rate()
    assert (kept.wait, kept.loss) == (0, 1.0)
    assert kept.slower == pytest.approx(0.04)
    assert kept.at_another_rate().slower == 1.0


# Learning by parts --------------------------------------------------------------------


def rare(n=3000):
    """A table of which few rows count: at the default rate all units of layers die."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (4000, 3))[:n]
    far = np.abs(X[:, 0]) > 0.97
    return X, np.where(far, np.sign(X[:, 0]) * X[:, 1], 1e-5 * np.sin(3 * X[:, 2]))


def heard(learn, times):
    """The warnings of repeated calls, with the numbers of the calls."""
    told = []
    for call in range(times):
        with warnings.catch_warnings(record=True) as messages:
            warnings.simplefilter("always")
            learn()
        told += [(call, each) for each in messages]
    return told


def by_batches(model, X, y, size):
    for start in range(0, len(y), size):
        model.partial_fit(X[start : start + size], y[start : start + size])


@pytest.mark.parametrize(
    ("seed", "size"), [(0, 3000), slow(1, 3000), (0, 500), slow(2, 500)]
)
def test_partial_fit_that_collapses_says_so_once_and_goes_on_from_better(seed, size):
    X, y = rare()
    model = FFNNRegressor(random_state=seed)
    told = heard(lambda: by_batches(model, X, y, size), 60)
    assert len(told) == 1
    message = told[0][1]
    assert message.category is ConvergenceWarning
    assert message.filename == __file__
    assert "collapsed at learning_rate=0.02" in str(message.message)
    assert "Try learning_rate=0.004 from the start" in str(message.message)
    assert model._advice == ["learning_rate=0.004"] == advice_of(model)
    assert model.history_["learning_rate"][-1] == pytest.approx(0.004)
    assert model.score(X, y) > 0.2  # 0 without


def test_the_weights_that_it_goes_back_to_are_those_of_the_epoch_that_it_names():
    X, y = rare()
    model, before = FFNNRegressor(random_state=1), []
    while True:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            model.partial_fit(X, y)
        if told:
            break
        before.append(model.theta_)
    assert f"of epoch {model.kept_iter_}," in str(told[0].message)
    np.testing.assert_array_equal(model.theta_, before[model.kept_iter_ - 1])
    assert model.loss_ == model.history_["loss"][model.kept_iter_ - 1]
    assert model.n_iter_ == len(before) + 1


def test_a_network_that_dies_at_once_goes_back_to_where_it_began():
    X, y = rare()
    model = FFNNRegressor(random_state=0, learning_rate=0.3)
    told = heard(lambda: by_batches(model, X, y, 500), 3)
    assert "of epoch 0, at learning_rate=0.06" in str(told[0][1].message)
    assert np.ptp(model.predict(X)) > 0


@pytest.mark.parametrize("copied", ["pickle", "file"])
def test_what_it_remembers_is_pickled_and_saved(tmp_path, copied):
    X, y = rare()
    model, other = (FFNNRegressor(random_state=0, learning_rate=0.3) for _ in range(2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(8):
            model.partial_fit(X, y)
            other.partial_fit(X, y)
            if copied == "pickle":
                other = pickle.loads(pickle.dumps(other))
            else:
                other.save(tmp_path / "model.npz")
                other = FFNNRegressor.load(tmp_path / "model.npz")
    assert model._state["reserve"]["slower"] < 1
    np.testing.assert_array_equal(model.theta_, other.theta_)
    assert model._advice == other._advice


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("theta", None),
        ("theta", np.zeros(3)),
        ("epoch", 2),
        ("lowest", "0"),
        ("wait", -1),
        ("slower", 0.0),
        ("slower", 2.0),
        ("more", 1),
    ],
)
def test_a_file_holds_nothing_else_in_its_place(tmp_path, table, name, wrong):
    model = FFNNRegressor(8, random_state=0).partial_fit(*table)
    model.save(tmp_path / "model.npz")
    model._state["reserve"][name] = wrong
    with pytest.raises(ValueError, match=r"."):
        model.save(tmp_path / "model.npz")


def test_fits_that_are_not_to_be_gone_on_from_remember_nothing(table):
    model = FFNNRegressor(8, max_iter=20, random_state=0, weight_decay=0.1)
    assert model.fit(*table)._state["reserve"] is None
    model.partial_fit(*table)
    assert model._state["reserve"]["epoch"] == model.n_iter_ == 21
    assert model.fit(*table)._state["reserve"] is None


def test_another_rate_is_taken_as_it_is():
    X, y = rare()
    model = FFNNRegressor(random_state=0, learning_rate=0.3)
    assert heard(lambda: model.partial_fit(X, y), 6)
    model.set_params(learning_rate=0.001).partial_fit(X, y)
    assert model.history_["learning_rate"][-1] == 0.001
    assert model._advice == []
    model.set_params(loss="huber").partial_fit(X, y)
    assert model._state["reserve"]["epoch"] == model.n_iter_


# What is no collapse ------------------------------------------------------------------


def steps_of(X, y, size, passes=3, **parameters):
    """What is heard while a small network learns rows in order, piece by piece."""
    model = FFNNRegressor(**{"hidden_layer_sizes": 8, "random_state": 0, **parameters})
    return model, heard(lambda: by_batches(model, X, y, size), passes)


@pytest.mark.parametrize("size", [1, slow(2), 10])
def test_rows_where_the_function_is_flat_are_no_collapse(rng, size):
    """The network is right to predict one number for hundreds of rows in a row."""
    X = np.linspace(-3, 3, 600)[:, np.newaxis]
    y = np.maximum(0, X[:, 0]) + 0.01 * rng.normal(size=600)
    given = {"x_mean": [0], "x_scale": [1.7], "y_mean": [0.75], "y_scale": [1]}
    model, told = steps_of(X, y, size, passes=2, standardize=given, learning_rate=0.005)
    assert told == []
    assert model._state["reserve"]["slower"] == 1


@pytest.mark.parametrize("size", [1, slow(20), 200])
def test_a_target_of_one_number_is_no_collapse(rng, size):
    X = rng.normal(size=(200, 3))
    _, told = steps_of(X, np.full(200, 7.0), size, passes=5)
    assert told == []


@pytest.mark.parametrize("size", [1, 20])
def test_inputs_of_one_number_are_no_collapse(rng, size):
    _, told = steps_of(np.ones((100, 2)), rng.normal(size=100), size)
    assert told == []


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "quantile"])
def test_noise_and_new_rows_are_no_collapse(rng, loss):
    X, noise = rng.normal(size=(1000, 4)), rng.normal(size=1000)
    y = X[:, 0] + noise + 5 * (np.arange(1000) > 500)
    _, told = steps_of(X, y, 50, passes=10, loss=loss, learning_rate=0.005)
    assert told == []


# Fits that follow each other ----------------------------------------------------------


def test_fits_that_go_on_collapse_once_and_not_for_ever():
    X, y = rare()
    model = FFNNRegressor(random_state=1, warm_start=True, max_iter=3, weight_decay=0.1)
    told = heard(lambda: model.fit(X, y), 45)
    assert len(told) == 1
    assert "collapsed" in str(told[0][1].message)
    assert model._advice == ["learning_rate=0.004"]
    assert model.score(X, y) > 0.3


def test_advice_of_a_model_that_learns_by_parts_is_that_of_the_verdict():
    X, y = rare()
    model = FFNNRegressor(random_state=0)
    heard(lambda: model.partial_fit(X, y), 33)
    assert advice_of(model) == ["learning_rate=0.004"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = evaluate(model.set_params(max_iter=3), X, y, random_state=0)
    assert "higher" not in found.verdict
