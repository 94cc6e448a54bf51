"""The equations: forward and backward through the layers.

Python's index is the index of the equations minus one: ``a[0]`` is X = a1, ``W[0]``
is W1. Shapes: ``a[l]`` and ``delta[l]`` (..., n, units[l]), ``W[l]`` and ``dW[l]``
(..., units[l], units[l+1]), ``b[l]`` and ``db[l]`` (..., 1, units[l+1]). ``z[l]`` lies
in the memory of ``a[l]``, unless the activation needs it for its derivative. Where
there are categorical columns, ``a[0]`` is [X, E[codes]]: the inputs, and behind them
the rows that the codes choose from embedding tables.
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


def forward(parameters, activations, batch):
    """z_{l+1} = a_l W_l + b_l and a_{l+1} = f(z_{l+1}), from the inputs to y_hat.

    Parameters
    ----------
    parameters : Parameters
    activations : list of Activation
        One for each layer, the output's last.
    batch : Batch
        ``x`` holds the inputs; a, z and h are written.

    Returns
    -------
    y_hat : ndarray of shape (..., n, n_outputs)
        ``batch.a[-1]``.
    """
    W, b = parameters.W, parameters.b
    a, z, h, dot = batch.a, batch.z, batch.h, product(W)
    if batch.codes is not None:
        embed(parameters, batch)
    for l, activation in enumerate(activations):
        dot(h[l], W[l], out=z[l + 1])
        z[l + 1] += b[l]
        if z[l + 1] is not a[l + 1]:
            np.copyto(a[l + 1], z[l + 1])
        activation.f(a[l + 1], batch.work[l + 1])
        if batch.mask and h[l + 1] is not a[l + 1]:
            np.multiply(a[l + 1], batch.mask[l + 1], out=h[l + 1])
    return a[-1]


def embed(parameters, batch):
    """a_1 = [X, E[codes]]: a row of each embedding table, chosen in place of computed.

    One row of weights for each level: the product of a one-hot row and E, without the
    product.
    """
    a, n_inputs = batch.a[0], batch.x.shape[-1]
    batch.lookup.places(batch.codes, batch.spread, batch.places)
    parameters.theta.take(batch.places, None, batch.e, "clip")
    a[..., :n_inputs] = batch.x
    a[..., n_inputs:] = batch.e


def backward(parameters, gradient, activations, batch):
    """delta_l = (delta_{l+1} W_l') * f'(z_l), dJ/dW_l = a_l' delta_{l+1}.

    Parameters
    ----------
    parameters : Parameters
    gradient : Parameters
        Receives dJ/dW and dJ/db.
    activations : list of Activation
    batch : Batch
        As `forward` left it, with dJ/dy_hat in ``delta[-1]``. The a and z are used up.
    """
    W, dW, db = parameters.W, gradient.W, gradient.b
    a, z, h, delta, dot = batch.a, batch.z, batch.h, batch.delta, product(W)
    for l in reversed(range(len(W))):
        f_prime = activations[l].f_prime
        f_prime(a[l + 1], z[l + 1], delta[l + 1], batch.work[l + 1])
        dot(batch.ones, delta[l + 1], out=db[l])
        dot(h[l].mT, delta[l + 1], out=dW[l])
        if l > 0:
            dot(delta[l + 1], W[l].mT, out=delta[l])
            if batch.mask:
                delta[l] *= batch.mask[l]
    if batch.codes is not None:
        errors_of_chosen(parameters, batch)
        for dE in gradient.E:
            dE[...] = 0
        np.add.at(gradient.theta, batch.places.reshape(-1), batch.e.reshape(-1))


def errors_of_chosen(parameters, batch):
    """dJ/dE[codes] = delta_2 W_1', for the rows of W_1 behind the inputs; into e."""
    W, n_inputs = parameters.W, batch.x.shape[-1]
    product(W)(batch.delta[1], W[0][..., n_inputs:, :].mT, out=batch.e)


def jacobian(parameters, gradients, activations, batch):
    """The gradient of each row by itself: `backward` before the sum over the rows.

    With v in ``delta[-1]``, row i receives the gradient of v_i y_hat_i' with respect to
    theta: that of y_hat_i itself for a single output and v = 1.

    Parameters
    ----------
    parameters : Parameters
    gradients : Parameters
        Receives the gradients: W of shape (..., n, units[l], units[l+1]), b of shape
        (..., n, 1, units[l+1]), E of shape (n, n_levels, width) for one network.
    activations : list of Activation
    batch : Batch
        As `forward` left it, without dropout. The a and z are used up.
    """
    W, JW, Jb = parameters.W, gradients.W, gradients.b
    a, z, delta, dot = batch.a, batch.z, batch.delta, product(W)
    for l in reversed(range(len(W))):
        f_prime = activations[l].f_prime
        f_prime(a[l + 1], z[l + 1], delta[l + 1], batch.work[l + 1])
        errors = delta[l + 1][..., np.newaxis, :]
        Jb[l][...] = errors
        np.multiply(a[l][..., np.newaxis], errors, out=JW[l])
        if l > 0:
            dot(delta[l + 1], W[l].mT, out=delta[l])
    if batch.codes is not None:
        errors_of_chosen(parameters, batch)
        for JE in gradients.E:
            JE[...] = 0
        first = np.arange(0, gradients.theta.size, parameters.theta.size)
        gradients.theta[batch.places + first[:, np.newaxis]] = batch.e


def input_gradient(parameters, activations, batch):
    """dy_hat/dX of each row by itself: the backward pass, down to the inputs.

    It starts with the slope of every output with respect to itself, 1, where learning
    starts with dJ/dy_hat, and each row carries one error for each output.

    Parameters
    ----------
    parameters : Parameters
    activations : list of Activation
    batch : ForwardBatch
        As `forward` left it. All a but the inputs, and all z, are used up.

    Returns
    -------
    gradient : ndarray of shape (..., n, n_outputs, units[0])
    """
    W, y_hat = parameters.W, batch.a[-1]
    n_outputs = y_hat.shape[-1]
    error = np.broadcast_to(
        np.eye(n_outputs, dtype=y_hat.dtype), (*y_hat.shape, n_outputs)
    )
    for l in reversed(range(len(W))):
        slope, f_prime = np.ones_like(batch.a[l + 1]), activations[l].f_prime
        f_prime(batch.a[l + 1], batch.z[l + 1], slope, batch.work[l + 1])
        error = error * slope[..., np.newaxis, :]  # (..., n, n_outputs, units[l + 1])
        flat = error.reshape(*y_hat.shape[:-2], -1, error.shape[-1])
        flat = flat @ W[l].mT  # one product for all rows and outputs
        error = flat.reshape(*y_hat.shape, -1)
    return error
