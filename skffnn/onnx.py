"""Converters for skl2onnx: a fitted model as an ONNX graph, which needs no Python.

Importing this module registers them; from then on `skl2onnx.to_onnx` knows
`FFNNRegressor`, `BayesianFFNNRegressor` and `FFNNEnsembleRegressor`, alone and in
pipelines, and `FFNNGridSearchCV`, which stands for its best estimator. The graph
computes in the type of its input: give it float64 rows for a graph in double precision,
float32 rows for one in single. Whole numbers make one in single precision, as they do
for the regressors of scikit-learn; and a model that was fitted to float32 computes in
float32 whatever it gets, as its `predict` does. A DataFrame makes one input of each
column. The output has a column for each target, also if there is one.

Categories are a part of the graph: text comes in a column of strings, of which the
empty one is a missing category unless it is a level; categories that are numbers come
as numbers. NaN is a gap, or a missing category, and levels that there were not at fit
are taken as by `predict`.

Examples
--------
>>> import numpy as np
>>> import skffnn.onnx
>>> from onnxruntime import InferenceSession
>>> from skl2onnx import to_onnx
>>> from skffnn import FFNNRegressor
>>> X = np.random.default_rng(0).uniform(-1, 1, (200, 2))
>>> model = FFNNRegressor(max_iter=50, random_state=0).fit(X, X[:, 0] * X[:, 1])
>>> graph = to_onnx(model, X[:1])
>>> session = InferenceSession(graph.SerializeToString())
>>> (y_hat,) = session.run(None, {"X": X})
>>> y_hat.shape
(200, 1)
>>> np.allclose(y_hat[:, 0], model.predict(X))
True
"""

from .bayesian import BayesianFFNNRegressor
from .ensemble import FFNNEnsembleRegressor
from .export.onnx import register, register_search
from .model_selection import FFNNGridSearchCV
from .regressor import FFNNRegressor

for kind in (FFNNRegressor, BayesianFFNNRegressor, FFNNEnsembleRegressor):
    register(kind)
register_search(FFNNGridSearchCV)
