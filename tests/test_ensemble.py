"""FFNNEnsembleRegressor: its networks, its mean, and what it says of its errors."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skffnn import FFNNEnsembleRegressor, FFNNRegressor, base
from skffnn.fitting import calibration
from skffnn.fitting.callbacks import AVAILABLE, progress_bar
from skffnn.preprocessing.encoding import ONE_HOT

# Its networks ------------------------------------------------------------------------

KINDS = {
    "seeds": {},
    "bootstrap": {"bootstrap": True},
    "calibration": {"calibration_fraction": 0.25},
    "both": {"bootstrap": True, "calibration_fraction": 0.25},
    "automatic decay": {"network": {"weight_decay": "auto"}},
    "early stopping": {
        "network": {"early_stopping": True, "learning_rate_schedule": "constant",
                    "n_iter_no_change": 2, "max_iter": 60},
    },
    "lbfgs": {"network": {"solver": "lbfgs"}},
}  # fmt: skip


@pytest.mark.parametrize("params", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_networks_are_those_that_are_trained_alone(
    ensemble_of, friedman, rng, params, dtype, weighted
):
    X, y = friedman[0].astype(dtype), friedman[1]
    weight = rng.integers(0, 3, len(y)) if weighted else None
    model = ensemble_of(**params).fit(X, y, weight)
    assert len({own.random_state for own in model.estimators_}) == 4
    for own, rows in zip(model.estimators_, model.estimators_samples_, strict=True):
        assert type(own) is FFNNRegressor
        alone = clone(own).fit(X[rows], y[rows], weight[rows] if weighted else None)
        np.testing.assert_array_equal(own.theta_, alone.theta_)
        assert own.history_["rmse"] == alone.history_["rmse"]
        if own.solver != "lbfgs" and not own.early_stopping:
            for each in (own, alone):
                each.partial_fit(X, y)
            np.testing.assert_array_equal(own.theta_, alone.theta_)


@pytest.mark.parametrize("kind", [np.asarray, csr_array])
@pytest.mark.parametrize("holding_out", ["early_stopping", "validation_fraction"])
def test_networks_that_hold_out_other_rows(ensemble_of, friedman, kind, holding_out):
    X, y = kind(friedman[0]), friedman[1]
    params = {holding_out: 0.2 if holding_out == "validation_fraction" else True}
    model = ensemble_of(3, network=params).fit(X, y)
    for own in model.estimators_:
        np.testing.assert_array_equal(own.theta_, clone(own).fit(X, y).theta_)
    held_out = [own.validation_indices_ for own in model.estimators_]
    assert not np.array_equal(*held_out[:2])


def test_bootstrap_samples_are_drawn_with_replacement(ensemble_of, friedman):
    samples = ensemble_of(bootstrap=True).fit(*friedman).estimators_samples_
    for rows in samples:
        assert len(rows) == 120
        assert 60 < len(np.unique(rows)) < 90
    assert (samples[0] != samples[1]).any()


def test_the_same_seed_gives_the_same_ensemble(ensemble_of, friedman):
    X, y = friedman
    model = ensemble_of(bootstrap=True, calibration_fraction=0.2).fit(X, y)
    again = clone(model).fit(X, y)
    parallel = clone(model).set_params(n_jobs=2).fit(X, y)
    other = clone(model).set_params(random_state=1).fit(X, y)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(parallel.predict(X), model.predict(X))
    assert (other.predict(X) != model.predict(X)).any()


# Its mean and its spread -------------------------------------------------------------


@pytest.mark.parametrize("outputs", [None, 1, 3])
@pytest.mark.parametrize("n_estimators", [1, 4])
def test_mean_and_standard_deviation_of_the_networks(
    ensemble_of, friedman, outputs, n_estimators
):
    X, y = friedman
    Y = y if outputs is None else np.outer(y, np.arange(1, outputs + 1))
    model = ensemble_of(n_estimators).fit(X, Y)
    each = [own.predict(X) for own in model.estimators_]
    y_hat, std = model.predict(X, return_std=True)
    assert y_hat.shape == std.shape == Y.shape
    np.testing.assert_allclose(y_hat, np.mean(each, axis=0))
    expected = np.std(each, axis=0, ddof=1) if n_estimators > 1 else 0
    np.testing.assert_allclose(std, expected, atol=1e-12)
    np.testing.assert_array_equal(model.predict(X), y_hat)


def test_the_mean_errs_less_than_its_networks(ensemble_of):
    X, y = make_friedman1(n_samples=600, noise=1, random_state=0)
    model = ensemble_of(8, network={"max_iter": 60}).fit(X[:200], y[:200])
    alone = [own.score(X[200:], y[200:]) for own in model.estimators_]
    assert model.score(X[200:], y[200:]) > np.mean(alone) + 0.02


def test_predictions_in_blocks(ensemble_of, friedman, monkeypatch):
    X, y = friedman
    model = ensemble_of().fit(X, y)
    y_hat, std = model.predict(X, return_std=True)
    monkeypatch.setattr(calibration, "BLOCK", 50)
    in_blocks = model.predict(X, return_std=True)
    np.testing.assert_allclose(in_blocks[0], y_hat, rtol=1e-12)
    np.testing.assert_allclose(in_blocks[1], std, rtol=1e-9)


def test_samples_of_one_table_may_have_other_gaps_and_inputs(rng, tmp_path, equal):
    """A gap that the first sample has not is none that nobody has seen."""
    X = pd.DataFrame({"a": rng.normal(size=80), "b": rng.normal(size=80)})
    X["c"] = [f"level {k % ONE_HOT:02d}" for k in range(80)]
    X.loc[:2, "c"] = "one more"
    X.loc[0, "a"] = np.nan
    model = FFNNEnsembleRegressor(
        FFNNRegressor(4, max_iter=40), 6, bootstrap=True, random_state=1
    ).fit(X, X["b"])
    encodings = [each._encoding for each in model.estimators_]
    assert not encodings[0]["gaps"]
    assert any(each["gaps"] for each in encodings)
    assert len({each.units_[0] for each in model.estimators_}) > 1
    assert model.is_categorical_.tolist() == [False, False, True]
    assert model.categories_ == model.estimators_[0].categories_
    y_hat = model.predict(X)
    each = [one.predict(X[1:]) for one in model.estimators_]
    np.testing.assert_allclose(y_hat[1:], np.mean(each, axis=0))
    with pytest.warns(UserWarning, match=r"none at fit: 'b'\."):
        model.predict(X[:3].assign(b=[np.nan, 1.0, 2.0]))
    model.save(tmp_path / "ensemble.npz")
    loaded = FFNNEnsembleRegressor.load(tmp_path / "ensemble.npz")
    assert equal(loaded, model)
    np.testing.assert_array_equal(loaded.predict(X), y_hat)


def test_many_rows_take_no_more_memory_than_their_predictions(ensemble_of, friedman):
    model = ensemble_of(8).fit(*friedman)

    def peak(n):
        X = np.zeros((n, 10))
        tracemalloc.start()
        try:
            model.predict(X)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = 2 * calibration.BLOCK, 8 * calibration.BLOCK
    out = 8 * (many - few)  # bytes of float64
    assert peak(many) - peak(few) < out + 2**20


@pytest.mark.parametrize("kind", [csr_array, pd.DataFrame, list])
def test_every_kind_of_table(ensemble_of, friedman, kind):
    X, y = friedman
    X[X < 0.2] = 0
    table = pd.DataFrame(X).add_prefix("x") if kind is pd.DataFrame else kind(X)
    if kind is list:
        table = X.tolist()
    model = ensemble_of(bootstrap=True, calibration_fraction=0.2).fit(table, y)
    dense = ensemble_of(bootstrap=True, calibration_fraction=0.2).fit(X, y)
    np.testing.assert_allclose(model.predict(table), dense.predict(X), rtol=1e-6)
    if kind is pd.DataFrame:
        assert list(model.feature_names_in_) == list(table.columns)
        model.estimators_[0].predict(table)  # no warning of missing names


def test_names_are_forgotten_with_the_table_that_had_them(ensemble_of, friedman):
    X, y = friedman
    model = ensemble_of(2).fit(pd.DataFrame(X).add_prefix("x"), y).fit(X[:, :4], y)
    assert not hasattr(model, "feature_names_in_")
    assert model.predict(X[:, :4]).shape == y.shape


def test_a_memory_map_stays_on_disk(ensemble_of, friedman, tmp_path, monkeypatch):
    X, y = friedman
    mapped = np.memmap(tmp_path / "X", dtype=float, mode="w+", shape=X.shape)
    mapped[...] = X
    read = []
    real = base.check_table

    def check_table(*args, **options):
        read.append(real(*args, **options))
        return read[-1]

    monkeypatch.setattr(base, "check_table", check_table)
    model = ensemble_of(2).fit(mapped, y)
    assert [table.on_disk for table in read] == [True, True]  # once for all, and once
    expected = ensemble_of(2).fit(X, y).predict(X)
    np.testing.assert_allclose(model.predict(mapped), expected, rtol=1e-9)


def test_validation_rows_reach_the_networks(ensemble_of, friedman):
    X, y = friedman
    model = ensemble_of(network={"early_stopping": True})
    model.fit(X, y, X_val=X[:20], y_val=y[:20])
    for own in model.estimators_:
        assert own.validation_indices_ is None
        assert np.isfinite(own.history_["validation_rmse"]).all()


def test_the_columns_of_the_validation_rows_are_checked(ensemble_of, friedman):
    X, y = friedman
    frame = pd.DataFrame(X).add_prefix("x")
    model = ensemble_of(2, network={"early_stopping": True})
    model.fit(frame, y, X_val=frame[:30], y_val=y[:30])
    plain = clone(model).fit(X, y, X_val=X[:30], y_val=y[:30])
    np.testing.assert_array_equal(model.predict(frame), plain.predict(X))
    with pytest.raises(ValueError, match="feature names"):
        clone(model).fit(frame, y, X_val=frame[frame.columns[::-1]], y_val=y)


# What it says of its errors ----------------------------------------------------------


def noisy(n, seed=0):
    """A sine whose noise grows to the right."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, (n, 1))
    return X, np.sin(2 * X[:, 0]) + (0.1 + 0.1 * (X[:, 0] + 2)) * rng.normal(size=n)


