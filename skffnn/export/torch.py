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

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..core.activations import LEAKY_SLOPE, exp_bound
from ..core.data import LINEAR
from ..core.layout import Layout


class Standardise(nn.Module):
    """(X - mean) / scale, and the logarithm of heavy tails.

    What rounding leaves over of the mean is a buffer of its own: a mean that is large
    beside the scale needs more digits than float32 has.
    """

    mean: Tensor
    rest: Tensor
    scale: Tensor
    heavy: Tensor

    def __init__(self, mean, scale, heavy, dtype):
        super().__init__()
        centre = mean.astype(dtype)
        self.register_buffer("mean", torch.tensor(centre))
        self.register_buffer("rest", torch.tensor((mean - centre).astype(dtype)))
        self.register_buffer("scale", torch.tensor(scale.astype(dtype)))
        self.register_buffer("heavy", torch.tensor(heavy))

    def forward(self, X: Tensor) -> Tensor:
        """Standardise rows, (..., n_inputs)."""
        z = ((X - self.mean) - self.rest) / self.scale
        if len(self.heavy):
            z[..., self.heavy] = saturate(z[..., self.heavy])
        return z


def saturate(z):
    """As in core/data.py."""
    beyond = torch.log1p(torch.relu(z.abs() - LINEAR))
    return z.clamp(-LINEAR, LINEAR) + z.sign() * beyond


class Exp(nn.Module):
    """The exponential within bounds, as in core/activations.py."""

    def __init__(self, bound):
        super().__init__()
        self.bound = bound

    def forward(self, z: Tensor) -> Tensor:
        """Compute exp(z)."""
        return torch.exp(z.clamp(-self.bound, self.bound))


class WeightedMean(nn.Module):
    """What several networks of one shape predict, weighted."""

    weights: Tensor

    def __init__(self, networks, weights):
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.register_buffer("weights", torch.tensor(weights))

    def forward(self, a: Tensor) -> Tensor:
        """Predict standardised targets, (..., n_outputs)."""
        each = torch.stack([network(a) for network in self.networks], dim=-1)
        return each @ self.weights


class InUnits(nn.Module):
    """Brings predictions back to the units and the shape of the target."""

    mean: Tensor
    scale: Tensor

    def __init__(self, mean, scale, y_ndim, dtype):
        super().__init__()
        self.y_ndim = y_ndim
        self.register_buffer("mean", torch.tensor(mean.astype(dtype)))
        self.register_buffer("scale", torch.tensor(scale.astype(dtype)))

    def forward(self, y_hat: Tensor) -> Tensor:
        """(..., n_outputs) in units; (...,) if y was of one dimension."""
        y_hat = y_hat * self.scale + self.mean
        return y_hat.squeeze(-1) if self.y_ndim == 1 else y_hat


def linear(W, b):
    """A layer with these weights; drawing others first would move torch's seed."""
    state = {"weight": torch.tensor(W.T), "bias": torch.tensor(b[0])}
    layer = nn.utils.skip_init(nn.Linear, *W.shape, dtype=state["weight"].dtype)
    layer.load_state_dict(state)
    return layer


def activation(name, dtype):
    """The modules of an activation: one, or none for "identity"."""
    modules: dict[str, Callable[[], nn.Module]] = {
        "logistic": nn.Sigmoid,
        "tanh": nn.Tanh,
        "relu": nn.ReLU,
        "leaky_relu": lambda: nn.LeakyReLU(LEAKY_SLOPE),
        "elu": nn.ELU,
        "selu": nn.SELU,
        "exp": lambda: Exp(float(exp_bound(dtype))),
    }
    return [] if name == "identity" else [modules[name]()]


def layers(model, theta):
    """The modules of one network."""
    W, b = Layout(model.units_).views(theta)
    return [
        module
        for W_l, b_l, name in zip(W, b, model.activations_, strict=True)
        for module in (linear(W_l, b_l), *activation(name, theta.dtype))
    ]


def sequential(model, networks, y_ndim):
    """What the modules of a network need around them.

    Parameters
    ----------
    model : FFNNRegressor or BayesianFFNNRegressor
        Whose standardisation it is.
    networks : list of nn.Module
    y_ndim : int
        1 if predictions are to have one dimension.
    """
    dtype = model.theta_.dtype
    return nn.Sequential(
        Standardise(model.x_mean_, model.x_scale_, model.x_heavy_, dtype),
        *networks,
        InUnits(model.y_mean_, model.y_scale_, y_ndim, dtype),
    )


def module_of(model):
    """As `predict` of a network, or of a committee of them.

    Parameters
    ----------
    model : FFNNRegressor or BayesianFFNNRegressor
        Fitted.
    """
    if model.theta_.ndim == 1:
        return sequential(model, layers(model, model.theta_), model._y_ndim)
    networks = [nn.Sequential(*layers(model, theta)) for theta in model.theta_]
    return sequential(model, [WeightedMean(networks, model.committee_weights_)], 1)
