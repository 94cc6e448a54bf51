"""Training: the loop over epochs and minibatches, a generator of one record an epoch.

Who consumes it decides when it ends, what is kept and what is shown. Nothing here
knows of standardisation, patience or progress bars.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .backprop import backward, forward
from .optimizers import broadcastable, flush
from .optimizers import clip_norm as clip

# Rows that a loss is computed for at once.
BLOCK = 2**16


@dataclass
class Record:
    """What one epoch left behind; arrays of shape (n_outputs,) or (K, n_outputs).

    ``loss`` and ``metric`` (the loss's own: for regression, the mean squared error) are
    those of the training rows, the validation ones are None without validation rows.
    The learning rate is that of the epoch's last step: a float, or an array of shape
    (1, 1) or (K, 1).
    """

    epoch: int
    learning_rate: Any
    loss: Any
    metric: Any
    validation_loss: Any = None
    validation_metric: Any = None

    def of(self, k):
        """The record of one network of a stack."""
        curves = self.loss, self.metric, self.validation_loss, self.validation_metric
        newest = (None if curve is None else curve[k] for curve in curves)
        return Record(self.epoch, self.learning_rate[k, 0], *newest)


def alone(sums):
    """Leave sums over rows as they are: all rows are on this machine."""


@dataclass
class Recipe:
    """How a network is to be trained, in every epoch of a run alike.

    Attributes
    ----------
    optimizer : Optimizer
    schedule : callable
        See `skffnn.core.schedules`.
    learning_rate, weight_decay : float or ndarray of shape (K, 1)
        Weight decay is decoupled (Loshchilov & Hutter, 2019): each step multiplies
        the weights, not the biases, by 1 - learning_rate * weight_decay.
    batch_size, max_iter : int
    shuffle : bool
    dropout : float
        The probability that a hidden unit is left out of a step.
    level_dropout : float
        A level with n rows is taken for the unknown one, the last, with probability
        level_dropout / (level_dropout + n): so that is learnt, and rare levels are not
        learnt by heart (Kiperwasser & Goldberg, 2016, for rare words).
    clip_norm : float, ndarray of shape (K, 1) in the dtype of theta, or None
    order_rngs, dropout_rngs : sequence of numpy.random.Generator
        One per network each.
    reduce : callable, default=alone
        Adds up, in place, what each of several machines has summed over its rows: the
        gradient of a batch, and the curves of an epoch. On one machine, nothing.
    batches : list of tuple of (slice, int), default=None
        The positions of each batch among the rows, and the rows of the whole batch, of
        which several machines have a part each. By default ``minibatches``.
    """

    optimizer: Any
    schedule: Any
    learning_rate: Any
    weight_decay: Any = 0.0
    batch_size: int = 32
    max_iter: int = 100
    shuffle: bool = True
    dropout: float = 0.0
    level_dropout: float = 0.0
    clip_norm: Any = None
    order_rngs: Any = ()
    dropout_rngs: Any = ()
    reduce: Any = alone
    batches: Any = None


def minibatches(n, size):
    """The positions and the number of rows of each batch of an epoch of n rows."""
    parts = (slice(i, min(i + size, n)) for i in range(0, n, size))
    return [(part, part.stop - part.start) for part in parts]


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
        For the schedule: the monitored loss of the newest epoch is the last in it. The
        consumer writes it.
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
            curves = measure(network, loop.y_hat, data, order, recipe.reduce)
        else:
            curves = evaluate(network, theta, data, recipe.reduce)
            curves += evaluate(network, theta, validation, recipe.reduce)
        del order  # as long as the table; the next epoch makes its own
        yield Record(epoch + 1, rates[-1], *curves)


class _Loop:
    """The work space of a training run, and one pass over all minibatches."""

    def __init__(self, network, theta, data, recipe):
        self.network, self.theta, self.data, self.recipe = network, theta, data, recipe
        self.loss_gradient = network.loss.gradient_only
        n = len(data)
        batches = recipe.batches or minibatches(n, min(recipe.batch_size, n))
        stack, outputs = theta.shape[:-1], network.layout.units[-1]
        self.y_hat = np.empty((*stack, n, outputs), theta.dtype)
        self.grad = np.empty_like(theta)
        self.parameters = network.layout.views(theta)
        self.gradient = network.layout.views(self.grad)
        self.space = network.workspace(
            theta,
            max(part.stop - part.start for part, _ in batches),
            dropout=recipe.dropout > 0,
            weighted=data.weight is not None,
        )
        self.chances = None
        if recipe.level_dropout and network.layout.tables:
            share = recipe.level_dropout
            n_rows = data.rows_of_levels(network.layout.tables)
            self.chances = [share / (share + n) for n in n_rows]
        self.batches = [
            (part, self.space.head(part.stop - part.start, whole))
            for part, whole in batches
        ]

    @np.errstate(all="ignore")  # what overflows is seen at the end of the epoch
    def run(self, order, rates):
        """One epoch: every minibatch once, in that order and at those rates."""
        network, recipe, theta, grad = self.network, self.recipe, self.theta, self.grad
        parameters, gradient = self.parameters, self.gradient
        weights = theta[..., : network.layout.n_weights]
        shrink, factor = 1 - rates * recipe.weight_decay, broadcastable(theta)
        decays = np.any(recipe.weight_decay)
        for i, (part, batch) in enumerate(self.batches):
            self.data.gather(order[..., part], batch)
            if self.chances is not None:
                draw_unknown(batch, self.chances, recipe.dropout_rngs)
            if batch.mask:
                draw_masks(batch.mask, recipe.dropout, recipe.dropout_rngs)
            y_hat = forward(parameters, network.activations, batch)
            self.y_hat[..., part, :] = y_hat
            self.loss_gradient(y_hat, batch.y, batch.share, batch.delta[-1])
            backward(parameters, gradient, network.activations, batch)
            recipe.reduce(grad)
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


def draw_unknown(batch, chances, rngs):
    """Take levels of a batch for unknown ones, at random.

    Parameters
    ----------
    batch : Batch
    chances : list of ndarray of shape (..., n_levels)
        For each embedding table the probability for each level.
    rngs : sequence of numpy.random.Generator
        One for each network.
    """
    for k, rng in zip(np.ndindex(batch.codes.shape[:-2]), rngs, strict=True):
        rng.random(out=batch.draw[k], dtype=batch.draw.dtype)
        for c, chance in enumerate(chances):
            codes, unknown = batch.codes[k][:, c], batch.unknown[k]
            chance[k].take(codes, None, batch.chance[k], "clip")
            np.less(batch.draw[k][:, c], batch.chance[k], out=unknown)
            np.copyto(codes, chance.shape[-1] - 1, where=unknown)


def draw_masks(mask, dropout, rngs):
    """Write new dropout masks: 0 with that probability, else 1 / (1 - dropout)."""
    for m in mask[1:-1]:
        for m_k, rng in zip(m if m.ndim == 3 else m[np.newaxis], rngs, strict=True):
            rng.random(out=m_k, dtype=m_k.dtype)
        np.greater_equal(m, dropout, out=m)
        m *= 1 / (1 - dropout)


def evaluate(network, theta, data, reduce=alone):
    """Loss and metric per output of theta on data; see `measure`."""
    with np.errstate(all="ignore"):
        y_hat = network.predict(theta, data)
    return measure(network, y_hat, data, reduce=reduce)


@np.errstate(all="ignore")
def measure(network, y_hat, data, order=None, reduce=alone):
    """Loss and metric per output of predictions.

    Computed in float64 whatever the network's dtype, (..., n_outputs) each; block by
    block, which bounds the memory.

    Parameters
    ----------
    network : Network
    y_hat : ndarray of shape (..., n, n_outputs)
    data : Data
    order : ndarray of shape (..., n), default=None
        The rows that y_hat is for; by default those of data, as they come.
    reduce : callable, default=alone
        As in `Recipe`; both are sums over rows, where the loss is one.

    Returns
    -------
    loss, metric : ndarray of shape (..., n_outputs)
    """
    loss, losses, metrics, n = network.loss, [], [], len(data)
    for start in range(0, n, BLOCK):
        part = slice(start, min(start + BLOCK, n))
        rows = data.at(part) if order is None else order[..., part]
        share = data.shares(rows, data.whole)
        y_hat_part = y_hat[..., part, :].astype(np.float64)
        y = data.targets(rows).astype(np.float64)
        metrics.append(loss.metric(y_hat_part, y, share))
        losses.append(loss(y_hat_part, y, share, np.empty_like(y)))
    curves = np.stack([loss.joined(losses), np.sum(metrics, axis=0)])
    reduce(curves)
    return curves[0], curves[1]
