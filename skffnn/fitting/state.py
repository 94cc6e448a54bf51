"""State: what a fit has reached and remembers, so that the next can go on from there.

A fit continues a state: a new one, or that of a fitted model. Fitted models keep it as
plain values, in ``theta_``, ``history_``, ``kept_iter_`` and ``_state``, which pickle,
skops and the files of `save` all understand; while a fit runs, it is a `State`. A field
is declared once, with the rule that its value in a file has to meet.
"""

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ..core.initializers import initialize
from ..core.schedules import SCHEDULES
from ..core.solvers import SOLVERS
from ..saving.rules import (
    is_array,
    is_bool,
    is_generator,
    is_list,
    is_number,
    is_scalar,
    is_whole,
)
from .fields import check_fields, is_like, rule
from .history import History
from .reserve import Reserve
from .standing import Standing


def copied(value):
    """A deep copy of plain fitted state, in a fraction of the time of `deepcopy`."""
    if isinstance(value, dict):
        return {name: copied(each) for name, each in value.items()}
    if isinstance(value, list):
        return [copied(each) for each in value]
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, np.random.Generator):
        bits = type(value.bit_generator)(0)
        bits.state = value.bit_generator.state
        return np.random.Generator(bits)
    return value


# Rules of the fields ------------------------------------------------------------------


def _is_schedule(value):
    """Whether these are states of schedules that remember, by their names."""
    remembering = {k: each.function for k, each in SCHEDULES.items() if each.remembers}
    return isinstance(value, dict) and all(
        name in remembering and is_like(state, remembering[name].first_state())
        for name, state in value.items()
    )


def _is_lowest(value, known):
    good = isinstance(value, list) and len(value) == 3 and is_list(value, is_number)
    return good and known.is_epoch(value[1])


def _is_memory(memory, known):
    """Whether these are states of optimizers, by the names of their solvers."""
    return isinstance(memory, dict) and all(
        name in SOLVERS and _is_optimizer(state, SOLVERS[name], known)
        for name, state in memory.items()
    )


def _is_optimizer(state, solver, known):
    names = {*solver.arrays, *solver.counts}
    if not isinstance(state, dict) or state.keys() != names:
        return False
    # A gradient of 1e20 has a square that float32 does not hold.
    arrays = all(known.is_theta(state[name], finite=False) for name in solver.arrays)
    return arrays and all(is_whole(state[name]) for name in solver.counts)


def _are_weight_decays(value):
    good = isinstance(value, dict) and value.keys() <= SOLVERS.keys()
    return good and all(map(is_number, value.values()))


def _is_pace(value):
    return is_list(value, is_scalar) and (not value or value[0] in SOLVERS)


def _is_fingerprint(value):
    good = isinstance(value, dict) and value.keys() == {"digest", "parameters"}
    return good and isinstance(value["parameters"], dict)


def _is_run(value, known):
    if value is None:
        return True
    check_fields(Standing, value, known)
    return value["done"] + value["epochs_before"] == known.n_iter


def _is_reserve(value, known):
    if value is not None:
        check_fields(Reserve, value, known)
    return True


