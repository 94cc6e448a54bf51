"""The network of the equations in PyTorch: logistic layers, gradient descent on J."""

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