def covered(model, X, y, coverage):
    low, high = model.predict_interval(X, coverage)
    assert (low <= high).all()
    return np.mean((low <= y) & (y <= high))


@pytest.fixture(scope="module")
def calibrated(ensemble_of):
    return ensemble_of(calibration_fraction=0.4).fit(*noisy(1000))


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_calibrated_intervals_cover_what_they_say(calibrated, coverage):
    # On 400 calibration rows the coverage itself has a standard deviation of 2.5 %.
    found = covered(calibrated, *noisy(20_000, seed=1), coverage)
    assert found == pytest.approx(
        coverage, abs=3 * (coverage * (1 - coverage) / 400) ** 0.5
    )


def test_the_spread_alone_does_not_cover_noise(ensemble_of):
    model = ensemble_of().fit(*noisy(1000))
    assert covered(model, *noisy(5000, seed=1), 0.8) < 0.5
    np.testing.assert_array_equal(model.noise_, 0)
    assert model.calibration_indices_ is model.calibration_scores_ is None


def test_the_interval_of_the_spread_is_a_normal_one(ensemble_of, friedman):
    X, y = friedman
    model = ensemble_of().fit(X, y)
    y_hat, std = model.predict(X, return_std=True)
    low, high = model.predict_interval(X, 0.6826894921370859)
    np.testing.assert_allclose(low, y_hat - std)
    np.testing.assert_allclose(high, y_hat + std)


