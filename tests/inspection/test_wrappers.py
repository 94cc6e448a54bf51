"""What a pipeline, a search or a target transformer is wrapped around."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor, StackingRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
)
from skffnn.inspection.wrappers import (
    fitted_network,
    innermost,
    through_pipeline,
    unwrap,
)


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


NETWORK = FFNNRegressor(4, max_iter=30, weight_decay=0.1, random_state=0)
ENSEMBLE = FFNNEnsembleRegressor(NETWORK, n_estimators=2, random_state=0)
RATES = {"learning_rate": [0.03, 0.05]}


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (NETWORK, "model"),
        (make_pipeline(StandardScaler(), NETWORK), "model[-1]"),
        (FFNNGridSearchCV(NETWORK, RATES, cv=2), "model.best_estimator_"),
        (TransformedTargetRegressor(make_pipeline(NETWORK)), "model.regressor_[-1]"),
    ],
    ids=["alone", "pipeline", "search", "target"],
)
def test_the_fitted_network_is_found(table, model, path):
    model = clone(model).fit(*table)
    assert fitted_network(model) is eval(path)


@pytest.mark.parametrize(
    ("model", "where"),
    [
        (ENSEMBLE, "model"),
        (make_pipeline(StandardScaler(), ENSEMBLE), "model[-1]"),
        (
            GridSearchCV(ENSEMBLE, {"n_estimators": [2]}, cv=2),
            "model.best_estimator_",
        ),
        (BaggingRegressor(make_pipeline(NETWORK), n_estimators=2), "model"),
    ],
    ids=["ensemble", "pipeline", "search", "bagging"],
)
def test_one_of_several_networks_has_to_be_named(table, model, where):
    model = clone(model).fit(*table)
    with pytest.raises(ValueError, match="each network of the") as caught:
        fitted_network(model)
    advice = f"{where}.estimators_[0]"
    assert str(caught.value).endswith(f"pass one, such as {advice}.")
    assert fitted_network(eval(advice))


def test_the_network_among_other_estimators_is_named(table):
    model = StackingRegressor([("line", Ridge()), ("net", NETWORK)], cv=2).fit(*table)
    with pytest.raises(ValueError, match=r"such as model.estimators_\[1\]"):
        fitted_network(model)


@pytest.mark.parametrize("kind", [GridSearchCV, FFNNGridSearchCV])
def test_a_search_without_a_refit_has_no_network(table, kind):
    search = kind(NETWORK, RATES, cv=2, refit=False).fit(*table)
    with pytest.raises(ValueError, match="has refit=False, and kept no network"):
        fitted_network(search)
    # Nor is the one that it was made from of that search.
    fitted = clone(NETWORK).fit(*table)
    search = GridSearchCV(fitted, RATES, cv=2, refit=False).fit(*table)
    with pytest.raises(ValueError, match="has refit=False, and kept no network"):
        fitted_network(search)


@pytest.mark.parametrize("where", ["model", "model[-1]"])
def test_a_bayesian_regressor_has_steps(table, where):
    model = BayesianFFNNRegressor(3, n_restarts=1, random_state=0)
    model = model if where == "model" else make_pipeline(StandardScaler(), model)
    with pytest.raises(ValueError, match="has no epochs") as caught:
        fitted_network(model.fit(*table))
    assert f"; {where}.history_ is the table" in str(caught.value)
    assert eval(where).history_


@pytest.mark.parametrize(
    "model",
    [
        *(NETWORK, make_pipeline(NETWORK), GridSearchCV(NETWORK, RATES)),
        *(Ridge(), make_pipeline(Ridge()), None, FFNNRegressor),
    ],
)
def test_where_there_is_no_fitted_network(model):
    with pytest.raises(ValueError, match="pass a fitted FFNNRegressor"):
        fitted_network(model)
