"""One fit: the consumer of the training loop.

A `Fit` continues a `State` on prepared rows, and leaves the model alone; only when it
is done are its attributes put on the model, all at once. A fit that fails has changed
nothing.
"""

from functools import partial
from time import perf_counter
from typing import Any

import numpy as np

from ..core.hyperparameters import values_of
from ..core.losses import MEAN
from ..core.network import Network
from ..core.stack import train
from ..core.stopping import Collapse, Patience, diverged
from ..core.training import evaluate
from .fitted import fitted
from .marks import Mark
from .reach import Judge
from .reserve import SLOWER, first_reserve, look_after, predicts_a_constant
from .standing import Standing
from .state import State, copied
from .weight_decay import before_the_choice, choose, trial_of


def train_alone(fit, task):
    """Train one network; see `Fit.rewind` for what to do about an interrupt.

    Parameters
    ----------
    fit : Fit
    task : FitTask
        Told of every epoch.
    """
    fit.begin(task, marks=not fit.settings.one_epoch)
    with fit.settings.blas_threads(fit.network.layout.n_multiplied):
        choose_weight_decay([fit])
        for _ in train_fits([fit]):
            pass
    fit.choose_weights()


def choose_weight_decay(fits):
    """Let the tables choose, where the fits were not told, and tables can say."""
    asked = [(fit, trial) for fit in fits if (trial := fit.trial())]
    if not asked:
        return
    chosen = choose(fits[0].network, [trial for _, trial in asked])
    for (fit, _), weight_decay in zip(asked, chosen, strict=True):
        fit.state.weight_decay[fit.settings.model.solver] = weight_decay
        if fit.settings.model.verbose:
            print(f"weight_decay={weight_decay:g}")


def train_fits(fits):
    """Train networks of one architecture, side by side where that is faster.

    Each fit takes in its epochs by itself; after each, the list of the fits in that
    stack is yielded.
    """
    going = [fit for fit in fits if not fit.standing.ended]
    together = []
    for fit in going:
        if fit.settings.trains_itself:
            fit.minimize()
        else:
            together.append(fit)
    while together:
        for fit in together:
            fit.make_recipe()
        yield from train(together[0].network, together)
        together = [f for f in together if f.standing.goes_on(f.settings.max_iter)]


def print_epoch(fit, row, epoch):
    """Print about ten lines of a run, the first epoch's among them."""
    every, metric = fit.settings.max_iter // 10, fit.prepared.target.metric
    if epoch != 1 and epoch % max(1, every):
        return
    name = metric.upper()
    line = f"epoch {row['epoch']:5d}   training {name} {row[metric]:.6g}"
    if fit.validation_data is not None:
        line += f"   validation {name} {row[f'validation_{metric}']:.6g}"
    print(line)


def collapse_of(fit):
    """What tells whether a run has collapsed."""
    return Collapse(fit.baseline, fit.standing.collapse, fit.judge.most)


def collapsed_late(fit):
    """Whether the last weights predict no better than a constant, and others did."""
    if fit.settings.trains_itself:  # to the minimum of what it was asked to minimise
        return False
    if fit.standing.last_loss < fit.baseline or not collapse_of(fit).has_learnt:
        return False
    return fit.judge.loss(fit.theta, fit.judge.training) >= fit.baseline