def test_calibrated_deviations_are_those_of_y(calibrated):
    X, y = noisy(20_000, seed=1)
    y_hat, std = calibrated.predict(X, return_std=True)
    assert np.mean((y - y_hat) ** 2) == pytest.approx(np.mean(std**2), rel=0.2)


def test_the_calibration_rows_are_those_that_nobody_learnt(calibrated):
    rows = calibrated.calibration_indices_
    assert len(rows) == 400
    for learnt in calibrated.estimators_samples_:
        np.testing.assert_array_equal(np.sort(np.r_[rows, learnt]), np.arange(1000))


def test_intervals_are_conformal(ensemble_of, friedman):
    """The rank of the new row among the calibration rows, by hand."""
    X, y = friedman
    model = ensemble_of(calibration_fraction=0.25).fit(X, y)
    held_out = model.calibration_indices_
    y_hat, std = model.predict(X, return_std=True)
    scores = np.sort((np.abs(y - y_hat) / std)[held_out])
    low, high = model.predict_interval(X, 0.9)
    ninth_in_ten = scores[int(np.ceil(31 * 0.9)) - 1]
    np.testing.assert_allclose(high - low, 2 * ninth_in_ten * std)
    np.testing.assert_allclose(model.calibration_scores_[:, 0], scores)


def test_each_output_is_calibrated_by_itself(ensemble_of, friedman):
    X, y = friedman
    Y = np.c_[y, 100 * y + 3000 * np.random.default_rng(0).normal(size=len(y))]
    model = ensemble_of(calibration_fraction=0.3).fit(X, Y)
    assert model.noise_[1] > 1000 > 100 > model.noise_[0]
    low, high = model.predict_interval(X, 0.8)
    assert low.shape == high.shape == Y.shape


def test_rows_of_weight_0_calibrate_nothing(ensemble_of, friedman):
    X, y = friedman
    weight = np.where(np.arange(len(y)) < 40, 0, 1)
    y = np.where(weight == 0, 1e6, y)
    model = ensemble_of(calibration_fraction=0.25).fit(X, y, weight)
    assert (model.calibration_indices_ >= 40).all()
    assert model.noise_[0] < 100


# Wrong input -------------------------------------------------------------------------

