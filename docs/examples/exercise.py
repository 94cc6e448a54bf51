"""Exercise: write the forward and the backward pass of the 2-3-1 network.

Run this file as it is: it says what is missing. Fill in the two blanks, run it again.
"""

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
    raise NotImplementedError("forward: z2, a2, z3 and y_hat, one line each")


def backward(X, y, z2, a2, z3, y_hat, W2):
    """Return the gradient of J, a dict like theta."""
    raise NotImplementedError("backward: delta3, delta2, and four gradients")


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
