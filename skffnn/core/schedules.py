"""Schedules: factors on the learning rate.

A schedule is called once an epoch as `schedule(step, steps, losses)`: the numbers of
the epoch's steps (an array, counted from 0), the number of steps of the whole run, and
a list with the monitored loss of the newest epoch, which is empty before the first. It
returns one factor per step, shape (len(step),). `SCHEDULES` has those that users may
choose, by name.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .hyperparameters import (
    Hyperparameter,
    is_below_one,
    is_int,
    is_not_negative,
)
from .stopping import Patience


def constant(step, steps, losses):
    """The same rate from the first step to the last."""
    return np.ones(len(step))


def cosine(step, steps, losses, warmup=0.02):
    """Half a cosine from 1 to 0, after a linear rise over the first few steps.

    References
    ----------
    Loshchilov & Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts.
    """
    rise = np.minimum(1, (step + 1) / (warmup * steps))
    return rise * (1 + np.cos(np.pi * step / steps)) / 2


def invscaling(step, steps, losses, power_t=0.5):
    """1 / (t + 1)^power_t, the decay of stochastic approximation."""
    return (step + 1.0) ** -power_t


class Adaptive:
    """A fifth of the rate whenever the loss has stopped falling.

    After a drop the patience starts afresh, and with it the loss to beat: one lucky
    epoch does not make every later one look like a plateau.

    Parameters
    ----------
    n_iter_no_change : int
        Epochs without progress until the rate drops.
    tol : float
        What counts as progress, relative to the best loss.
    state : dict, default=None
        ``factor`` and the state of the patience, kept with the model.
    most : float, default=inf
        See `Patience`.
    """

    LAST = 1e-3

    def __init__(self, n_iter_no_change, tol, state=None, most=np.inf):
        self.state = state if state is not None else {}
        if not self.state:
            self.state.update(self.first_state())
        self.patience = Patience(n_iter_no_change, tol, self.state["patience"], most)

    @staticmethod
    def first_state():
        """What it begins with."""
        return {"factor": 1.0, "patience": Patience.first_state()}

    def __call__(self, step, steps, losses):
        """Look at the newest loss, drop if it has stalled, return the factors."""
        if losses and self.patience(losses[-1]):
            self.state["factor"] *= 0.2
            self.patience.restart()
        return np.full(len(step), self.state["factor"])

    @classmethod
    def is_exhausted(cls, state):
        """Whether the rate has dropped so far that nothing moves any more."""
        return state["factor"] < cls.LAST


NOT_NEGATIVE = "a number that is not negative"


class Schedule(NamedTuple):
    """A schedule that users may choose.

    Attributes
    ----------
    function : callable
        The schedule itself; or, if it remembers, what makes one.
    hyperparameters : dict of str to Hyperparameter
        What it takes, by the names of its arguments.
    settles : bool
        Whether the rate has fallen so far at the end that the run is complete. Under
        others a run is only complete when the loss has stopped falling.
    remembers : bool
        Whether the factors depend on the losses so far. Then its function is a class
        like `Adaptive`, with a ``state`` that begins as ``first_state()``, of dicts and
        numbers; ``is_exhausted(state)`` tells when the run had better end.
    """

    function: Any
    hyperparameters: Mapping[str, Hyperparameter] = {}
    settles: bool = False
    remembers: bool = False

    def made(self, values, state, most=np.inf):
        """The schedule with its hyperparameters, going on from a state.

        Parameters
        ----------
        values : dict
            By the names of its arguments.
        state : dict
            Changed by one that remembers, and not looked at by the others.
        most : float, default=inf
            Progress of a larger loss is relative to this; for one that remembers.
        """
        if self.remembers:
            return self.function(**values, state=state, most=most)
        return partial(self.function, **values) if values else self.function


SCHEDULES = {
    "constant": Schedule(constant),
    "cosine": Schedule(cosine, settles=True),
    "invscaling": Schedule(
        invscaling,
        {"power_t": Hyperparameter("power_t", is_not_negative, NOT_NEGATIVE)},
        settles=True,
    ),
    "adaptive": Schedule(
        Adaptive,
        {
            "n_iter_no_change": Hyperparameter(
                "n_iter_no_change",
                lambda value: is_int(value, 1),
                "a whole number of epochs, at least 1",
                int,
            ),
            "tol": Hyperparameter("tol", is_below_one, "a number from 0 to below 1"),
        },
        remembers=True,
    ),
}