WRONG = {
    "bootstrap": ({"bootstrap": "no"}, "bootstrap must be True or False; got 'no'"),
    "no network": ({"estimator": Ridge()}, "must be an FFNNRegressor, .* got Ridge"),
    "a pipeline": (
        {"estimator": make_pipeline(StandardScaler(), FFNNRegressor())},
        "Pipeline around the ensemble",
    ),
    "no networks": ({"n_estimators": 0}, "n_estimators must be a whole number"),
    "half a network": ({"n_estimators": 2.5}, "n_estimators must be a whole number"),
    "True": ({"n_estimators": True}, "n_estimators must be a whole number"),
    "all rows": ({"calibration_fraction": 1.0}, "calibration_fraction must be None or"),
    "few rows": ({"calibration_fraction": 0.999}, "too few to hold out a share"),
    "the network's": ({"estimator": FFNNRegressor(tol=-1)}, "tol must be a number"),
}  # fmt: skip


@pytest.mark.parametrize(("wrong", "message"), WRONG.values(), ids=WRONG)
def test_wrong_parameters_are_told(ensemble_of, friedman, wrong, message):
    model = ensemble_of().set_params(**wrong)
    with pytest.raises(ValueError, match=message):
        model.fit(*friedman)
    assert not hasattr(model, "n_features_in_")


def test_a_failed_fit_leaves_the_model_as_it_was(ensemble_of, friedman):
    X, y = friedman
    model = ensemble_of().fit(X, y)
    before = model.predict(X)
    model.estimator.set_params(learning_rate=1e12, solver="sgd", clip_norm=None)
    with pytest.raises(FloatingPointError, match="Training diverged"):
        model.fit(X[:, :3], y)
    np.testing.assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize("coverage", [0, 1, -0.5, 90, "0.9", None, True])
def test_coverage_is_a_share(calibrated, coverage):
    with pytest.raises(ValueError, match="coverage must be a number between 0 and 1"):
        calibrated.predict_interval([[0.0]], coverage)


def test_predicting_before_learning(ensemble_of, friedman):
    for method in (ensemble_of().predict, ensemble_of().predict_interval):
        with pytest.raises(NotFittedError):
            method(friedman[0])


def test_the_errors_are_those_of_the_network(ensemble_of, friedman):
    X, y = friedman
    with pytest.raises(ValueError, match=r"has text.* categorical_features"):
        ensemble_of().fit([["a"], ["b"]], [1, 2])
    with pytest.raises(ValueError, match="has a value of"):
        ensemble_of(network={"loss": "poisson"}).fit(X, y - 100)


def test_negative_weights_are_refused(ensemble_of, friedman):
    X, y = friedman
    with pytest.raises(ValueError, match="negative value"):
        ensemble_of().fit(X, y, -np.ones(len(y)))


# As a scikit-learn estimator ---------------------------------------------------------


def test_in_a_pipeline_in_a_grid_search_and_in_a_pickle(ensemble_of, friedman):
    X, y = friedman
    pipeline = make_pipeline(StandardScaler(), ensemble_of(2))
    search = GridSearchCV(
        pipeline, {"ffnnensembleregressor__estimator__learning_rate": [0.02, 0.1]}, cv=2
    )
    again = pickle.loads(pickle.dumps(search.fit(X, y)))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))
    assert cross_val_score(ensemble_of(2), X, y, cv=2).mean() > 0


def test_the_default_network(friedman):
    X, y = friedman
    model = FFNNEnsembleRegressor(n_estimators=2, random_state=0).fit(X, y)
    assert model.estimators_[0].hidden_layer_sizes == (64, 64, 64)
    assert "FFNNEnsembleRegressor" in model._repr_html_()


def test_the_tags_are_those_of_the_network(ensemble_of):
    tags = get_tags(ensemble_of(network={"loss": "poisson"}))
    assert tags.target_tags.positive_only
    assert tags.target_tags.multi_output
    assert tags.input_tags.sparse
    assert not get_tags(FFNNEnsembleRegressor()).target_tags.positive_only


@pytest.mark.skipif(not AVAILABLE, reason="scikit-learn has no callbacks yet")
def test_callbacks_of_the_network_are_told_of_each(ensemble_of, friedman, told):
    X, y = friedman
    model = ensemble_of(3)
    model.estimator.set_callbacks(told)
    y_hat = model.fit(X, y).predict(X)
    assert told.tasks.count("epoch") == 3 * 25
    np.testing.assert_array_equal(y_hat, ensemble_of(3).fit(X, y).predict(X))


@pytest.mark.skipif(not AVAILABLE, reason="scikit-learn has no callbacks yet")
def test_a_progress_bar_shows_the_networks(ensemble_of, friedman, capsys):
    pytest.importorskip("rich")
    progress_bar(ensemble_of()).fit(*friedman)
    assert "FFNNEnsembleRegressor" in capsys.readouterr().out


@parametrize_with_checks(
    [
        FFNNEnsembleRegressor(
            FFNNRegressor(8, max_iter=40, weight_decay=0.1), 2, random_state=0
        )
    ]
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_sklearn_compatible_estimator(estimator, check):
    check(estimator)
