"""What fitted models tell of their columns of categories."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from skffnn import BayesianFFNNRegressor, FFNNRegressor

MONTHS = [f"m{k:02}" for k in range(30)]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"size": rng.uniform(-1, 1, 600)})
    X["town"] = rng.choice(["Bonn", "Rome"], 600)
    X["month"] = rng.choice(MONTHS, 600)
    wave = np.sin(np.arange(30) / 30 * 2 * np.pi)
    y = X["size"] + 2.0 * (X["town"] == "Rome")
    return X, y + wave[X["month"].str[1:].astype(int)]


@pytest.fixture(scope="module")
def model(table):
    return FFNNRegressor(activation="tanh", random_state=0).fit(*table)


def test_columns_and_levels_are_told(model):
    assert model.is_categorical_.tolist() == [False, True, True]
    assert model.categories_ == {"town": ["Bonn", "Rome"], "month": MONTHS}


def test_embeddings_are_what_the_network_has_learnt(table, model):
    assert list(model.embeddings_) == ["month"]
    vectors = model.embeddings_["month"]
    assert vectors.index.tolist() == [*MONTHS, "(missing)", "(other)"]
    assert vectors.shape[1] + 1 + 1 == model.units_[0]
    # Months that follow each other are neighbours: what y does with them is a wave.
    apart = np.linalg.norm(
        vectors.to_numpy()[:30, None] - vectors.to_numpy()[:30], axis=2
    )
    near = np.mean([apart[k, (k + 1) % 30] for k in range(30)])
    far = np.mean([apart[k, (k + 15) % 30] for k in range(30)])
    assert near < far / 2


def test_level_effects_are_differences_of_predictions(table, model):
    X, _ = table
    effects = model.level_effects(X)
    assert list(effects) == ["town", "month"]
    town = effects["town"][0]
    assert town["Rome"] - town["Bonn"] == pytest.approx(2, abs=0.1)
    mean = model.predict(X).mean()
    assert town["Rome"] == pytest.approx(
        model.predict(X.assign(town="Rome")).mean() - mean
    )
    unknown = model.predict(X.assign(month="m99")).mean() - mean
    assert effects["month"][0]["(other)"] == pytest.approx(unknown)


def test_slopes_are_those_of_numbers(table, model):
    X, _ = table
    slopes = model.input_gradient(X)
    assert slopes.shape == X.shape
    assert np.isnan(slopes[:, 1:]).all()
    h = 1e-2  # in float32, shorter steps are lost in rounding
    ends = (model.predict(X.assign(size=X["size"] + step)) for step in (h, -h))
    np.testing.assert_allclose(slopes[:, 0], np.subtract(*ends) / (2 * h), atol=2e-3)
    gaps = X.head(3).assign(size=[np.nan, 0.5, np.nan])
    with pytest.warns(UserWarning, match="had none at fit"):
        slopes = model.input_gradient(gaps)
    assert slopes[[0, 2], 0].tolist() == [0, 0]
    assert slopes[1, 0] != 0


def test_tables_of_numbers_have_none(table):
    X, _ = table
    model = FFNNRegressor(4, max_iter=20, random_state=0).fit(X[["size"]], X["size"])
    assert model.is_categorical_.tolist() == [False]
    assert (
        model.categories_ == model.embeddings_ == model.level_effects(X[["size"]]) == {}
    )


def test_several_outputs_have_a_column_each(table):
    X, y = table
    Y = np.column_stack([y, -y])
    model = FFNNRegressor((16, 16), max_iter=60, random_state=0).fit(X, Y)
    effects = model.level_effects(X)["town"]
    assert effects.shape == (4, 2)
    assert effects.loc["Rome", 0] > 0 > effects.loc["Rome", 1]


def test_a_committee_shows_the_network_that_counts_for_most(table):
    X, y = table
    model = BayesianFFNNRegressor(5, n_restarts=2, random_state=0).fit(X, y)
    assert model.relevance_.shape == (3,)
    assert (model.relevance_ > 0.1).all()
    assert model.embeddings_["month"].shape[0] == 32
    town = model.level_effects(X)["town"][0]
    assert town["Rome"] - town["Bonn"] == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("name", ["is_categorical_", "categories_", "embeddings_"])
def test_nothing_is_told_before_a_fit(name):
    with pytest.raises(NotFittedError):
        getattr(FFNNRegressor(), name)
