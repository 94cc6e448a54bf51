"""
The same network in PyTorch
===========================

Who has written backpropagation once may leave it to a library. This is the network of
the equations in PyTorch. From the same first weights both take the same thousand steps,
and arrive at the same weights.
"""

# %%
# PyTorch's network
# -----------------
#
# `J.backward()` does what the equations derive, by differentiating the program instead
# of the formula. Layers are logistic, and a step is plain gradient descent on the cost
# :math:`J`.

import torch


def train(W, b, X, y, learning_rate, steps):
    """Start from the weights W and biases b, take some steps, return the network."""
    layers = []
    for W_l, b_l in zip(W, b, strict=True):
        layer = torch.nn.Linear(*W_l.shape, dtype=torch.float64)
        layer.weight.data = torch.tensor(W_l.T)  # PyTorch keeps W_l transposed
        layer.bias.data = torch.tensor(b_l.ravel())
        layers += [layer, torch.nn.Sigmoid()]
    network = torch.nn.Sequential(*layers)
    optimizer = torch.optim.SGD(network.parameters(), lr=learning_rate)
    X, y = torch.tensor(X), torch.tensor(y)
    for _ in range(steps):
        y_hat = network(X)  # forward
        J = ((y - y_hat) ** 2).sum() / (2 * len(X))  # cost
        optimizer.zero_grad()
        J.backward()  # backward
        optimizer.step()  # learning
    return network


# %%
# skffnn's network
# ----------------
#
# `FFNNRegressor` is the same network once all that it does on top of the bare equations
# is switched off: momentum, weight decay, minibatches, the standardisation. One call of
# `partial_fit` is then one step. The first call draws the first weights as well, so
# both networks start from the weights after it.

import numpy as np

from skffnn import FFNNRegressor

X = np.array([[0.2, 0.9], [0.6, 0.5], [0.9, 0.1]])
y = np.array([[0.3], [0.6], [0.9]])
model = FFNNRegressor(
    hidden_layer_sizes=3,
    activation="logistic",
    output_activation="logistic",
    solver="sgd",
    learning_rate=0.5,
    momentum=0,
    weight_decay=0,
    batch_size=3,
    shuffle=False,
    standardize=False,
    random_state=0,
)
model.partial_fit(X, y)
start = [W.copy() for W in model.coefs_], [b.copy() for b in model.intercepts_]
path = [model.theta_.copy()]
for _ in range(1000):
    model.partial_fit(X, y)
    path.append(model.theta_.copy())

# %%
# The same weights
# ----------------
#
# Of the thousand steps, here is every hundredth. `theta_` holds all weights and then
# all biases, so PyTorch's are put into this order.


def theta(network):
    """All weights, then all biases, as skffnn keeps them."""
    weights = [layer.weight.detach().numpy().T.ravel() for layer in network[::2]]
    return np.concatenate([*weights, *(layer.bias.detach() for layer in network[::2])])


steps = range(0, 1001, 100)
theirs = [theta(train(*start, X, y, 0.5, n)) for n in steps]
ours = [path[n] for n in steps]
print("equal up to rounding:", np.allclose(ours, theirs, rtol=1e-9, atol=1e-12))

# %%
# Lines are the thirteen weights and biases of skffnn on their way, dots those of
# PyTorch.

import matplotlib.pyplot as plt

figure, ax = plt.subplots()
ax.plot(path, linewidth=1.5)
ax.set_prop_cycle(None)
ax.plot(steps, theirs, "o", markersize=5)
ax.set(xlabel="Step", ylabel="Weights and biases")
plt.show()
