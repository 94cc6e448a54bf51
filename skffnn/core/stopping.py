"""When to stop: patience, divergence and collapse."""

import numpy as np


def below(loss, share, most=np.inf):
    """What a loss has to fall below, so that it has fallen by that share of it.

    Parameters
    ----------
    loss, share : float
    most : float, default=inf
        No larger loss is taken shares of: where a few rows that are far off make up
        nearly all of it, what the others can still gain is next to nothing of it.
    """
    return loss * (1 - share) if loss <= most else loss - share * most


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
    most : float, default=inf
        Of a larger loss, progress is tol times this: see `below`.
    """

    def __init__(self, n_iter_no_change, tol, state=None, most=np.inf):
        self.n_iter_no_change, self.tol, self.most = n_iter_no_change, tol, most
        self.state = state if state is not None else {}
        if not self.state:
            self.state.update(self.first_state())

    @staticmethod
    def first_state():
        """What it begins with."""
        return {"best": float("inf"), "wait": 0}

    def __call__(self, loss):
        """Take in an epoch's loss; True where patience is at its end."""
        if loss < below(self.state["best"], self.tol, self.most):
            self.state.update(best=loss, wait=0)
        else:
            self.state["wait"] += 1
        return self.state["wait"] >= self.n_iter_no_change

    def restart(self):
        """Begin anew, with a new loss to beat."""
        self.state.update(self.first_state())


class Collapse:
    """Counts the epochs in which a network is no better than a constant prediction.

    At too high a rate the units of whole layers can die: from then on they are 0 on all
    rows, and no gradient brings them back. A network that still predicts something may
    only have overshot: it gets more time to mend itself.

    Parameters
    ----------
    baseline : float
        The loss of the best constant prediction.
    state : dict, default=None
        ``lowest``, the lowest loss so far, and ``wait``, for who wants to keep them.
    most : float, default=inf
        What of the baseline can be learnt, if that is less: see `below`.
    """

    # So many epochs in a row are no accident if it predicts a constant, and if not.
    CONSTANT, ANY = 3, 10
    # What is this share below the baseline has learnt something, that can be lost.
    SOMETHING = 0.02

    def __init__(self, baseline, state=None, most=np.inf):
        self.baseline, self.most = baseline, most
        self.state = state if state is not None else {}
        if not self.state:
            self.state.update(self.first_state())

    @staticmethod
    def first_state():
        """What it begins with."""
        return {"lowest": float("inf"), "wait": 0}

    def __call__(self, loss, is_constant):
        """Take in an epoch's loss; True where something was learnt, and is lost.

        Parameters
        ----------
        loss : float
        is_constant : callable
            Takes nothing; whether the network predicts the same for all rows. It is
            asked only where the losses leave it open.
        """
        state, constant = self.state, self.baseline
        state["lowest"] = min(state["lowest"], loss)
        state["wait"] = state["wait"] + 1 if loss >= constant > 0 else 0
        if state["wait"] < self.CONSTANT or not self.has_learnt:
            return False
        return state["wait"] >= self.ANY or is_constant()

    @property
    def has_learnt(self):
        """Whether the loss has been clearly below that of a constant."""
        return self.state["lowest"] < below(self.baseline, self.SOMETHING, self.most)

    def restart(self):
        """Count anew; what had been learnt can be lost again."""
        self.state["wait"] = 0


def diverged(loss, reference, theta, times=10):
    """Whether loss or weights are not finite, or the loss many times the reference."""
    finite = np.isfinite(loss) and np.isfinite(theta).all()
    return not finite or bool(loss > times * reference)
