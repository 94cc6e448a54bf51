"""Schedules: factors on the learning rate.

A schedule is called once an epoch as `schedule(step, steps, losses)`: the numbers of
the epoch's steps (an array, counted from 0), the number of steps of the whole run, and
the monitored losses of the epochs so far, oldest first (floats, or arrays of K for a
stack). It returns one factor per step, shape (len(step),), or (len(step), K, 1) when
the networks of a stack have factors of their own.
"""

import numpy as np

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
    """

    LAST = 1e-3

    def __init__(self, n_iter_no_change, tol, state=None):
        self.state = state if state is not None else {}
        self.state.setdefault("factor", np.float64(1.0))
        self.patience = Patience(
            n_iter_no_change, tol, self.state.setdefault("patience", {})
        )

    def __call__(self, step, steps, losses):
        """Look at the newest loss, drop if it has stalled, return the factors."""
        if losses:
            stalled = self.patience(losses[-1])
            self.state["factor"] = np.where(stalled, 0.2, 1.0) * self.state["factor"]
            self.patience.restart(stalled)
        factor = self.state["factor"]
        column = factor[:, np.newaxis] if np.ndim(factor) else factor
        return np.full((len(step), *np.shape(column)), column)

    @property
    def exhausted(self):
        """Whether the rate has dropped so far that nothing moves any more."""
        return self.state["factor"] < self.LAST
