"""BayesianFFNNRegressor: what it predicts, how sure it is, and tables that are odd."""

import pickle
import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.stats import norm
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.exceptions import (
    ConvergenceWarning,
    DataConversionWarning,
    NotFittedError,
)
from sklearn.feature_selection import RFE, SelectFromModel
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_info, threadpool_limits

from skffnn import BayesianFFNNRegressor, bayesian, evaluate
from skffnn.core.second_order import gauss_newton, levenberg_marquardt


def small(**params):
    return BayesianFFNNRegressor(
        **{"hidden_layer_sizes": 4, "n_restarts": 2, "random_state": 0, **params}
    )


CONFIGURATIONS = [
    BayesianFFNNRegressor(),
    BayesianFFNNRegressor("auto", ard=False),
    BayesianFFNNRegressor((), n_restarts=1),
    BayesianFFNNRegressor((5, 3), activation=("relu", "logistic")),
]
# Small networks: what the checks look at does not depend on the size.
SMALL = [
    BayesianFFNNRegressor(3, n_restarts=1, max_iter=25),
    BayesianFFNNRegressor((3, 2), ard=False, n_restarts=1, max_iter=25),
]


def run(estimator, check):
    if "array_api" in str(check) or "sparse" in str(check):
        warnings.simplefilter("ignore", category=DeprecationWarning)
    check(estimator)


@parametrize_with_checks(SMALL)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:.*little to tell the noise by:UserWarning")
def test_sklearn_check(estimator, check):
    run(estimator, check)


