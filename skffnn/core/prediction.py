"""Predictions for many rows: what is the same for all of them is computed once.

`forward` is what happens here, chunk by chunk, with three savings:

* The scale moves from the inputs into the first weights: (X - m) / s W is
  (X - m) (W / s).
* relu(z + b) = max(z, -b) + b: one pass over z in place of two. The b that is still to
  be added goes through the next layer's weights and into its biases. (It costs a digit
  if abs(b) is some tens of times the unit's output, and nothing else.)
* What is added or compared is written out for all rows of a chunk: for two arrays of
  one shape NumPy takes half the time that it takes for an array and a row.
"""

from copy import copy

import numpy as np

from .activations import relu
from .backprop import embed, product
from .layout import ForwardBatch


def chunk_rows(units):
    """Rows in a chunk: enough for fast products, little enough to stay in the cache."""
    return max(64, min(1024, 2**17 // max(units)))


def predict_chunks(layout, parameters, activations, data, out):
    """Write y_hat for the rows of data to out.

    Parameters
    ----------
    layout : Layout
    parameters : Parameters
    activations : list of Activation
    data : Data
    out : ndarray of shape (n, n_outputs) or (K, n, n_outputs)
    """
    W, b = parameters.W, parameters.b
    n, most = out.shape[-2], chunk_rows(layout.units)
    rows = -(-n // -(-n // most))  # of equal chunks; the last one overlaps by a few
    dot, stack, dtype = product(W), W[0].shape[:-2], W[0].dtype
    W, b, data = _unscaled(W, b, data, rows)
    b = _carried(W, b, activations)
    batch = ForwardBatch(layout, (*stack, rows), dtype)
    a = batch.a
    finish = [
        _finish(activation.f, np.repeat(b[l], rows, axis=-2), last=l + 1 == len(b))
        for l, activation in enumerate(activations)
    ]
    for start in range(0, n, rows):
        start = min(start, n - rows)
        part = slice(start, start + rows)
        data.read(data.at(part), batch)
        if batch.codes is not None:
            embed(parameters, batch)
        for l, finish_l in enumerate(finish):
            dot(a[l], W[l], out=a[l + 1])
            finish_l(a[l + 1])
        out[..., part, :] = a[-1]


def _unscaled(W, b, data, rows):
    """(X - m) / s W + b = (X - c) W' + b': the new W and b, and the data less c.

    c is m in the dtype of W; what its rounding leaves over goes into b'. Columns with
    heavy tails are still divided by s, as they have to be saturated afterwards.
    """
    if data.scale is None:
        return W, b, data
    dtype, tail_scale, n_columns = W[0].dtype, None, data.X.shape[1]
    scale = np.ones((1, W[0].shape[-2]))  # of all inputs, though X has but the first
    scale[:, :n_columns] = data.scale
    if data.tails is not None:
        tail_scale = scale[0, data.tails]
        scale[0, data.tails] = 1
    with np.errstate(over="ignore", under="ignore"):
        first = (W[0] / scale.mT).astype(dtype)
    # The spread of a column is next to nothing, or more than the dtype can divide by.
    digits = np.abs(first) >= np.finfo(dtype).tiny
    if not (np.isfinite(first) & (digits | (W[0] == 0))).all():
        return W, b, data
    centre = data.mean.astype(dtype)
    left_over = ((data.mean - centre) / data.scale).astype(dtype)
    centred = copy(data)
    centred.scale, centred.tail_scale = None, tail_scale
    centred.mean = np.repeat(centre, rows, axis=0)
    left_over = left_over @ W[0][..., :n_columns, :]
    return [first, *W[1:]], [b[0] - left_over, *b[1:]], centred


def _carried(W, b, activations):
    """Biases that make up for those that relu leaves out: b_l W_{l+1} + b_{l+1}."""
    b = list(b)
    for l, activation in enumerate(activations[:-1]):
        if activation.f is relu:
            b[l + 1] = b[l] @ W[l + 1] + b[l + 1]
    return b


def _finish(f, b, last):
    """What makes a of z = a_{l-1} W_l, in place; b is written out for all rows."""
    if f is relu and not last:
        np.negative(b, out=b)
        return lambda z: np.maximum(z, b, out=z)
    work = np.empty_like(b)

    def add_and_activate(z):
        z += b
        f(z, work)

    return add_and_activate
