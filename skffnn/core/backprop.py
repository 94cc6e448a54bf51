"""The equations: forward and backward through the layers.

Python's index is the index of the equations minus one: ``a[0]`` is X = a1, ``W[0]``
is W1. Shapes: ``a[l]`` and ``delta[l]`` (..., n, units[l]), ``W[l]`` and ``dW[l]``
(..., units[l], units[l+1]), ``b[l]`` and ``db[l]`` (..., 1, units[l+1]).
"""

import numpy as np


def product(W):
    """The product of matrices that suits one network, or a stack of them.

    For a single network `dot` is faster than `matmul`, and as a method faster than as
    a function; the bits are the same.
    """
    return np.ndarray.dot if W[0].ndim == 2 else stack_product


def stack_product(x, y, out):
    """`matmul`, which has no fast way for outer products: there, `multiply`.

    Errors take one on their way back from a single output. Each number is a single
    multiplication, and the same bits.
    """
    return np.multiply(x, y, out) if x.shape[-1] == 1 else np.matmul(x, y, out)


def forward(W, b, activations, batch):
    """z_{l+1} = a_l W_l + b_l and a_{l+1} = f(z_{l+1}), from the inputs to y_hat.

    Parameters
    ----------
    W, b : list of ndarray
    activations : list of Activation
        One for each layer, the output's last.
    batch : Batch
        ``a[0]`` holds the inputs; the other a are written, z and a in the same memory.

    Returns
    -------
    y_hat : ndarray of shape (..., n, n_outputs)
        ``batch.a[-1]``.
    """
    a, h, dot = batch.a, batch.h, product(W)
    for l, (f, _) in enumerate(activations):
        dot(h[l], W[l], out=a[l + 1])
        a[l + 1] += b[l]
        f(a[l + 1], batch.work[l + 1])
        if batch.mask and h[l + 1] is not a[l + 1]:
            np.multiply(a[l + 1], batch.mask[l + 1], out=h[l + 1])
    return a[-1]


def backward(W, dW, db, activations, batch):
    """delta_l = (delta_{l+1} W_l') * f'(z_l), dJ/dW_l = a_l' delta_{l+1}.

    Parameters
    ----------
    W : list of ndarray
    dW, db : list of ndarray
        Receive the gradients.
    activations : list of Activation
    batch : Batch
        As `forward` left it, with dJ/dy_hat in ``delta[-1]``. The a are used up.
    """
    a, h, delta, dot = batch.a, batch.h, batch.delta, product(W)
    for l in reversed(range(len(W))):
        activations[l].f_prime(a[l + 1], delta[l + 1], batch.work[l + 1])
        dot(batch.ones, delta[l + 1], out=db[l])
        dot(h[l].mT, delta[l + 1], out=dW[l])
        if l > 0:
            dot(delta[l + 1], W[l].mT, out=delta[l])
            if batch.mask:
                delta[l] *= batch.mask[l]


def jacobian(W, JW, Jb, activations, batch):
    """The gradient of each row by itself: `backward` before the sum over the rows.

    With v in ``delta[-1]``, row i receives the gradient of v_i y_hat_i' with respect to
    theta: that of y_hat_i itself for a single output and v = 1.

    Parameters
    ----------
    W : list of ndarray
    JW, Jb : list of ndarray of shape (..., n, units[l], units[l+1]), (..., n, 1, \
            units[l+1])
        Receive the gradients.
    activations : list of Activation
    batch : Batch
        As `forward` left it, without dropout. The a are used up.
    """
    a, delta, dot = batch.a, batch.delta, product(W)
    for l in reversed(range(len(W))):
        activations[l].f_prime(a[l + 1], delta[l + 1], batch.work[l + 1])
        errors = delta[l + 1][..., np.newaxis, :]
        Jb[l][...] = errors
        np.multiply(a[l][..., np.newaxis], errors, out=JW[l])
        if l > 0:
            dot(delta[l + 1], W[l].mT, out=delta[l])


def input_gradient(W, activations, batch):
    """dy_hat/dX of each row by itself: the backward pass, down to the inputs.

    It starts with the slope of every output with respect to itself, 1, where learning
    starts with dJ/dy_hat, and each row carries one error for each output.

    Parameters
    ----------
    W : list of ndarray
    activations : list of Activation
    batch : ForwardBatch
        As `forward` left it. All a but the inputs are used up.

    Returns
    -------
    gradient : ndarray of shape (..., n, n_outputs, n_inputs)
    """
    y_hat = batch.a[-1]
    n_outputs = y_hat.shape[-1]
    error = np.broadcast_to(
        np.eye(n_outputs, dtype=y_hat.dtype), (*y_hat.shape, n_outputs)
    )
    for l in reversed(range(len(W))):
        slope = np.ones_like(batch.a[l + 1])
        activations[l].f_prime(batch.a[l + 1], slope, batch.work[l + 1])
        error = error * slope[..., np.newaxis, :]  # (..., n, n_outputs, units[l + 1])
        flat = error.reshape(*y_hat.shape[:-2], -1, error.shape[-1])
        flat = flat @ W[l].mT  # one product for all rows and outputs
        error = flat.reshape(*y_hat.shape, -1)
    return error
