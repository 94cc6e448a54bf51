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

A tensor has numbers only. Categories are codes in it: the place of a level in
``model.categories_``; -1, NaN or the number of levels for a missing one; a larger
number for one that there was not at fit. A gap in a column of numbers is NaN.

>>> import pandas as pd
>>> table = pd.DataFrame({"size": X[:, 0], "town": np.repeat(["Bonn", "Rome"], 100)})
>>> model = FFNNRegressor(8, max_iter=50, random_state=0).fit(table, X[:, 1])
>>> module = model.to_torch()
>>> module
Sequential(
  (0): Sum(
    (parts): ModuleList(
      (0): Numbers(
        (standardise): Standardise()
        (linear): Linear(in_features=1, out_features=8, bias=True)
      )
      (1): Category(
        (embedding): Embedding(4, 8)
      )
    )
  )
  (1): ReLU()
  (2): Linear(in_features=8, out_features=1, bias=True)
  (3): InUnits()
)
>>> rows = table.iloc[[0, 150]].copy()
>>> for name, levels in model.categories_.items():
...     rows[name] = pd.Index(levels).get_indexer(rows[name])
>>> rows
         size  town
0    0.273923     0
150  0.793602     1
>>> with torch.no_grad():
...     y_hat = module(torch.tensor(rows.to_numpy()))
>>> np.allclose(y_hat.numpy(), model.predict(table.iloc[[0, 150]]))
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
        """Standardise rows, (..., n_inputs); a gap becomes the mean."""
        z = ((X - self.mean) - self.rest) / self.scale
        z = z.masked_fill(z.isnan(), 0.0)
        beyond = torch.log1p(torch.relu(z.abs() - self.limit))
        return z.clamp(-self.limit, self.limit) + z.sign() * beyond


class Numbers(Module):
    """x W_1 + b_1 of the columns of numbers, and what their gaps add."""

    def __init__(self, networks, standardise, W, b, more):
        super().__init__()
        places, _, _ = networks.gaps()
        self.register_buffer("columns", torch.tensor(list(networks.numeric)))
        self.register_buffer("told", torch.tensor(places, dtype=torch.long))
        self.standardise, self.linear = standardise, linear(W, b)
        self.gaps = linear(more) if places else None

    def forward(self, X):
        """Take whole rows, (..., n_features), in which a gap is NaN."""
        x = X.index_select(-1, self.columns)
        z = self.linear(self.standardise(x))
        if self.gaps is not None:
            gap = x.index_select(-1, self.told).isnan()
            z = z + self.gaps(gap.to(z.dtype))
        return z


class Category(Module):
    """What a column of categories adds: a row of its embedding, by its code."""

    def __init__(self, feature, missing, table):
        super().__init__()
        self.feature, self.missing = feature, missing
        self.embedding = nn.Embedding.from_pretrained(torch.tensor(table), freeze=False)

    def forward(self, X):
        """Take whole rows, (..., n_features), in which categories are codes."""
        code = X.select(-1, self.feature)
        code = code.masked_fill((code >= 0).logical_not(), self.missing)  # NaN as well
        return self.embedding(code.clamp(max=self.missing + 1).long())


class Sum(Module):
    """The first layer of a network that has categories or gaps."""

    def __init__(self, parts):
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, X):
        """Add up what the parts make of whole rows, (..., n_features)."""
        z = X.new_zeros(1)
        for part in self.parts:
            z = z + part(X)
        return z


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


def linear(W, b=None):
    """A layer with these weights; drawing others first would move torch's seed."""
    state = {"weight": torch.tensor(W.T)}
    if b is not None:
        state["bias"] = torch.tensor(b[0])
    options = {"bias": b is not None, "dtype": state["weight"].dtype}
    layer = nn.utils.skip_init(nn.Linear, *W.shape, **options)
    layer.load_state_dict(state)
    return layer


def first_layer(networks, W, b, k, standardise):
    """The first layer of a network, where there are categories or gaps.

    Parameters
    ----------
    networks : Networks
    W, b : ndarray
        Its weights and biases for the columns of numbers.
    k : int or ellipsis
        Which of the networks it is; an ellipsis where there is but one.
    standardise : Standardise
    """
    _, without, more = networks.gaps()
    b, parts = b + without[k], []
    tables = [each.table[k] for each in networks.categories]
    if len(W):
        parts = [Numbers(networks, standardise, W, b, more[k])]
    else:
        tables[0] = tables[0] + b
    for (feature, levels, _), table in zip(networks.categories, tables, strict=True):
        parts.append(Category(feature, len(levels), table))
    return Sum(parts)


def layers(networks, k, standardise=None):
    """The modules of one network, after what standardises if it has its own."""
    theta = networks.theta[k]
    W, b = Layout(networks.units).views(theta)
    modules = [] if standardise is None else [standardise]
    for l, name in enumerate(networks.activations):
        if l == 0 and networks.lookups:
            modules = [first_layer(networks, W[0], b[0], k, standardise)]
        else:
            modules.append(linear(W[l], b[l]))
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
        inside = layers(networks, ..., Standardise(x, dtype))
    else:
        each, inside = [], []
        # With categories and gaps, the columns of numbers are found in the first layer.
        if networks.x_mean.ndim == 1 and not networks.lookups:
            each = [layers(networks, k) for k in range(len(theta))]
            inside = [Standardise(x, dtype)]
        else:
            own = [np.broadcast_to(part, (len(theta), 1, part.shape[-1])) for part in x]
            for k in range(len(theta)):
                standardise = Standardise([part[k, 0] for part in own], dtype)
                each.append(layers(networks, k, standardise))
        weights = np.broadcast_to(scale, (len(theta), 1, networks.units[-1]))[:, 0]
        stack = [nn.Sequential(*modules) for modules in each]
        inside.append(WeightedSum(stack, weights.astype(dtype)))
        scale = np.ones(networks.units[-1])
    units = InUnits(networks.y_mean, scale, networks.y_ndim, dtype)
    return nn.Sequential(*inside, units)
