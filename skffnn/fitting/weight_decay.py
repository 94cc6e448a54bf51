"""How much weight decay: trainings side by side, tried on rows that they have not seen.

Tables differ in noise more than in anything else. What a noisy one needs ruins a smooth
one, and the other way round; no fixed number is right for both. So a stack of networks,
one for each candidate, learns four fifths of the rows in a part of the budget, and the
rows that are left tell which of them has learnt the table and not its noise.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..core.data import Data
from ..core.initializers import initialize
from ..core.stack import Run, train
from ..core.training import Recipe, evaluate

CANDIDATES = (0.03, 0.4, 3.0)
# Fewer different rows, or epochs, say too little; more say no more than these.
FEWEST_ROWS, FEWEST_EPOCHS = 100, 10
MOST_ROWS, MOST_NUMBERS = 30_000, 2**24
HELD_OUT = 0.2


def sample_size(data):
    """How many of the rows take part in the choice."""
    most = max(FEWEST_ROWS, MOST_NUMBERS // data.X.shape[1])
    return min(len(data), MOST_ROWS, most)


def budget(n, solver):
    """Which share of its epochs a training of n rows spends on the choice.

    In a shorter training there is less to hold back from, and the choice of "adam"
    falls on too little decay; many held-out rows make up for that. "sgd" is the slower
    one and has not yet learnt what it is to be held back from: it takes too much.
    """
    share = 0.5 if n <= 10_000 else 0.25
    return 2 * share if solver == "sgd" else share


@dataclass
class Question:
    """What a network asks before it is trained.

    Attributes
    ----------
    data : Data
        The training rows.
    recipe : callable
        Makes a `Recipe` of a theta, a weight decay, and a list each of the generator
        for the order of the rows and of that for dropout.
    seed : int
        Decides which rows are held out, the first weights and all later draws: the same
        for all candidates, which differ in their weight decay and in nothing else.
    """

    data: Data
    recipe: Callable[..., Recipe]
    seed: int


def choose(network, questions):
    """The one of CANDIDATES whose network has the lowest loss on held-out rows.

    The candidates of all questions are trained side by side.

    Parameters
    ----------
    network : Network
    questions : sequence of Question

    Returns
    -------
    weight_decays : list of float or None
        None where the rows are too few to say, or no network has a loss.
    """
    splits, trials = {}, []
    for question in questions:
        same = id(question.data), question.seed
        if same not in splits:
            splits[same] = _split(question.data, question.seed)
        learnt, held_out = splits[same]
        trials.append((_runs(network, question, learnt), held_out))
    for _ in train(network, [run for runs, _ in trials for run in runs]):
        pass
    return [_best(network, runs, held_out) for runs, held_out in trials]


def _split(data, seed):
    """Rows to learn and rows to be judged by; (None, None) if there are too few."""
    rng = np.random.default_rng(seed).spawn(1)[0]
    sample = _sample(data, rng)
    number, n_distinct = _distinct(sample)
    if _weighty(sample, number) < FEWEST_ROWS:
        return None, None
    # Equal rows are held out all, or none: they would give each other away.
    held_out = rng.permutation(n_distinct)[number] < HELD_OUT * n_distinct
    return [sample.of(np.flatnonzero(where)) for where in (~held_out, held_out)]


def _runs(network, question, learnt):
    """A run for each candidate; none without rows to learn."""
    if learnt is None:
        return []
    _, init, order, dropout = np.random.default_rng(question.seed).spawn(4)
    first = np.empty(network.layout.size, learnt.Y.dtype)
    initialize(network.layout, first, network.names, [init])
    runs = []
    for candidate in CANDIDATES:
        theta = first.copy()
        rngs = [deepcopy(order)], [deepcopy(dropout)]
        runs.append(Run(theta, learnt, question.recipe(theta, candidate, *rngs)))
    return runs


def _best(network, runs, held_out):
    if not runs:
        return None
    theta = np.stack([run.theta for run in runs])
    loss, _ = evaluate(network, theta, Data.stack([held_out] * len(runs)))
    with np.errstate(all="ignore"):  # the others have learnt, or none has
        loss = np.nan_to_num(loss.sum(axis=-1), nan=np.inf, posinf=np.inf)
    return CANDIDATES[int(np.argmin(loss))] if np.isfinite(loss).any() else None


def _sample(data, rng):
    """Some of the rows as `Data` of their own, standardised, in float32."""
    n = sample_size(data)
    rows = data.rows if n == len(data) else rng.choice(data.rows, n, replace=False)
    X = np.empty((n, data.X.shape[1]), data.Y.dtype)
    data.gather_inputs(rows, X)
    single = partial(np.asarray, dtype=np.float32)
    weight = None if data.weight is None else single(data.weight[rows])
    return Data(single(X), single(data.targets(rows)), weight)


def _distinct(sample):
    """Number the rows as they first appear, equal ones alike; how many numbers."""
    both = np.hstack([sample.X, sample.Y])
    whole = both.view(np.dtype((np.void, both.strides[0])))[:, 0]
    _, first, number = np.unique(whole, return_index=True, return_inverse=True)
    place = np.empty(len(first), int)
    place[np.argsort(first)] = np.arange(len(first))
    return place[number], len(first)


def _weighty(sample, number):
    """How many different rows have a weight worth speaking of."""
    weight = None if sample.weight is None else sample.weight[:, 0]
    total = np.bincount(number, weight)
    return np.count_nonzero(total > 0.01 * total.mean())
