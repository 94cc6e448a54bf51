"""Solvers by name: the optimizers of gradient descent, and L-BFGS.

A solver is a class that says of itself, for whoever has to know:

* `hyperparameters` and `differ`, `arrays` and `counts`: see `Optimizer`;
* `n_arrays()` and `itemsize`: how many arrays as long as theta its fit has at the worst
  moment, and the bytes of their numbers, None for those of theta;
* `penalty`: whether weight decay is a penalty on the loss, or decoupled from it;
  `weight_decays`, `slowness`: what a table chooses from, and how long that takes;
* `minimize`: None for an optimizer, which the loop trains; what trains by itself, and
  knows when to end, is called as `skffnn.core.lbfgs.lbfgs`;
* `uses`: which of these it has a use for, a set of words; `reasons`: why it has none
  for others, for messages:

====================== =============================================================
batches                minibatches: without, a step takes all rows
learning_rate          a step length that users choose, and with it a range test
schedule               how that changes over the run
dropout, clip_norm     what is done to activations and gradients in a step
partial_fit            training by parts of the rows
resume                 going on in the middle of an interrupted run
stack                  training side by side with others like it
choice_of_weight_decay letting the table choose how much
====================== =============================================================
"""

from collections import ChainMap
from typing import Any

from .lbfgs import LBFGS
from .optimizers import OPTIMIZERS

SOLVERS: ChainMap[str, Any] = ChainMap({"lbfgs": LBFGS}, OPTIMIZERS)


def solver_of(name):
    """The solver of that name.

    Raises
    ------
    ValueError
        If there is none; it lists those that there are.
    """
    if name not in SOLVERS:
        raise ValueError(
            f"There is no solver {name!r}: choose one of {', '.join(SOLVERS)}."
        )
    return SOLVERS[name]
