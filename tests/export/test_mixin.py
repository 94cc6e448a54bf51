"""`to_torch` before PyTorch comes into it."""

import sys

import pytest
from sklearn.exceptions import NotFittedError

from skffnn import BayesianFFNNRegressor, FFNNEnsembleRegressor, FFNNRegressor
from skffnn.extras import MissingExtraError


@pytest.mark.parametrize(
    "model", [FFNNRegressor(), BayesianFFNNRegressor(), FFNNEnsembleRegressor()]
)
def test_a_model_that_is_not_fitted(model):
    with pytest.raises(NotFittedError):
        model.to_torch()


def test_without_torch(table, monkeypatch):
    model = FFNNRegressor(4, max_iter=20).fit(*table)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "skffnn.export.torch", raising=False)
    with pytest.raises(MissingExtraError, match=r"needs torch: pip install torch$"):
        model.to_torch()