@dataclass
class State:
    """What a fit has reached and remembers.

    Attributes
    ----------
    theta : ndarray of shape (P,)
        The weights.
    history : History
    kept : int
        The epoch whose weights those are.
    seed : int
        Source of all draws since the first fit.
    standardized : bool
        Whether the weights were learnt on standardised rows.
    order, dropout : numpy.random.Generator
        Of the order of the rows, and of the dropout masks.
    memory : dict of dict
        What optimizers remember, by the names of their solvers.
    schedule : dict of dict
        What schedules remember, by their names.
    losses : list of float
        The newest monitored loss, for the schedule; empty before the first epoch.
    lowest : list
        The lowest watched loss of all runs, its epoch, and the loss in the target's
        units.
    watched : list
        What that is a loss of. Numbers of another kind are nothing to compare with.
    pace : list
        What the schedule's state was made under.
    deviations : ndarray of shape (n_outputs,) or None
        Standard deviations of the first fit's target, where the loss asks for them.
    weight_decay : dict of float
        What the table has chosen, by the names of solvers.
    fingerprint : dict or None
        Of what the last run was to learn; None if nobody is to resume it.
    run : Standing or None
        Where the last run stands, if it is not complete.
    reserve : Reserve or None
        What a network goes back to that learns in many short runs.
    """

    theta: Any
    history: History
    kept: int
    seed: int = field(metadata=rule(lambda v, known: is_whole(v) and v < 2**32))
    standardized: bool = field(metadata=rule(lambda value, known: is_bool(value)))
    order: np.random.Generator = field(
        metadata=rule(lambda value, known: is_generator(value))
    )
    dropout: np.random.Generator = field(
        metadata=rule(lambda value, known: is_generator(value))
    )
    memory: dict = field(metadata=rule(_is_memory))
    schedule: dict = field(
        metadata=rule(lambda value, known: _is_schedule(value), each_epoch=True)
    )
    losses: list = field(
        metadata=rule(
            lambda value, known: is_list(value, is_number) and len(value) <= 1,
            each_epoch=True,
        )
    )
    lowest: list = field(metadata=rule(_is_lowest, each_epoch=True))
    watched: list = field(metadata=rule(lambda value, known: is_list(value, is_scalar)))
    pace: list = field(metadata=rule(lambda value, known: _is_pace(value)))
    deviations: Any = field(
        metadata=rule(
            lambda value, known: value is None or is_array(value, (known.n_outputs,))
        )
    )
    weight_decay: dict = field(
        metadata=rule(lambda value, known: _are_weight_decays(value))
    )
    fingerprint: dict | None = field(
        metadata=rule(lambda value, known: value is None or _is_fingerprint(value))
    )
    run: Standing | None = field(metadata=rule(_is_run))
    reserve: Reserve | None = field(
        default=None, metadata=rule(_is_reserve, each_epoch=True)
    )

    # From and to a model ----------------------------------------------------------

    @classmethod
    def new(cls, network, data, seed, standardized, metric):
        """The state before the first fit: first weights, and three generators.

        Parameters
        ----------
        network : Network
        data : Data
            The training rows.
        seed : int
        standardized : bool
        metric : str
            What is recorded besides the loss.
        """
        # Copies do not remember, any more than files do, which seed they are of.
        init, order, dropout = copied(np.random.default_rng(seed).spawn(3))
        theta = np.empty(network.layout.size, data.Y.dtype)
        initialize(network.layout, theta, network.activations, [init])
        network.clear_unused(theta, data)
        return cls(
            theta=theta,
            history=History(metric),
            kept=0,
            seed=seed,
            standardized=standardized,
            order=order,
            dropout=dropout,
            memory={},
            schedule={},
            losses=[],
            lowest=[np.inf, 0, np.nan],
            watched=[],
            pace=[],
            deviations=None,
            weight_decay={},
            fingerprint=None,
            run=None,
        )

    @classmethod
    def of(cls, model, resume=False):
        """The state of a fitted model, in memory of its own.

        Parameters
        ----------
        model : estimator
        resume : bool, default=False
            Whether a run that is not complete is a part of it, with the weights that it
            had come to; without, it is given up for the weights of the model.
        """
        values = copied({k: v for k, v in model._state.items() if k != "reserve"})
        history = History(None, model.history_, model.seconds_)
        theta, kept, run = model.theta_.copy(), model.kept_iter_, values.pop("run")
        run = run if resume else None
        if run is not None:
            run = Standing(**run)
            theta, run.theta = run.theta, None
            kept = run.epochs_before + run.done
        reserve = model._state["reserve"]  # nothing is written to its weights
        reserve = None if reserve is None else Reserve(**reserve)
        return cls(theta, history, kept, **values, run=run, reserve=reserve)

    def as_values(self):
        """What a model keeps as ``_state``: plain values, of which some are shared."""
        kept = {e.name: getattr(self, e.name) for e in fields(self) if e.metadata}
        if self.run is not None:
            run = dict(vars(self.run.snapshot()))
            if self.run.theta is None:
                run["theta"] = self.theta.copy()
            kept["run"] = run
        if self.reserve is not None:
            kept["reserve"] = dict(vars(self.reserve))
        return kept

    @staticmethod
    def deviations_of(model):
        """Standard deviations of a fitted model's target, where its loss asks for them.

        Returns
        -------
        deviations : ndarray of shape (n_outputs,) or None
        """
        return model._state["deviations"]

    @staticmethod
    def forget_memory(model):
        """Free what the optimizer of a fitted model remembers: it goes on from none."""
        model._state["memory"].clear()

    @classmethod
    def check(cls, values, known):
        """Raise ValueError unless a fitted model can have that as its ``_state``."""
        check_fields(cls, values, known)

    # Going on ---------------------------------------------------------------------

    def begin_run(self, watched, pace):
        """Begin another run from here.

        Parameters
        ----------
        watched : list
            What the loss to be watched is a loss of.
        pace : list
            What the schedule depends on.
        """
        if self.reserve is not None and self.watched != watched:
            self.reserve = None
        if self.reserve is not None and self.pace != pace:
            self.reserve = self.reserve.at_another_rate()
        self.run = Standing.at_the_start(self)
        if self.watched != watched:
            self.lowest, self.watched = [np.inf, 0, np.nan], watched
            self.forget_pace()
        # A rate that has dropped to nothing is nothing to go on with.
        exhausted = any(
            SCHEDULES[name].function.is_exhausted(state)
            for name, state in self.schedule.items()
        )
        if exhausted or self.pace != pace:
            self.forget_pace()
        self.pace = pace

    def forget_pace(self):
        """Let the schedule begin anew."""
        # The monitored losses of the run; the next one needs the last of them.
        self.schedule, self.losses = {}, []
