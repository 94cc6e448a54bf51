"""The evidence and Levenberg-Marquardt, where the right answer is known.

Without hidden layers the network is linear in theta and everything is exact: ridge
regression, scikit-learn's BayesianRidge, the density of a normal distribution.
"""

import itertools

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.linear_model import ARDRegression, BayesianRidge

from skffnn.core.second_order import evidence
from skffnn.core.second_order.evidence import (
    Posterior,
    Precisions,
    factor_of,
    factorize,
    groups_of,
    posterior,
    reestimate,
    variance,
)
from skffnn.core.second_order.levenberg_marquardt import levenberg_marquardt


def judge(curvature, theta, precisions, groups):
    work = np.empty_like(curvature.matrix)
    return posterior(curvature, theta, curvature.sums(theta), precisions, groups, work)


def run(curvature, theta, groups, steps):
    return list(
        itertools.islice(
            levenberg_marquardt(curvature, theta, groups, warm_up=2), steps
        )
    )


# Sums over the rows -------------------------------------------------------------------


# What is known ------------------------------------------------------------------------


def test_the_evidence_is_the_density_of_the_targets(linear):
    curvature, X = linear
    groups = np.array([0, 1, 1, 2])
    precisions = Precisions(4.0, np.array([0.5, 2.0, 1.0]))
    y = curvature.data.Y[:, 0]
    prior = np.diag(1 / precisions.groups[groups])
    A = 4 * X.T @ X + np.diag(precisions.groups[groups])
    judged = judge(curvature, np.linalg.solve(A, 4 * X.T @ y), precisions, groups)
    density = multivariate_normal(cov=X @ prior @ X.T + np.eye(60) / 4)
    assert judged.log_evidence == pytest.approx(density.logpdf(y), rel=1e-10)


def test_effective_parameters_are_those_of_ridge(linear):
    curvature, X = linear
    precisions = Precisions(3.0, np.array([20.0]))
    judged = judge(curvature, np.zeros(4), precisions, np.zeros(4, int))
    eigenvalues = 3 * np.linalg.eigvalsh(X.T @ X)
    expected = (eigenvalues / (eigenvalues + 20)).sum()
    assert judged.effective == pytest.approx(expected)


@pytest.mark.parametrize("by_input", [False, True])
def test_without_hidden_layers_it_is_bayesian_ridge(
    linear, make_network, make_data, by_input
):
    curvature, X = linear
    y, theta = curvature.data.Y[:, 0], np.zeros(4)
    groups = groups_of(curvature.row_gradients.network.layout, by_input)
    judged = run(curvature, theta, groups, 500)[-1]
    kind = ARDRegression if by_input else BayesianRidge
    tiny = dict.fromkeys(("alpha_1", "alpha_2", "lambda_1", "lambda_2"), evidence.WEAK)
    options = {"threshold_lambda": 1e30} if by_input else {"compute_score": True}
    model = kind(max_iter=3000, tol=1e-12, fit_intercept=False, **tiny, **options)
    model.fit(X, y)
    np.testing.assert_allclose(judged.theta, model.coef_, rtol=1e-5, atol=1e-8)
    assert judged.precisions.noise == pytest.approx(model.alpha_, rel=1e-5)
    np.testing.assert_allclose(judged.precisions.groups, model.lambda_, rtol=1e-3)
    new = make_data(9, [3, 1])
    open_questions = variance(
        curvature.row_gradients.network,
        judged.theta,
        new,
        factor_of(curvature, judged, groups),
    )
    _, std = model.predict(np.hstack([new.X, np.ones((9, 1))]), return_std=True)
    np.testing.assert_allclose(
        open_questions + 1 / judged.precisions.noise, std**2, rtol=1e-4
    )
    if not by_input:
        # Its score has the logarithms of its weak priors in it.
        score = model.scores_[-1] - evidence.WEAK * (
            np.log(model.lambda_) - model.lambda_ + np.log(model.alpha_) - model.alpha_
        )
        assert judged.log_evidence == pytest.approx(score, rel=1e-6)


def test_precisions_are_where_the_evidence_is_largest(linear):
    curvature, _ = linear
    groups = np.array([0, 1, 1, 2])
    best = run(curvature, np.zeros(4), groups, 300)[-1]

    def log_evidence(noise, lam):
        theta = np.zeros(4)
        curvature.sums(theta)
        A = np.tril(noise * curvature.matrix)
        A = A + np.tril(A, -1).T + np.diag(lam[groups])
        theta = -np.linalg.solve(A, noise * curvature.gradient)
        return judge(curvature, theta, Precisions(noise, lam), groups).log_evidence

    noise, lam = best.precisions
    top = log_evidence(noise, lam)
    for factor in (0.9, 1.1):
        assert log_evidence(factor * noise, lam) < top
        for g in range(3):
            assert log_evidence(noise, np.where(np.arange(3) == g, factor, 1) * lam) < (
                top
            )


# Training -----------------------------------------------------------------------------


# Groups and factors -------------------------------------------------------------------


def test_groups_by_layer_and_by_input(make_network):
    layout = make_network([2, 3, 1]).layout
    by_layer = [0] * 6 + [1] * 3 + [0] * 3 + [1]
    by_input = [0] * 3 + [1] * 3 + [3] * 3 + [2] * 3 + [3]
    assert groups_of(layout, by_input=False).tolist() == by_layer
    assert groups_of(layout, by_input=True).tolist() == by_input


def test_a_matrix_that_has_no_factor_gets_as_much_damping_as_it_needs(linear):
    curvature, _ = linear
    groups = np.zeros(4, int)
    curvature.sums(np.zeros(4))
    curvature.matrix[3, 3] = -1e-10 * curvature.matrix[0, 0]
    curvature.matrix[3, :3] = 0
    precisions = Precisions(1.0, np.array([1e-12]))
    factor = np.empty_like(curvature.matrix)
    assert not factorize(curvature.matrix, precisions, groups, factor)
    evidence.factorize_anyway(curvature.matrix, precisions, groups, factor)
    again = np.tril(factor @ factor.T)
    np.testing.assert_allclose(again, np.tril(curvature.matrix), rtol=1e-6, atol=1e-6)


def test_sums_that_overflow_are_an_error(linear):
    curvature, _ = linear
    curvature.sums(np.zeros(4))
    curvature.matrix[1, 1] = np.inf
    work = np.empty_like(curvature.matrix)
    precisions = Precisions(1.0, np.ones(1))
    with pytest.raises(FloatingPointError, match="overflow"):
        evidence.factorize_anyway(curvature.matrix, precisions, np.zeros(4, int), work)


def test_precisions_stay_finite():
    nothing = Posterior(
        np.zeros(3), Precisions(1.0, np.ones(2)), 0.0, 0.0, np.array([0.0, 0.0])
    )
    noise, lam = reestimate(nothing, 10, np.array([0, 0, 1]))
    assert np.isfinite(noise)
    assert lam.tolist() == [1.0, 1.0]
