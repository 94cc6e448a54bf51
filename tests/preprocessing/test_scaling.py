"""Columns with heavy tails: found, scaled by their quartiles, saturated."""

import numpy as np
import pytest
import scipy.sparse

from skffnn import FFNNRegressor
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
    mean, scale, limit = scaling.input_statistics(X, range(len(X)), weight)
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
