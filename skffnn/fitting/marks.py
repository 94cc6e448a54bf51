"""Marks: the end of an epoch, for an interrupted run to come back to."""

from dataclasses import fields
from typing import Any

import numpy as np

from .state import State, copied

EACH_EPOCH = [e.name for e in fields(State) if e.metadata.get("each_epoch")]


class Mark:
    """Copies of all that an epoch changes in a state.

    Interrupts come between any two lines. While the mark is being written it is not
    whole; but then the run itself is at rest, and there is nothing to come back to.

    Parameters
    ----------
    solver_name : str
        Whose memory is a part of it.
    """

    def __init__(self, solver_name):
        self.solver_name = solver_name
        self.at_rest = False
        self.copies: dict[str, np.ndarray] = {}
        self.noted: dict[str, Any] = {}

    def _live(self, state):
        """What training writes to: the weights, and the arrays of the optimizer."""
        memory = state.memory.get(self.solver_name, {})
        arrays = {k: v for k, v in memory.items() if isinstance(v, np.ndarray)}
        return {"theta": state.theta, **arrays}

    def take(self, state):
        """Note where the state is."""
        self.at_rest, live = True, self._live(state)
        for name, array in live.items():
            if name not in self.copies:
                self.copies[name] = np.empty_like(array)
            np.copyto(self.copies[name], array)
        self.noted = {
            "run": state.run.snapshot(),
            "kept": state.kept,
            "epochs": len(state.history.rows),
            "memory": state.memory.get(self.solver_name, {}).copy(),
            "order": state.order.bit_generator.state,
            "dropout": state.dropout.bit_generator.state,
            "fields": {name: copied(getattr(state, name)) for name in EACH_EPOCH},
        }
        self.at_rest = False

    def restore(self, state):
        """Bring the state back to the last mark.

        Returns
        -------
        complete : bool
            Whether there is one: whether an epoch was completed.
        """
        if not self.copies:
            return False
        if self.at_rest:
            return True
        noted, arrays = self.noted, dict(self.copies)
        state.theta = arrays.pop("theta")
        if noted["memory"]:
            state.memory[self.solver_name] = {**noted["memory"], **arrays}
        else:  # after a collapse, or with a solver that remembers nothing
            state.memory.pop(self.solver_name, None)
        state.order.bit_generator.state = noted["order"]
        state.dropout.bit_generator.state = noted["dropout"]
        del state.history.rows[noted["epochs"] :]
        state.run, state.kept = noted["run"], noted["kept"]
        for name, value in noted["fields"].items():
            setattr(state, name, value)
        return True
