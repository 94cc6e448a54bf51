"""How a fit ended: errors and warnings that say what to try."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skffnn import FFNNRegressor


def model_of(**parameters):
    return FFNNRegressor(
        **{"hidden_layer_sizes": 10, "max_iter": 5, "random_state": 0, **parameters}
    )


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("weight_decay", [300.0, 1e10, 1e308])
def test_decay_that_overshoots_is_not_blamed_on_the_rate(table, solver, weight_decay):
    model = model_of(solver=solver, weight_decay=weight_decay, max_iter=20)
    with pytest.raises(FloatingPointError, match="Try a lower weight_decay") as error:
        model.fit(*table)
    assert f"diverged at weight_decay={weight_decay:g}" in str(error.value)
    assert "learning_rate" not in str(error.value)


def test_a_network_that_has_decayed_is_not_told_to_learn_faster(table):
    model = model_of(solver="sgd", weight_decay=30.0, max_iter=20)
    with pytest.warns(ConvergenceWarning, match="Try less regularisation, a larger"):
        model.fit(*table)
    assert model._advice[0] == "less regularisation"


def test_divergence_in_the_first_epoch_is_an_error(table):
    model = model_of(solver="sgd", learning_rate=1e6, clip_norm=None)
    with pytest.raises(FloatingPointError, match=r"learning_rate=1e\+06 within.*Try"):
        model.fit(*table)
    assert not hasattr(model, "theta_")


def test_a_loss_that_only_several_outputs_overflow_is_divergence(rng):
    X = rng.normal(size=(20, 2))
    Y = np.column_stack([X[:, 0]] * 3) * 1.2e154  # each has a loss of 1e308
    model = model_of(standardize=False, solver="sgd", learning_rate=1e-300)
    with pytest.raises(FloatingPointError, match="diverged"):
        model.fit(X, Y)


@pytest.mark.parametrize("max_iter", [1, 2])
def test_divergence_in_the_last_step_is_an_error(max_iter, rng):
    X = rng.normal(size=(20, 2)).astype(np.float32)
    model = model_of(learning_rate=1e25, max_iter=max_iter, standardize=False)
    with pytest.raises(FloatingPointError, match=r"diverged at learning_rate=1e\+25"):
        model.fit(X, X[:, 0])
    assert not hasattr(model, "theta_")


@pytest.mark.parametrize("rate", [1e3, 1e10])
def test_absurd_weights_are_never_kept(table, rate):
    with pytest.raises(FloatingPointError, match="learning_rate="):
        model_of(learning_rate=rate, hidden_layer_sizes=(50, 50), max_iter=100).fit(
            *table
        )


@pytest.mark.parametrize("loss", ["squared_error", "huber", "absolute_error"])
@pytest.mark.parametrize("activation", ["tanh", "logistic"])
@pytest.mark.parametrize(
    ("n", "hidden", "seeds"),
    [
        (1, {}, 2), (2, {}, 2), (50, {"hidden_layer_sizes": (16, 16)}, 1),
        slow(1, {}, 5), slow(2, {}, 5), slow(50, {}, 2),
    ],
)  # fmt: skip
def test_where_there_is_nothing_to_learn_lbfgs_has_nothing_to_say(
    n, hidden, seeds, activation, loss, rng
):
    y = np.full(n, 3.0)
    for seed in range(seeds):
        X = rng.normal(size=(n, 3))
        model = FFNNRegressor(
            **hidden,
            solver="lbfgs",
            activation=activation,
            loss=loss,
            random_state=seed,
        )
        np.testing.assert_allclose(model.fit(X, y).predict(X), y, atol=0.3)


def test_later_divergence_goes_back_to_the_best_weights_and_warns(table):
    X, y = table
    model = model_of(
        solver="sgd", learning_rate=0.5, learning_rate_schedule="constant",
        momentum=0.9, clip_norm=None, max_iter=500, weight_decay=0.0,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning, match=r"diverged at learning_rate=0\.5.*Try"):
        model.fit(X, y)
    assert model.n_iter_ < 500
    assert np.isfinite(model.predict(X)).all()
    assert model.loss_ == np.nanmin(model.loss_curve_)


def test_a_network_that_learns_nothing_is_warned_of(table):
    with pytest.warns(ConvergenceWarning, match="no better than their mean.*higher"):
        model_of(learning_rate=1e-9).fit(*table)


@pytest.mark.parametrize(
    ("loss", "constant"),
    [
        ("squared_error", "their mean"),
        ("root_mean_squared_error", "their mean"),
        ("absolute_error", "their median"),
        ("huber", "one number"),
        ("quantile", "their quantile"),
        ("poisson", "their mean"),
    ],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_no_loss_lets_a_constant_pass_in_silence(rng, loss, constant, dtype):
    X, y = rng.normal(size=(500, 3)).astype(dtype), rng.lognormal(0, 1, 500)
    model = FFNNRegressor(
        16, loss=loss, quantile=0.9, weight_decay=30.0, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match=f"no better than {constant} does"):
        model.fit(X, y)
    assert np.ptp(model.predict(X)) < 0.1 * y.std()


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
def test_a_network_that_learns_a_skewed_target_is_not_warned_of(rng, loss):
    X = rng.normal(size=(500, 3))
    y = np.exp(X[:, 0] + 0.1 * rng.normal(size=500))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FFNNRegressor(16, loss=loss, weight_decay=0.1, random_state=0).fit(X, y)


def test_a_constant_target_is_nothing_to_warn_of(table):
    model = model_of(max_iter=300).fit(table[0], np.full(150, 7.0))
    np.testing.assert_allclose(model.predict(table[0]), 7.0, atol=0.1)


@pytest.mark.parametrize("schedule", ["constant", "adaptive"])
def test_max_iter_is_warned_of_while_the_loss_still_falls(table, schedule):
    model = model_of(learning_rate_schedule=schedule)
    with pytest.warns(ConvergenceWarning, match="max_iter=5 was reached"):
        model.fit(*table)


@pytest.mark.parametrize("schedule", ["cosine", "invscaling"])
def test_max_iter_is_normal_under_a_decaying_schedule(table, schedule):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = model_of(learning_rate_schedule=schedule, max_iter=20).fit(*table)
    assert model.n_iter_ == 20


def test_lbfgs_is_warned_of_when_it_has_not_converged(table):
    with pytest.warns(ConvergenceWarning, match="max_iter=2 was reached"):
        model_of(solver="lbfgs", max_iter=2).fit(*table)


def test_lbfgs_ends_quietly_where_the_loss_goes_to_zero(table):
    X, _ = table
    parameters = {"solver": "lbfgs", "weight_decay": 0.0, "max_iter": 300}
    assert model_of(**parameters).fit(X, X @ [1, 2, 3, 4]).n_iter_ < 300
    assert model_of(**parameters).fit(X, np.full(len(X), 7.0)).n_iter_ < 300


def test_warnings_point_at_the_users_line(table):
    with pytest.warns(ConvergenceWarning) as record:
        model_of(learning_rate=1e-9).fit(*table)
    assert record[0].filename == __file__


@pytest.mark.parametrize("seed", [8, 69, 87])
def test_poisson_overshoots_at_first_and_recovers(seed):
    """A few steps at the full rate multiply a prediction: no divergence yet."""
    X = np.repeat([[1.0, 3], [2, 1], [3, 3], [4, 1]], 4, axis=0)
    y = np.repeat([1.0, 2, 1, 2], 4)
    model = FFNNRegressor(loss="poisson", random_state=seed).fit(X, y)
    assert max(model.history_["loss"]) > 10 * model.history_["loss"][0]
    assert model.score(X, y) > 0.8


def test_an_extreme_quantile_makes_nothing_diverge():
    """The best constant has a loss near 0 there, which is nothing to measure by."""
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(300, 3)), rng.lognormal(0, 1.5, 300)
    model = FFNNRegressor(
        8, loss="quantile", quantile=0.001, solver="sgd", learning_rate=3.0,
        clip_norm=None, weight_decay=0.0, max_iter=40, random_state=1,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert model.fit(X, y).n_iter_ == 40


# More in y than was found -------------------------------------------------------------


def waves_of(times, n=101):
    X = np.linspace(-10, 10, n)[:, np.newaxis]
    return X, np.sin(times * X[:, 0])


MISSED = "little better than .*neighbouring rows err alike: there is more in y"


@pytest.mark.parametrize(
    ("loss", "n_outputs"), [("squared_error", 2), ("huber", 1), ("absolute_error", 1)]
)
def test_waves_that_are_missed_are_spoken_of(loss, n_outputs):
    X, y = waves_of(4)
    Y = np.column_stack([y] * n_outputs)
    with pytest.warns(ConvergenceWarning, match=MISSED) as heard:
        model = FFNNRegressor(loss=loss, random_state=0).fit(X, Y)
    said = str(heard[0].message)
    assert len(heard) == 1
    assert all(phrase in said for phrase in model._advice)
    assert ("BayesianFFNNRegressor" in said) == (n_outputs == 1)


@pytest.mark.parametrize(("times", "n"), [(2, 101), (4, 101), slow(4, 401)])
def test_what_is_advised_for_them_helps(times, n):
    X, y = waves_of(times, n)
    with pytest.warns(ConvergenceWarning, match=MISSED) as heard:
        model = FFNNRegressor(random_state=0).fit(X, y)
    larger, lower = model._advice
    assert larger.startswith("a larger max_iter (now 2")
    assert lower == "a lower learning_rate (now 0.02)"
    assert f"Try {larger}, {lower}" in str(heard[0].message)
    followed = FFNNRegressor(max_iter=1200, learning_rate=0.005, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert followed.fit(X, y).score(X, y) > model.score(X, y) + 0.1


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("n", [101, slow(401)])
def test_small_networks_that_saturate_are_told_of_others(solver, n):
    X, y = waves_of(1, n)
    model = FFNNRegressor(30, activation="tanh", solver=solver, random_state=0)
    with pytest.warns(ConvergenceWarning, match=MISSED):
        model.fit(X, y)
    first, second, *others = model._advice
    assert first == "activation='relu'"
    assert second == "hidden_layer_sizes=(64, 64, 64)"
    assert bool(others) == (solver == "adam")
    assert model.score(X, y) < 0.1
    followed = FFNNRegressor(solver=solver, random_state=0)
    with warnings.catch_warnings():  # L-BFGS would go on
        warnings.simplefilter("ignore", ConvergenceWarning)
        assert followed.fit(X, y).score(X, y) > 0.85


@pytest.mark.parametrize(
    ("loss", "share"),
    [
        ("squared_error", 0.05), slow("squared_error", 0.2),
        slow("absolute_error", 0.05), ("absolute_error", 0.2),
    ],
)  # fmt: skip
def test_noise_is_nothing_that_was_missed(rng, share, loss):
    X = rng.normal(size=(800, 3))
    noise = rng.normal(size=800) * np.sqrt((1 - share) / share)
    model = FFNNRegressor(loss=loss, random_state=0).fit(X, X[:, 0] + noise)
    assert model._advice == []


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_where_no_column_varies_it_says_so(rng, solver):
    model = FFNNRegressor(8, solver=solver, max_iter=20, random_state=0)
    with pytest.warns(ConvergenceWarning, match="No column of X varies") as heard:
        model.fit(np.ones((60, 3)), rng.normal(size=60))
    assert len(heard) == 1
    assert model._advice == ["columns that vary"]
