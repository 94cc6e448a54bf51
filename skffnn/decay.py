"""How much weight decay: trainings side by side, tried on rows that they have not seen.

Tables differ in noise more than in anything else. What a noisy one needs ruins a smooth
one, and the other way round; no fixed number is right for both. So a stack of networks,
one for each candidate, learns four fifths of the rows in a part of the budget, and the
rows that are left tell which of them has learnt the table and not its noise.
"""

from functools import partial

import numpy as np

from .core.data import Data
from .core.initializers import initialize
from .core.training import epochs, evaluate

CANDIDATES = (0.03, 0.4, 3.0)
# Fewer different rows, or epochs, say too little; more say no more than these.
FEWEST_ROWS, FEWEST_EPOCHS = 100, 10
FOR_FEW_ROWS = 2.0
MOST_ROWS, MOST_NUMBERS = 30_000, 2**22
HELD_OUT = 0.2


def sample_size(data):
    """How many of the rows take part in the choice."""
    return min(len(data), MOST_ROWS, MOST_NUMBERS // data.X.shape[1])


def budget(n):
    """Which share of its epochs a training of n rows spends on the choice.

    In a shorter training there is less to hold back from, and the choice falls on too
    little decay. Many held-out rows make up for that.
    """
    return 0.5 if n <= 10_000 else 0.25


def choose(network, data, recipe, seed):
    """The one of CANDIDATES whose network has the lowest loss on held-out rows.

    Parameters
    ----------
    network : Network
    data : Data
        The training rows.
    recipe : callable
        Makes a `Recipe` for a stack, of its theta and a column of weight decays.
    seed : int
        Decides which rows are held out, and the first weights: the same for all, so
        that the networks differ in their weight decay and in nothing else.

    Returns
    -------
    weight_decay : float
        FOR_FEW_ROWS where the rows are too few to say.
    """
    rng, K = np.random.default_rng(seed), len(CANDIDATES)
    sample = _sample(data, rng)
    number, n_distinct = _distinct(sample)
    if n_distinct < FEWEST_ROWS:
        return FOR_FEW_ROWS
    # Equal rows are held out all, or none: they would give each other away.
    held_out = rng.permutation(n_distinct)[number] < HELD_OUT * n_distinct
    theta = np.empty((K, network.layout.size), sample.Y.dtype)
    initialize(network.layout, theta, network.names, alike(seed, K))
    column = np.array(CANDIDATES)[:, np.newaxis]
    learnt = _rows(sample, ~held_out, K)
    for _ in epochs(network, theta, learnt, recipe(theta, column), []):
        pass
    loss, _ = evaluate(network, theta, _rows(sample, held_out, K))
    loss = np.nan_to_num(loss.sum(axis=-1), nan=np.inf)
    return CANDIDATES[int(np.argmin(loss))]


def alike(seed, K):
    """Generators that all draw the same."""
    return [np.random.default_rng(seed) for _ in range(K)]


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
    """Number the rows, equal ones alike; and how many numbers there are."""
    both = np.hstack([sample.X, sample.Y])
    whole = both.view(np.dtype((np.void, both.strides[0])))[:, 0]
    values, number = np.unique(whole, return_inverse=True)
    return number, len(values)


def _rows(sample, where, K):
    """Those rows, for each of K networks."""
    rows = np.tile(np.flatnonzero(where), (K, 1))
    return Data(sample.X, sample.Y, sample.weight, rows)
