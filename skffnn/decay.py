"""How much weight decay: trainings side by side, tried on rows that they have not seen.

Tables differ in noise more than in anything else. What a noisy one needs ruins a smooth
one, and the other way round; no fixed number is right for both. So a stack of networks,
one for each candidate, learns four fifths of the rows in a part of the budget, and the
rows that are left tell which of them has learnt the table and not its noise.
"""

from copy import deepcopy
from functools import partial

import numpy as np

from .core.data import Data
from .core.initializers import initialize
from .core.training import epochs, evaluate

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


def choose(network, data, recipe, seed):
    """The one of CANDIDATES whose network has the lowest loss on held-out rows.

    Parameters
    ----------
    network : Network
    data : Data
        The training rows.
    recipe : callable
        Makes a `Recipe` of the theta of a stack, a column of weight decays, and a list
        of generators each for the order of the rows and for dropout.
    seed : int
        Decides which rows are held out, the first weights and all later draws: the same
        for all, so that the networks differ in their weight decay and in nothing else.

    Returns
    -------
    weight_decay : float or None
        None where the rows are too few to say, or no network has a loss.
    """
    rng, init, order, dropout = np.random.default_rng(seed).spawn(4)
    K, sample = len(CANDIDATES), _sample(data, rng)
    number, n_distinct = _distinct(sample)
    if _weighty(sample, number) < FEWEST_ROWS:
        return None
    # Equal rows are held out all, or none: they would give each other away.
    held_out = rng.permutation(n_distinct)[number] < HELD_OUT * n_distinct
    theta = np.empty((K, network.layout.size), sample.Y.dtype)
    initialize(network.layout, theta, network.names, _copies(init, K))
    column = np.array(CANDIDATES)[:, np.newaxis]
    learnt = _rows(sample, ~held_out, K)
    how = recipe(theta, column, _copies(order, K), _copies(dropout, K))
    for _ in epochs(network, theta, learnt, how, []):
        pass
    loss, _ = evaluate(network, theta, _rows(sample, held_out, K))
    loss = np.nan_to_num(loss.sum(axis=-1), nan=np.inf, posinf=np.inf)
    return CANDIDATES[int(np.argmin(loss))] if np.isfinite(loss).any() else None


def _copies(rng, K):
    """Generators that all draw the same."""
    return [deepcopy(rng) for _ in range(K)]


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


def _rows(sample, where, K):
    """Those rows, for each of K networks."""
    rows = np.tile(np.flatnonzero(where), (K, 1))
    return Data(sample.X, sample.Y, sample.weight, rows)
