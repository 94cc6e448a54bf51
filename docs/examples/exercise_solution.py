"""Solution: the forward and the backward pass of the 2-3-1 network."""

import numpy as np

from skffnn import check_gradient

X = np.array([[0.2, 0.9], [0.6, 0.5], [0.9, 0.1]])
y = np.array([[0.3], [0.6], [0.9]])
theta = {
    "W1": np.array([[0.5, -1.0, 0.8], [-0.4, 0.6, 0.2]]),
    "b1": np.array([[0.1, 0.0, -0.2]]),
    "W2": np.array([[0.7], [-0.5], [0.9]]),
    "b2": np.array([[0.3]]),
}


def f(z):
    """The activation of both layers, the logistic function."""
    return 1 / (1 + np.exp(-z))


def f_prime(z):
    """Its derivative."""
    return f(z) * (1 - f(z))


def forward(X, W1, b1, W2, b2):
    """Return z2, a2, z3 and y_hat."""
    z2 = X @ W1 + b1
    a2 = f(z2)
    z3 = a2 @ W2 + b2
    y_hat = f(z3)
    return z2, a2, z3, y_hat


def backward(X, y, z2, a2, z3, y_hat, W2):
    """Return the gradient of J, a dict like theta."""
    delta3 = -(y - y_hat) / len(X) * f_prime(z3)
    delta2 = (delta3 @ W2.T) * f_prime(z2)
    return {
        "W1": X.T @ delta2,
        "b1": delta2.sum(axis=0, keepdims=True),
        "W2": a2.T @ delta3,
        "b2": delta3.sum(axis=0, keepdims=True),
    }


def value_and_gradient(theta):
    """Return J and its gradient."""
    z2, a2, z3, y_hat = forward(X, **theta)
    J = ((y_hat - y) ** 2).sum() / (2 * len(X))
    return J, backward(X, y, z2, a2, z3, y_hat, theta["W2"])


def learn(theta, learning_rate, steps):
    """Take some steps of gradient descent; return the weights and J after the last."""
    for _ in range(steps):
        _, gradient = value_and_gradient(theta)
        theta = {k: theta[k] - learning_rate * gradient[k] for k in theta}
    return theta, value_and_gradient(theta)[0]


if __name__ == "__main__":
    print(f"J is {value_and_gradient(theta)[0]:.6f} and should be 0.031829.")
    check = check_gradient(value_and_gradient, theta)
    print(check)
    if check:
        print(f"After 1000 steps J is {learn(theta, 0.5, 1000)[1]:.6f}.")
