"""How much weight decay: trainings side by side, tried on rows that they have not seen.

Tables differ in noise more than in anything else. What a noisy one needs ruins a smooth
one, and the other way round; no fixed number is right for both. So a stack of networks,
one for each candidate, learns four fifths of the rows in a part of the budget, and the
rows that are left tell which of them has learnt the table and not its noise. Of small
tables each fifth is left out in turn, by a solver that is quick with few rows.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..core.data import Data
from ..core.initializers import initialize
from ..core.optimizers import WeightDecays
from ..core.schedules import cosine
from ..core.stack import Run, train
from ..core.training import Recipe, evaluate
from ..preprocessing.parameters import auto_max_iter

# A fifth of fewer different rows says too little, and so do fewer epochs; more say no
# more than these.
FEWEST_ROWS, FEWEST_EPOCHS = 100, 10
MOST_ROWS, MOST_NUMBERS = 30_000, 2**24
HELD_OUT = 0.2
# Squares of it are numbers in float32.
LARGEST = np.sqrt(np.finfo(np.float32).max) / 2


def before_the_choice(settings):
    """The weight decay of a fit as long as no table has chosen one.

    Parameters
    ----------
    settings : Settings
    """
    if not settings.chooses_weight_decay:
        return float(settings.model.weight_decay)
    return settings.solver.weight_decays.undecided


def sample_size(data):
    """How many of the rows take part in the choice."""
    most = max(FEWEST_ROWS, MOST_NUMBERS // max(1, data.n_inputs))
    return min(len(data), MOST_ROWS, most)


def budget(n, slowness):
    """Which share of its epochs a training of n rows spends on the choice.

    In a shorter training there is less to hold back from, and the choice of "adam"
    falls on too little decay; many held-out rows make up for that. A solver that takes
    ``slowness`` times as long has not yet learnt what it is to be held back from: it
    would take too much.
    """
    return slowness * (0.5 if n <= 10_000 else 0.25)


@dataclass
class WeightDecayTrial:
    """What is tried out for one network before it is trained.

    Attributes
    ----------
    data : Data
        The training rows.
    recipe : callable or None
        Makes a `Recipe` of a theta, a weight decay, and the generators for the order of
        the rows and for dropout; None for a solver that trains by itself.
    minimize : callable or None
        Trains by such a solver: takes a network, a theta, its rows and a weight decay.
    amounts : WeightDecays
    seed : int
        Decides which rows are held out, the first weights and all later draws: the same
        for all candidates, which differ in their weight decay and in nothing else.
    """

    data: Data
    recipe: Callable[..., Recipe] | None
    amounts: WeightDecays
    seed: int
    minimize: Callable[..., Any] | None = None


def trial_of(settings, data, seed, most):
    """The trial of a fit; None if it knows its weight decay, or is too short to tell.

    Parameters
    ----------
    settings : Settings
    data : Data
        The training rows.
    seed : int
    most : float
        Of a larger loss, progress is relative to this.
    """
    solver = settings.solver
    if not settings.chooses_weight_decay:
        return None
    if "choice_of_weight_decay" not in solver.uses:
        return None
    n = sample_size(data)
    # Above the automatic number, max_iter is a limit that most runs end before.
    epochs = min(auto_max_iter(n), settings.max_iter_for(n))
    max_iter = round(budget(n, solver.slowness) * epochs)
    if min(max_iter, settings.max_iter) < FEWEST_EPOCHS:
        return None

    def recipe(theta, weight_decay, *rngs):
        return settings.recipe(
            settings.optimizer(theta),
            cosine,
            weight_decay,
            rngs,
            batch_size=settings.batch_size_for(n),
            max_iter=max_iter,
        )

    def minimize(network, theta, learnt, weight_decay):
        solver.minimize(
            network,
            theta,
            learnt,
            lambda record: False,
            max_iter=max_iter,
            tol=settings.model.tol,
            weight_decay=weight_decay,
            validation=None,
            most=most,
        )

    how = (None, minimize) if settings.trains_itself else (recipe, None)
    return WeightDecayTrial(data, how[0], solver.weight_decays, seed, how[1])


def choose(network, trials):
    """The candidate whose network has the lowest loss on held-out rows, for each trial.

    The candidates of all trials are trained side by side.

    Parameters
    ----------
    network : Network
    trials : sequence of WeightDecayTrial

    Returns
    -------
    weight_decays : list of float
        That of few rows where they are too few to say, or no network has a loss.
    """
    splits, tried = {}, []
    for trial in trials:
        same = id(trial.data), trial.seed, trial.amounts.fewest
        if same not in splits:
            splits[same] = _splits(trial.data, trial.seed, trial.amounts.fewest)
        tried.append([(_runs(network, trial, a), b) for a, b in splits[same]])
    runs = (run for each in tried for of_split, _ in each for run in of_split)
    for _ in train(network, [run for run in runs if run.recipe is not None]):
        pass
    return [
        _best(network, trial.amounts, each)
        for trial, each in zip(trials, tried, strict=True)
    ]


def _splits(data, seed, fewest):
    """Rows to learn and rows to be judged by, once or in turn; none if too few."""
    rng = np.random.default_rng(seed).spawn(1)[0]
    sample = _sample(data, rng)
    number, n_distinct = _distinct(sample)
    n = _n_of_weight(sample, number)
    if n < fewest:
        return []
    turns = 1
    if n < FEWEST_ROWS:
        turns, number = round(1 / HELD_OUT), _by_value(sample, number)
    # Equal rows are held out all, or none: they would give each other away.
    place, fifth = rng.permutation(n_distinct)[number], HELD_OUT * n_distinct
    held_out = [
        (turn * fifth <= place) & (place < (turn + 1) * fifth) for turn in range(turns)
    ]
    return [
        [sample.of(np.flatnonzero(where)) for where in (~each, each)]
        for each in held_out
    ]


def _runs(network, trial, learnt):
    """A run for each candidate, still to be trained if it has a recipe."""
    _, init, order, dropout = np.random.default_rng(trial.seed).spawn(4)
    first = np.empty(network.layout.size, learnt.Y.dtype)
    initialize(network.layout, first, network.activations, [init])
    runs = []
    for candidate in trial.amounts.candidates:
        theta, recipe = first.copy(), None
        if trial.minimize is not None:
            trial.minimize(network, theta, learnt, candidate)
        else:
            rngs = deepcopy(order), deepcopy(dropout)
            recipe = trial.recipe(theta, candidate, *rngs)
        runs.append(Run(theta, learnt, recipe))
    return runs


def _best(network, amounts, tried):
    """The weight decay of the runs with the lowest loss on all held-out rows."""
    if not tried:
        return amounts.few_rows
    loss = np.zeros(len(amounts.candidates))
    n = sum(map(_total_weight, (held_out for _, held_out in tried)))
    for runs, held_out in tried:
        theta = np.stack([run.theta for run in runs])
        part, _ = evaluate(network, theta, Data.stack([held_out] * len(runs)))
        with np.errstate(all="ignore"):
            loss += part.sum(axis=-1) * (_total_weight(held_out) / n)
    # Where one is no number, the others have learnt, or none has.
    loss = np.nan_to_num(loss, nan=np.inf, posinf=np.inf)
    if not np.isfinite(loss).any():
        return amounts.few_rows
    return amounts.candidates[int(np.argmin(loss))]


def _total_weight(data):
    return len(data) if data.weight is None else len(data) * data.mean_weight.item()


def _sample(data, rng):
    """Some of the rows as `Data` of their own, standardised, in float32."""
    n = sample_size(data)
    rows = data.rows if n == len(data) else rng.choice(data.rows, n, replace=False)
    X = np.empty((n, data.n_inputs), data.Y.dtype)
    data.gather_inputs(rows, X)
    single = partial(np.asarray, dtype=np.float32)
    weight = None if data.weight is None else single(data.weight[rows])
    # A target that is far off, which robust losses take as it is, stays a number.
    Y = np.clip(data.targets(rows), -LARGEST, LARGEST)
    codes = None if data.codes is None else data.codes[rows]
    return Data(single(X), single(Y), weight, codes=codes)


def _parts(sample):
    """What tells rows apart; small codes are numbers in float32 as well."""
    codes = [] if sample.codes is None else [sample.codes.astype(np.float32)]
    return [sample.X, sample.Y, *codes]


def _distinct(sample):
    """Number the rows as they first appear, equal ones alike; how many numbers."""
    both = np.hstack(_parts(sample))
    whole = both.view(np.dtype((np.void, both.strides[0])))[:, 0]
    _, first, number = np.unique(whole, return_index=True, return_inverse=True)
    place = np.empty(len(first), int)
    place[np.argsort(first)] = np.arange(len(first))
    return place[number], len(first)


def _by_value(sample, number):
    """Number the rows as their values are sorted, equal ones alike.

    Of few rows it matters which are held out, and a row that is there twice is to count
    as one of twice the weight, wherever it is.
    """
    _, first = np.unique(number, return_index=True)
    rows = np.hstack(_parts(sample))[first]
    place = np.empty(len(first), int)
    place[np.lexsort(rows.T[::-1])] = np.arange(len(first))
    return place[number]


def _n_of_weight(sample, number):
    """How many different rows have a weight worth speaking of."""
    weight = None if sample.weight is None else sample.weight[:, 0]
    total = np.bincount(number, weight)
    return np.count_nonzero(total > 0.01 * total.mean())
