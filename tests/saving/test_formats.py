"""Files that earlier versions have written load, and predict what they predicted.

`tests/data/write.py` has written them, and says why the last bit can be asked for.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
)

DATA = Path(__file__).parents[1] / "data"
FORMATS = sorted(DATA.glob("format-*"))
KINDS = {
    "regressor": FFNNRegressor,
    "interrupted": FFNNRegressor,
    "bayesian": BayesianFFNNRegressor,
    "ensemble": FFNNEnsembleRegressor,
    "search": FFNNGridSearchCV,
}

every_format = pytest.mark.parametrize("folder", FORMATS, ids=lambda f: f.name)
since_format_2 = pytest.mark.parametrize("folder", FORMATS[1:], ids=lambda f: f.name)


def test_there_are_files_of_the_first_format():
    assert FORMATS[0].name == "format-1"


@every_format
@pytest.mark.parametrize("name", KINDS)
def test_a_stored_model_predicts_the_same_bits(folder, name):
    stored = np.load(folder / "predictions.npz")
    model = KINDS[name].load(folder / f"{name}.npz")
    X = pd.DataFrame(stored["X"], columns=["a", "b", "c"])
    assert np.array_equal(model.predict(X), stored[name])


def mixed_rows(stored):
    """The rows as a frame; text that is empty is missing."""
    X = pd.DataFrame({name: stored[name] for name in ("a", "b", "town", "shop")})
    return X.assign(town=X["town"].astype(object).where(X["town"] != "", None))


@since_format_2
def test_a_stored_model_with_categories_and_gaps_predicts_the_same_bits(folder):
    stored = np.load(folder / "mixed-predictions.npz")
    model = FFNNRegressor.load(folder / "mixed.npz")
    assert model.is_categorical_.tolist() == [False, False, True, True]
    assert list(model.embeddings_) == ["shop"]
    X = mixed_rows(stored)
    assert X["a"].isna().any()
    assert not X["shop"].isin(model.categories_["shop"]).all()
    assert np.array_equal(model.predict(X), stored["mixed"])


@since_format_2
def test_a_stored_training_with_categories_goes_on(folder, tmp_path, equal):
    model = FFNNRegressor.load(folder / "mixed.npz")
    model.save(tmp_path / "again.npz")
    assert equal(FFNNRegressor.load(tmp_path / "again.npz"), model)
    X = mixed_rows(np.load(folder / "mixed-predictions.npz"))
    done = model.n_iter_
    assert model.partial_fit(X, X["b"]).n_iter_ == done + 1


@every_format
def test_a_stored_training_goes_on(folder):
    model = FFNNRegressor.load(folder / "interrupted.npz")
    X = np.random.default_rng(0).normal(size=(40, 3))
    X = pd.DataFrame(X, columns=["a", "b", "c"])
    done = model.n_iter_
    model.set_params(early_stopping=False).partial_fit(X, X["a"] * X["b"])
    assert model.n_iter_ == done + 1


@every_format
@pytest.mark.parametrize("name", KINDS)
def test_a_stored_model_can_be_saved_again(folder, name, tmp_path, equal):
    model = KINDS[name].load(folder / f"{name}.npz")
    model.save(tmp_path / "again.npz")
    assert equal(KINDS[name].load(tmp_path / "again.npz"), model)
