"""Training: the loop over epochs and minibatches, a generator of one record an epoch.

Who consumes it decides when it ends, what is kept and what is shown. Nothing here
knows of standardisation, patience or progress bars.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .backprop import backward, forward
from .losses import gradient_only, joined, over_rows
from .optimizers import clip_norm as clip
from .optimizers import flush, number

# Rows that a loss is computed for at once.
BLOCK = 2**16


@dataclass
class Record:
    """What one epoch left behind; arrays of shape (n_outputs,) or (K, n_outputs).

    ``loss`` and ``mse`` (mean squared error) are those of the training rows, the
    validation ones are None without validation rows. The learning rate is that of
    the epoch's last step: a float, or an array of shape (1, 1) or (K, 1).
    """

    epoch: int
    learning_rate: Any
    loss: Any
    mse: Any
    validation_loss: Any = None
    validation_mse: Any = None

    def of(self, k):
        """The record of one network of a stack."""
        curves = self.loss, self.mse, self.validation_loss, self.validation_mse
        own = (None if curve is None else curve[k] for curve in curves)
        return Record(self.epoch, self.learning_rate[k, 0], *own)


@dataclass
class Recipe:
    """How to train: what stays the same over all epochs.

    Attributes
    ----------
    optimizer : SGD or Adam
    schedule : callable
        See `skffnn.core.schedules`.
    learning_rate, weight_decay : float or ndarray of shape (K, 1)
        Weight decay is decoupled (Loshchilov & Hutter, 2019): each step multiplies
        the weights, not the biases, by 1 - learning_rate * weight_decay.
    batch_size, max_iter : int
    shuffle : bool
    dropout : float
        The probability that a hidden unit is left out of a step.
    clip_norm : float, ndarray of shape (K, 1) in the dtype of theta, or None
    order_rngs, dropout_rngs : sequence of numpy.random.Generator
        One per network each.
    """

    optimizer: Any
    schedule: Any
    learning_rate: Any
    weight_decay: Any = 0.0
    batch_size: int = 32
    max_iter: int = 100
    shuffle: bool = True
    dropout: float = 0.0
    clip_norm: Any = None
    order_rngs: Any = ()
    dropout_rngs: Any = ()


def epochs(network, theta, data, recipe, losses, validation=None, done=0):
    """Train theta in place; yield a `Record` after each epoch.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (P,) or (K, P)
    data : Data
        The training rows.
    recipe : Recipe
    losses : list
        The monitored loss of each epoch so far, for the schedule; the consumer
        appends to it.
    validation : Data, default=None
        With validation rows both curves are evaluated at the end of the epoch, so that
        they can be compared; otherwise the training curve is made of the predictions
        that the epoch's minibatches made in passing.
    done : int, default=0
        Epochs of the recipe that are over.
    """
    loop = _Loop(network, theta, data, recipe)
    per_epoch = len(loop.batches)
    for epoch in range(done, recipe.max_iter):
        step = np.arange(epoch * per_epoch, (epoch + 1) * per_epoch)
        factors = recipe.schedule(step, recipe.max_iter * per_epoch, losses)
        if theta.ndim == 2:  # (steps, K, 1), or (steps, 1, 1) for one to serve all
            factors = factors.reshape(len(step), -1, 1)
        rates = recipe.learning_rate * factors
        order = data.order()
        if recipe.shuffle:
            shuffle(order, recipe.order_rngs)
        loop.run(order, rates)
        state = recipe.optimizer.state.values()
        flush(theta, *(part for part in state if isinstance(part, np.ndarray)))
        if validation is None:
            curves = measure(network, loop.y_hat, data, order)
        else:
            curves = evaluate(network, theta, data)
            curves += evaluate(network, theta, validation)
        del order  # as long as the table; the next epoch makes its own
        yield Record(epoch + 1, rates[-1], *curves)


class _Loop:
    """The work space of a training run, and one pass over all minibatches."""

    def __init__(self, network, theta, data, recipe):
        self.network, self.theta, self.data, self.recipe = network, theta, data, recipe
        self.loss = gradient_only(network.loss)
        n, size = len(data), min(recipe.batch_size, len(data))
        self.batches = [slice(i, min(i + size, n)) for i in range(0, n, size)]
        stack, outputs = theta.shape[:-1], network.layout.units[-1]
        self.y_hat = np.empty((*stack, n, outputs), theta.dtype)
        self.grad = np.empty_like(theta)
        self.W, self.b = network.layout.views(theta)
        self.dW, self.db = network.layout.views(self.grad)
        self.space = network.workspace(
            theta, size, dropout=recipe.dropout > 0, weighted=data.weight is not None
        )

    @np.errstate(all="ignore")  # what overflows is seen at the end of the epoch
    def run(self, order, rates):
        """One epoch: every minibatch once, in that order and at those rates."""
        network, recipe, theta, grad = self.network, self.recipe, self.theta, self.grad
        W, b, dW, db = self.W, self.b, self.dW, self.db
        weights = theta[..., : network.layout.n_weights]
        shrink, factor = 1 - rates * recipe.weight_decay, number(theta)
        decays = np.any(recipe.weight_decay)
        for i, part in enumerate(self.batches):
            rows = order[..., part]
            batch = self.space.head(rows.shape[-1])
            self.data.gather(rows, batch)
            if batch.mask:
                draw_masks(batch.mask, recipe.dropout, recipe.dropout_rngs)
            y_hat = forward(W, b, network.activations, batch)
            self.y_hat[..., part, :] = y_hat
            self.loss(y_hat, batch.y, batch.share, batch.delta[-1])
            backward(W, dW, db, network.activations, batch)
            if recipe.clip_norm is not None:
                clip(grad, recipe.clip_norm)
            if decays:
                factor[...] = shrink[i]
                weights *= factor
            recipe.optimizer.step(theta, grad, rates[i])


def shuffle(order, rngs):
    """Shuffle the rows in place, each network's by its own generator."""
    for order_k, rng in zip(order if order.ndim > 1 else [order], rngs, strict=False):
        rng.shuffle(order_k)


