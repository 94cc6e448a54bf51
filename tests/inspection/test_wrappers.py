"""What a pipeline, a search or a target transformer is wrapped around."""

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import FFNNEnsembleRegressor, FFNNRegressor
from skffnn.inspection.wrappers import innermost, through_pipeline, unwrap


def test_one_wrapping_after_the_other():
    search = GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {})
    wrapped = TransformedTargetRegressor(search)
    assert unwrap(wrapped) is search
    assert unwrap(search) is search.estimator
    assert isinstance(unwrap(search.estimator), Ridge)
    assert unwrap(Ridge()) is None


def test_what_was_fitted_comes_before_what_it_was_made_from(table):
    search = GridSearchCV(Ridge(), {"alpha": [1.0, 2.0]}).fit(*table)
    assert unwrap(search) is search.best_estimator_


def test_the_innermost_of_an_ensemble_is_the_ensemble():
    ensemble = FFNNEnsembleRegressor(FFNNRegressor(), 2)
    assert innermost(GridSearchCV(make_pipeline(ensemble), {})) is ensemble


def test_rows_go_through_the_steps_before_the_last(table):
    X, y = table
    model = make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), Ridge()))
    rows, last = through_pipeline(model.fit(X, y), X)
    np.testing.assert_allclose(last.predict(rows), model.predict(X))
    assert isinstance(last, Ridge)
    assert through_pipeline(last, X)[0] is X
