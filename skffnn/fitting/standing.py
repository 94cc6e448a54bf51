"""Standing: where a run of epochs stands, until it is complete."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..core.stopping import Collapse, Patience
from ..saving.rules import is_bool, is_number, is_whole
from .fields import is_like, rule


@dataclass
class Standing:
    """Where a run of epochs stands.

    Attributes
    ----------
    theta : ndarray of shape (P,) or None
        The weights of its last epoch, in a model that has kept better ones; None while
        the run goes on, and they are those of the state.
    best_theta : ndarray of shape (P,)
        The weights with the lowest watched loss of the run. Better ones take the place
        of the array, and are never written into it.
    best_loss, best_epoch : float and int
        Their loss, infinite before the first epoch, and their epoch.
    patience : dict
        The state of the `Patience` of the run.
    done, epochs_before : int
        Epochs of this run, and of those before it.
    kept_before : int
        The epoch whose weights it began with.
    reference : float
        The loss that divergence is measured by.
    last_loss : float
        That of the training rows in the last epoch.
    slower : float
        Which share of the learning rate is left, after collapses.
    collapse : dict
        The state of the `Collapse` of the run.
    outcome : {"completed", "max_iter", "stopped", "diverged"}
        How it will have ended if nothing more happens.
    ended : bool
        Whether patience, or a callback, has ended it.
    """

    theta: Any = field(metadata=rule(lambda value, known: known.is_theta(value)))
    best_theta: Any = field(metadata=rule(lambda value, known: known.is_theta(value)))
    best_loss: float = field(metadata=rule(lambda value, known: is_number(value)))
    best_epoch: int = field(metadata=rule(lambda value, known: known.is_epoch(value)))
    patience: dict = field(
        metadata=rule(lambda value, known: is_like(value, Patience.first_state()))
    )
    done: int = field(metadata=rule(lambda value, known: is_whole(value)))
    epochs_before: int = field(metadata=rule(lambda value, known: is_whole(value)))
    kept_before: int = field(metadata=rule(lambda value, known: known.is_epoch(value)))
    reference: float = field(metadata=rule(lambda value, known: is_number(value)))
    last_loss: float = field(metadata=rule(lambda value, known: is_number(value)))
    outcome: str = field(
        metadata=rule(
            lambda value, known: value in ("completed", "max_iter", "stopped")
        )
    )
    ended: bool = field(metadata=rule(lambda value, known: is_bool(value)))
    slower: float = field(
        default=1.0,
        metadata=rule(lambda value, known: is_number(value) and 0 < value <= 1),
    )
    collapse: dict = field(
        default_factory=Collapse.first_state,
        metadata=rule(lambda value, known: is_like(value, Collapse.first_state())),
    )

    @classmethod
    def at_the_start(cls, state):
        """Where a run stands that begins in that state."""
        return cls(
            theta=None,
            best_theta=state.theta.copy(),
            best_loss=np.inf,
            best_epoch=0,
            patience=Patience.first_state(),
            done=0,
            epochs_before=len(state.history),
            kept_before=state.kept,
            reference=np.inf,
            last_loss=np.inf,
            outcome="completed",
            ended=False,
            slower=1.0 if state.reserve is None else state.reserve.slower,
        )

    def note(self, epoch, loss, theta):
        """Keep a copy of theta if its loss is the lowest yet."""
        if loss < self.best_loss:
            self.best_theta = theta.copy()
            self.best_loss, self.best_epoch = float(loss), int(epoch)

    def snapshot(self):
        """A copy of which nothing is written to any more."""
        return replace(self, patience=dict(self.patience), collapse=dict(self.collapse))

    def goes_on(self, max_iter):
        """Whether the run goes on by another recipe, as it does after a collapse."""
        over = self.ended or self.outcome == "diverged"
        return not over and self.done < max_iter
