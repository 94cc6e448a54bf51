"""Stacks: networks of one architecture, trained side by side, each as if alone.

For a small network a step takes the time of NumPy's calls. A stack shares the calls.
"""

from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np

from .data import Data
from .training import epochs

# Bytes of parameters, moments and work space that stay in the cache; and numbers in the
# tables of a stack, which are copied to lie one below the other.
CACHE = 2**22
NUMBERS = 2**22


@dataclass(eq=False)
class Run:
    """One network in training.

    Attributes
    ----------
    theta : ndarray of shape (P,)
        While it is in a stack, a view of the stack's.
    training_data : Data
    recipe : Recipe
        Its own, with floats for rates and one generator each.
    validation_data : Data, default=None
    losses : list
        See `skffnn.core.training.epochs`.
    done : int, default=0
        Epochs of the recipe that are over.
    """

    theta: Any
    training_data: Any
    recipe: Any
    validation_data: Any = None
    losses: Any = ()
    done: int = 0

    def take(self, record):
        """Take in an epoch; whether it is the last."""
        return False


def train(network, runs):
    """Train networks of one architecture, side by side where that is faster.

    Parameters
    ----------
    network : Network
    runs : sequence of Run
        Or of what has the same attributes. Their recipes agree in all but learning
        rate, weight decay, limit of the gradient, schedule, and what their optimizer
        lets `differ`.

    Yields
    ------
    stack : list of Run
        After each of its epochs, the runs that began together.
    """
    for stack in stacks(network, runs):
        done = stack[0].done
        going = [run for run in stack if done < run.recipe.max_iter]
        while going:
            for epoch, stay in _together(network, going, done):
                yield stack
                done, going = epoch, stay


def stacks(network, runs):
    """Lists of runs that are to be trained together.

    They have equally many rows, come equally far, and fit the cache; and tables that
    lie one below the other, unless those are large or have to be standardised batch by
    batch.
    """
    alike = sorted(range(len(runs)), key=lambda k: stack_key(runs[k]))
    for _, group in groupby(alike, key=lambda k: stack_key(runs[k])):
        members = [runs[k] for k in group]
        rows = min(members[0].recipe.batch_size, len(members[0].training_data))
        itemsize = members[0].theta.itemsize
        optimizer = members[0].recipe.optimizer
        arrays, most = len(optimizer.arrays), 1
        if "stack" in optimizer.uses:
            most = largest_stack(network.layout, rows, itemsize, arrays)
        yield from packed(members, most, _too_large)


def packed(items, most, too_large):
    """Lists of items in their order, as long as they may be.

    Parameters
    ----------
    items : iterable
    most : int
        Of one list.
    too_large : callable
        Whether a list of several is.
    """
    pack: list = []
    for item in items:
        if pack and (len(pack) == most or too_large([*pack, item])):
            yield pack
            pack = []
        pack.append(item)
    yield pack


def stack_key(run):
    """What runs have to agree in to be trained side by side."""
    recipe, validation = run.recipe, run.validation_data
    return (
        len(run.training_data),
        -1 if validation is None else len(validation),
        recipe.clip_norm is None,
        recipe.optimizer.remembers,
        run.done,
    )


def largest_stack(layout, rows, itemsize, arrays):
    """How many networks fit the cache together; 1 for large ones.

    Parameters
    ----------
    layout : Layout
    rows : int
        Of a batch.
    itemsize : int
        Bytes of a number.
    arrays : int
        What its optimizer remembers, in arrays as long as theta.
    """
    parameters = (2 + arrays) * layout.size  # besides, theta and its gradient
    workspace = 3 * rows * sum(layout.units)
    return max(1, CACHE // (itemsize * (parameters + workspace)))


def _too_large(runs):
    """Whether their tables cannot lie one below the other, or had better not."""
    for datas in ([r.training_data for r in runs], [r.validation_data for r in runs]):
        tables = {data.table: data for data in datas if data is not None}
        if len(tables) < 2:
            continue
        ready = all(data.ready for data in tables.values())
        if not ready or sum(data.X.size for data in tables.values()) > NUMBERS:
            return True
    return False


def _together(network, runs, done):
    """Train until the first of them have come to their ends.

    Yields after each epoch how many there have been, and which runs are to go on.
    """
    theta, data, recipe, validation, losses = _joined(runs)
    for record in epochs(network, theta, data, recipe, losses, validation, done):
        records = [record] if len(runs) == 1 else map(record.of, range(len(runs)))
        stay = [run for run, r in zip(runs, records, strict=True) if not run.take(r)]
        if record.epoch == recipe.max_iter:
            stay = []
        last = len(stay) < len(runs)
        if last and len(runs) > 1:
            _part(runs, recipe.optimizer)
        yield record.epoch, stay
        if last:
            return


def _joined(runs):
    first = runs[0]
    if len(runs) == 1:
        data = first.training_data, first.recipe, first.validation_data
        return first.theta, *data, first.losses
    theta = np.stack([run.theta for run in runs])
    for run, theta_k in zip(runs, theta, strict=True):
        run.theta = theta_k
    validation = None
    if first.validation_data is not None:
        validation = Data.stack([run.validation_data for run in runs])
    losses = [run.losses for run in runs]
    data = Data.stack([run.training_data for run in runs])
    return theta, data, _recipe(theta, runs), validation, losses


def _recipe(theta, runs):
    recipes = [run.recipe for run in runs]

    def column(name):
        return np.array([[getattr(recipe, name)] for recipe in recipes])

    def schedules(step, steps, losses):
        each = zip(recipes, losses, strict=True)
        return np.stack([r.schedule(step, steps, newest) for r, newest in each], 1)

    first = recipes[0]
    one = all(recipe.schedule is first.schedule for recipe in recipes)
    limits = first.clip_norm is not None
    return replace(
        first,
        optimizer=first.optimizer.stack(theta, [r.optimizer for r in recipes]),
        schedule=first.schedule if one else schedules,
        learning_rate=column("learning_rate"),
        weight_decay=column("weight_decay"),
        clip_norm=column("clip_norm").astype(theta.dtype) if limits else None,
        order_rngs=[rng for recipe in recipes for rng in recipe.order_rngs],
        dropout_rngs=[rng for recipe in recipes for rng in recipe.dropout_rngs],
    )


def _part(runs, optimizer):
    """Give each run what is its own again."""
    for k, run in enumerate(runs):
        run.theta = run.theta.copy()
        state = run.recipe.optimizer.state
        for name, value in optimizer.state.items():
            state[name] = value[k].copy() if isinstance(value, np.ndarray) else value