@pytest.mark.slow
@parametrize_with_checks(CONFIGURATIONS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:.*little to tell the noise by:UserWarning")
def test_sklearn_check_in_full_size(estimator, check):
    run(estimator, check)


@pytest.fixture(scope="module")
def fitted(waves):
    return BayesianFFNNRegressor(random_state=0).fit(*waves[:2])


# What it learns ----------------------------------------------------------------------


def test_finds_the_function_and_the_noise(fitted, waves):
    X = waves[2]
    wave = 5 + np.sin(2 * X[:, 0])
    assert np.sqrt(np.mean((fitted.predict(X) - wave) ** 2)) < 0.03
    assert fitted.alpha_**-0.5 == pytest.approx(0.1, rel=0.15)
    assert 5 < fitted.n_effective_parameters_ < 40


def test_switches_off_the_column_that_says_nothing(fitted, waves):
    used, unused = fitted.relevance_
    assert used > 20 * unused
    assert fitted.lambda_[1] > 100 * fitted.lambda_[0]
    shared = BayesianFFNNRegressor(ard=False, random_state=0).fit(*waves[:2])
    assert shared.relevance_[0] < 100 * shared.relevance_[1]


@pytest.mark.parametrize("ard", [True, False])
def test_relevance_is_what_a_column_moves(rng, ard):
    """It finds columns that enter linearly as it finds the others."""
    X = rng.normal([0, 10, 0, 0], [1, 100, 1e-3, 1], (300, 4))
    y = 5e6 * (np.sin(X[:, 0]) + 0.01 * X[:, 1]) + 2e5 * rng.normal(size=300)
    model = BayesianFFNNRegressor(ard=ard, random_state=0).fit(X, y)
    moved = np.array([np.std(np.sin(X[:, 0])), np.std(0.01 * X[:, 1]), 0.0, 0.0])
    expected = 5e6 * moved / y.std()
    np.testing.assert_allclose(model.relevance_, expected, atol=0.04)
    importances = model.feature_importances_
    np.testing.assert_allclose(importances, model.relevance_ / model.relevance_.sum())
    assert importances.sum() == pytest.approx(1)


@pytest.mark.parametrize("kind", [csr_array, np.asarray, "weights"])
def test_relevance_does_not_depend_on_how_rows_are_given(rng, kind):
    X = rng.normal(size=(100, 3)) * (rng.uniform(size=(100, 3)) < 0.6)
    y = np.sin(X[:, 0]) + 3 * X[:, 1] + 0.1 * rng.normal(size=100)
    count = rng.integers(0, 3, 100)
    twice = small().fit(np.repeat(X, count, axis=0), np.repeat(y, count))
    if kind == "weights":
        other = small().fit(X, y, sample_weight=count)
    else:
        other = small().fit(kind(np.repeat(X, count, axis=0)), np.repeat(y, count))
    if kind == "weights":  # others are drawn
        np.testing.assert_allclose(other.relevance_, twice.relevance_, atol=0.05)
    else:
        np.testing.assert_allclose(other.relevance_, twice.relevance_, rtol=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_a_column_that_acts_where_no_rows_are_is_relevant(rng, seed):
    """A step between two groups has no slope at any row."""
    x = np.r_[rng.uniform(-3, -1, 60), rng.uniform(1, 3, 60)]
    X = np.c_[x, rng.normal(size=120)]
    y = np.sign(x) + 0.1 * X[:, 1] + 0.02 * rng.normal(size=120)
    model = BayesianFFNNRegressor(random_state=seed).fit(X, y)
    assert model.feature_importances_[0] > 0.8
    assert SelectFromModel(model, prefit=True).get_support().tolist() == [True, False]


def test_where_nothing_is_relevant_no_column_is(waves):
    X, y, *_ = waves
    assert small().fit(X, np.full(200, 7.0)).relevance_.max() < 1e-4
    with pytest.warns(ConvergenceWarning, match="No column of X varies"):
        model = small().fit(np.ones((200, 2)), y)
    assert model.feature_importances_.tolist() == model.relevance_.tolist() == [0, 0]


def test_columns_are_selected_by_importance():
    X, y = make_friedman1(200, noise=1.0, random_state=0)
    model = small(hidden_layer_sizes=8)
    chosen = SelectFromModel(clone(model), threshold=0.03).fit(X, y).get_support()
    assert chosen.tolist() == [True] * 5 + [False] * 5
    by_elimination = RFE(clone(model), n_features_to_select=5, step=5).fit(X, y)
    assert by_elimination.support_.tolist() == [True] * 5 + [False] * 5
    with pytest.raises(NotFittedError):
        _ = clone(model).feature_importances_


def test_models_of_earlier_files_say_that_they_cannot_tell(fitted):
    older = clone(fitted)
    older.__dict__.update({**vars(fitted), "relevance_": None})
    with pytest.raises(AttributeError, match="fit it once more"):
        _ = older.feature_importances_
    assert not hasattr(older, "feature_importances_")


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_intervals_cover_what_they_say(fitted, waves, coverage):
    _, _, X, y = waves
    low, high = fitted.predict_interval(X, coverage)
    assert np.mean((low <= y) & (y <= high)) == pytest.approx(coverage, abs=0.05)
    y_hat, std = fitted.predict(X, return_std=True)
    np.testing.assert_allclose((low + high) / 2, y_hat)
    np.testing.assert_allclose(high - low, 2 * norm.ppf((1 + coverage) / 2) * std)


def test_is_unsure_where_it_has_seen_nothing(fitted, waves):
    _, near = fitted.predict(waves[2], return_std=True)
    _, far = fitted.predict([[6.0, 0.0]], return_std=True)
    assert near.min() > fitted.alpha_**-0.5 * 0.99
    assert far[0] > 3 * near.max()


def test_beats_ridge_on_few_rows():
    X, y = make_friedman1(700, noise=1.0, random_state=0)
    model = BayesianFFNNRegressor(random_state=0).fit(X[:200], y[:200])
    ridge = RidgeCV(np.logspace(-3, 3, 7)).fit(X[:200], y[:200])

    def rmse(model):
        return np.sqrt(np.mean((model.predict(X[200:]) - y[200:]) ** 2))

    assert rmse(model) < 0.5 * rmse(ridge)
    assert np.argsort(model.relevance_)[-5:].max() < 5  # the others are noise


def test_predicts_the_same_with_and_without_deviations(fitted, waves):
    y_hat, _ = fitted.predict(waves[2], return_std=True)
    np.testing.assert_array_equal(y_hat, fitted.predict(waves[2]))


def test_deviations_are_those_of_the_parts(fitted, waves):
    """Noise, open questions and disagreement, with A written out and inverted."""
    X, _, X_new, _ = waves
    X_new = X_new[:5]
    network = fitted._network()

    def jacobian(theta, X):
        Z = (X - fitted.x_mean_) / fitted.x_scale_

        def y_hat(theta):
            a = Z
            W, b = network.layout.views(theta)
            for l, (W_l, b_l) in enumerate(zip(W, b, strict=True)):
                a = a @ W_l + b_l
                a = np.tanh(a) if l < 2 else a
            return a[:, 0]

        h = 1e-5 * np.eye(theta.size)
        J = [(y_hat(theta + d) - y_hat(theta - d)) / 2e-5 for d in h]
        return y_hat(theta), np.transpose(J)

    means, variances = [], []
    for k, theta in enumerate(fitted.theta_):
        factor = fitted._factors[k]
        assert np.array_equal(factor, np.tril(factor))
        _, J = jacobian(theta, X)
        # A less the data's part is the diagonal of prior precisions.
        prior = factor @ factor.T - J.T @ J / fitted._noise[k]
        off = prior - np.diag(np.diag(prior))
        assert np.abs(off).max() < 1e-4 * np.abs(np.diag(factor @ factor.T)).max()
        mean, g = jacobian(theta, X_new)
        means.append(mean)
        inverse = np.linalg.inv(factor @ factor.T)
        variances.append(np.sum(g @ inverse * g, axis=1) + fitted._noise[k])
    w = fitted.committee_weights_
    expected = w @ (np.array(variances) + (means - w @ np.array(means)) ** 2)
    y_hat, std = fitted.predict(X_new, return_std=True)
    np.testing.assert_allclose(std, np.sqrt(expected) * fitted.y_scale_, rtol=1e-5)
    np.testing.assert_allclose(
        y_hat, w @ np.array(means) * fitted.y_scale_ + fitted.y_mean_
    )


# The committee -----------------------------------------------------------------------


def test_finds_waves_that_look_like_noise():
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (200, 1))
    y = np.sin(6 * X[:, 0]) + 0.1 * rng.normal(size=200)
    model = BayesianFFNNRegressor(random_state=0).fit(X, y)
    assert model.alpha_**-0.5 < 0.15
    steps = pd.DataFrame(model.history_)
    evidence = steps.groupby("restart")["log_evidence"].max()
    assert evidence.min() < evidence.max() - 200  # not every start finds it


@pytest.mark.parametrize(("ard", "n_groups"), [(True, 2 + 1 + 2), (False, 3)])
def test_a_precision_for_each_group(waves, ard, n_groups):
    model = small(hidden_layer_sizes=(4, 3), ard=ard).fit(*waves[:2])
    assert model.lambda_.shape == (n_groups,)
    assert np.all(model.lambda_ > 0)


def test_units_of_the_target_change_units_alone(fitted, waves):
    X, y, X_new, _ = waves
    model = BayesianFFNNRegressor(random_state=0).fit(X, 1000 * y)
    y_hat, std = model.predict(X_new, return_std=True)
    expected, expected_std = fitted.predict(X_new, return_std=True)
    np.testing.assert_allclose(y_hat, 1000 * expected, rtol=1e-5)
    np.testing.assert_allclose(std, 1000 * expected_std, rtol=1e-4)
    assert model.alpha_ == pytest.approx(fitted.alpha_ / 1e6, rel=1e-4)
    shift = 200 * np.log(1000)
    assert model.log_evidence_ == pytest.approx(fitted.log_evidence_ - shift, rel=1e-4)


def test_the_same_seed_gives_the_same_weights(waves):
    X, y, *_ = waves
    one, two = small().fit(X, y), small().fit(X, y)
    np.testing.assert_array_equal(one.theta_, two.theta_)
    more = small(n_restarts=3).fit(X, y)
    np.testing.assert_array_equal(more.theta_[:2], one.theta_)
    assert not np.array_equal(small(random_state=1).fit(X, y).theta_, one.theta_)


def test_auto_takes_the_size_with_the_highest_evidence(waves):
    X, y, *_ = waves
    model = BayesianFFNNRegressor("auto", random_state=0).fit(X, y)
    assert set(model.evidence_by_size_) == set(bayesian.SIZES)
    best = max(model.evidence_by_size_, key=model.evidence_by_size_.get)
    assert model.hidden_layer_sizes_ == best
    assert model.log_evidence_ == model.evidence_by_size_[best]
    alone = BayesianFFNNRegressor(best, random_state=0).fit(X, y)
    np.testing.assert_array_equal(alone.theta_, model.theta_)


# Data of all kinds --------------------------------------------------------------------


def test_sparse_and_float32_tables_are_those_numbers(waves):
    X, y, X_new, _ = waves
    X32 = X.astype(np.float32)
    dense = small().fit(X32.astype(float), y)
    for other in (X32, csr_array(X32)):
        model = small().fit(other, y)
        y_hat, std = model.predict(csr_array(X_new), return_std=True)
        expected, expected_std = dense.predict(X_new, return_std=True)
        assert y_hat.dtype == std.dtype == model.theta_.dtype == np.float64
        np.testing.assert_allclose(y_hat, expected, rtol=1e-7)
        np.testing.assert_allclose(std, expected_std, rtol=1e-6)


def test_a_memory_map_is_the_same_table(waves, tmp_path):
    X, y, *_ = waves
    np.save(tmp_path / "X.npy", X)
    on_disk = np.load(tmp_path / "X.npy", mmap_mode="r")
    np.testing.assert_allclose(
        small().fit(on_disk, y).predict(X), small().fit(X, y).predict(X), rtol=1e-7
    )


def test_frames_and_names(waves):
    X, y, *_ = waves
    frame = pd.DataFrame(X, columns=["a", "b"])
    model = small().fit(frame, pd.Series(y))
    assert model.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["b", "a"]])


