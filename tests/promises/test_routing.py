"""Validation rows through a pipeline, and the ways in which they silently go wrong."""

import numpy as np
import pytest
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import FFNNRegressor


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture
def rows(rng):
    """Training rows, and half as many validation rows, far from 0 and of any scale."""
    X = rng.normal(size=(150, 3)) * [1, 50, 0.01] + [0, 1000, 0.3]
    y = X[:, 0] + X[:, 1] / 50
    return X[:100], y[:100], X[100:], y[100:]


class Watched(FFNNRegressor):
    """Remembers the validation rows that reach it."""

    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None):
        self.seen_ = None if X_val is None else np.array(X_val)
        return super().fit(X, y, sample_weight, X_val=X_val, y_val=y_val)


def network(**parameters):
    return Watched(5, max_iter=30, random_state=0, **parameters)


def routed(**parameters):
    requested = network(**parameters).set_fit_request(X_val=True, y_val=True)
    return make_pipeline(StandardScaler(), requested, transform_input=["X_val"])


def test_the_pipeline_transforms_the_validation_rows(rows, routing):
    X, y, X_val, y_val = rows
    pipeline = routed().fit(X, y, X_val=X_val, y_val=y_val)
    scaled = pipeline[0].transform(X_val)
    np.testing.assert_allclose(pipeline[-1].seen_, scaled)
    last = pipeline[-1].history_["validation_rmse"][-1]
    error = np.sqrt(np.mean((pipeline.predict(X_val) - y_val) ** 2))
    assert last == pytest.approx(error)


def test_with_sample_weights_too(rows, routing):
    X, y, X_val, y_val = rows
    scaler = StandardScaler().set_fit_request(sample_weight=False)
    requested = FFNNRegressor(5, max_iter=30, random_state=0).set_fit_request(
        X_val=True, y_val=True, sample_weight=True, sample_weight_val=True
    )
    pipeline = make_pipeline(scaler, requested, transform_input=["X_val"])
    weight = np.r_[np.zeros(50), np.ones(50)]
    pipeline.fit(X, y, sample_weight=weight, X_val=X_val, y_val=y_val,
                 sample_weight_val=weight[25:75])  # fmt: skip
    error = (pipeline.predict(X_val) - y_val)[25:]
    last = pipeline[-1].history_["validation_rmse"][-1]
    assert last == pytest.approx(np.sqrt(np.mean(error**2)))


def test_inside_a_search_each_fold_transforms_them_anew(rows, routing):
    X, y, X_val, y_val = rows
    grid = {"watched__learning_rate": [0.02, 0.05]}
    search = GridSearchCV(routed(early_stopping=True), grid, cv=3, error_score="raise")
    search.fit(X, y, X_val=X_val, y_val=y_val)
    best = search.best_estimator_
    np.testing.assert_allclose(best[-1].seen_, best[0].transform(X_val))
    assert len(best[-1].seen_) == len(X_val)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# The three traps ----------------------------------------------------------------------


def test_trap_a_validation_rows_that_were_not_transformed(rows):
    X, y, X_val, y_val = rows
    pipeline = make_pipeline(StandardScaler(), network())
    with pytest.warns(UserWarning, match="columns of X_val lie far .* transform_input"):
        pipeline.fit(X, y, watched__X_val=X_val, watched__y_val=y_val)
    np.testing.assert_array_equal(pipeline[-1].seen_, X_val)


def test_trap_b_as_many_validation_rows_as_training_rows(rows, routing):
    """A search takes them for something that has to be split like X: nobody can see."""
    X, y, *_ = rows
    X_val, y_val = X + 0, y + 0
    grid = {"learning_rate": [0.02]}

    class Counted(Watched):
        counts = []  # noqa: RUF012

        def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None):
            self.counts.append(len(X_val))
            return super().fit(X, y, sample_weight, X_val=X_val, y_val=y_val)

    model = Counted(5, max_iter=30, random_state=0)
    model.set_fit_request(X_val=True, y_val=True)
    search = GridSearchCV(model, grid, cv=2, error_score="raise")
    search.fit(X, y, X_val=X_val, y_val=y_val)
    assert Counted.counts == [50, 50, 100]
    # One row less, and they come whole.
    Counted.counts.clear()
    search.fit(X, y, X_val=X_val[:-1], y_val=y_val[:-1])
    assert Counted.counts == [99, 99, 99]


def test_trap_c_a_transformed_target_and_a_validation_target_that_is_not(rows):
    X, y, X_val, y_val = rows
    inside = FFNNRegressor(5, max_iter=30, random_state=0)
    model = TransformedTargetRegressor(inside, transformer=StandardScaler())
    with pytest.warns(UserWarning, match="y_val lies far .*TransformedTargetRegressor"):
        model.fit(X, 1000 + y, X_val=X_val, y_val=1000 + y_val)
    # Of another spread, with the same mean.
    with pytest.warns(UserWarning, match="y_val lies far from y"):
        model.fit(X, 100 * (y - y.mean()), X_val=X_val, y_val=100 * (y_val - y.mean()))


@pytest.mark.parametrize("outputs", [1, 2])
def test_validation_rows_like_the_others_are_not_warned_of(rows, outputs):
    X, y, X_val, y_val = rows
    if outputs == 2:
        y, y_val = np.c_[y, 1e6 * y], np.c_[y_val, 1e6 * y_val]
    network().fit(X, y, X_val=X_val, y_val=y_val)
    network().fit(X, y, X_val=X_val[:1], y_val=y_val[:1])