def draw_masks(mask, dropout, rngs):
    """Write new dropout masks: 0 with that probability, else 1 / (1 - dropout)."""
    for m in mask[1:-1]:
        for m_k, rng in zip(m if m.ndim == 3 else m[np.newaxis], rngs, strict=True):
            rng.random(out=m_k, dtype=m_k.dtype)
        np.greater_equal(m, dropout, out=m)
        m *= 1 / (1 - dropout)


def evaluate(network, theta, data):
    """Loss and mean squared error per output of theta on data."""
    with np.errstate(all="ignore"):
        y_hat = network.predict(theta, data)
    return measure(network, y_hat, data)


@np.errstate(all="ignore")
def measure(network, y_hat, data, order=None):
    """Loss and mean squared error per output of predictions.

    Computed in float64 whatever the network's dtype, (..., n_outputs) each; block by
    block, which bounds the memory.

    Parameters
    ----------
    network : Network
    y_hat : ndarray of shape (..., n, n_outputs)
    data : Data
    order : ndarray of shape (..., n), default=None
        The rows that y_hat is for; by default those of data, as they come.
    """
    losses, mse, n = [], 0.0, len(data)
    for start in range(0, n, BLOCK):
        part = slice(start, min(start + BLOCK, n))
        rows = data.at(part) if order is None else order[..., part]
        share = data.shares(rows, n)
        y_hat_part = y_hat[..., part, :].astype(np.float64)
        y = data.targets(rows).astype(np.float64)
        e = y_hat_part - y
        mse = mse + over_rows(e * share, e)
        losses.append(network.loss(y_hat_part, y, share, e))
    return joined(network.loss, losses), mse
