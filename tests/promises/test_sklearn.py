"""What scikit-learn expects of a regressor, and life among its tools."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone, is_regressor
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import BaggingRegressor
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score, learning_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skffnn import FFNNRegressor

SPLITS_ROWS = {
    f"check_sample_weight_equivalence_on_{kind}_data": (
        "which rows are held out depends on how many there are"
    )
    for kind in ("dense", "sparse")
}
NEGATIVE_TARGETS = {
    "check_regressor_multioutput": "the check's targets are negative, counts are not"
}

CONFIGURATIONS = [
    (FFNNRegressor(), {}),
    (FFNNRegressor(solver="sgd", learning_rate_schedule="constant"), {}),
    # The line search amplifies rounding from iteration to iteration: after hundreds of
    # them, sums in another order end at weights that differ in the fourth digit.
    (FFNNRegressor(20, solver="lbfgs", activation="tanh", tol=0.01), {}),
    (FFNNRegressor(hidden_layer_sizes=(), loss="huber"), {}),
    (FFNNRegressor((32, 32), activation=("tanh", "selu"), loss="absolute_error"), {}),
    (FFNNRegressor(early_stopping=True), SPLITS_ROWS),
    (FFNNRegressor(loss="poisson"), NEGATIVE_TARGETS),
]
# Those that differ in kind, of small networks: what the checks look at does not depend
# on the size.
SMALL = [
    (FFNNRegressor((8, 8), max_iter=30), {}),
    (FFNNRegressor(8, max_iter=40, weight_decay=0.001, solver="sgd"), {}),
    (
        FFNNRegressor(
            8, weight_decay=0.01, tol=0.01, solver="lbfgs", activation="tanh"
        ),
        {},
    ),
    (FFNNRegressor(8, max_iter=30, weight_decay=0.1, early_stopping=True), SPLITS_ROWS),
    (FFNNRegressor(8, max_iter=30, weight_decay=0.1, loss="poisson"), NEGATIVE_TARGETS),
]


def checked(configurations):
    """scikit-learn's checks of them all, of which some are known to fail."""

    def expected_failures(estimator):
        return next(
            failures
            for configured, failures in configurations
            if estimator.get_params() == configured.get_params()
        )

    estimators = [estimator for estimator, _ in configurations]
    return parametrize_with_checks(estimators, expected_failed_checks=expected_failures)


def run(estimator, check):
    if "array_api" in str(check) or "sparse" in str(check):
        warnings.simplefilter("ignore", category=DeprecationWarning)
    check(estimator)


# The checks train for a few rows or epochs, where a warning is in order.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@checked(SMALL)
def test_sklearn_check(estimator, check):
    run(estimator, check)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@checked(CONFIGURATIONS)
def test_sklearn_check_in_full_size(estimator, check):
    run(estimator, check)


def small(**parameters):
    return FFNNRegressor(
        **{"hidden_layer_sizes": 10, "max_iter": 30, "random_state": 0, **parameters}
    )


def test_is_a_regressor_that_tells_its_tags():
    tags = FFNNRegressor().__sklearn_tags__()
    assert is_regressor(FFNNRegressor())
    assert tags.input_tags.sparse
    assert tags.target_tags.multi_output


def test_learning_rate_is_tuned_without_a_prefix(diabetes):
    grid = {"learning_rate": [1e-6, 1e-2]}
    search = GridSearchCV(small(), grid, cv=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the lower rate learns nothing, by intention
        search.fit(*diabetes)
    assert search.best_params_ == {"learning_rate": 1e-2}


def test_search_in_two_processes_equals_search_in_one(diabetes):
    scores = [
        GridSearchCV(small(), {"weight_decay": [0.0, 1.0]}, cv=3, n_jobs=n_jobs)
        .fit(*diabetes)
        .cv_results_["mean_test_score"]
        for n_jobs in (1, 2)
    ]
    np.testing.assert_array_equal(*scores)


def test_works_in_a_pipeline_with_text_columns():
    pd = pytest.importorskip("pandas")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"size": rng.normal(size=200), "kind": rng.choice(["a", "b"], size=200)}
    )
    y = frame["size"] + 5 * (frame["kind"] == "b")
    encoder = make_column_transformer(
        (OneHotEncoder(), ["kind"]), remainder="passthrough"
    )
    model = make_pipeline(encoder, small(max_iter=100)).fit(frame[:150], y[:150])
    assert model.score(frame[150:], y[150:]) > 0.95


def test_cross_validation_scores_rows_that_were_not_seen(diabetes):
    scores = cross_val_score(small(), *diabetes, cv=3)
    assert scores.shape == (3,)
    assert (scores > 0.2).all()


def test_learning_curve_improves_with_rows(diabetes):
    _, _, scores = learning_curve(
        small(), *diabetes, train_sizes=[20, 290], cv=3, random_state=0, shuffle=True
    )
    assert scores[1].mean() > scores[0].mean()


@pytest.mark.parametrize("outputs", [None, 2])
def test_bags_and_transforms_targets_of_one_and_many_columns(table, outputs):
    X, y = table
    if outputs:
        y = np.c_[y, X[:, 0]]
    shape = y.shape
    bag = BaggingRegressor(small(), n_estimators=2, random_state=0).fit(X, y)
    assert bag.predict(X).shape == shape
    transformed = TransformedTargetRegressor(
        small(max_iter=100), transformer=StandardScaler()
    )
    assert transformed.fit(X, y).predict(X).shape == shape
    assert transformed.score(X, y) > 0.9


def test_inspection_finds_the_column_that_matters(table):
    X, y = table
    model = small(max_iter=100).fit(X, y)
    importances = permutation_importance(model, X, y, random_state=0).importances_mean
    assert importances.argmax() == 0
    dependence = partial_dependence(model, X, [0])["average"][0]
    assert np.all(np.diff(dependence) > 0)


def test_clone_is_unfitted_and_has_the_same_parameters(table):
    model = small(activation=["relu"], dropout=0.5).fit(*table)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "theta_")


def test_html_representation_renders(table):
    assert "FFNNRegressor" in small().fit(*table)._repr_html_()
