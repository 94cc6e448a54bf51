"""Levenberg-Marquardt: downhill, to where the slope is zero."""

import itertools

import numpy as np

from skffnn.core.second_order.evidence import (
    groups_of,
)
from skffnn.core.second_order.gauss_newton import GaussNewton
from skffnn.core.second_order.levenberg_marquardt import levenberg_marquardt


def run(curvature, theta, groups, steps):
    return list(
        itertools.islice(
            levenberg_marquardt(curvature, theta, groups, warm_up=2), steps
        )
    )


def test_every_step_goes_downhill(make_network, make_theta, make_data):
    network, data = make_network([2, 6, 4, 1]), make_data(80, [2, 6, 4, 1])
    curvature, theta = GaussNewton(network, data), make_theta(network)
    groups = groups_of(network.layout, by_input=False)
    before, costs = theta.copy(), []
    for judged in run(curvature, theta, groups, 40):
        noise, lam = judged.precisions

        def cost(theta, noise=noise, lam=lam):
            return (noise * curvature.squares(theta) + lam[groups] @ theta**2) / 2

        costs.append((cost(before), cost(judged.theta)))
        before = judged.theta
    start, end = np.transpose(costs)
    assert np.all(end <= start)
    assert np.mean(end < start) > 0.9


def test_it_ends_where_the_slope_is_zero(make_network, make_theta, make_data):
    network, data = make_network([2, 4, 1]), make_data(80, [2, 4, 1])
    curvature, theta = GaussNewton(network, data), make_theta(network)
    groups = groups_of(network.layout, by_input=True)
    judged = run(curvature, theta, groups, 400)[-1]
    noise, lam = judged.precisions
    curvature.sums(judged.theta)
    pull = lam[groups] * judged.theta
    slope = noise * curvature.gradient + pull
    assert np.abs(slope).max() < 1e-3 * np.abs(pull).max()


def test_a_posterior_is_a_copy(linear):
    curvature, _ = linear
    theta = np.zeros(4)
    first, second = run(curvature, theta, np.zeros(4, int), 2)
    assert not np.shares_memory(first.theta, theta)
    assert not np.array_equal(first.theta, second.theta)
