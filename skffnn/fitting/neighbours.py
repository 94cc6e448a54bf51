"""Errors of neighbouring rows: where they agree, there is more in y than was found."""

import numpy as np
from scipy.spatial import KDTree
from scipy.stats import rankdata

# Errors of neighbouring rows that are so correlated are no noise, if it is no chance.
ALIKE, SURE = 0.5, 3
# Rows to look at, and what comparing each with each may take, in multiply-adds.
MOST_ROWS, MOST_WORK = 2000, 10**8


@np.errstate(all="ignore")  # far rows may saturate, and equal errors have no spread
def neighbours_err_alike(network, theta, data):
    """Whether rows that are next to each other have errors that are alike.

    Errors are compared by their ranks (Spearman's correlation): a few wild targets
    decide nothing.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (P,)
    data : Data
        Standardised, so that columns have equal say in who is next to whom. Of many
        rows some are drawn.
    """
    data = _some(data)
    rows = data.at(slice(None))
    x = np.empty((len(data), data.X.shape[1]))
    data.gather_inputs(rows, x)
    _, near = KDTree(x).query(x, k=2)
    itself = near[:, 0] == np.arange(len(x))
    next_to = np.where(itself, near[:, 1], near[:, 0])
    error = rankdata(network.predict(theta, data) - data.targets(rows), axis=0)
    error -= error.mean(axis=0)
    correlation = np.mean(error * error[next_to], axis=0) / np.mean(error**2, axis=0)
    return bool(np.any(correlation > max(ALIKE, SURE / np.sqrt(len(x)))))


def _some(data):
    most = int(min(MOST_ROWS, np.sqrt(MOST_WORK / data.X.shape[1])))
    if len(data) <= most:
        return data
    draw = np.random.default_rng(0).choice(len(data), most, replace=False)
    return data.of(data.rows[np.sort(draw)])
