"""The evidence: which precisions of noise and parameters make the targets probable.

MacKay (1992), A Practical Bayesian Framework for Backpropagation Networks. The errors
e = y_hat - y are normal with precision alpha; each parameter is normal around 0 with
the precision lambda of its group. The most probable theta then minimises

    S = alpha sum(w e^2) / 2 + sum(lambda theta^2) / 2.

Around it, theta is taken as normal with the precision matrix (Laplace's approximation,
with the Gauss-Newton matrix for the second derivative)

    A = alpha J' W J + diag(lambda).

Of the P_g parameters of a group, the rows determine gamma_g; the prior, the rest:

    gamma_g = P_g - lambda_g trace_g(A^-1)
    log p(y) = -S - log det A / 2 + sum(log lambda) / 2 + n log(alpha / 2 pi) / 2

The evidence p(y) is largest where lambda_g = gamma_g / sum_g(theta^2) and
alpha = (n - gamma) / sum(w e^2), each a function of the other: they are iterated.
"""

from typing import NamedTuple

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtri, dtrtrs

from .gauss_newton import RowGradients

# A gamma prior of the precisions, so weak that it only keeps them finite.
WEAK = 1e-7


class Precisions(NamedTuple):
    """The precision of the noise, alpha, and of each group of parameters, lambda."""

    noise: float
    groups: np.ndarray


class Posterior(NamedTuple):
    """What the rows say about a network with these parameters and precisions.

    Attributes
    ----------
    theta : ndarray of shape (P,)
        A copy.
    precisions : Precisions
        Under which it was judged.
    squares : float
        sum(w e^2).
    log_evidence : float
    effective : ndarray of shape (n_groups,)
        gamma: how many parameters of each group the rows determine.
    """

    theta: np.ndarray
    precisions: Precisions
    squares: float
    log_evidence: float
    effective: np.ndarray


def groups_of(layout, by_input):
    """The group that each parameter belongs to: a number for each, (P,).

    Each layer is a group, its weights and its biases. With by_input the weights of the
    first layer are one group for each input, and its biases another: automatic
    relevance determination (MacKay, 1995). Each embedding table is a group.
    """
    groups = np.empty(layout.size, int)
    parameters, n_inputs = layout.views(groups), layout.units[0]
    for l, (W_l, b_l) in enumerate(zip(parameters.W, parameters.b, strict=True)):
        W_l[...] = b_l[...] = l + n_inputs * by_input
    if by_input:
        parameters.W[0][...] = np.arange(n_inputs)[:, np.newaxis]
    for c, E_c in enumerate(
        parameters.E, start=len(parameters.W) + n_inputs * by_input
    ):
        E_c[...] = c
    return groups


def factorize(matrix, precisions, groups, out, damping=0.0):
    """Cholesky's factor of A + damping, lower triangular, into out; whether it exists.

    Parameters
    ----------
    matrix : ndarray of shape (P, P)
        J' W J, the lower triangle.
    precisions : Precisions
    groups : ndarray of int of shape (P,)
    out : ndarray of shape (P, P)
        In Fortran order, to be overwritten.
    damping : float
    """
    np.multiply(matrix, precisions.noise, out=out)
    diagonal = out.reshape(-1, order="F")[:: len(out) + 1]
    diagonal += precisions.groups[groups]
    diagonal += damping
    _, info = dpotrf(out, lower=1, clean=1, overwrite_a=1)
    return info == 0


def factorize_anyway(matrix, precisions, groups, out):
    """The factor of A, with as little damping as rounding makes necessary."""
    damping, largest = 0.0, precisions.noise * matrix.diagonal().max()
    if not np.isfinite(largest):
        raise FloatingPointError(
            "The sums over the rows overflow: sample_weight has values that are too "
            "large, or a layer's activations grow without bound."
        )
    while not factorize(matrix, precisions, groups, out, damping):
        least = max(np.finfo(float).eps * largest, np.finfo(float).tiny)
        damping = max(10 * damping, least)


def factor_of(curvature, judged, groups):
    """Cholesky's factor of A for those parameters and precisions, (P, P)."""
    curvature.sums(judged.theta)
    factor = np.empty_like(curvature.matrix)
    factorize_anyway(curvature.matrix, judged.precisions, groups, factor)
    return factor


def posterior(curvature, theta, squares, precisions, groups, work):
    """Judge theta, at which `curvature.sums` has been called.

    Parameters
    ----------
    curvature : GaussNewton
    theta : ndarray of shape (P,)
    squares : float
        What `curvature.sums` returned.
    precisions : Precisions
    groups : ndarray of int of shape (P,)
    work : ndarray of shape (P, P)
        In Fortran order, to be overwritten.
    """
    alpha, lam = precisions
    factorize_anyway(curvature.matrix, precisions, groups, work)
    log_det = 2 * np.log(work.diagonal()).sum()
    dtrtri(work, lower=1, overwrite_c=1)
    # A^-1 = L'^-1 L^-1: its diagonal is the sum over squares of each column of L^-1.
    inverse = np.einsum("ij,ij->j", work, work)
    size = np.bincount(groups)
    effective = size - lam * np.bincount(groups, inverse)
    log_evidence = (
        -(alpha * squares + lam @ squares_of(theta, groups)) / 2
        - log_det / 2
        + size @ np.log(lam) / 2
        + curvature.n * np.log(alpha / (2 * np.pi)) / 2
    )
    return Posterior(
        theta.copy(), precisions, squares, float(log_evidence), np.maximum(effective, 0)
    )


def squares_of(theta, groups):
    """sum(theta^2) of each group."""
    return np.bincount(groups, theta * theta)


def reestimate(judged, n, groups):
    """The precisions under which those parameters and errors are most probable."""
    squares = squares_of(judged.theta, groups)
    lam = (judged.effective + 2 * WEAK) / (squares + 2 * WEAK)
    free = max(n - judged.effective.sum(), 0.0)
    return Precisions(float((free + 2 * WEAK) / (judged.squares + 2 * WEAK)), lam)


def variance(network, theta, data, factor):
    """How far the rows leave y_hat open: g' A^-1 g, with g = dy_hat/dtheta.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (P,)
    data : Data
        The rows to predict.
    factor : ndarray of shape (P, P)
        Cholesky's factor of A, lower triangular.

    Returns
    -------
    variance : ndarray of shape (n,)
    """
    rows, out = RowGradients(network, data), np.empty(len(data))
    for part, batch in rows.passes(theta):
        v, _ = dtrtrs(factor, rows.of(theta, batch).T, lower=1, overwrite_b=1)
        np.einsum("ij,ij->j", v, v, out=out[part])
    return out
