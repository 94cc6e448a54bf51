"""Columns with heavy tails: found, scaled by their quartiles, saturated."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
)
from skffnn.core.data import saturate
from skffnn.preprocessing import scaling


@pytest.fixture
def columns(rng):
    """Return a table whose columns 1 and 4 have heavy tails."""
    n = 2000
    rare = np.where(rng.random(n) < 0.01, 1e3, 0.0)  # quartiles say nothing of it
    return np.column_stack(
        [
            rng.normal(size=n),
            rng.standard_cauchy(n),
            rng.exponential(size=n),
            rare,
            5 + np.exp(3 * rng.normal(size=n)),
            rng.integers(2, size=n),
        ]
    )


def of(X, weight=None):
    """Mean and scale of each column, and which have a limit."""
    rows = range(len(X))
    ends = scaling.extremes(X, rows)
    mean, scale, limit = scaling.input_statistics(X, rows, weight, ends)
    assert set(limit) <= {scaling.LIMIT, np.inf}
    return mean, scale, np.flatnonzero(limit == scaling.LIMIT)


def test_heavy_tails_are_found(columns):
    mean, scale, heavy = of(columns)
    np.testing.assert_array_equal(heavy, [1, 4])
    low, median, high = np.quantile(columns, [0.25, 0.5, 0.75], axis=0)
    np.testing.assert_allclose(mean[heavy], median[heavy], rtol=0.02, atol=0.02)
    np.testing.assert_allclose(scale[heavy], (high - low)[heavy] / 1.349, rtol=0.02)
    others = [0, 2, 3, 5]
    np.testing.assert_allclose(mean[others], columns.mean(axis=0)[others])
    np.testing.assert_allclose(scale[others], columns.std(axis=0)[others])


@pytest.mark.parametrize(("distance", "expected"), [(9.0, []), (12.0, [0])])
@pytest.mark.parametrize("block", [20, 10**6])
def test_a_value_far_from_the_mean_makes_a_tail(
    rng, monkeypatch, distance, expected, block
):
    monkeypatch.setattr(scaling, "BLOCK", block)
    X = rng.normal(size=(5000, 2))
    X[17, 0] = -distance
    mean, scale, heavy = of(X)
    np.testing.assert_array_equal(heavy, expected)
    np.testing.assert_allclose(mean, X.mean(axis=0))
    np.testing.assert_allclose(scale, X.std(axis=0))


@pytest.mark.parametrize("factor", [2.0**-60, 2.0**60])
def test_units_do_not_matter(columns, factor):
    mean, scale, heavy = of(columns)
    of_scaled = of(columns * factor)
    np.testing.assert_array_equal(of_scaled[2], heavy)
    np.testing.assert_array_equal(of_scaled[1][heavy], scale[heavy] * factor)
    np.testing.assert_array_equal(of_scaled[0][heavy], mean[heavy] * factor)


def test_weights_count_like_repeated_rows(columns, rng):
    X, times = columns[:300], rng.integers(1, 4, size=300)
    weighted = of(X, times.astype(float))
    repeated = of(np.repeat(X, times, axis=0))
    for ours, theirs in zip(weighted, repeated, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_quartiles_are_those_of_some_rows_of_a_long_table(columns, monkeypatch):
    monkeypatch.setattr(scaling, "BLOCK", 100)
    X = np.tile(columns, (10, 1))  # one row in 20 is looked at
    mean, _, heavy = of(X)
    np.testing.assert_array_equal(heavy, [1, 4])
    assert mean[1] == pytest.approx(np.median(X[:, 1]), abs=0.2)
    assert mean[1] != np.quantile(X[:, 1], 0.5, method="inverted_cdf")


def test_groups_that_take_turns_are_all_seen(rng, monkeypatch):
    monkeypatch.setattr(scaling, "BLOCK", 100)
    X = rng.normal(size=(20_000, 1))
    X[::20] *= 1e-3
    _, scale, heavy = of(X)
    assert len(heavy) == 0
    np.testing.assert_allclose(scale, X.std(axis=0))


@pytest.mark.parametrize("low", [0.0, 0.02])
def test_a_column_that_is_mostly_zero_has_no_heavy_tail(rng, low):
    X = rng.random((2000, 1)) * np.where(rng.random((2000, 1)) < 0.74, low, 10)
    _, scale, heavy = of(X)
    assert len(heavy) == 0
    np.testing.assert_allclose(scale, X.std(axis=0))


def test_saturation_is_smooth_odd_and_changes_nothing_near_the_middle():
    z = np.linspace(-3 * scaling.LIMIT, 3 * scaling.LIMIT, 2001)
    a = np.column_stack([z, z])
    saturate(a, np.array([1]), np.array([scaling.LIMIT]))
    np.testing.assert_array_equal(a[:, 0], z)
    near = np.abs(z) <= scaling.LIMIT
    np.testing.assert_array_equal(a[near, 1], z[near])
    np.testing.assert_allclose(a[:, 1], -a[::-1, 1], rtol=1e-12, atol=1e-12)
    far = z > scaling.LIMIT
    np.testing.assert_allclose(
        a[far, 1], scaling.LIMIT + np.log(1 + z[far] - scaling.LIMIT)
    )
    slope = np.gradient(a[:, 1], z)
    assert np.abs(np.diff(slope)).max() < 0.02  # no kink
    assert (slope > 0).all()


def test_every_kind_of_table_is_saturated_alike(columns, tmp_path):
    X = columns.copy()
    X[:, 3] = 0
    y = np.sin(X[:, 0]) + np.tanh(X[:, 1] / 5)
    model = FFNNRegressor((8,), max_iter=3, weight_decay=0.1, random_state=0)
    y_hat = model.fit(X, y).predict(X)
    np.testing.assert_array_equal(model.x_heavy_, [1, 4])
    np.save(tmp_path / "X.npy", X)
    on_disk = np.load(tmp_path / "X.npy", mmap_mode="r")
    for other in (np.asfortranarray(X), scipy.sparse.csr_array(X), on_disk):
        of_other = model.fit(other, y).predict(other)
        np.testing.assert_array_equal(model.x_heavy_, [1, 4])
        np.testing.assert_allclose(of_other, y_hat, rtol=1e-9)
    np.testing.assert_allclose(model.predict(X[:7]), y_hat[:7], rtol=1e-9)


@pytest.mark.parametrize(("dtype", "atol"), [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_many_rows_are_saturated_like_few(columns, dtype, atol):
    X = (columns + 100).astype(dtype)  # a mean that float32 rounds
    model = FFNNRegressor((8,), max_iter=3, random_state=0).fit(X, columns[:, 0])
    many = model.predict(X)
    few = np.concatenate([model.predict(X[i : i + 50]) for i in range(0, len(X), 50)])
    np.testing.assert_allclose(many, few, rtol=0, atol=atol)


def test_without_standardisation_nothing_is_saturated(columns):
    model = FFNNRegressor((4,), max_iter=2, standardize=False, random_state=0)
    model.fit(columns[:, :1], columns[:, 0])
    assert len(model.x_heavy_) == 0


# Columns that say nothing -------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.asarray, scipy.sparse.csr_array, np.float32])
def test_a_new_value_in_a_constant_column_changes_nothing(rng, kind):
    X = np.c_[rng.normal(size=(200, 2)), np.full(200, 2024.1), np.zeros(200)]
    model = FFNNRegressor(8, max_iter=20, weight_decay=0.0, random_state=0)
    model.fit(kind(X), X[:, 0])
    later = X.copy()
    later[:, 2:] += 1
    np.testing.assert_allclose(
        model.predict(kind(later)), model.predict(kind(X)), rtol=1e-4, atol=1e-4
    )
    # 2024.1 less its mean is 0 but for rounding.
    np.testing.assert_allclose(model.coefs_[0][2:], 0, atol=1e-4)
    assert model.coefs_[0][:2].all()


@pytest.mark.parametrize("number", [1 / 3, 1.7e9 / 3, -1.3e12 / 7])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_large_constant_says_as_little_as_a_small_one(rng, number, weighted):
    X = np.c_[rng.normal(size=(300, 1)), np.full(300, number)]
    weight = rng.uniform(0, 2, 300) if weighted else None
    model = FFNNRegressor(8, max_iter=20, weight_decay=0.0, random_state=0)
    model.fit(X, X[:, 0], sample_weight=weight)
    assert model.x_mean_[1] == number
    assert not model.coefs_[0][1].any()
    later = X * [1, 1.01]
    np.testing.assert_array_equal(model.predict(later), model.predict(X))
    assert model.fit(X, X[:, 1], sample_weight=weight).y_mean_ == number


def test_a_column_that_is_nearly_constant_is_not_constant(rng):
    X = np.c_[rng.normal(size=2000), np.zeros(2000)]
    X[-1, 1] = 1
    model = FFNNRegressor(8, max_iter=5, weight_decay=0.0, random_state=0)
    assert model.fit(X, X[:, 0]).coefs_[0].all()


def test_what_was_constant_at_first_can_be_learnt_by_parts(rng):
    X = np.c_[rng.normal(size=(200, 1)), np.zeros(200)]
    model = FFNNRegressor(8, random_state=0).partial_fit(X, X[:, 0])
    X[:, 1] = rng.normal(size=200)
    for _ in range(50):
        model.partial_fit(X, X[:, 0] + X[:, 1])
    assert model.score(X, X[:, 0] + X[:, 1]) > 0.9


# Scales that outliers do not change ---------------------------------------------------


def test_robust_statistics_are_those_of_a_normal_variable(rng):
    X = rng.normal([3, -1e6], [2, 1e3], size=(20_000, 2))
    median, scale = scaling.robust_statistics(X, range(len(X)))
    np.testing.assert_allclose(median, [3, -1e6], rtol=0.02)
    np.testing.assert_allclose(scale, [2, 1e3], rtol=0.03)


@pytest.mark.parametrize("far", [1e4, 1e12, 1e300])
def test_outliers_change_no_robust_statistics(rng, far):
    X = rng.normal(size=(1000, 1))
    spoilt = X.copy()
    spoilt[:3] = far
    for a, b in zip(
        scaling.robust_statistics(X, range(1000)),
        scaling.robust_statistics(spoilt, range(1000)),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, atol=0.02)


def test_where_most_rows_have_one_value_the_others_make_the_scale():
    X = np.array([[7.0] * 80 + [8.0] * 5 + [9.0] * 10 + [1e9] * 5]).T
    median, scale = scaling.robust_statistics(X, range(100))
    assert (median, scale) == (7, 2)
    # Rows of weight 0 are not there.
    weight = np.ones(100)
    weight[85:] = 0
    assert scaling.robust_statistics(X, range(100), weight)[1] == 1
    weight[80:] = 0
    assert scaling.robust_statistics(X, range(100), weight)[1] == 1  # constant


def test_a_constant_column_is_centred_and_no_more():
    assert scaling.robust_statistics(np.full((5, 1), 0.1), range(5)) == (0.1, 1)


# Columns whose mean is large ----------------------------------------------------------


@pytest.fixture
def moved():
    """Return a function that moves and stretches a table of 10,000 rows, and y."""
    rng = np.random.default_rng(0)
    z, noise = rng.normal(size=(2, 10_000))

    def move(mean, scale):
        return np.c_[mean + scale * z, noise], np.sin(2 * z)

    return move


NANOSECONDS = 1.7e18, 3.6e12
MOVED = [(1e15, 100.0), NANOSECONDS, (-1e15, 100.0), (0.0, 1e-200), (1e160, 1e146)]


def in_memory(X, folder):
    return X


def sparse(X, folder):
    return scipy.sparse.csr_array(X)


def on_disk(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


@pytest.mark.parametrize("kind", [in_memory, sparse, on_disk])
@pytest.mark.parametrize(("mean", "scale"), MOVED)
def test_a_large_mean_is_no_reason_to_learn_less(moved, tmp_path, kind, mean, scale):
    X, y = moved(mean, scale)
    model = FFNNRegressor(20, max_iter=4, weight_decay=0.01, random_state=0)
    centred, _ = moved(0, 1)
    expected = model.fit(centred[:8000], y[:8000]).score(centred[8000:], y[8000:])
    X = kind(X, tmp_path)
    found = model.fit(X[:8000], y[:8000]).score(X[8000:], y[8000:])
    assert expected > 0.9
    assert found == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(("mean", "scale"), MOVED)
@pytest.mark.parametrize("block", [999, 2**18])
@pytest.mark.parametrize("weighted", [False, True])
def test_statistics_of_moved_columns(
    moved, rng, monkeypatch, mean, scale, block, weighted
):
    monkeypatch.setattr(scaling, "BLOCK", block)
    X = moved(mean, scale)[0]
    weight = rng.integers(0, 3, len(X)).astype(float) if weighted else None
    rows = range(len(X)) if weight is None else np.flatnonzero(weight)
    found_mean, found_scale = scaling.statistics(X, rows, weight)
    low, length = X[rows].min(axis=0), np.ptp(X[rows], axis=0)
    share, own = (X[rows] - low) / length, None if weight is None else weight[rows]
    middle = np.average(share, axis=0, weights=own)
    spread = np.sqrt(np.average((share - middle) ** 2, axis=0, weights=own))
    np.testing.assert_allclose(found_scale, spread * length, rtol=1e-5)
    wrong = np.abs((found_mean - low) / length - middle)
    assert (wrong < 1e-3 + np.spacing(np.abs(low)) / length).all()


@pytest.mark.parametrize("n", [20, 2000, 200_000])
def test_the_number_of_rows_does_not_make_a_column_constant(n):
    X = 1e15 + np.arange(n)[:, np.newaxis] % 20
    mean, scale = scaling.statistics(X, range(n))
    assert scale == pytest.approx(np.arange(20).std())
    assert mean - 1e15 == pytest.approx(9.5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_columns_that_differ_in_their_last_digit_are_told_apart(rng, dtype):
    X = np.full((400, 1), 1e6, dtype)
    X[::2] = np.nextafter(X[0], np.inf, dtype=dtype)
    y = np.arange(400) % 2
    model = FFNNRegressor(8, max_iter=40, weight_decay=0.0, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.99


@pytest.mark.parametrize("number", [1e308, -1e200, 5e-324])
def test_equal_numbers_are_constant_however_large(rng, number):
    X = np.full((300, 1), number)
    mean, scale = scaling.statistics(X, range(300))
    assert (mean, scale) == (number, 1)


def test_weight_on_equal_rows_alone_is_no_spread():
    X = np.array([[5.0], [5.0], [7.0], [0.0]])
    mean, scale = scaling.statistics(X, [0, 1, 2], np.array([1, 1, 1e-40, 0]))
    assert (mean, scale) == (5, 1)


def test_ordinary_columns_have_the_statistics_of_scikit_learn(columns, rng):
    weight = rng.uniform(0, 2, len(columns))
    for own in (None, weight):
        scaler = StandardScaler().fit(columns, sample_weight=own)
        found = scaling.statistics(columns, range(len(columns)), own)
        np.testing.assert_array_equal(found, [scaler.mean_, scaler.scale_])


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
@pytest.mark.parametrize("mean", [1e12, 1e15])
def test_a_target_with_a_large_mean_is_learnt(moved, mean, loss):
    X, y = moved(0, 1)
    model = FFNNRegressor(20, loss=loss, max_iter=6, weight_decay=0.01, random_state=0)
    centred = clone(model).fit(X[:8000], 100 * y[:8000])
    model.fit(X[:8000], mean + 100 * y[:8000])
    assert model.y_scale_ == pytest.approx(centred.y_scale_, rel=2e-3)
    assert model.score(X[8000:], mean + 100 * y[8000:]) > 0.9


NETWORK = FFNNRegressor(20, max_iter=15, weight_decay=0.01, random_state=0)
ESTIMATORS = {
    "network": NETWORK,
    "lbfgs": clone(NETWORK).set_params(solver="lbfgs", max_iter=200),
    "ensemble": FFNNEnsembleRegressor(NETWORK, 2, random_state=0),
    "bayesian": BayesianFFNNRegressor(6, n_restarts=2, max_iter=40, random_state=0),
    "search": FFNNGridSearchCV(NETWORK, {"learning_rate": [0.02, 0.05]}, cv=2),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize(("mean", "scale"), [(1e15, 100.0), NANOSECONDS])
def test_every_estimator_learns_timestamps(moved, name, mean, scale):
    X, y = moved(mean, scale)
    model = clone(ESTIMATORS[name]).fit(X[:1500], y[:1500])
    assert model.score(X[1500:], y[1500:]) > 0.9


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_given_statistics_of_small_values_make_no_constant_column(rng):
    X = 1e-8 * rng.normal(size=(200, 1))
    given = {"x_mean": 0.0, "x_scale": 1.0}
    model = FFNNRegressor(8, max_iter=2, standardize=given, random_state=0)
    assert model.fit(X, X[:, 0]).coefs_[0].all()


# Values that overflow -----------------------------------------------------------------


@pytest.mark.parametrize("kind", [in_memory, sparse, on_disk])
@pytest.mark.parametrize("name", ["network", "lbfgs", "ensemble"])
def test_values_that_overflow_float32_are_named(rng, tmp_path, kind, name):
    X = (3.3e38 * rng.uniform(-1, 1, (200, 2))).astype(np.float32)
    X[:, 0] = 0
    model = clone(ESTIMATORS[name])
    with pytest.raises(ValueError, match=r"Column 1 of X, .*float32 .*as float64"):
        model.fit(kind(X, tmp_path), X[:, 1].astype(float) / 1e38)
    given = {"x_mean": [0, 0], "x_scale": [1, 1e-10]}
    if name == "network":
        with pytest.raises(ValueError, match=r"Column 1 of X, .*as float64"):
            model.set_params(standardize=given).fit(kind(X, tmp_path), X[:, 0])


def test_validation_rows_that_overflow_are_named(rng):
    X = (0.1 * rng.normal(size=(200, 2))).astype(np.float32)
    far = np.full_like(X, 3.3e38) * np.sign(X)
    model = clone(NETWORK)
    with (
        pytest.warns(UserWarning, match="lie far"),
        pytest.raises(ValueError, match=r"Column 0 of X_val, .*overflows float32"),
    ):
        model.fit(X, X[:, 0], X_val=far, y_val=X[:, 0])


def test_a_given_scale_that_is_too_small_is_named(rng):
    X = rng.normal(size=(50, 1))
    model = clone(NETWORK).set_params(standardize={"y_mean": 0, "y_scale": 5e-324})
    with pytest.raises(ValueError, match=r"y_scale.* too small"):
        model.fit(X, X[:, 0])


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_table_without_numbers_has_nothing_to_scale(rng, name):
    X = pd.DataFrame({"town": rng.choice(["Bonn", "Rome"], 80)})
    X["street"] = (np.arange(80) // 4).astype(str)
    y = np.where(X["town"] == "Rome", 9.0, 5.0)
    model = clone(ESTIMATORS[name]).fit(X, y)
    assert model.score(X, y) > 0.5
    assert np.isfinite(model.predict(X.iloc[:1])).all()
