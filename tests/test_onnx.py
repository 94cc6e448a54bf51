"""Importing `skffnn.onnx` registers every estimator, and says what it needs."""

import sys

import pytest

from skffnn import BayesianFFNNRegressor, FFNNEnsembleRegressor, FFNNRegressor
from skffnn.extras import MissingExtraError


def test_without_skl2onnx(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    for module in ("skffnn.onnx", "skffnn.export.onnx"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    message = r"ONNX needs skl2onnx: pip install 'skffnn\[onnx\]'"
    with pytest.raises(MissingExtraError, match=message):
        import skffnn.onnx  # noqa: F401


def test_every_estimator_is_registered():
    pytest.importorskip("skl2onnx")
    pytest.importorskip("skffnn.onnx")
    from skl2onnx import get_model_alias

    names = {get_model_alias(kind) for kind in (FFNNRegressor, BayesianFFNNRegressor)}
    names.add(get_model_alias(FFNNEnsembleRegressor))
    assert names == {
        "SkffnnFFNNRegressor",
        "SkffnnBayesianFFNNRegressor",
        "SkffnnFFNNEnsembleRegressor",
    }
