"""Reserve: weights to go back to, for a network that learns in many short runs.

At too high a rate the units of whole layers can die. A run of many epochs sees that by
itself (`skffnn.core.stopping.Collapse`). Where each run is an epoch or so, by
`partial_fit` or ``warm_start``, it takes something that is kept from one to the next.
The rows may be others each time, and few: whether a loss is that of a constant says
little then. So the network itself is looked at, on these rows and on others.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..core.data import BLOCK, Data
from ..saving.rules import is_number, is_whole
from .fields import rule

# So many rows tell whether a network predicts a constant, and so many mostly do.
FEW, FEWEST = 500, 8
# Runs in a row after which a network is dead, and not about to mend itself; and steps.
RUNS, STEPS = 3, 30
# Predictions that are no farther apart, in deviations of the target, are the same.
SAME = 1e-4
# A loss is a mean over about so many rows, whatever the number of runs that have them.
MEMORY = 1000
# What is left of the learning rate after a collapse.
SLOWER = 0.2


@dataclass(frozen=True)
class Reserve:
    """The best weights of many short runs, and how they are going.

    Attributes
    ----------
    theta : ndarray of shape (P,)
        The weights with the lowest loss, of those that were alive. Better ones take the
        place of the array, and are never written into it.
    epoch : int
        Their epoch.
    lowest : float
        Their loss.
    loss : float
        That of the last runs, as a mean over about a thousand rows.
    wait : int
        Runs in a row that the network has been dead.
    slower : float
        Which share of the learning rate is left, after collapses.
    """

    theta: Any = field(metadata=rule(lambda value, known: known.is_theta(value)))
    epoch: int = field(metadata=rule(lambda value, known: known.is_epoch(value)))
    lowest: float = field(metadata=rule(lambda value, known: is_number(value)))
    loss: float = field(metadata=rule(lambda value, known: is_number(value)))
    wait: int = field(default=0, metadata=rule(lambda value, known: is_whole(value)))
    slower: float = field(
        default=1.0,
        metadata=rule(lambda value, known: is_number(value) and 0 < value <= 1),
    )

    def after(self, theta, epoch, loss, n_rows, dead):
        """The reserve after another run.

        Parameters
        ----------
        theta : ndarray of shape (P,)
            Its last weights.
        epoch : int
            Their epoch.
        loss : float
            That of the run.
        n_rows : int
            Which it is a mean over.
        dead : bool
            Whether the network is dead, where a constant is not all there is to learn.

        Returns
        -------
        Reserve
        """
        mean = float(self.loss + (loss - self.loss) * n_rows / (n_rows + MEMORY))
        if dead:
            return replace(self, loss=mean, wait=self.wait + 1)
        if mean < self.lowest:
            return Reserve(theta.copy(), int(epoch), mean, mean, 0, self.slower)
        return replace(self, loss=mean, wait=0)

    def is_needed(self, steps):
        """Whether the network has been dead for long enough.

        Parameters
        ----------
        steps : int or None
            Of each run; None for runs that tell by themselves.
        """
        return self.wait >= (1 if steps is None else max(RUNS, STEPS / steps))

    def at_a_lower_rate(self):
        """The reserve from where training begins anew."""
        return replace(self, loss=self.lowest, wait=0, slower=self.slower * SLOWER)

    def at_another_rate(self):
        """The same weights, for a learning rate that nothing is known of."""
        return replace(self, wait=0, slower=1.0)


def first_reserve(fit):
    """What the weights that a fit begins with are worth, for runs that follow it.

    Parameters
    ----------
    fit : Fit

    Returns
    -------
    Reserve or None
        None for those of a network that predicts a constant, and for those that no fit
        has learnt: a fit by itself tells what becomes of them.
    """
    new = len(fit.state.history) == 0
    if (new and not fit.settings.one_epoch) or is_constant(fit):
        return None
    loss = fit.judge.loss(fit.theta, fit.judge.training)
    return Reserve(fit.theta.copy(), fit.state.kept, loss, loss)


def look_after(fit):
    """Keep the best weights of many runs; go back to them if the network has died.

    Parameters
    ----------
    fit : Fit
        At its end, with a reserve.

    Returns
    -------
    died : bool
    """
    state, standing, n = fit.state, fit.standing, len(fit.training_data)
    run = fit.theta, state.kept, standing.last_loss, n, has_died(fit)
    slower = min(state.reserve.slower, standing.slower)
    state.reserve = replace(state.reserve.after(*run), slower=slower)
    # A fit has a warning for the first time already.
    steps = -(-n // fit.settings.batch_size) if fit.settings.one_epoch else None
    if not state.reserve.is_needed(steps):
        return False
    state.reserve = state.reserve.at_a_lower_rate()
    state.theta, state.kept = state.reserve.theta.copy(), state.reserve.epoch
    state.memory.pop(fit.settings.model.solver, None)
    return True


# Whether a network is dead ------------------------------------------------------------


def predicts_a_constant(fit):
    """Whether a network predicts the same for all of some hundred training rows."""
    data = fit.training_data
    y_hat = fit.network.predict(fit.theta, data.of(data.rows[:FEW]))
    return bool(np.ptp(y_hat, axis=0).max() == 0)


def has_died(fit):
    """Whether a network predicts the same for all rows, and their targets vary.

    What targets the rows of other runs have is not known: of a single row, or of equal
    ones, it is the loss that says whether a constant is what there is to learn.
    """
    data, reserve = fit.training_data, fit.state.reserve
    apart = float(np.ptp(data.targets(data.at(slice(None))), axis=0).max())
    if apart == 0 and fit.standing.last_loss <= reserve.lowest:
        return False
    in_deviations = fit.prepared.target.in_deviations
    return is_constant(fit, SAME * min(apart, 1) if in_deviations else 0.0)


def is_constant(fit, tolerance=0.0):
    """Whether a network predicts the same for its rows, and for what is around them.

    The rows alone do not tell: they may be few, or lie where the function is flat.

    Parameters
    ----------
    fit : Fit
    tolerance : float, default=0.0
        How far apart its predictions may be.
    """
    for n in (FEWEST, _size(fit.training_data)):  # most need no second look
        some = _around(fit, n)
        y_hat = fit.network.predict(fit.theta, some)
        if not np.ptp(y_hat, axis=0).max() <= tolerance:
            return False
    there = fit.network.predict(fit.theta, _first(fit.training_data))
    return bool((np.abs(there - y_hat[0]) <= tolerance).all())


def _first(data):
    """The first rows: so many as memory has room for, whatever their number."""
    return data.of(data.rows[: _size(data)])


def _size(data):
    return max(FEWEST, min(FEW, BLOCK // max(1, data.n_inputs)))


def _around(fit, n):
    """Rows at random, with the means and deviations of the columns."""
    data, n_inputs = fit.training_data, fit.network.layout.n_inputs
    rng = np.random.default_rng(0)
    rows = rng.uniform(-np.sqrt(3), np.sqrt(3), (n, n_inputs))
    if not fit.settings.standardized:
        first = np.empty((min(n, len(data)), n_inputs), data.Y.dtype)
        data.gather_inputs(data.at(slice(0, len(first))), first)
        centre = first.mean(axis=0)
        # Of a single row, or of one number, there is no other scale.
        rows = centre + rows * np.maximum(first.std(axis=0), np.abs(centre))
    tables, codes = fit.network.layout.tables, None
    if tables:
        codes = rng.integers([m for m, _ in tables], size=(n, len(tables)))
        codes = codes.astype(np.int32)
    return Data(rows.astype(data.Y.dtype), np.empty((n, 1)), codes=codes)
