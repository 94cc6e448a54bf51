"""A fitted model as a module of PyTorch: what `to_torch` returns.

Examples
--------
>>> import numpy as np
>>> import torch
>>> from skffnn import FFNNRegressor
>>> X = np.random.default_rng(0).uniform(-1, 1, (200, 2))
>>> model = FFNNRegressor(8, max_iter=50, random_state=0).fit(X, X[:, 0] * X[:, 1])
>>> module = model.to_torch()
>>> module
Sequential(
  (0): Standardise()
  (1): Linear(in_features=2, out_features=8, bias=True)
  (2): ReLU()
  (3): Linear(in_features=8, out_features=1, bias=True)
  (4): InUnits()
)
>>> with torch.no_grad():
...     y_hat = module(torch.tensor(X))
>>> np.allclose(y_hat.numpy(), model.predict(X))
True
"""

from types import SimpleNamespace
from typing import Any

import numpy as np

from ..core.layout import Layout
from ..extras import require
from .activations import exported

torch = require("torch", "to_torch", extra=None)
nn = torch.nn
Module: Any = nn.Module


class Standardise(Module):
    """(X - mean) / scale, and the logarithm beyond each column's limit.

    What rounding leaves over of the mean is a buffer of its own: a mean that is large
    beside the scale needs more digits than float32 has.
    """

    def __init__(self, x, dtype):
        super().__init__()
        mean, scale, limit = x
        centre = mean.astype(dtype)
        self.register_buffer("mean", torch.tensor(centre))
        self.register_buffer("rest", torch.tensor((mean - centre).astype(dtype)))
        self.register_buffer("scale", torch.tensor(scale.astype(dtype)))
        self.register_buffer("limit", torch.tensor(limit.astype(dtype)))

    def forward(self, X):
        """Standardise rows, (..., n_inputs)."""
        z = ((X - self.mean) - self.rest) / self.scale
        beyond = torch.log1p(torch.relu(z.abs() - self.limit))
        return z.clamp(-self.limit, self.limit) + z.sign() * beyond


class Exp(Module):
    """The exponential within bounds, as in core/activations.py."""

    def __init__(self, bound):
        super().__init__()
        self.bound = bound

    def forward(self, z):
        """Compute exp(z)."""
        return torch.exp(z.clamp(-self.bound, self.bound))


class WeightedSum(Module):
    """What several networks of one architecture predict, each times its own weight."""

    def __init__(self, networks, weights):
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.register_buffer("weights", torch.tensor(weights))

    def forward(self, a):
        """Predict targets around their mean, (..., n_outputs)."""
        each = torch.stack([network(a) for network in self.networks], dim=-2)
        return (each * self.weights).sum(dim=-2)


class InUnits(Module):
    """Brings predictions back to the units and the shape of the target."""

    def __init__(self, mean, scale, y_ndim, dtype):
        super().__init__()
        self.y_ndim = y_ndim
        self.register_buffer("mean", torch.tensor(mean.astype(dtype)))
        self.register_buffer("scale", torch.tensor(scale.astype(dtype)))

    def forward(self, y_hat):
        """(..., n_outputs) in units; (...,) if y was of one dimension."""
        y_hat = y_hat * self.scale + self.mean
        return y_hat.squeeze(-1) if self.y_ndim == 1 else y_hat


# PyTorch's modules, and what it has none for.
MODULES = SimpleNamespace(**vars(nn), Exp=Exp)


def linear(W, b):
    """A layer with these weights; drawing others first would move torch's seed."""
    state = {"weight": torch.tensor(W.T), "bias": torch.tensor(b[0])}
    layer = nn.utils.skip_init(nn.Linear, *W.shape, dtype=state["weight"].dtype)
    layer.load_state_dict(state)
    return layer


def layers(networks, theta):
    """The modules of one network."""
    parameters, modules = Layout(networks.units).views(theta), []
    names = networks.activations
    for W_l, b_l, name in zip(parameters.W, parameters.b, names, strict=True):
        modules.append(linear(W_l, b_l))
        make = exported(name).torch
        if make is not None:
            modules.append(make(MODULES, theta.dtype))
    return modules


def module_of(networks):
    """A module that predicts what the networks predict.

    Parameters
    ----------
    networks : Networks

    Returns
    -------
    module : torch.nn.Sequential
    """
    theta, dtype = networks.theta, networks.theta.dtype
    x = networks.x_mean, networks.x_scale, networks.finite_limit(dtype)
    scale = networks.y_scale
    if theta.ndim == 1:
        inside = [Standardise(x, dtype), *layers(networks, theta)]
    else:
        shared = networks.x_mean.ndim == 1
        each = [layers(networks, theta_k) for theta_k in theta]
        if not shared:
            for k, modules in enumerate(each):
                modules.insert(0, Standardise([part[k, 0] for part in x], dtype))
        weights = np.broadcast_to(scale, (len(theta), 1, networks.units[-1]))[:, 0]
        inside = [Standardise(x, dtype)] if shared else []
        stack = [nn.Sequential(*modules) for modules in each]
        inside.append(WeightedSum(stack, weights.astype(dtype)))
        scale = np.ones(networks.units[-1])
    units = InUnits(networks.y_mean, scale, networks.y_ndim, dtype)
    return nn.Sequential(*inside, units)
