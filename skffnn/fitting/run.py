"""One fit: from checked tables to the attributes of a fitted model.

A `Fit` works on arrays of its own and leaves the model alone; only when it is done
are its `attributes` put on the model, all at once. A fit that fails has changed
nothing.
"""

from functools import cached_property, partial
from time import perf_counter
from typing import Any

import numpy as np

from ..core import schedules
from ..core.initializers import initialize
from ..core.lbfgs import lbfgs
from ..core.losses import LOSSES
from ..core.network import Network
from ..core.optimizers import SGD, Adam
from ..core.stack import train
from ..core.stopping import Best, Patience, diverged
from ..core.training import Recipe, evaluate, measure
from ..preprocessing.parameters import (
    auto_batch_size,
    auto_clip_norm,
    auto_max_iter,
    auto_weight_decay,
    automatic,
    rows_of_batch,
    standardizes,
    weight_decay_of_few_rows,
)
from ..preprocessing.scaling import statistics
from .history import History, in_target_units
from .threads import blas_threads
from .weight_decay import FEWEST_EPOCHS, Question, budget, choose, sample_size

# A loss beyond so many times the reference is divergence, and weights with so many
# times the loss of predicting the mean are not worth keeping.
TOO_LARGE = 10
# Behind an exponential an overshoot is multiplied, and mends itself all the same.
TOO_LARGE_BEHIND_EXP = 1000
_GENERATORS = ("order", "dropout")
# Where a run stands, besides its weights, its best ones and its patience.
_STANDING = (
    "done",
    "epochs_before",
    "kept_before",
    "reference",
    "last_loss",
    "outcome",
    "ended",
)


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


@np.errstate(all="ignore")  # what overflows is divergence, and seen as such
def total(loss):
    """The loss of all outputs."""
    return float(loss.sum())


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


