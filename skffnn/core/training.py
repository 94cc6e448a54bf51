"""Training: the loop over epochs and minibatches, a generator of one record an epoch.

Who consumes it decides when it ends, what is kept and what is shown. Nothing here
knows of standardisation, patience or progress bars.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .backprop import backward, forward
from .losses import over_rows
from .optimizers import clip_norm as clip
from .optimizers import flush


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
    clip_norm : float or None
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
    clip_norm: float | None = None
    order_rngs: Any = ()
    dropout_rngs: Any = ()


def epochs(network, theta, data, recipe, losses, validation=None):
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
    """
    loop = _Loop(network, theta, data, recipe)
    per_epoch = len(loop.batches)
    for epoch in range(recipe.max_iter):
        step = np.arange(epoch * per_epoch, (epoch + 1) * per_epoch)
        factors = recipe.schedule(step, recipe.max_iter * per_epoch, losses)
        if theta.ndim == 2:  # (steps, K, 1), or (steps, 1, 1) for one to serve all
            factors = factors.reshape(len(step), -1, 1)
        rates = recipe.learning_rate * factors
        order = shuffled(data.rows, recipe.order_rngs if recipe.shuffle else ())
        loop.run(order, rates)
        state = recipe.optimizer.state.values()
        flush(theta, *(part for part in state if isinstance(part, np.ndarray)))
        if validation is None:
            curves = measure(network, loop.y_hat, data, order)
        else:
            curves = evaluate(network, theta, data)
            curves += evaluate(network, theta, validation)
        yield Record(epoch + 1, rates[-1], *curves)


class _Loop:
    """The work space of a training run, and one pass over all minibatches."""

    def __init__(self, network, theta, data, recipe):
        self.network, self.theta, self.data, self.recipe = network, theta, data, recipe
        n, size = data.rows.shape[-1], min(recipe.batch_size, data.rows.shape[-1])
        self.batches = [slice(i, min(i + size, n)) for i in range(0, n, size)]
        stack, outputs = theta.shape[:-1], network.layout.units[-1]
        self.y_hat = np.empty((*stack, n, outputs), theta.dtype)
        self.grad = np.empty_like(theta)
        self.space = network.workspace(
            theta, size, dropout=recipe.dropout > 0, weighted=data.weight is not None
        )

    @np.errstate(all="ignore")  # what overflows is seen at the end of the epoch
    def run(self, order, rates):
        """One epoch: every minibatch once, in that order and at those rates."""
        network, recipe, theta, grad = self.network, self.recipe, self.theta, self.grad
        W, b = network.layout.views(theta)
        dW, db = network.layout.views(grad)
        weights = theta[..., : network.layout.n_weights]
        shrink = (1 - rates * recipe.weight_decay).astype(theta.dtype)
        decays = np.any(recipe.weight_decay)
        for i, part in enumerate(self.batches):
            rows = order[..., part]
            batch = self.space.head(rows.shape[-1])
            self.data.gather(rows, batch)
            if batch.mask:
                draw_masks(batch.mask, recipe.dropout, recipe.dropout_rngs)
            y_hat = forward(W, b, network.activations, batch)
            self.y_hat[..., part, :] = y_hat
            network.loss(y_hat, batch.y, batch.share, batch.delta[-1])
            backward(W, dW, db, network.activations, batch)
            if recipe.clip_norm is not None:
                clip(grad, recipe.clip_norm)
            if decays:
                weights *= shrink[i]
            recipe.optimizer.step(theta, grad, rates[i])


def shuffled(rows, rngs):
    """The rows in a new order, each network's by its own generator."""
    order = rows.copy()
    for order_k, rng in zip(np.atleast_2d(order), rngs, strict=False):
        rng.shuffle(order_k)
    return order


def draw_masks(mask, dropout, rngs):
    """Write new dropout masks: 0 with that probability, else 1 / (1 - dropout)."""
    for m in mask[1:-1]:
        for m_k, rng in zip(m if m.ndim == 3 else m[np.newaxis], rngs, strict=True):
            rng.random(out=m_k, dtype=m_k.dtype)
        np.greater_equal(m, dropout, out=m)
        m *= 1 / (1 - dropout)


def evaluate(network, theta, data):
    """Loss and mean squared error per output of theta on data."""
    shape = (*theta.shape[:-1], data.rows.shape[-1], network.layout.units[-1])
    with np.errstate(all="ignore"):
        y_hat = network.predict(theta, data, out=np.empty(shape, theta.dtype))
    return measure(network, y_hat, data, data.rows)


@np.errstate(all="ignore")
def measure(network, y_hat, data, rows):
    """Loss and mean squared error per output of predictions for those rows.

    Computed in float64 whatever the network's dtype, (..., n_outputs) each.
    """
    y_hat = y_hat.astype(np.float64)
    y = data.Y[rows].astype(np.float64)
    share = data.shares(rows)
    e = y_hat - y
    mse = over_rows(e * share, e)
    return network.loss(y_hat, y, share, e), mse