def test_weights_count_rows(waves):
    X, y, X_new, _ = waves
    counts = np.arange(200) % 3
    twice = np.repeat(np.arange(200), counts)
    weighted = small().fit(X, y, sample_weight=counts)
    repeated = small().fit(X[twice], y[twice])
    for mine, theirs in zip(
        weighted.predict(X_new, return_std=True),
        repeated.predict(X_new, return_std=True),
        strict=True,
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)
    assert weighted.log_evidence_ == pytest.approx(repeated.log_evidence_)


def test_more_weight_is_more_certainty(waves):
    X, y, X_new, _ = waves
    few, many = (small().fit(X, y, np.full(200, w)) for w in (0.2, 5.0))

    def doubt(model):
        _, std = model.predict(X_new, return_std=True)
        return np.sqrt(std**2 - 1 / model.alpha_).mean()

    assert doubt(many) < 0.5 * doubt(few)


def test_warns_of_weights_that_are_shares(waves):
    X, y, *_ = waves
    with pytest.warns(UserWarning, match="adds up to 1 for 200 rows.*by 200"):
        small(ard=False).fit(X, y, np.full(200, 1 / 200))
    with pytest.warns(UserWarning, match="adds up to 20000 for 200 rows.*by 0.01"):
        small().fit(X, y, np.full(200, 100.0))


