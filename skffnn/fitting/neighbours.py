"""Errors of neighbouring rows: where they agree, there is more in y than was found."""

import numpy as np
from scipy.spatial import KDTree
from scipy.stats import rankdata

# Errors of neighbouring rows that are so correlated are no noise, if it is no chance.
ALIKE, SURE = 0.5, 3
# With fewer rows it may always be.
FEWEST_ROWS = 10
# Rows to look at, and what comparing each with each may take, in multiply-adds.
MOST_ROWS, MOST_WORK = 2000, 10**8


@np.errstate(all="ignore")  # far rows may saturate, and equal errors have no spread
def neighbours_err_alike(network, theta, data):
    """Whether rows that are next to each other have errors that are alike.

    By their ranks (Spearman's correlation), as a few wild targets are to decide
    nothing; and by their sizes as well (Pearson's), unless the loss is robust: of rare
    events all errors but the rare ones are small and alike, and nothing is to gain.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (P,)
    data : Data
        Standardised, so that columns have equal say in who is next to whom. Of many
        rows some are drawn. Equal rows count as one, with the mean of their errors.
    """
    data = _some(data)
    rows = data.at(slice(None))
    x = network.inputs(theta, data).astype(np.float64)
    error = (network.predict(theta, data) - data.targets(rows)).astype(np.float64)
    x, error = _distinct(x, error)
    if len(x) < FEWEST_ROWS:
        return False
    _, near = KDTree(x).query(x, k=2)
    itself = near[:, 0] == np.arange(len(x))
    next_to = np.where(itself, near[:, 1], near[:, 0])
    alike = _correlation(rankdata(error, axis=0), next_to)
    if network.loss is None or not network.loss.robust:
        alike = np.minimum(alike, _correlation(error, next_to))
    return bool(np.any(alike > max(ALIKE, SURE / np.sqrt(len(x)))))


def _correlation(error, next_to):
    """The correlation of the errors with those of the rows next to them, by output."""
    error = error - error.mean(axis=0)
    return np.mean(error * error[next_to], axis=0) / np.mean(error**2, axis=0)


def _distinct(x, error):
    """The rows that differ, between -1 and 1, and the mean error of each."""
    x /= max(np.abs(x).max(), np.finfo(np.float64).tiny)
    x, which, count = np.unique(x, axis=0, return_inverse=True, return_counts=True)
    total = np.zeros((len(x), error.shape[1]))
    np.add.at(total, which.ravel(), error)
    return x, total / count[:, np.newaxis]


def _some(data):
    most = int(min(MOST_ROWS, np.sqrt(MOST_WORK / max(1, data.n_inputs))))
    if len(data) <= most:
        return data
    draw = np.random.default_rng(0).choice(len(data), most, replace=False)
    return data.of(data.rows[np.sort(draw)])