class Fit:
    """A run of epochs that continues a state.

    It has what the core's `Run` has: theta, training, validation, recipe, losses, done
    and `take`.

    Parameters
    ----------
    settings : Settings
    prepared : Prepared
        What it learns from, and on what scale.
    seed : int
        Source of all draws, if the state is new.
    state : State, default=None
        Changed by the fit; a new one by default. A run in it that is not complete is
        completed; without one, another begins.
    fingerprint : dict, default=None
        See `skffnn.fitting.resume.fingerprint_of`; None if nobody is to resume it.

    Attributes
    ----------
    standing : Standing
        Where the run stands.
    judge : Judge
        Whose losses decide.
    baseline, loss_of_mean : float
        The loss of the best constant prediction of the training rows, and of their
        mean, as judged.
    interrupted : bool
    fell_back : bool
        Whether the last epochs had lost what was learnt, so that better weights are
        kept.
    died : bool
        Whether the last runs had lost it, so that the next begins with better weights.
    slower_before : float
        Which share of the learning rate was left when it began.
    advice : list of str
        What to try, if it did not end well: see `skffnn.fitting.diagnosis`.
    """

    def __init__(self, settings, prepared, seed, state=None, fingerprint=None):
        self.settings, self.prepared = settings, prepared
        self.training_data = prepared.training_data
        self.validation_data = prepared.validation_data
        target, data = prepared.target, self.training_data
        deviations = None if state is None else state.deviations
        if deviations is None:
            deviations = target.deviations(data)
        loss = settings.loss(deviations, data.Y.dtype)
        self.network = Network(
            prepared.units, prepared.activations, loss, prepared.tables
        )
        if state is None:
            begin = seed, settings.standardized, target.metric
            state = State.new(self.network, data, *begin)
        self.state, state.deviations = state, deviations
        self.judge = Judge(self.network, prepared, decides=not settings.one_epoch)
        if state.run is None:
            self._begin_run()
        state.fingerprint = fingerprint
        self.standing: Standing = state.run
        self.recipe: Any = None
        self.mark: Mark | None = None
        self.interrupted = self.fell_back = self.died = False
        self.slower_before = 1.0
        self.advice: list[str] = []
        self._final_loss: float | None = None

    def _begin_run(self):
        """Begin another run in the state, which may have had some before."""
        model, state, loss = self.settings.model, self.state, self.network.loss
        values = values_of(loss.hyperparameters, model).values()
        validated = self.validation_data is not None
        state.begin_run(
            [model.loss, *values, validated],
            [model.solver, float(model.learning_rate), model.early_stopping],
        )
        if model.early_stopping and len(state.history):
            # The weights it goes on from are a candidate like those of any epoch.
            curves = evaluate(self.network, state.theta, self.validation_data)
            reported, _ = self.in_target_units(*curves)
            watched = self.judge.loss(state.theta, self.judge.validation)
            state.lowest = [watched, state.kept, reported]
            state.run.note(state.kept, watched, state.theta)

    # What the core asks of a run --------------------------------------------------

    @property
    def theta(self):
        """The weights; in a stack, a view of the stack's."""
        return self.state.theta

    @theta.setter
    def theta(self, theta):
        self.state.theta = theta

    @property
    def losses(self):
        """The newest monitored loss, in a list."""
        return self.state.losses

    @property
    def done(self):
        """Epochs of this run that are over."""
        return self.standing.done

    # Before the first epoch -------------------------------------------------------

    def begin(self, task, marks=False):
        """Note whom to tell, and what the loss is to be held against.

        Parameters
        ----------
        task : FitTask
            Told of every epoch.
        marks : bool, default=False
            Whether an interrupt is to come back to the last complete epoch.
        """
        self.task, one_epoch = task, self.settings.one_epoch
        target = self.prepared.target
        # The rows of a partial_fit may be others than those before: there is nothing
        # that their loss could be held against.
        self.baseline = self.loss_of_mean = 0.0
        if not one_epoch:
            rows = self.network, self.judge.training
            self.baseline = target.baseline(*rows)
            # The best constant under a loss such as that of an extreme quantile has so
            # low a loss that ten times as much is no divergence.
            self.loss_of_mean = target.baseline(*rows, MEAN.of)
        if self.done == 0:
            self.standing.reference = np.inf if one_epoch else self.loss_of_mean
        if marks:
            self.mark = Mark(self.settings.model.solver)
        if self.settings.short_runs and self.state.reserve is None:
            self.state.reserve = first_reserve(self)
        if self.state.reserve is not None:
            self.slower_before = self.state.reserve.slower
        self.clock = perf_counter()

    def trial(self):
        """What is to be tried out about weight decay; None if nothing is."""
        if self._chosen is not None:  # it goes on: so does the choice
            return None
        # Trials are made in float32.
        data = self.judge.within_reach(self.training_data, np.float32)
        return trial_of(self.settings, data, self.state.seed, self.judge.most)

    @property
    def _chosen(self):
        """The weight decay that the table has chosen for the solver, or None."""
        return self.state.weight_decay.get(self.settings.model.solver)

    @property
    def weight_decay(self):
        """The weight decay that is asked for, or that the table has chosen."""
        if self.settings.chooses_weight_decay and self._chosen is not None:
            return self._chosen
        return before_the_choice(self.settings)

    def make_recipe(self):
        """Make the recipe of the run; the optimizer goes on from the state."""
        settings, state, name = self.settings, self.state, self.settings.model.solver
        optimizer = settings.optimizer(state.theta, state.memory.get(name))
        state.memory[name] = optimizer.state
        self.recipe = settings.recipe(
            optimizer,
            settings.schedule_from(state.schedule, self.judge.most),
            self.weight_decay,
            (state.order, state.dropout),
            self.standing.slower,
        )
        if not settings.schedule.settles:
            self.standing.outcome = "max_iter"  # unless something ends it before
        self.clock = perf_counter()

    def minimize(self):
        """Train by a solver that is no gradient descent."""
        self.clock = perf_counter()
        converged = self.settings.solver.minimize(
            self.network,
            self.theta,
            self.training_data,
            self.take,
            max_iter=self.settings.max_iter,
            tol=float(self.settings.model.tol),
            weight_decay=self.weight_decay,
            validation=self.validation_data,
            within=self.judge.training,
            most=self.judge.most,
        )
        if not converged and self.standing.outcome == "completed":
            self.standing.outcome = "max_iter"

    # Between epochs ---------------------------------------------------------------

    def take(self, record):
        """Take in an epoch; whether training has to stop."""
        row, state, standing = self._remember(record), self.state, self.standing
        standing.done = record.epoch
        standing.last_loss, watched = self.judge.losses(self.theta, record)
        validated = self.validation_data is not None
        reported = row["validation_loss" if validated else "loss"]
        # The schedule looks at the newest one only.
        early = self.settings.model.early_stopping
        state.losses[:] = [watched if early else standing.last_loss]
        if record.epoch == 1:
            # A lucky start below the baseline is nothing to measure others by.
            standing.reference = max(standing.reference, standing.last_loss)
        # What minimises by itself may let the loss rise, for less of a penalty.
        times = np.inf if self.settings.trains_itself else self.network.loss.too_large
        if diverged(standing.last_loss, standing.reference, self.theta, times):
            standing.outcome = "diverged"
            return True
        standing.note(row["epoch"], watched, self.theta)
        # What minimises by itself may find that a constant is what was asked for.
        collapsed = not self.settings.trains_itself and collapse_of(self)(
            standing.last_loss, partial(predicts_a_constant, self)
        )
        if collapsed:
            self._go_back()
        if watched < state.lowest[0]:
            state.lowest = [watched, row["epoch"], reported]
        standing.ended = self._out_of_patience()
        standing.ended |= self.task.epoch_ended(self._snapshot)
        if standing.ended:
            standing.outcome = "stopped"
        if self.mark is not None:
            self.mark.take(state)
        return standing.ended or collapsed

    def _go_back(self):
        """Go on from the best weights, at a lower rate, once it has collapsed."""
        standing = self.standing
        standing.slower *= SLOWER
        collapse_of(self).restart()
        # In place, as they may be a part of a stack.
        self.theta[...] = standing.best_theta
        self.state.kept = standing.best_epoch or standing.kept_before
        self.state.memory.pop(self.settings.model.solver, None)

    def _out_of_patience(self):
        """Whether waiting for a lower loss had better end."""
        settings, model = self.settings, self.settings.model
        patience = Patience(
            model.n_iter_no_change,
            float(model.tol),
            self.standing.patience,
            self.judge.most,
        )
        stalled = patience(self.losses[-1])
        if settings.trains_itself:
            return bool(stalled and model.early_stopping)
        if settings.schedule.remembers:
            schedule = self.recipe.schedule
            return schedule.is_exhausted(schedule.state)
        return stalled and not settings.schedule.settles

    def _remember(self, record):
        """Add a row to the history."""
        now, metric = perf_counter(), self.prepared.target.metric
        loss, judged = self.in_target_units(record.loss, record.metric)
        validation = np.nan, np.nan
        if self.validation_data is not None:
            validation = self.in_target_units(
                record.validation_loss, record.validation_metric
            )
        row = {
            "epoch": len(self.state.history) + 1,
            "learning_rate": float(record.learning_rate),
            "loss": loss,
            metric: judged,
            "validation_loss": validation[0],
            f"validation_{metric}": validation[1],
        }
        self.state.history.append(row, now - self.clock)
        self.clock, self.state.kept = now, row["epoch"]
        if self.settings.model.verbose:
            print_epoch(self, row, record.epoch)
        return row

    def in_target_units(self, loss, metric):
        """Loss and metric of a record, as users see them."""
        prepared = self.prepared
        return prepared.target.curves(loss, metric, prepared.scaling.y_scale)

    def _snapshot(self):
        """What a model of its own needs if the run ended here: no array is shared."""
        return {name: copied(value) for name, value in fitted(self).items()}

    # The end ----------------------------------------------------------------------

    def rewind(self):
        """Come back to the last complete epoch of an interrupted run.

        Returns
        -------
        complete : bool
            Whether there is one.
        """
        if self.mark is None or not self.mark.restore(self.state):
            return False
        self.standing = self.state.run
        # The model may get better weights: these are those that it goes on from.
        self.standing.theta = self.theta.copy()
        self.interrupted = True
        self.choose_weights()
        return True

    def choose_weights(self):
        """Decide which weights to keep: the last ones, or the best."""
        state, standing = self.state, self.standing
        finite = np.isfinite(self.theta).all()
        has_best = np.isfinite(standing.best_loss)
        blown_up = standing.outcome == "diverged" or not finite
        restore = self.settings.model.early_stopping or blown_up
        if self.interrupted:
            restore = self.validation_data is not None
        elif not blown_up and collapsed_late(self):
            restore = self.fell_back = True
        if restore and (has_best or not finite):
            state.theta = standing.best_theta
            state.kept = standing.best_epoch or standing.kept_before
        if blown_up:
            # What the optimizer remembers would blow up the next run as well.
            state.memory.pop(self.settings.model.solver, None)
            state.forget_pace()
        elif state.reserve is not None and not self.interrupted:
            self.died = look_after(self)
        if not self.interrupted:
            state.run = None

    @property
    def final_loss(self):
        """Loss of the kept weights on the training rows, as judged; for the end."""
        if self._final_loss is None:
            self._final_loss = self.judge.loss(self.theta, self.judge.training)
        return self._final_loss