def test_lives_in_pipelines_searches_and_files(waves, tmp_path):
    X, y, X_new, y_new = waves
    model = make_pipeline(StandardScaler(), small())
    search = GridSearchCV(
        model, {"bayesianffnnregressor__hidden_layer_sizes": [(), 4]}, n_jobs=2, cv=3
    ).fit(X, y)
    assert search.best_params_ == {"bayesianffnnregressor__hidden_layer_sizes": 4}
    assert search.score(X_new, y_new) > 0.95
    again = pickle.loads(pickle.dumps(search.best_estimator_[-1]))
    for mine, theirs in zip(
        again.predict(X_new, return_std=True),
        search.best_estimator_[-1].predict(X_new, return_std=True),
        strict=True,
    ):
        np.testing.assert_array_equal(mine, theirs)
    assert not hasattr(clone(again), "theta_")


def test_several_targets_are_one_model_each(waves):
    X, y, *_ = waves
    Y = np.c_[y, -y]
    with pytest.raises(ValueError, match=r"2 columns.*MultiOutputRegressor"):
        small().fit(X, Y)
    assert MultiOutputRegressor(small()).fit(X, Y).score(X, Y) > 0.95


def test_a_column_of_targets_is_taken_with_a_warning(waves):
    X, y, *_ = waves
    with pytest.warns(DataConversionWarning):
        model = small().fit(X, y[:, np.newaxis])
    assert model.predict(X).shape == (200,)


def test_evaluate_takes_it(waves):
    X, y, *_ = waves
    result = evaluate(small(), X, y, random_state=0)
    assert result.test_r2 > 0.9
    assert "BayesianFFNNRegressor" in str(result)


# Odd tables ---------------------------------------------------------------------------