def copied(state):
    """A deep copy of fitted state, in a fraction of the time that `deepcopy` takes."""
    if isinstance(state, dict):
        return {name: copied(value) for name, value in state.items()}
    if isinstance(state, list):
        return [copied(value) for value in state]
    if isinstance(state, np.ndarray):
        return state.copy()
    if isinstance(state, np.random.Generator):
        bits = type(state.bit_generator)(0)
        bits.state = state.bit_generator.state
        return np.random.Generator(bits)
    return state


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
    resume : bool, default=False
        Whether to go on in the middle of the run that was interrupted.
    lesson : dict, default=None
        See `skffnn.resuming.lesson_of`; None if nobody is to resume it.
    """

    def __init__(self, model, rows, seed, go_on, resume=False, lesson=None):
        self.model, self.rows, self.lesson = model, rows, lesson
        self.training, self.validation = rows.training, rows.validation
        n = len(self.training)
        self.batch_size = automatic(model.batch_size, auto_batch_size, n)
        self.standardizes = standardizes(model)
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
        self.outcome, self.ended, self.interrupted = "completed", False, False
        # Epochs of this run, and of those before it.
        self.done = self.epochs_before = 0
        self.last_loss = np.inf
        self.marks = self.at_rest = False
        self.live: dict[str, np.ndarray] = {}
        self.mark: dict[str, np.ndarray] = {}
        self.noted: dict[str, Any] = {}
        if resume:
            self._resume()
        else:
            self._go_on() if go_on else self._start(seed)
        self.state["y_sd"] = self.y_sd

    def _loss_function(self):
        data, model = self.training, self.model
        standardized = self.standardizes and self.rows.activations[-1] == "identity"
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
            "standardize": self.standardizes,
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
        self.theta, self.state = model.theta_.copy(), copied(model._state)
        self.state.pop("run", None)
        self.best = Best(self.theta)
        self.history = History(model.history_)
        self.epochs_before = len(self.history)
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
            self.state["lowest"] = [total(loss), self.kept, reported]
            self.best.update(self.kept, total(loss), self.theta)

    # Interrupted runs ----------------------------------------------------------------

    def _resume(self):
        """Go on in the middle of a run, as if nothing had come between."""
        self.state = copied(self.model._state)
        self.history = History(self.model.history_)
        run = self.state.pop("run")
        self.theta = run["theta"]
        self._stand(run)

    def _standing(self):
        """Where the run stands; nothing of it is written to afterwards."""
        return {
            "best_theta": self.best.theta,
            "best_loss": float(self.best.loss),
            "best_epoch": int(self.best.epoch),
            "patience": dict(self.patience.state),
            **{name: getattr(self, name) for name in _STANDING},
        }

    def _stand(self, standing):
        """Be there."""
        self.best = Best(standing["best_theta"])
        self.best.loss = standing["best_loss"]
        self.best.epoch = standing["best_epoch"]
        self.patience.state.update(standing["patience"])
        for name in _STANDING:
            setattr(self, name, standing[name])
        self.kept = self.epochs_before + self.done

    def _unfinished(self):
        """The state of a run that can be resumed."""
        run = {"theta": self.theta.copy(), **self._standing()}
        return {**self.state, "run": run}

    def _arrays(self):
        """What training writes to: the weights, and the optimizer's arrays."""
        optimizer = self.state.get(self.model.solver, {})
        arrays = {k: v for k, v in optimizer.items() if isinstance(v, np.ndarray)}
        return {"theta": self.theta, **arrays}

    def _mark(self):
        """Note the end of an epoch, for an interrupt to come back to.

        Interrupts come between any two lines. While the note is written it is not
        whole; but then the run itself is at rest, and there is nothing to come back to.
        """
        self.at_rest, state = True, self.state
        if not self.mark:
            self.live = self._arrays()
            self.mark = {k: np.empty_like(array) for k, array in self.live.items()}
        for copy, array in zip(self.mark.values(), self.live.values(), strict=True):
            np.copyto(copy, array)
        self.noted = {
            "standing": self._standing(),
            "state": {
                **state,
                "schedule": copied(state["schedule"]),
                "losses": state["losses"].copy(),
            },
            "optimizer": state.get(self.model.solver, {}).copy(),
            "bits": [state[name].bit_generator.state for name in _GENERATORS],
            "epochs": len(self.history.rows),
        }
        self.at_rest = False

    def rewind(self):
        """Come back to the last complete epoch of an interrupted run.

        Returns
        -------
        complete : bool
            Whether there is one.
        """
        if not self.mark:
            return False
        if not self.at_rest:
            noted, arrays = self.noted, dict(self.mark)
            self.theta, self.state = arrays.pop("theta"), noted["state"]
            if self.model.solver != "lbfgs":
                self.state[self.model.solver] = {**noted["optimizer"], **arrays}
            for name, bits in zip(_GENERATORS, noted["bits"], strict=True):
                self.state[name].bit_generator.state = bits
            del self.history.rows[noted["epochs"] :]
            self._stand(noted["standing"])
        self.state = self._unfinished()
        self.interrupted = True
        self.settle()
        return True

    # Training ------------------------------------------------------------------------

    def run(self, task, partial_fit=False):
        """Train alone; see `rewind` for what to do about an interrupt.

        Parameters
        ----------
        task : FitTask
            Told of every epoch.
        partial_fit : bool, default=False
            Train for one epoch at the constant rate.
        """
        self.start(task, partial_fit)
        self.marks = not partial_fit  # it is one epoch, or none
        with self.blas_threads():
            choose_weight_decay([self])
            self.train()
        self.settle()

    def start(self, task, partial_fit=False):
        """Note whom to tell, and what the loss is to be held against."""
        self.task = task
        if partial_fit:
            self.max_iter, self.schedule_name = 1, "constant"
        self.mean_loss = 0.0 if partial_fit else self._loss_of_mean()
        if self.done == 0:
            # How other rows began says nothing about these.
            self.reference = np.inf if partial_fit else self.mean_loss
        self.state["lesson"] = self.lesson

    def blas_threads(self):
        """As many as suit its batches; a context manager."""
        n, model = len(self.training), self.model
        return blas_threads(rows_of_batch(model, n) * self.network.layout.n_weights)

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

    def train(self):
        """Train it alone."""
        if self.ended:
            return
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
            self.take,
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

    def take(self, record):
        """Take in an epoch; whether training has to stop."""
        row = self._remember(record)
        self.done, self.last_loss = record.epoch, total(record.loss)
        watched, reported = self.last_loss, row["loss"]
        if self.validation is not None:
            watched = total(record.validation_loss)
            reported = row["validation_loss"]
        # The schedule looks at the newest one only.
        self.losses[:] = [watched if self.model.early_stopping else self.last_loss]
        if record.epoch == 1:
            # A lucky start below the mean's loss is nothing to measure others by.
            self.reference = max(self.reference, self.last_loss)
        if self._diverged():
            self.outcome = "diverged"
            return True
        self.best.update(row["epoch"], watched, self.theta)
        if watched < self.state["lowest"][0]:
            self.state["lowest"] = [watched, row["epoch"], reported]
        self.ended = self._out_of_patience()
        self.ended |= self.task.epoch_ended(self._snapshot)
        if self.ended:
            self.outcome = "stopped"
        if self.marks:
            self._mark()
        return self.ended

    def _diverged(self):
        behind_exp = self.network.names[-1] == "exp"
        times = TOO_LARGE_BEHIND_EXP if behind_exp else TOO_LARGE
        return diverged(self.last_loss, self.reference, self.theta, times)

    def _snapshot(self):
        """What a model of its own needs if the run ended here: no array is shared."""
        return unshared(self.attributes(self.theta, copied(self._unfinished())))

    def _out_of_patience(self):
        stalled = self.patience(self.losses[-1])
        if self.schedule_name == "adaptive":
            return bool(self.recipe.schedule.exhausted)
        if self.model.solver == "lbfgs":
            return bool(stalled and self.model.early_stopping)
        return bool(stalled and self.schedule_name == "constant")

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
        finite, has_best = np.isfinite(self.theta).all(), np.isfinite(self.best.loss)
        blown_up = self.outcome == "diverged" or not finite
        restore = self.model.early_stopping or blown_up
        if self.interrupted:
            restore = self.validation is not None
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
        return total(evaluate(self.network, self.theta, self.training)[0])

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
