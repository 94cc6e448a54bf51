"""Predictions for many rows: what is the same for all of them is computed once.

`forward` is what happens here, chunk by chunk, with three savings:

* The scale moves from the inputs into the first weights: (X - m) / s W is
  (X - m) (W / s).
* relu(z + b) = max(z, -b) + b: one pass over z in place of two. The b that is still to
  be added goes through the next layer's weights and into its biases.
* What is added or compared is written out for all rows of a chunk: for two arrays of
  one shape NumPy takes half the time that it takes for an array and a row.
"""

import numpy as np

from .activations import relu
from .backprop import product
from .data import Data

# Rows in a chunk: enough for fast products, little enough to stay in the cache.
CHUNK = 1024


def predict_chunks(W, b, activations, data, out):
    """Write y_hat for the rows of data to out, a whole number of chunks.

    Parameters
    ----------
    W, b : list of ndarray
    activations : list of Activation
    data : Data
    out : ndarray of shape (n, n_outputs) or (K, n, n_outputs)
    """
    W, b, dot = list(W), list(b), product(W)
    if data.scale is not None:
        W[0], b[0], data = _unscaled(W[0], b[0], data)
    steps = [_step(l, W, b, f) for l, (f, _) in enumerate(activations)]
    stack, dtype = W[0].shape[:-2], W[0].dtype
    a = [np.empty((*stack, CHUNK, m), dtype) for m, _ in (W_l.shape[-2:] for W_l in W)]
    a.append(np.empty((*stack, CHUNK, out.shape[-1]), dtype))
    for start in range(0, out.shape[-2], CHUNK):
        part = slice(start, start + CHUNK)
        data.gather_inputs(data.at(part), a[0])
        for l, step in enumerate(steps):
            dot(a[l], W[l], out=a[l + 1])
            step(a[l + 1])
        out[..., part, :] = a[-1]


def _unscaled(W, b, data):
    """(X - m) / s W + b = (X - c) W' + b': the new W and b, and the data less c.

    c is m in the dtype of W; what its rounding leaves over goes into b'.
    """
    centre = data.mean.astype(W.dtype)
    left_over = ((data.mean - centre) / data.scale).astype(W.dtype)
    centred = Data(data.X, None, rows=data.own_rows)
    centred.mean = np.repeat(centre, CHUNK, axis=0)
    return (W / data.scale.mT).astype(W.dtype), b - left_over @ W, centred


def _step(l, W, b, f):
    """What follows the product of a layer: z becomes a, but for what b_{l+1} adds."""
    rows = np.repeat(b[l], CHUNK, axis=-2)
    if f is relu and l + 1 < len(W):
        b[l + 1] = b[l + 1] + b[l] @ W[l + 1]
        np.negative(rows, out=rows)
        return lambda z: np.maximum(z, rows, out=z)
    work = np.empty_like(rows)

    def add_and_activate(z):
        z += rows
        f(z, work)

    return add_and_activate
