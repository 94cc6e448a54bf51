"""Outliers, or signal: what the rows of a target are that lie far from all others.

Under a robust loss a target is scaled by what most rows are. Where some of the others
are so far off that a network would not come near them on that scale, it has to be
decided what they are. Their targets do not tell: 3 rows in 100 at 10,000 times the
distance of the others may be errors of measurement, or all that there is to learn. X
may tell. Errors lie anywhere; what X foretells is signal.
"""

import numpy as np

from .scaling import FAR, index

# Of fewer rows that are far off nothing can be said; more foretell no better.
FEWEST, MOST_FAR = 5, 500
# So many others, to each of them, they are to be told from.
OTHERS = 4
TREES = 50
# Rows that are no tail of the others have a gap before them: so many times fewer are at
# half the distance, or farther. In a tail there are about as many as beyond.
GAP = 2
# How well far rows are foretold, as a correlation; by chance it is one over the root of
# the number of rows.
FORETOLD, CHANCES = 0.3, 4
# Numbers that are looked at.
NUMBERS = 2**22


@np.errstate(over="ignore")  # what is infinitely far is an outlier
def reaching(table, inputs, rows, scaling):
    """The scale of each output, wider where rows that are far off are signal.

    It grows from the scale of most rows on, without a jump, to the median distance of
    the others.

    Parameters
    ----------
    table : Table
    inputs : Data
        Its rows, to be standardised when they are gathered.
    rows : range or ndarray of int of shape (n,)
    scaling : Scaling
        With the robust centre and scale of y.

    Returns
    -------
    y_scale : ndarray of shape (n_outputs,)
    """
    wider = scaling.y_scale.copy()
    for k, scale in enumerate(scaling.y_scale):
        away = table.Y[index(rows), k] - scaling.y_mean[k]
        far = np.abs(away) > FAR * scale
        n_far = np.count_nonzero(far)
        n_half = np.count_nonzero(np.abs(away) > FAR / 2 * scale)
        if n_far < FEWEST or n_far < GAP * (n_half - n_far):
            continue
        typical = np.median(np.abs(away[far]))
        side = np.sign(away) * far
        if np.isfinite(typical) and _is_foretold(inputs, rows, side):
            wider[k] = typical - (FAR - 1) * scale
    return wider


def _is_foretold(inputs, rows, side):
    """Whether X tells which rows are far off, and on which side.

    Parameters
    ----------
    side : ndarray of shape (n,)
        1 above, -1 below, 0 for rows that are not far off.
    """
    # A tenth of a second that only those need to wait who have such rows.
    from sklearn.ensemble import RandomForestClassifier

    some = _some(side, inputs.n_inputs)
    part, side = inputs.numbers(np.asarray(rows)[some]), side[some]
    forest = RandomForestClassifier(
        TREES, min_samples_leaf=2, max_features=1 / 3, oob_score=True, random_state=0
    )
    shares = forest.fit(part, side).oob_decision_function_
    correlation = np.corrcoef(np.nan_to_num(shares) @ forest.classes_, side)[0, 1]
    by_chance = CHANCES / np.sqrt(len(side))
    return bool(correlation > max(FORETOLD, by_chance))


def _some(side, n_inputs):
    """Some of the rows that are far off, and some others."""
    rng = np.random.default_rng(0)
    far, near = np.flatnonzero(side), np.flatnonzero(side == 0)
    most = min(MOST_FAR, max(FEWEST, NUMBERS // (max(1, n_inputs) * (1 + OTHERS))))
    far = rng.permutation(far)[:most]
    near = rng.permutation(near)[: OTHERS * len(far)]
    return np.sort(np.r_[far, near])
