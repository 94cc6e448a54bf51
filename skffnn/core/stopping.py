"""When to stop: patience, and divergence."""

import numpy as np


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
        if not self.state:
            self.state.update(self.first_state())

    @staticmethod
    def first_state():
        """What it begins with."""
        return {"best": float("inf"), "wait": 0}

    def __call__(self, loss):
        """Take in an epoch's loss; True where patience is at its end."""
        if loss < self.state["best"] * (1 - self.tol):
            self.state.update(best=loss, wait=0)
        else:
            self.state["wait"] += 1
        return self.state["wait"] >= self.n_iter_no_change

    def restart(self):
        """Begin anew, with a new loss to beat."""
        self.state.update(self.first_state())


def diverged(loss, reference, theta, times=10):
    """Whether loss or weights are not finite, or the loss many times the reference."""
    finite = np.isfinite(loss) and np.isfinite(theta).all()
    return not finite or bool(loss > times * reference)
