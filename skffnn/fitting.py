"""One fit: from checked tables to the attributes of a fitted model.

A `Fit` works on arrays of its own and leaves the model alone; only when it is done
are its `attributes` put on the model, all at once. A fit that fails has changed
nothing.
"""

from copy import deepcopy
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from .checks import warn_user
from .core import schedules
from .core.initializers import initialize
from .core.lbfgs import lbfgs
from .core.losses import LOSSES
from .core.network import Network
from .core.optimizers import SGD, Adam
from .core.stopping import Best, Patience, diverged
from .core.training import Recipe, epochs, evaluate, measure
from .parameters import (
    auto_batch_size,
    auto_max_iter,
    auto_weight_decay,
    automatic,
)
from .threads import blas_threads

HISTORY = (
    "epoch",
    "learning_rate",
    "loss",
    "rmse",
    "validation_loss",
    "validation_rmse",
    "seconds",
)


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
        self.model, self.rows = model, rows
        self.training, self.validation = rows.training, rows.validation
        n = len(self.training.rows)
        self.batch_size = automatic(model.batch_size, auto_batch_size, n)
        self.max_iter = automatic(model.max_iter, auto_max_iter, n)
        self.weight_decay = automatic(
            model.weight_decay, auto_weight_decay, model.solver
        )
        self.loss = LOSSES[model.loss]
        self.network = Network(rows.units, rows.activations, self._loss_function())
        self._go_on() if go_on else self._start(seed)
        self.epochs_before = self.kept = len(self.history["epoch"])
        self.best = Best(self.theta)
        if go_on and model.early_stopping:
            # The weights it goes on from are a candidate like those of any epoch.
            loss, _ = evaluate(self.network, self.theta, self.validation)
            self.best.update(model.best_iter_, loss.sum(), self.theta)
        self.mean_loss = self._loss_of_mean()
        self.patience = Patience(model.n_iter_no_change, model.tol)
        self.monitored: list[float] = []
        self.outcome = "completed"

    def _loss_function(self):
        function, model = self.loss.function, self.model
        if model.loss == "quantile":
            return partial(function, q=float(model.quantile))
        if model.loss == "huber":
            delta = model.huber_delta * self.rows.y_sd / self.rows.scaling.y_scale
            return partial(function, delta=delta.astype(self.training.Y.dtype))
        return function

    def _start(self, seed):
        layout = self.network.layout
        init, order, dropout = np.random.default_rng(seed).spawn(3)
        self.theta = np.empty(layout.size, self.training.Y.dtype)
        initialize(layout, self.theta, self.network.names, [init])
        self.history: dict[str, list] = {name: [] for name in HISTORY}
        self.state: dict[str, Any] = {"order": order, "dropout": dropout}

    def _go_on(self):
        model = self.model
        self.theta, self.history, self.state = deepcopy(
            (model.theta_, model.history_, model._state)
        )

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
        self.schedule_name = self.model.learning_rate_schedule
        if partial_fit:
            self.max_iter, self.schedule_name = 1, "constant"
        # Ten times this is divergence; how other rows began says nothing about these.
        self.reference = np.inf if partial_fit else self.mean_loss
        self.task, self.clock, self.interrupt = task, perf_counter(), None
        try:
            with blas_threads(self._batch_rows() * self.network.layout.n_weights):
                self._lbfgs() if self.model.solver == "lbfgs" else self._descend()
        except KeyboardInterrupt as interrupt:
            self.interrupt = interrupt
        self._settle()

    def _batch_rows(self):
        n = len(self.training.rows)
        return n if self.model.solver == "lbfgs" else min(self.batch_size, n)

    def _descend(self):
        model = self.model
        recipe = Recipe(
            optimizer=self._optimizer(),
            schedule=self._schedule(),
            learning_rate=float(model.learning_rate),
            weight_decay=float(self.weight_decay),
            batch_size=self.batch_size,
            max_iter=self.max_iter,
            shuffle=bool(model.shuffle),
            dropout=float(model.dropout),
            clip_norm=None if model.clip_norm is None else float(model.clip_norm),
            order_rngs=[self.state["order"]],
            dropout_rngs=[self.state["dropout"]],
        )
        for record in epochs(
            self.network,
            self.theta,
            self.training,
            recipe,
            self.monitored,
            self.validation,
        ):
            if self._consume(record) or self._out_of_patience(recipe.schedule):
                return
        if self.schedule_name in ("constant", "adaptive"):
            self.outcome = "max_iter"

    def _lbfgs(self):
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

    def _optimizer(self):
        model = self.model
        state = self.state.get(model.solver)
        optimizer: Adam | SGD
        if model.solver == "adam":
            betas = float(model.beta_1), float(model.beta_2)
            optimizer = Adam(self.theta, *betas, float(model.epsilon), state)
        else:
            momentum, nesterov = float(model.momentum), bool(model.nesterovs_momentum)
            optimizer = SGD(self.theta, momentum, nesterov, state)
        self.state[model.solver] = optimizer.state
        return optimizer

    def _schedule(self):
        name, model = self.schedule_name, self.model
        self.state["schedule"] = {}
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
        self._remember(record)
        self.last_loss = watched = loss = float(record.loss.sum())
        if record.epoch == 1:
            # A lucky start below the mean's loss is nothing to measure others by.
            self.reference = max(self.reference, loss)
        if self.validation is not None:
            watched = float(record.validation_loss.sum())
        self.monitored.append(watched if self.model.early_stopping else loss)
        if diverged(loss, self.reference, self.theta):
            self.outcome = "diverged"
            return True
        self.best.update(self.history["epoch"][-1], watched, self.theta)
        if self.task.epoch_ended(lambda: self.attributes(self.theta.copy())):
            self.outcome = "stopped"
            return True
        return False

    def _out_of_patience(self, schedule):
        stalled = self.patience(self.monitored[-1])
        if self.schedule_name == "adaptive":
            return schedule.exhausted
        if self.model.solver == "lbfgs":
            stop = stalled and self.model.early_stopping
        else:
            stop = stalled and self.schedule_name == "constant"
        if stop:
            self.outcome = "stopped"
        return stop

    def _remember(self, record):
        now = perf_counter()
        row = {
            "epoch": self.epochs_before + record.epoch,
            "learning_rate": float(record.learning_rate),
            **self._in_target_units("", record.loss, record.mse),
            **self._in_target_units(
                "validation_", record.validation_loss, record.validation_mse
            ),
            "seconds": now - self.clock,
        }
        self.clock, self.kept = now, row["epoch"]
        for name, values in self.history.items():
            values.append(row[name])
        if self.model.verbose:
            self._print(row, record.epoch)

    def _in_target_units(self, prefix, loss, mse):
        if loss is None:
            loss = mse = np.nan
        scale = self.rows.scaling.y_scale
        with np.errstate(all="ignore"):
            return {
                f"{prefix}loss": float(np.sum(loss * scale**self.loss.degree)),
                f"{prefix}rmse": float(np.mean(np.sqrt(mse) * scale)),
            }

    def _print(self, row, epoch):
        every = max(1, self.max_iter // 10)
        if epoch != 1 and epoch % every:
            return
        line = f"epoch {row['epoch']:5d}   training RMSE {row['rmse']:.6g}"
        if self.validation is not None:
            line += f"   validation RMSE {row['validation_rmse']:.6g}"
        print(line)

    # The end -------------------------------------------------------------------------

    def _settle(self):
        """Decide which weights to keep: the last ones, or the best."""
        restore = self.model.early_stopping or self.outcome == "diverged"
        if self.interrupt is not None:
            finite = np.isfinite(self.theta).all()
            restore = self.validation is not None or not finite
        if restore and self.best.epoch > 0:
            self.theta, self.kept = self.best.theta, int(self.best.epoch)

    def explain(self, warn=True):
        """Raise or warn about how the run ended, and say what to try."""
        if self.outcome == "diverged":
            what = f"Training diverged at learning_rate={self.model.learning_rate:g}"
            if self.best.epoch == 0:
                raise FloatingPointError(
                    f"{what} within the first epoch. {self._slower()}"
                )
            _warn(
                f"{what}; the weights of epoch {self.kept} were kept. {self._slower()}"
            )
        elif warn and (loss := self._final_loss()) >= self.mean_loss > 0:
            self._explain_failure(loss)
        elif warn and self.outcome == "max_iter" and self._still_falling():
            cure = "Raise max_iter"
            if self.model.solver != "lbfgs":
                cure += (
                    ", or use learning_rate_schedule='cosine', which ends within the "
                    "budget it has"
                )
            _warn(
                f"max_iter={self.max_iter} was reached while the loss was still "
                f"falling. {cure}."
            )

    def _explain_failure(self, loss):
        if self.model.standardize and loss > 10 * self.mean_loss:
            _warn(
                "The network predicts its own training rows far worse than their mean "
                f"does: it did not settle. {self._slower()}"
            )
            return
        cures = [
            f"a higher learning_rate (now {self.model.learning_rate:g})",
            f"a larger max_iter (now {self.max_iter})",
            "less regularisation",
        ]
        if not self.model.standardize:
            cures.insert(0, "standardize=True")
        _warn(
            "The network predicts its own training rows no better than their mean "
            f"does. Try {', '.join(cures)}; if nothing helps, X may say nothing about "
            "y."
        )

    def _slower(self):
        model = self.model
        if model.solver == "lbfgs":
            return "Try solver='adam'."
        try_this = f"Try learning_rate={model.learning_rate / 10:g}, or clip_norm=1.0."
        return try_this if model.standardize else f"Try standardize=True. {try_this}"

    def _still_falling(self):
        return self.model.solver == "lbfgs" or self.patience.state["wait"] == 0

    def _loss_of_mean(self):
        """Loss of predicting the mean of the training rows; 0 for a constant y."""
        data = self.training
        Y = data.Y[data.rows].astype(np.float64)
        weight = None if data.weight is None else data.weight[data.rows, 0]
        mean = np.average(Y, axis=0, weights=weight)
        if np.ptp(Y, axis=0).max() == 0:
            return 0.0
        y_hat = np.broadcast_to(mean, Y.shape)
        return float(measure(self.network, y_hat, data, data.rows)[0].sum())

    def _final_loss(self):
        # The curve of an epoch lags behind its last weights, and dropout adds to it:
        # look twice before blaming the network.
        if self.last_loss < self.mean_loss:
            return self.last_loss
        return evaluate(self.network, self.theta, self.training)[0].sum()

    def attributes(self, theta):
        """What a fitted model consists of."""
        history, scaling = self.history, self.rows.scaling
        validated = self.validation is not None
        curve = np.array(history["validation_loss" if validated else "loss"])
        best = int(np.nanargmin(curve)) if np.isfinite(curve).any() else None
        return {
            "theta_": theta,
            "units_": [int(n) for n in self.network.layout.units],
            "activations_": list(self.network.names),
            "n_outputs_": int(self.network.layout.units[-1]),
            **{f"{name}_": value for name, value in scaling._asdict().items()},
            "validation_indices_": self.rows.held_out,
            "history_": history,
            "n_iter_": len(history["epoch"]),
            "loss_": history["loss"][self.kept - 1] if self.kept else float("nan"),
            "best_iter_": 0 if best is None else history["epoch"][best],
            "best_loss_": float("nan") if best is None else float(curve[best]),
            "_y_ndim": self.rows.y_ndim,
            "_state": self.state,
        }


def _warn(message):
    warn_user(message, ConvergenceWarning)
