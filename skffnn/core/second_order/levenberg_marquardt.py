"""Levenberg-Marquardt: full batch, through LAPACK, one network at a time."""

import numpy as np
from scipy.linalg.lapack import dpotrs

from .evidence import Precisions, factorize, posterior, reestimate, squares_of

# Precisions to start with, in standardised units: little noise, loose parameters.
NOISE, PARAMETERS = 20.0, 0.1
# The damping is a precision as well, of the step: to start with, and its bounds; what
# it is multiplied by after a step that was good, and after one that was not.
DAMPING, LEAST, MOST = 10.0, 1e-8, 1e16
LOWER, RAISE = 0.3, 10.0


def levenberg_marquardt(curvature, theta, groups, warm_up):
    """Train a network and its precisions, without end; yield a `Posterior` a step.

    A step d solves (A + mu I) d = -dS/dtheta, with A and S as in `evidence`. If S
    rises, or Cholesky's factorisation fails, mu grows, and the step becomes a short one
    downhill; else it shrinks, and the next one is more like Newton's. Then the
    precisions are estimated anew, which changes S. The evidence rises for a while. It
    may fall again, as the precisions are estimated with A held fixed: the caller keeps
    the best.

    Parameters
    ----------
    curvature : GaussNewton
        Of a standardised table.
    theta : ndarray of shape (P,)
        In float64; changed in place.
    groups : ndarray of int of shape (P,)
        Which parameters share a precision, as `groups_of` tells.
    warm_up : int
        Steps before the precisions are estimated anew.

    Yields
    ------
    judged : Posterior

    References
    ----------
    Foresee & Hagan (1997), Gauss-Newton Approximation to Bayesian Learning. Levenberg
    (1944); Marquardt (1963).
    """
    work = np.empty_like(curvature.matrix)
    precisions = Precisions(NOISE, np.full(groups.max() + 1, PARAMETERS))
    damping, steps = DAMPING, 0
    squares = curvature.sums(theta)
    while True:
        damping = _step(curvature, theta, squares, precisions, groups, work, damping)
        squares = curvature.sums(theta)
        judged = posterior(curvature, theta, squares, precisions, groups, work)
        yield judged
        steps += 1
        if steps >= warm_up:
            precisions = reestimate(judged, curvature.n, groups)


def _step(curvature, theta, squares, precisions, groups, work, damping):
    """Move theta, and return the damping of the next step.

    Where nothing leads downhill, theta is the minimum as far as numbers can tell, and
    stays; other precisions may have another one.
    """
    alpha, lam = precisions

    def cost(squares, theta):
        return (alpha * squares + lam @ squares_of(theta, groups)) / 2

    S, slope = cost(squares, theta), alpha * curvature.gradient + lam[groups] * theta
    while damping <= MOST:
        if factorize(curvature.matrix, precisions, groups, work, damping):
            d, _ = dpotrs(work, slope, lower=1)
            tried = theta - d
            if cost(curvature.squares(tried), tried) <= S:
                theta[...] = tried
                return max(damping * LOWER, LEAST)
        damping *= RAISE
    return DAMPING
