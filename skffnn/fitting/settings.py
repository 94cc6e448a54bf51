"""Settings: what the parameters of a model ask of one fit, with "auto" filled in."""

from ..core.hyperparameters import values_of
from ..core.losses import loss_of
from ..core.schedules import SCHEDULES
from ..core.solvers import solver_of
from ..core.training import Recipe
from ..preprocessing.parameters import (
    auto_batch_size,
    auto_clip_norm,
    auto_max_iter,
    automatic,
    is_auto,
    rows_of_batch,
    standardizes,
    uses,
)
from .threads import blas_threads

# Levels of n rows are taken for unknown ones with probability 1 / (1 + n).
LEVEL_DROPOUT = 1.0


class Settings:
    """What a model asks of a fit on n rows.

    Parameters
    ----------
    model : estimator
        With the parameters of `FFNNRegressor`, which have been checked. Only these are
        read.
    n : int
        Rows to learn from.
    one_epoch : bool, default=False
        Whether the fit is one epoch at the constant rate, as in ``partial_fit``.

    Attributes
    ----------
    solver : type
        An optimizer, or L-BFGS.
    trains_itself : bool
        Whether the solver does without the training loop, and knows when to end.
    schedule_name : str
    schedule : Schedule
    batch_size, max_iter : int
        Rows of a step, and epochs.
    chooses_weight_decay : bool
        Whether it is left to the table, if that is large enough.
    standardized : bool
    short_runs : bool
        Whether it may be one of many, each so short that only all of them tell whether
        a network has died.
    """

    def __init__(self, model, n, one_epoch=False):
        self.model, self.n, self.one_epoch = model, n, one_epoch
        self.solver = solver_of(model.solver)
        self.trains_itself = self.solver.minimize is not None
        constant = one_epoch or not uses(model, "schedule")
        self.schedule_name = "constant" if constant else model.learning_rate_schedule
        self.schedule = SCHEDULES[self.schedule_name]
        self.batch_size = self.batch_size_for(n)
        self.max_iter = 1 if one_epoch else self.max_iter_for(n)
        self.chooses_weight_decay = is_auto(model.weight_decay)
        self.standardized = standardizes(model)
        one_of_many = one_epoch or bool(model.warm_start)
        watched = model.early_stopping or self.trains_itself
        self.short_runs = one_of_many and not watched

    def batch_size_for(self, n):
        """Rows of a step, of n in all."""
        if not uses(self.model, "batches"):
            return n
        return automatic(self.model.batch_size, auto_batch_size, n)

    def max_iter_for(self, n):
        """Epochs of a fit on n rows."""
        return automatic(self.model.max_iter, auto_max_iter, n)

    def loss(self, deviations, dtype):
        """The loss, its hyperparameters filled in.

        Parameters
        ----------
        deviations : ndarray of shape (n_outputs,) or None
            Standard deviations of a target that is not standardised, for a loss that
            has a hyperparameter in them.
        dtype : dtype
            The network's.
        """
        return filled_in_loss(self.model, deviations, dtype)

    def optimizer(self, theta, state=None):
        """The optimizer, to begin anew or to go on from a state."""
        values = values_of(self.solver.hyperparameters, self.model)
        return self.solver(theta, state=state, **values)

    def schedule_from(self, states, most):
        """The schedule, going on from its state among those, which it may change.

        Parameters
        ----------
        states : dict
        most : float
            See `skffnn.core.schedules.Schedule.made`.
        """
        values = values_of(self.schedule.hyperparameters, self.model)
        remembers, name = self.schedule.remembers, self.schedule_name
        state = states.setdefault(name, {}) if remembers else None
        return self.schedule.made(values, state, most)

    def recipe(self, optimizer, schedule, weight_decay, rngs, slower=1.0, **others):
        """The recipe: how to train.

        Parameters
        ----------
        optimizer : Optimizer
        schedule : callable
        weight_decay : float
            As users mean it.
        rngs : tuple of two Generators
            For the order of the rows, and for dropout.
        slower : float, default=1.0
            The share of the learning rate to train at.
        **others
            ``batch_size`` and ``max_iter``, if they are others than those of the fit.
        """
        model, (order, dropout) = self.model, rngs
        limit = automatic(model.clip_norm, auto_clip_norm, optimizer.newest)
        learning_rate = slower * float(model.learning_rate)
        if self.solver.penalty:
            # With momentum a gradient moves the weights by 1 / (1 - momentum) of its
            # length in all, and so must the penalty's: weight_decay / (1 - momentum),
            # as long as a step shrinks no weight by more than the whole of it.
            most = max(weight_decay, 1 / learning_rate)
            weight_decay = min(weight_decay / optimizer.newest, most)
        return Recipe(
            optimizer=optimizer,
            schedule=schedule,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            shuffle=bool(model.shuffle),
            dropout=float(model.dropout),
            # A call of partial_fit does not know how many rows a level has in all.
            level_dropout=0.0 if self.one_epoch else LEVEL_DROPOUT,
            clip_norm=None if limit is None else float(limit),
            order_rngs=[order],
            dropout_rngs=[dropout],
            **{"batch_size": self.batch_size, "max_iter": self.max_iter, **others},
        )

    def blas_threads(self, n_multiplied):
        """As many BLAS threads as suit its batches; a context manager."""
        return blas_threads(rows_of_batch(self.model, self.n) * n_multiplied)


def filled_in_loss(model, deviations, dtype):
    """The loss that a model asks for: see `Settings.loss`."""
    loss = loss_of(model.loss)
    values = values_of(loss.hyperparameters, model)
    if deviations is not None:
        for name in loss.in_deviations:
            values[name] = (values[name] * deviations).astype(dtype)
    return loss.filled_in(**values)
