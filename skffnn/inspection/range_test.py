"""The learning-rate range test: a short run in which the rate grows at every step."""

from typing import NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from ..base import GradientDescentNetwork
from ..core.training import epochs
from ..fitting.run import Fit
from ..fitting.settings import Settings
from ..fitting.threads import blas_threads
from ..preprocessing.parameters import check_parameters, solvers_with, uses
from ..preprocessing.preparation import draw_seed, prepare

# The run: batches in its sample, steps at least, points of the curve at least.
BATCHES, STEPS, POINTS = 16, 1000, 60
# Points that a mean is taken over; the curve is the mean of noisy batches.
WINDOW = 5
# A loss so many times that of the beginning ends the run.
BLOWN_UP = 4
# A rate is safe until the loss has risen again to so many times its lowest.
RISEN = 1.25


class RangeTest(NamedTuple):
    """The curve of a range test, and what can be read off it.

    Attributes
    ----------
    learning_rates, losses : ndarray of shape (n_points,)
        The loss in the units of the target, smoothed.
    steepest, largest_safe : float
        Where the logarithm of the loss falls fastest; the last rate before the loss
        lies a quarter above its lowest.
    """

    learning_rates: np.ndarray
    losses: np.ndarray
    steepest: float
    largest_safe: float


def range_test(estimator, X, y, sample_weight, lowest, highest):
    """Train on a sample of the rows while the rate grows from lowest to highest.

    Parameters
    ----------
    estimator : FFNNRegressor or Pipeline
        Only its parameters are read. The steps of a pipeline are fitted as clones.
    X, y, sample_weight
        What it would be fitted on.
    lowest, highest : float

    Returns
    -------
    RangeTest
    """
    X, model = _to_last_step(estimator, X, y)
    _check(model, lowest, highest)
    # A clone, as the checks of the data write what they saw of the columns.
    model = clone(model).set_params(
        early_stopping=False, validation_fraction=None, learning_rate=float(lowest)
    )
    check_parameters(model)
    seed = draw_seed(model.random_state)
    table, _, target = model._check_rows(X, y, sample_weight, (None, None, None))
    prepared = prepare(model, table, None, target, seed)
    settings = Settings(model, len(prepared.training_data))
    fit = Fit(settings, prepared, seed)
    data = _sample(fit)
    per_epoch = -(-len(data) // min(settings.batch_size, len(data)))
    points = max(POINTS, STEPS // per_epoch)
    growth = (highest / lowest) ** (1 / (points * per_epoch - 1))
    recipe = settings.recipe(
        settings.optimizer(fit.theta),
        lambda step, steps, losses: growth**step,
        fit.weight_decay,
        (fit.state.order, fit.state.dropout),
        max_iter=points,
    )
    rates, losses = [], []
    with blas_threads(settings.batch_size * fit.network.layout.n_multiplied):
        for record in epochs(fit.network, fit.theta, data, recipe, []):
            # The loss is a mean over the steps of the epoch, and so is the rate.
            rates.append(record.learning_rate * growth ** (-(per_epoch - 1) / 2))
            losses.append(fit.in_target_units(record.loss, record.metric)[0])
            if not losses[-1] <= BLOWN_UP * losses[0]:
                break
    return _read(np.array(rates), np.array(losses))


def _to_last_step(estimator, X, y):
    """What the last step of a pipeline is fitted on, and that step."""
    while isinstance(estimator, Pipeline):
        *before, (_, last) = estimator.steps
        if before:
            X = clone(Pipeline(before)).fit_transform(X, y)
        estimator = last
    return X, estimator


def _check(model, lowest, highest):
    if not isinstance(model, GradientDescentNetwork):
        raise ValueError(
            "The range test takes an FFNNRegressor, or a pipeline that ends in one; "
            f"got {type(model).__name__}."
        )
    if not uses(model, "learning_rate"):
        raise ValueError(
            f"solver={model.solver!r} has no learning rate to look for; use "
            f"solver={solvers_with('learning_rate')}."
        )
    if not 0 < lowest < highest < np.inf:
        raise ValueError(
            "The learning rates must grow, from above 0 to a finite number; got "
            f"{lowest!r} to {highest!r}."
        )


def _sample(fit):
    data = fit.judge.near  # others would hide how the loss falls
    n = min(len(data), BATCHES * fit.settings.batch_size)
    rng = np.random.default_rng(fit.state.seed)
    return data.of(rng.choice(data.rows, n, replace=False))


def _read(rates, losses):
    finite = np.isfinite(losses)
    if finite.sum() < WINDOW:
        raise ValueError("The loss blows up at once: begin with a lower learning rate.")
    rates, losses = rates[finite], _smooth(losses[finite])
    lowest = int(losses.argmin())
    positive = np.maximum(losses, np.finfo(float).tiny)
    slopes = np.gradient(np.log(positive), np.log(rates))[: lowest + 1]
    beyond = np.append(losses[lowest:], np.inf) > RISEN * losses[lowest]
    safe = lowest + int(beyond.argmax()) - 1
    return RangeTest(rates, losses, float(rates[slopes.argmin()]), float(rates[safe]))


def _smooth(losses):
    """Moving averages; at the ends the first and the last loss stand in."""
    padded = np.pad(losses, WINDOW // 2, mode="edge")
    return np.convolve(padded, np.full(WINDOW, 1 / WINDOW), mode="valid")
