"""One fit: from checked tables to the attributes of a fitted model.

A `Fit` works on arrays of its own and leaves the model alone; only when it is done
are its `attributes` put on the model, all at once. A fit that fails has changed
nothing.
"""

from copy import deepcopy
from functools import cached_property, partial
from time import perf_counter
from typing import Any

import numpy as np

from .core import schedules
from .core.initializers import initialize
from .core.lbfgs import lbfgs
from .core.losses import LOSSES
from .core.network import Network
from .core.optimizers import SGD, Adam
from .core.stack import train
from .core.stopping import Best, Patience, diverged
from .core.training import Recipe, evaluate, measure
from .decay import FEWEST_EPOCHS, Question, budget, choose, sample_size
from .history import History, in_target_units
from .parameters import (
    auto_batch_size,
    auto_clip_norm,
    auto_max_iter,
    auto_weight_decay,
    automatic,
    weight_decay_of_few_rows,
)
from .scaling import statistics
from .threads import blas_threads

# A loss beyond so many times the reference is divergence, and weights with so many
# times the loss of predicting the mean are not worth keeping.
TOO_LARGE = 10
# Behind an exponential an overshoot is multiplied, and mends itself all the same.
TOO_LARGE_BEHIND_EXP = 1000


def loss_function(model, y_sd, dtype):
    """The loss of a model, its parameters filled in.

    Parameters
    ----------
    model : FFNNRegressor
    y_sd : ndarray of shape (n_outputs,) or None
        Standard deviations of a target that is not standardised, for the loss that is
        measured in them.
    dtype : dtype
        The network's.
    """
    function = LOSSES[model.loss].function
    if model.loss == "quantile":
        return partial(function, q=float(model.quantile))
    if model.loss == "huber":
        delta = float(model.huber_delta)
        scaled = delta if y_sd is None else (delta * y_sd).astype(dtype)
        return partial(function, delta=scaled)
    return function


def choose_weight_decay(fits):
    """Let the tables choose, where the fits were not told, and tables can say."""
    asked = [(fit, question) for fit in fits if (question := fit.question())]
    if not asked:
        return
    answers = choose(fits[0].network, [question for _, question in asked])
    for (fit, _), answer in zip(asked, answers, strict=True):
        fit.answer(answer)


def descend(fits):
    """Gradient descent of networks of one shape, side by side.

    Each fit is told of its epochs by itself; after each, the list of the fits in that
    stack is yielded.
    """
    for fit in fits:
        fit.begin()
    yield from train(fits[0].network, fits)


def unshared(attributes):
    """The same attributes, in arrays of their own."""
    return {
        name: value.copy() if isinstance(value, np.ndarray) else value
        for name, value in attributes.items()
    }


