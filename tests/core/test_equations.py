"""The network of the equations, written out, and a network of loops over neurons."""

import math

import numpy as np
import pytest

from skffnn.core.losses import squared_error
from skffnn.core.network import Network
from skffnn.core.optimizers import SGD

X = np.array([[0.3, 1.0], [0.5, 0.2], [1.0, 0.4], [0.1, 0.7]])
Y = np.array([[0.75], [0.82], [0.93], [0.4]])


def f(z):
    return 1 / (1 + np.exp(-z))


def f_prime(z):
    return np.exp(-z) / (1 + np.exp(-z)) ** 2


@pytest.mark.parametrize("biases", [False, True])
def test_the_literal_2_3_1_network(biases):
    rng = np.random.default_rng(0)
    W1, W2 = rng.normal(size=(2, 3)), rng.normal(size=(3, 1))
    b1, b2 = biases * rng.normal(size=(1, 3)), biases * rng.normal(size=(1, 1))
    learning_rate, n = 0.5, len(X)

    network = Network([2, 3, 1], ["logistic", "logistic"], squared_error)
    theta = np.concatenate([p.ravel() for p in (W1, W2, b1, b2)])
    grad = np.empty_like(theta)
    (dW, db), optimizer = network.layout.views(grad), SGD(theta)

    for _ in range(20):
        z2 = X @ W1 + b1
        a2 = f(z2)
        z3 = a2 @ W2 + b2
        y_hat = f(z3)
        J = np.sum((Y - y_hat) ** 2) / (2 * n)
        delta3 = -(Y - y_hat) * f_prime(z3) / n
        dJdW2 = a2.T @ delta3
        delta2 = (delta3 @ W2.T) * f_prime(z2)
        dJdW1 = X.T @ delta2

        value = network.gradient(theta, grad, X, Y)
        np.testing.assert_allclose(value, [J], rtol=1e-13)
        np.testing.assert_allclose(dW[0], dJdW1, rtol=1e-12, atol=1e-16)
        np.testing.assert_allclose(dW[1], dJdW2, rtol=1e-12, atol=1e-16)
        np.testing.assert_allclose(db[0][0], delta2.sum(axis=0), rtol=1e-12, atol=1e-16)
        np.testing.assert_allclose(db[1][0], delta3.sum(axis=0), rtol=1e-12, atol=1e-16)

        W1 = W1 - learning_rate * dJdW1
        W2 = W2 - learning_rate * dJdW2
        if biases:
            b1 = b1 - learning_rate * delta2.sum(axis=0)
            b2 = b2 - learning_rate * delta3.sum(axis=0)
        else:
            db[0][...] = db[1][...] = 0
        optimizer.step(theta, grad, learning_rate)
        expected = np.concatenate([p.ravel() for p in (W1, W2, b1, b2)])
        np.testing.assert_allclose(theta, expected, rtol=1e-12, atol=1e-16)


def test_cost_with_the_parameters_alone():
    rng = np.random.default_rng(1)
    W1, W2 = rng.normal(size=(2, 3)), rng.normal(size=(3, 1))
    network = Network([2, 3, 1], ["logistic", "logistic"], squared_error)
    theta = np.concatenate([W1.ravel(), W2.ravel(), np.zeros(4)])
    J = network.gradient(theta, np.empty_like(theta), X, Y)
    cost = np.sum((Y - f(f(X @ W1) @ W2)) ** 2) / (2 * len(X))
    np.testing.assert_allclose(J, [cost], rtol=1e-14)


def test_gradients_of_rmse_and_j_differ_by_the_factor_one_over_rmse(make_network):
    rng = np.random.default_rng(2)
    theta, values, grads = rng.normal(size=13), [], []
    for loss in ("squared_error", "root_mean_squared_error"):
        network = make_network([2, 3, 1], "logistic", "logistic", loss)
        grads.append(np.empty_like(theta))
        values.append(network.gradient(theta, grads[-1], X, Y))
    J, rmse = values
    np.testing.assert_allclose(rmse, np.sqrt(2 * J), rtol=1e-14)
    np.testing.assert_allclose(grads[1], grads[0] / rmse, rtol=1e-12)


# One sample, one neuron at a time -----------------------------------------------------


def loss_and_gradient_by_loops(W, b, rows, targets, weights):
    """Weighted squared error of a tanh network with identity output: lists only."""
    total, J = sum(weights), 0.0
    dW = [[[0.0] * len(row) for row in W_l] for W_l in W]
    db = [[0.0] * len(b_l) for b_l in b]
    last = len(W) - 1
    for x, y, w in zip(rows, targets, weights, strict=True):
        a = [list(x)]
        for l in range(len(W)):
            neurons = []
            for j in range(len(b[l])):
                collected = b[l][j]
                for i in range(len(a[l])):
                    collected += a[l][i] * W[l][i][j]
                neurons.append(collected if l == last else math.tanh(collected))
            a.append(neurons)
        for k in range(len(y)):
            J += w / total * (a[-1][k] - y[k]) ** 2 / 2
        delta = [w / total * (a[-1][k] - y[k]) for k in range(len(y))]
        for l in reversed(range(len(W))):
            for j in range(len(delta)):
                db[l][j] += delta[j]
                for i in range(len(a[l])):
                    dW[l][i][j] += a[l][i] * delta[j]
            delta = [
                sum(delta[j] * W[l][i][j] for j in range(len(delta)))
                * (1 - a[l][i] ** 2)
                for i in range(len(a[l]))
            ]
    return J, dW, db


def test_loops_over_samples_and_neurons(make_network):
    rng = np.random.default_rng(3)
    network = make_network([2, 4, 3, 2])
    theta = rng.normal(size=network.layout.size)
    W, b = network.layout.views(theta)
    table, targets = rng.normal(size=(6, 2)), rng.normal(size=(6, 2))
    weight = rng.uniform(0.1, 3, 6)

    J, dW, db = loss_and_gradient_by_loops(
        [W_l.tolist() for W_l in W],
        [b_l[0].tolist() for b_l in b],
        table.tolist(),
        targets.tolist(),
        weight.tolist(),
    )
    grad = np.empty_like(theta)
    share = (weight / weight.sum())[:, np.newaxis]
    value = network.gradient(theta, grad, table, targets, share)
    np.testing.assert_allclose(value.sum(), J, rtol=1e-13)
    mine_dW, mine_db = network.layout.views(grad)
    for l in range(3):
        np.testing.assert_allclose(mine_dW[l], dW[l], rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(mine_db[l][0], db[l], rtol=1e-12, atol=1e-15)