def odd(name):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(120, 3))
    noise = rng.normal(size=120)
    wide = rng.normal(size=(40, 60))
    return {
        "no noise": (X, np.sin(X[:, 0]) + X[:, 1]),
        "only noise": (X, noise),
        "one column": (X[:, :1], np.sin(3 * X[:, 0]) + 0.1 * noise),
        "constant target": (X, np.full(120, 7.0)),
        "five rows": (X[:5], X[:5, 0]),
        "collinear": (np.c_[X, X[:, 0], X @ [1, 1, 1]], X[:, 0] + 0.1 * noise),
        "more columns than rows": (wide, wide[:, 0] + 0.1 * noise[:40]),
        "constant columns": (np.c_[X, np.ones(120)], X[:, 0] + 0.1 * noise),
        "nothing but constants": (np.ones((120, 2)), noise),
        "huge": (1e9 * X, 1e12 * X[:, 0] + 1e11 * noise),
        "tiny": (1e-9 * X, 1e-12 * X[:, 0] + 1e-13 * noise),
        "Cauchy": (rng.standard_cauchy((120, 3)), noise),
    }[name]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:.*little to tell the noise by:UserWarning")
@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        # the noise it finds, as a share of the standard deviation of y
        ("no noise", 0, 0.01),
        ("only noise", 0.9, 1.1),
        ("one column", 0.1, 0.2),
        ("constant target", 0, 1e-4),
        ("five rows", 0, 0.5),
        ("collinear", 0.05, 0.15),
        ("more columns than rows", 0, 0.3),
        ("constant columns", 0.05, 0.15),
        ("nothing but constants", 0.9, 1.1),
        ("huge", 0.05, 0.15),
        ("tiny", 0.05, 0.15),
        ("Cauchy", 0.8, 1.1),
    ],
)
def test_odd_tables_get_sensible_answers(name, lowest, highest):
    X, y = odd(name)
    model = BayesianFFNNRegressor(n_restarts=2, random_state=0).fit(X, y)
    y_hat, std = model.predict(np.r_[X, 3 * X], return_std=True)
    assert np.isfinite(y_hat).all()
    assert np.isfinite(std).all()
    assert np.all(std > 0)
    sd = y.std() or 1.0
    assert lowest <= model.alpha_**-0.5 / sd <= highest
    # Within a few standard deviations of what was seen, tanh keeps predictions there.
    assert np.abs(y_hat - y.mean()).max() < 20 * sd


def test_noise_alone_is_predicted_by_its_mean():
    X, y = odd("only noise")
    with pytest.warns(ConvergenceWarning, match="X may say nothing about y"):
        model = BayesianFFNNRegressor(random_state=0).fit(X, y)
    assert model.n_effective_parameters_ < 15
    assert model.predict(X).std() < 0.5


def test_few_of_many_columns_are_found():
    X, y = odd("more columns than rows")
    new = np.random.default_rng(4).normal(size=(500, 60))
    model = BayesianFFNNRegressor(n_restarts=2, random_state=0)
    with pytest.warns(UserWarning, match="40 rows determine .* little to tell"):
        y_hat = model.fit(X, y).predict(new)
    rmse = np.sqrt(np.mean((y_hat - new[:, 0]) ** 2))
    ridge = RidgeCV(np.logspace(-3, 3, 7)).fit(X, y)
    assert rmse < 0.5 * np.sqrt(np.mean((ridge.predict(new) - new[:, 0]) ** 2))


def test_a_constant_column_moves_no_prediction():
    X, y = odd("constant columns")
    model = small().fit(X, y)
    other = X.copy()
    other[:, 3] = 50.0
    np.testing.assert_array_equal(model.predict(other), model.predict(X))
    assert model.relevance_[3] == 0
    _, std = model.predict(other, return_std=True)
    assert std.min() > 10 * model.predict(X, return_std=True)[1].max()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n", [1, 2, 5])
def test_warns_where_too_little_is_left_to_tell_the_noise_by(n):
    X, y = odd("five rows")
    with pytest.warns(UserWarning, match=f"{n} rows determine .* little to tell"):
        small().fit(X[:n], y[:n])


