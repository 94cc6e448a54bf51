"""A fitted regressor's equations, run once for everybody to see."""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..base import GradientDescentNetwork
from ..core.network import Network
from ..core.tracing import Trace
from ..core.tracing import trace as trace_network
from ..fitting.settings import filled_in_loss
from ..fitting.state import State
from ..preprocessing.checks import check_table
from ..preprocessing.encoding import columns_at_fit, tables_of
from .wrappers import through_pipeline


def trace(model: Any, X: Any, y: Any, sample_weight: Any = None) -> Trace:
    """Run one forward and one backward pass and return every array of the equations.

    Parameters
    ----------
    model : FFNNRegressor or Pipeline
        A fitted regressor; a pipeline that ends in one transforms X first.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        A few rows: everything about them is computed and kept.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    sample_weight : array-like of shape (n_samples,), default=None
        What each row counts for in the cost.

    Returns
    -------
    Trace
        In the units in which the network computes: X and y are standardised as the
        model does it. The cost is the model's loss, without dropout and weight decay,
        which are no part of it.

    Raises
    ------
    NotFittedError
        Before `fit`.
    ValueError
        If model is no FFNNRegressor, or the data make no sense for it.

    See Also
    --------
    check_gradient : Compares a gradient with differences of its function.

    Examples
    --------
    >>> import numpy as np
    >>> from skffnn import FFNNRegressor, trace
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> model = FFNNRegressor(2, max_iter=5, random_state=0).fit(X, [1.0, 3.0, 5.0])
    >>> seen = trace(model, X, [1.0, 3.0, 5.0])
    >>> seen.a[0]  # X, standardised
    array([[-1.22474487],
           [ 0.        ],
           [ 1.22474487]])
    >>> np.allclose(seen.z[1], seen.a[0] @ seen.W[0] + seen.b[0])
    True
    >>> np.allclose(seen.dW[1], seen.a[1].T @ seen.delta[2])
    True

    ``print(seen)`` shows all of it, step by step.
    """
    X, model = through_pipeline(model, X)
    if not isinstance(model, GradientDescentNetwork):
        raise ValueError(
            f"A {type(model).__name__} has no equations to trace: pass a fitted "
            "FFNNRegressor, or a pipeline that ends in one."
        )
    check_is_fitted(model)
    dtype = model.theta_.dtype
    target = model._target(goes_on=True)
    how = {"dtype": dtype, "reset": False, "columns": columns_at_fit(model)}
    table = check_table(model, X, y, sample_weight, target, **how)
    if table.Y.shape[1] != model.n_outputs_:
        raise ValueError(
            f"y has {table.Y.shape[1]} columns, the model {model.n_outputs_} outputs."
        )
    data = model._as_data(table.rows)
    inputs = np.empty((len(data), data.n_inputs), dtype)
    data.gather_inputs(slice(0, len(data)), inputs)
    Y = ((table.Y - model.y_mean_) / model.y_scale_).astype(dtype)
    share = None
    if table.weight is not None:
        share = (table.weight / table.weight.sum()).astype(dtype)[:, np.newaxis]
    loss = filled_in_loss(model, State.deviations_of(model), dtype)
    network = Network(model.units_, model.activations_, loss, tables_of(model))
    return trace_network(network, model.theta_, inputs, Y, share, data.codes)
