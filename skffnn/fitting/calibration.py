"""Calibration: what errors on held-out rows say of the spread between networks."""

import numpy as np
from scipy.stats import norm

from ..saving.rules import are_rows, is_array, is_list

# All networks predict so many rows at once, so the memory does not grow with the rows.
BLOCK = 2**15


@np.errstate(all="ignore")  # what overflows is told of by whoever answers with it
def mean_and_spread(models, X, spread=True):
    """Mean and standard deviation of what several networks predict.

    Parameters
    ----------
    models : list of GradientDescentNetwork
        Fitted, to targets of one shape.
    X : ndarray or CSR of shape (n, n_features)
        Checked.
    spread : bool, default=True
        Without, only the mean is computed.

    Returns
    -------
    mean : ndarray of shape (n, n_outputs)
    std : ndarray of shape (n, n_outputs) or None
        0 for a single network.
    """
    shape = X.shape[0], models[0].n_outputs_
    mean, std = np.empty(shape), np.zeros(shape) if spread else None
    for start in range(0, X.shape[0], BLOCK):
        rows = slice(start, start + BLOCK)
        # (n_models, rows, n_outputs)
        each = np.stack([model._predict(X[rows]) for model in models])
        each.mean(axis=0, out=mean[rows])
        if std is not None and len(models) > 1:
            each.std(axis=0, ddof=1, out=std[rows])
    return mean, std


def calibrated(models, table, rows):
    """The noise in the targets of held-out rows, and the sorted scores of their errors.

    Parameters
    ----------
    models : list of GradientDescentNetwork
    table : Table
    rows : ndarray of int of shape (n,), or None
        Which rows no model has learnt; None if there are none.

    Returns
    -------
    noise : ndarray of shape (n_outputs,)
        Standard deviation of what the spread does not explain of the errors; 0 without
        rows.
    scores : ndarray of shape (n, n_outputs) or None
        The absolute errors in standard deviations, of spread and noise together.
    """
    if rows is None:
        return np.zeros(table.Y.shape[1]), None
    y_hat, spread = mean_and_spread(models, table.rows[rows])
    error = table.Y[rows] - y_hat
    unexplained = np.mean(error**2, axis=0) - np.mean(spread**2, axis=0)
    noise = np.sqrt(np.maximum(unexplained, 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = np.abs(error) / np.hypot(spread, noise)
    # An exact prediction is no error, however sure it was.
    return noise, np.sort(np.where(error == 0, 0, scores), axis=0)


def deviations_for(coverage, scores):
    """How many standard deviations cover a share of the targets, for each output.

    Parameters
    ----------
    coverage : float
    scores : ndarray of shape (n, n_outputs) or None
        As `calibrated` returns them; without, errors are taken as normal.

    Raises
    ------
    ValueError
        If that is more than so many scores can tell.
    """
    if scores is None:
        return norm.ppf((1 + coverage) / 2)
    n = len(scores)
    # The new row is one of n + 1, and as likely to be the largest as any.
    rank = _ceiling((n + 1) * coverage)
    if rank > n:
        raise ValueError(
            f"{n} calibration rows say nothing about coverage={coverage:g}: it takes "
            f"at least {_ceiling(coverage / (1 - coverage))}. Raise "
            "calibration_fraction, pass more rows to fit, or ask for less."
        )
    return scores[rank - 1]


def _ceiling(number):
    """The next whole number; 9 is the next after 0.9 * 10, whatever the rounding."""
    return int(np.ceil(round(number, 9)))


# What a file may hold of an ensemble, by the rules of `skffnn.saving.mixin` ----------


def are_samples(value, others):
    """Whether those are the rows that each network has learnt."""
    return is_list(value, are_rows) and len(value) == len(others["estimators_"])


def is_noise(value, others):
    """Whether that is a standard deviation for each output."""
    shape = (others["estimators_"][0].n_outputs_,)
    return is_array(value, shape) and bool((value >= 0).all())


def are_scores(value, others):
    """Whether those are scores for each calibration row and output."""
    rows = others["calibration_indices_"]
    if rows is None:
        return value is None
    shape = len(rows), others["estimators_"][0].n_outputs_
    return is_array(value, shape, finite=False)