class Fit:
    """A training run of one model.

    Parameters
    ----------
    model : FFNNRegressor
        Only its parameters are read, and with go_on its fitted attributes.
    rows : Rows
        What it learns from, and on what scale.
    seed : int
        Source of the first weights and all later draws.
    go_on : bool
        Whether to go on from the weights, optimizer, shuffling and history that the
        model has.
    """

    def __init__(self, model, rows, seed, go_on):
        self.model, self.rows, self.go_on = model, rows, go_on
        self.training, self.validation = rows.training, rows.validation
        n = len(self.training)
        self.batch_size = automatic(model.batch_size, auto_batch_size, n)
        self.max_iter = automatic(model.max_iter, auto_max_iter, n)
        self.weight_decay = automatic(
            model.weight_decay, auto_weight_decay, model.solver
        )
        self.clip_norm = automatic(
            model.clip_norm, auto_clip_norm, model.solver, model.momentum
        )
        self.seed = seed
        self.schedule_name = model.learning_rate_schedule
        self.loss = LOSSES[model.loss]
        # Standard deviations of the first fit's target, where the loss asked for them.
        self.y_sd = model._state["y_sd"] if go_on else None
        self.network = Network(rows.units, rows.activations, self._loss_function())
        self.patience = Patience(model.n_iter_no_change, model.tol)
        self.outcome, self.interrupt = "completed", None
        self._go_on() if go_on else self._start(seed)
        self.state["y_sd"] = self.y_sd

    def _loss_function(self):
        data, model = self.training, self.model
        standardized = model.standardize and self.rows.activations[-1] == "identity"
        if model.loss == "huber" and not standardized and self.y_sd is None:
            Y, weight = data.Y.astype(np.float64), data.weight
            if weight is not None:
                weight = weight[:, 0].astype(np.float64)
            _, self.y_sd = statistics(Y, data.rows, weight)
        return loss_function(model, self.y_sd, data.Y.dtype)

    def _start(self, seed):
        layout = self.network.layout
        init, order, dropout = np.random.default_rng(seed).spawn(3)
        self.theta = np.empty(layout.size, self.training.Y.dtype)
        initialize(layout, self.theta, self.network.names, [init])
        # Nothing would be learnt of these, but a new value would meet random weights.
        layout.views(self.theta)[0][0][self.training.constant_inputs()] = 0
        self.best = Best(self.theta)
        self.history, self.kept, self.kept_before = History(), 0, 0
        self.state: dict[str, Any] = {
            "seed": seed,
            "standardize": bool(self.model.standardize),
            "order": order,
            "dropout": dropout,
        }
        self._watch_anew()
        self._pace_anew()

    def _watch_anew(self):
        # Lowest watched loss: standardised, its epoch, in the target's units.
        self.state["lowest"] = [np.inf, 0, np.nan]
        self.state["watched"] = self._watched()

    def _watched(self):
        model = self.model
        validated = self.validation is not None
        return [model.loss, model.quantile, model.huber_delta, validated]

    def _pace_anew(self):
        self.state["schedule"] = {}
        # The monitored losses of the run; the next one needs the last of them.
        self.state["losses"] = []
        self.state["pace"] = self._pace()

    def _pace(self):
        model = self.model
        return [model.solver, model.learning_rate, model.early_stopping]

    def _go_on(self):
        model = self.model
        self.theta, self.state = deepcopy((model.theta_, model._state))
        self.best = Best(self.theta)
        self.history = History(model.history_)
        self.kept = self.kept_before = model.kept_iter_
        # Numbers of another kind are nothing to compare with, and a rate that has
        # dropped to nothing is nothing to go on with.
        if self.state["watched"] != self._watched():
            self._watch_anew()
            self._pace_anew()
        exhausted = self.state["schedule"].get("factor", 1) < schedules.Adaptive.LAST
        if exhausted or self.state["pace"] != self._pace():
            self._pace_anew()
        if model.early_stopping:
            # The weights it goes on from are a candidate like those of any epoch.
            loss, mse = evaluate(self.network, self.theta, self.validation)
            reported, _ = self.in_target_units(loss, mse)
            self.state["lowest"] = [float(loss.sum()), self.kept, reported]
            self.best.update(self.kept, loss.sum(), self.theta)

    # Training ------------------------------------------------------------------------

    def run(self, task, partial_fit=False):
        """Train; a KeyboardInterrupt is kept in `interrupt` for later.

        Parameters
        ----------
        task : FitTask
            Told of every epoch.
        partial_fit : bool, default=False
            Train for one epoch at the constant rate.
        """
        self.start(task, partial_fit)
        with self.blas_threads():
            choose_weight_decay([self])
            try:
                self.train()
            except KeyboardInterrupt as interrupt:
                self.interrupt = interrupt
        self.settle()

    def start(self, task, partial_fit=False):
        """Note whom to tell, and what the loss is to be held against."""
        self.task = task
        if partial_fit:
            self.max_iter, self.schedule_name = 1, "constant"
        self.mean_loss = 0.0 if partial_fit else self._loss_of_mean()
        # How other rows began says nothing about these.
        self.reference = np.inf if partial_fit else self.mean_loss

    def blas_threads(self):
        """As many as suit its batches; a context manager."""
        n, model = len(self.training), self.model
        rows = n if model.solver == "lbfgs" else min(self.batch_size, n)
        return blas_threads(rows * self.network.layout.n_weights)

    def question(self):
        """What it asks the table about weight decay; None if it knows, or need not."""
        model = self.model
        if model.weight_decay != "auto" or model.solver == "lbfgs":
            return None
        if "weight_decay" in self.state:  # it goes on: so does the choice
            self.weight_decay = self.state["weight_decay"]
            return None
        n = sample_size(self.training)
        # More than the automatic number is a limit that patience is to undercut.
        epochs_in_all = min(
            auto_max_iter(n), automatic(model.max_iter, auto_max_iter, n)
        )
        max_iter = round(budget(n, model.solver) * epochs_in_all)
        if min(max_iter, self.max_iter) < FEWEST_EPOCHS:  # of the fit, 1 in partial_fit
            return None

        def recipe(theta, weight_decay, order_rngs, dropout_rngs):
            return self.recipe_of(
                optimizer=self.optimizer(theta, None),
                schedule=schedules.cosine,
                weight_decay=weight_decay,
                batch_size=automatic(model.batch_size, auto_batch_size, n),
                max_iter=max_iter,
                order_rngs=order_rngs,
                dropout_rngs=dropout_rngs,
            )

        return Question(self.training, recipe, self.seed)

    def answer(self, chosen):
        """Take what the table has chosen, None if it could not say."""
        model = self.model
        if chosen is None:
            chosen = weight_decay_of_few_rows(model.solver, float(model.momentum))
        self.weight_decay = self.state["weight_decay"] = chosen
        if model.verbose:
            print(f"weight_decay={chosen:g}")

    def recipe_of(self, **own):
        """What the model's parameters say of a recipe, and what is the caller's own."""
        model = self.model
        return Recipe(
            learning_rate=float(model.learning_rate),
            shuffle=bool(model.shuffle),
            dropout=float(model.dropout),
            clip_norm=None if self.clip_norm is None else float(self.clip_norm),
            **own,
        )

    def begin(self):
        """Make its recipe; what the optimizer remembers is a part of the state."""
        solver = self.model.solver
        optimizer = self.optimizer(self.theta, self.state.get(solver))
        self.state[solver], self.losses = optimizer.state, self.state["losses"]
        self.recipe = self.recipe_of(
            optimizer=optimizer,
            schedule=self._schedule(),
            weight_decay=float(self.weight_decay),
            batch_size=self.batch_size,
            max_iter=self.max_iter,
            order_rngs=[self.state["order"]],
            dropout_rngs=[self.state["dropout"]],
        )
        if self.schedule_name in ("constant", "adaptive"):
            self.outcome = "max_iter"  # unless something ends it before
        self.clock = perf_counter()

    def take(self, record):
        """Take in an epoch; whether it is the last."""
        return self._consume(record) or self._out_of_patience(self.recipe.schedule)

    def train(self):
        """Train it alone."""
        if self.model.solver == "lbfgs":
            self._lbfgs()
        else:
            for _ in descend([self]):
                pass

    def _lbfgs(self):
        self.losses, self.clock = self.state["losses"], perf_counter()
        converged = lbfgs(
            self.network,
            self.theta,
            self.training,
            lambda record: self._consume(record) or self._out_of_patience(None),
            max_iter=self.max_iter,
            tol=self.model.tol,
            weight_decay=self.weight_decay,
            validation=self.validation,
        )
        if not converged and self.outcome == "completed":
            self.outcome = "max_iter"

    def optimizer(self, theta, state):
        """The model's optimizer, with the state of an earlier one or None."""
        model = self.model
        if model.solver == "adam":
            betas = float(model.beta_1), float(model.beta_2)
            return Adam(theta, *betas, float(model.epsilon), state)
        momentum, nesterov = float(model.momentum), bool(model.nesterovs_momentum)
        return SGD(theta, momentum, nesterov, state)

    def _schedule(self):
        name, model = self.schedule_name, self.model
        if name == "adaptive":
            return schedules.Adaptive(
                model.n_iter_no_change, model.tol, self.state["schedule"]
            )
        if name == "invscaling":
            return partial(schedules.invscaling, power_t=model.power_t)
        return getattr(schedules, name)

    # Between epochs ------------------------------------------------------------------

    def _consume(self, record):
        """Take in an epoch; whether training has to stop."""
        row = self._remember(record)
        self.last_loss = loss = float(record.loss.sum())
        watched, reported = loss, row["loss"]
        if self.validation is not None:
            watched = float(record.validation_loss.sum())
            reported = row["validation_loss"]
        self.losses.append(watched if self.model.early_stopping else loss)
        if record.epoch == 1:
            # A lucky start below the mean's loss is nothing to measure others by.
            self.reference = max(self.reference, loss)
        behind_exp = self.network.names[-1] == "exp"
        times = TOO_LARGE_BEHIND_EXP if behind_exp else TOO_LARGE
        if diverged(loss, self.reference, self.theta, times):
            self.outcome = "diverged"
            return True
        self.best.update(row["epoch"], watched, self.theta)
        if watched < self.state["lowest"][0]:
            self.state["lowest"] = [watched, row["epoch"], reported]
        if self.task.epoch_ended(self._snapshot):
            self.outcome = "stopped"
            return True
        return False

    def _snapshot(self):
        """What a model of its own needs if the run ended here: no array is shared."""
        return unshared(self.attributes(self.theta, deepcopy(self.state)))

    def _out_of_patience(self, schedule):
        stalled = self.patience(self.losses[-1])
        if self.schedule_name == "adaptive":
            stop = schedule.exhausted
        elif self.model.solver == "lbfgs":
            stop = stalled and self.model.early_stopping
        else:
            stop = stalled and self.schedule_name == "constant"
        if stop:
            self.outcome = "stopped"
        return stop

    def _remember(self, record):
        now = perf_counter()
        loss, rmse = self.in_target_units(record.loss, record.mse)
        validation = np.nan, np.nan
        if self.validation is not None:
            validation = self.in_target_units(
                record.validation_loss, record.validation_mse
            )
        row = {
            "epoch": len(self.history) + 1,
            "learning_rate": float(record.learning_rate),
            "loss": loss,
            "rmse": rmse,
            "validation_loss": validation[0],
            "validation_rmse": validation[1],
            "seconds": now - self.clock,
        }
        self.history.append(row)
        self.clock, self.kept = now, row["epoch"]
        if self.model.verbose:
            self._print(row, record.epoch)
        return row

    def in_target_units(self, loss, mse):
        """Loss and RMSE of a record, as users see them."""
        return in_target_units(loss, mse, self.loss.degree, self.rows.scaling.y_scale)

    def _print(self, row, epoch):
        every = max(1, self.max_iter // 10)
        if epoch != 1 and epoch % every:
            return
        line = f"epoch {row['epoch']:5d}   training RMSE {row['rmse']:.6g}"
        if self.validation is not None:
            line += f"   validation RMSE {row['validation_rmse']:.6g}"
        print(line)

    # The end -------------------------------------------------------------------------

    def settle(self):
        """Decide which weights to keep: the last ones, or the best."""
        del self.state["losses"][:-1]
        finite, has_best = np.isfinite(self.theta).all(), np.isfinite(self.best.loss)
        blown_up = self.outcome == "diverged" or not finite
        restore = self.model.early_stopping or blown_up
        if self.interrupt is not None:
            restore = self.validation is not None or not finite
            if not finite and not has_best and not self.go_on:
                raise self.interrupt  # there is nothing worth keeping
        if restore and (has_best or not finite):
            self.theta = self.best.theta
            self.kept = int(self.best.epoch) or self.kept_before
        if blown_up:
            # What the optimizer remembers would blow up the next run as well.
            self.state.pop(self.model.solver, None)
            self._pace_anew()

    @np.errstate(all="ignore")  # what overflows is divergence, and seen as such
    def _loss_of_mean(self):
        """Loss of predicting the mean of the training rows; 0 for a constant y."""
        data = self.training
        own = data.at(slice(None))
        Y = data.targets(own)
        if np.ptp(Y, axis=0).max() == 0:
            return 0.0
        weight = None if data.weight is None else data.weight[own, 0]
        mean = np.average(Y.astype(np.float64), axis=0, weights=weight)
        y_hat = np.broadcast_to(mean, Y.shape)
        loss, _ = measure(self.network, y_hat, data)
        return float(np.nansum(loss))  # an output of zeros has 0 log(0 / 0) for poisson

    @cached_property
    def final_loss(self):
        """Loss of the kept weights on the training rows; to be asked for at the end."""
        return float(evaluate(self.network, self.theta, self.training)[0].sum())

    def attributes(self, theta, state):
        """What a fitted model consists of."""
        history, scaling = self.history.columns(), self.rows.scaling
        return {
            "theta_": theta,
            "units_": [int(n) for n in self.network.layout.units],
            "activations_": list(self.network.names),
            "n_outputs_": int(self.network.layout.units[-1]),
            **{f"{name}_": value for name, value in scaling._asdict().items()},
            "validation_indices_": self.rows.held_out,
            "history_": history,
            "n_iter_": len(self.history),
            "kept_iter_": self.kept,
            "loss_": history["loss"][self.kept - 1] if self.kept else float("nan"),
            "weight_decay_": float(self.weight_decay),
            "best_iter_": state["lowest"][1],
            "best_loss_": state["lowest"][2],
            "_y_ndim": self.rows.y_ndim,
            "_state": state,
        }