# What may go wrong --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hidden_layer_sizes": "large"}, "hidden_layer_sizes"),
        ({"hidden_layer_sizes": 0}, "hidden_layer_sizes"),
        ({"activation": "sine"}, "activation must be one of"),
        ({"activation": ["tanh", "tanh"]}, "names 2 activations"),
        ({"hidden_layer_sizes": "auto", "activation": ["tanh"]}, "several depths"),
        ({"hidden_layer_sizes": "auto", "activation": "sine"}, "must be one of"),
        ({"ard": "yes"}, "ard must be True or False"),
        ({"n_restarts": 0}, "n_restarts"),
        ({"max_iter": 1.5}, "max_iter"),
        ({"tol": -1}, "tol"),
        ({"n_iter_no_change": 0}, "n_iter_no_change"),
    ],
)
def test_wrong_parameters_are_named(waves, params, message):
    with pytest.raises(ValueError, match=message):
        small(**params).fit(*waves[:2])


def test_a_table_that_is_too_large_is_sent_elsewhere():
    X = np.zeros((50, 1000))
    with pytest.raises(
        ValueError, match=r"P = 10,131 parameters.*1e\+12.*FFNNRegressor"
    ):
        BayesianFFNNRegressor().fit(X, np.arange(50.0))
    with pytest.raises(ValueError, match=r"n P\^2 \+ P\^3 = 1e\+11.*FFNNRegressor"):
        BayesianFFNNRegressor((30, 30)).fit(np.zeros((10**5, 1)), np.arange(1e5))


def test_auto_leaves_out_what_is_too_large(monkeypatch, waves):
    monkeypatch.setattr(bayesian, "MOST_WORK", 10**6)  # (10, 10) has 141 parameters
    model = BayesianFFNNRegressor("auto", random_state=0).fit(*waves[:2])
    assert set(model.evidence_by_size_) == {(5,), (10,)}


def test_warns_of_weights_under_which_it_interpolates(waves):
    X, y, *_ = waves
    with pytest.warns(UserWarning, match="little to tell the noise by"):
        BayesianFFNNRegressor((20, 20), n_restarts=1, random_state=0).fit(
            X[:60], y[:60], np.full(60, 9.0)
        )


def test_targets_that_overflow_are_an_error(waves):
    X, y, *_ = waves
    for scale in (1e154, 1e160):
        with pytest.raises(ValueError, match="variance overflows"):
            small().fit(X, scale * y)


def test_a_failed_fit_leaves_the_model_as_it_was(waves):
    X, y, X_new, _ = waves
    model = small().fit(X, y)
    before = model.predict(X_new)
    with pytest.raises(ValueError, match="infinity"):
        model.fit(np.full((9, 3), np.inf), np.arange(9.0))
    np.testing.assert_array_equal(model.predict(X_new), before)


def test_asks_for_more_steps(waves):
    with pytest.warns(ConvergenceWarning, match=r"max_iter=3 ended 2 of 2 runs"):
        model = small(max_iter=3).fit(*waves[:2])
    assert model.n_iter_ == 3


def test_predicting_needs_fitting_and_sense(waves):
    with pytest.raises(NotFittedError):
        small().predict(waves[0])
    with pytest.raises(ValueError, match="coverage"):
        small().fit(*waves[:2]).predict_interval(waves[0], 95)


# Cost ---------------------------------------------------------------------------------


def test_memory_does_not_grow_with_the_jacobian(monkeypatch):
    monkeypatch.setattr(gauss_newton, "CHUNK", 2**14)
    X, y = make_friedman1(20_000, random_state=0)
    model = BayesianFFNNRegressor(10, n_restarts=1, max_iter=4, tol=0)
    P = 10 * 10 + 10 + 10 + 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X[:100], y[:100])
        tracemalloc.start()
        model.fit(X, y)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * (3 * X.size + 10 * P**2 + 4 * 2**14)  # J alone is 3 times that


def test_one_blas_thread_does_it(waves, monkeypatch):
    seen = []

    def judged(*arguments):
        blas = [each for each in threadpool_info() if each["user_api"] == "blas"]
        seen.append({library["num_threads"] for library in blas})
        return posterior(*arguments)

    posterior = levenberg_marquardt.posterior
    monkeypatch.setattr(levenberg_marquardt, "posterior", judged)
    with threadpool_limits(2, "blas"):
        small().fit(*waves[:2])
    assert seen
    assert all(threads == {1} for threads in seen)


def test_threads_are_as_they_were(waves):
    with threadpool_limits(2, "blas"):
        before = [library["num_threads"] for library in threadpool_info()]
        small().fit(*waves[:2])
        assert [library["num_threads"] for library in threadpool_info()] == before
