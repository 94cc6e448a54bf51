"""When to stop: patience, the best weights so far, and divergence.

Everything here works on one network (losses are floats) and on a stack (arrays of K).
"""

import numpy as np


def choose(where, new, old):
    """The new value where it is asked for, else the old one.

    For a single network a plain condition; np.where would take 20 times as long.
    """
    if isinstance(where, np.ndarray):
        return np.where(where, new, old)
    return new if where else old


class Patience:
    """Counts the epochs since the loss last fell by more than tol, relatively.

    Parameters
    ----------
    n_iter_no_change : int
        How many such epochs are too many.
    tol : float
        Progress is a loss below (1 - tol) times the best before it.
    state : dict, default=None
        ``best`` and ``wait``, for who wants to keep them.
    """

    def __init__(self, n_iter_no_change, tol, state=None):
        self.n_iter_no_change, self.tol = n_iter_no_change, tol
        self.state = state if state is not None else {}
        self.state.setdefault("best", np.float64(np.inf))
        self.state.setdefault("wait", np.int64(0))

    def __call__(self, loss):
        """Take in an epoch's loss; True where patience is at its end."""
        best, wait = self.state["best"], self.state["wait"]
        progress = loss < best * (1 - self.tol)
        self.state["best"] = choose(progress, loss, best)
        self.state["wait"] = choose(progress, 0, wait + 1)
        return self.state["wait"] >= self.n_iter_no_change

    def restart(self, where):
        """Begin anew, with a new loss to beat, where asked."""
        self.state["best"] = choose(where, np.inf, self.state["best"])
        self.state["wait"] = choose(where, 0, self.state["wait"])


class Best:
    """The weights with the lowest loss so far, network by network.

    Better ones take the place of an array, and are never written into it: who keeps
    ``theta`` keeps what it was.
    """

    def __init__(self, theta):
        self.theta = theta.copy()
        self.loss = np.full(theta.shape[:-1], np.inf)
        self.epoch = np.zeros(theta.shape[:-1], dtype=int)

    def update(self, epoch, loss, theta):
        """Keep a copy of theta where its loss is the lowest yet."""
        better = np.less(loss, self.loss)
        if better.any():
            where = better[..., np.newaxis]
            self.theta = (
                theta.copy() if better.all() else np.where(where, theta, self.theta)
            )
        self.loss = choose(better, loss, self.loss)
        self.epoch = choose(better, epoch, self.epoch)


def diverged(loss, reference, theta, times=10):
    """Whether loss or weights are not finite, or the loss many times the reference."""
    finite = np.isfinite(loss) & np.isfinite(theta).all(axis=-1)
    return ~finite | (loss > times * reference)
