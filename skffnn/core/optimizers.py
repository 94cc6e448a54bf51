"""Optimizers: a handful of array operations on the flat parameters, at any depth.

`step(theta, grad, learning_rate)` changes theta in place and uses up grad. The
learning rate is a float, or a (K, 1) column for a stack; it is rounded to the dtype
of grad only at the end, so that both give the same bits. What an optimizer remembers
between steps is its `state`, a dict of arrays and numbers. `OPTIMIZERS` has them by
name: to add one is to write its class and its line there.
"""

from typing import Any, ClassVar, NamedTuple

import numpy as np

from .hyperparameters import Hyperparameter, is_below_one, is_flag, is_positive


def broadcastable(theta):
    """One number for each network, () or (K, 1), to be written in place.

    Of all that can be multiplied with an array, a number of NumPy's own, in an array
    without axes and of the same dtype, costs the least: half of a Python float.
    """
    shape = () if theta.ndim == 1 else (*theta.shape[:-1], 1)
    return np.zeros(shape, theta.dtype)


def scalar_like(theta, value=0.0):
    """A value in the dtype of theta: one number for all networks, or a column."""
    return np.full(np.shape(value), value, theta.dtype)


class WeightDecays(NamedTuple):
    """How much weight decay suits a solver where users leave it to the table.

    Attributes
    ----------
    candidates : tuple of float
        What a table chooses from.
    few_rows : float
        For tables that are too small to choose by.
    undecided : float
        For trainings that are too short to choose by, as one epoch is.
    fewest : int
        How many different rows it takes to choose by. With fewer than 100, where a part
        of them says too little, every part is held out in turn.
    """

    candidates: tuple[float, ...]
    few_rows: float
    undecided: float
    fewest: int = 100


# What a solver may have a use for: see `skffnn.core.solvers`.
USES = (
    "batches", "learning_rate", "schedule", "dropout", "clip_norm", "partial_fit",
    "resume", "stack", "choice_of_weight_decay",
)  # fmt: skip


class Optimizer:
    """What every optimizer has: hyperparameters, and a state that can be kept.

    Parameters
    ----------
    theta : ndarray of shape (P,) or (K, P)
        The parameters that it is for; only shape and dtype count here.
    state : dict or None
        What an earlier one remembers, to go on from; None begins anew.
    **values
        Its hyperparameters.

    Attributes
    ----------
    hyperparameters : dict of str to Hyperparameter
        What it takes, by the names of its arguments.
    differ : tuple of str
        The arguments that may differ between the networks of a stack.
    arrays : tuple of str
        The arrays in its state, each in the shape and dtype of theta.
    counts : tuple of str
        The whole numbers in its state.
    scratch : int
        Arrays in the shape of theta that it works with besides.
    itemsize : int or None
        Bytes of its numbers; None for those of theta.
    uses, reasons, minimize
        See `skffnn.core.solvers`.
    penalty : bool
        Whether weight decay amounts to a penalty of weight_decay / 2 times the sum of
        the squared weights, as where steps shrink with the gradient; or is decoupled
        from it.
    weight_decays : WeightDecays
        What "auto" stands for.
    slowness : float
        Epochs that it takes, roughly, for what Adam learns in one.
    remembers : bool
        Whether a step depends on the steps before it.
    newest : float or ndarray of shape (K, 1)
        1 - momentum for a velocity that adds up gradients, of which the newest is that
        share in the long run; 1 for all others. ``clip_norm="auto"`` limits, and weight
        decay grows, by it.
    """

    hyperparameters: ClassVar[dict[str, Hyperparameter]] = {}
    differ: ClassVar[tuple[str, ...]] = ()
    arrays: ClassVar[tuple[str, ...]] = ()
    counts: ClassVar[tuple[str, ...]] = ()
    scratch: ClassVar[int] = 0
    itemsize: ClassVar[int | None] = None
    uses: ClassVar[frozenset[str]] = frozenset(USES)
    reasons: ClassVar[dict[str, str]] = {}
    minimize: ClassVar[None] = None
    penalty: ClassVar[bool] = False
    weight_decays: ClassVar[WeightDecays] = WeightDecays((0.03, 0.4, 3.0), 2.0, 0.1)
    slowness: ClassVar[float] = 1.0
    remembers: Any = True
    newest: Any = 1.0

    def __init__(self, theta, state, **values):
        self.values = values
        self.state = state or {
            **{name: np.zeros_like(theta) for name in self.arrays},
            **dict.fromkeys(self.counts, 0),
        }

    @classmethod
    def n_arrays(cls):
        """How many arrays as long as theta a fit has at its worst moment.

        They are theta, its gradient, the best weights and better ones, and what an
        interrupt comes back to; and what is remembered and worked with.
        """
        return 5 + 2 * len(cls.arrays) + cls.scratch

    @classmethod
    def stack(cls, theta, singles):
        """One optimizer for the stack theta, of those of its networks.

        They have come equally far: a number in their states is the same in all.
        """
        values = {}
        for name, value in singles[0].values.items():
            each = [single.values[name] for single in singles]
            one = len(set(each)) == 1
            assert one or name in cls.differ  # others do not share a stack
            values[name] = value if one else np.c_[each]
        return cls(
            theta, state=_stacked([single.state for single in singles]), **values
        )

    def step(self, theta, grad, learning_rate):
        """Change theta in place, downhill."""
        raise NotImplementedError


def _stacked(states):
    return {
        name: np.stack([state[name] for state in states])
        if isinstance(value, np.ndarray)
        else value
        for name, value in states[0].items()
    }


class SGD(Optimizer):
    """Gradient descent: W <- W - learning_rate dJ/dW, with momentum if asked for.

    With momentum, a velocity v <- momentum v + dJ/dW takes the gradient's place;
    Nesterov's variant steps along dJ/dW + momentum v, the velocity one step ahead.

    References
    ----------
    Sutskever et al. (2013), On the importance of initialization and momentum in deep
    learning.
    """

    hyperparameters: ClassVar = {
        "momentum": Hyperparameter(
            "momentum", is_below_one, "a number from 0 (none) to below 1"
        ),
        "nesterov": Hyperparameter(
            "nesterovs_momentum", is_flag, "True or False", bool
        ),
    }
    differ = ("momentum",)
    arrays = ("velocity",)
    scratch = 1
    penalty = True
    weight_decays = WeightDecays((0.00015, 0.002, 0.015), 0.01, 0.0005)
    slowness = 2.0

    def __init__(self, theta, momentum=0.0, nesterov=False, state=None):
        super().__init__(theta, state, momentum=momentum, nesterov=nesterov)
        self.nesterov = nesterov
        self.decay, self.rate = scalar_like(theta, momentum), broadcastable(theta)
        self.work = np.empty_like(theta) if nesterov else None
        self.remembers = bool(np.any(momentum))
        self.newest = 1 - momentum

    def step(self, theta, grad, learning_rate):
        """W <- W - learning_rate grad, or the velocity in its place."""
        if self.remembers:
            v = self.state["velocity"]
            v *= self.decay
            v += grad
            if self.nesterov:
                grad += np.multiply(v, self.decay, out=self.work)
            else:
                np.copyto(grad, v)
        self.rate[...] = learning_rate
        grad *= self.rate
        theta -= grad


class Adam(Optimizer):
    """Adam: steps measured by the gradient's own running size.

    m and v are the decaying means of the gradient and of its square, step by step

        m <- beta_1 m + (1 - beta_1) dJ/dW,   v <- beta_2 v + (1 - beta_2) (dJ/dW)^2
        W <- W - learning_rate (m / (1 - beta_1^t)) / (sqrt(v / (1 - beta_2^t)) + eps)

    Kept are the sums m / (1 - beta_1) and v / (1 - beta_2), which saves two passes
    over memory a step; all scalars are folded into one factor and one epsilon.

    References
    ----------
    Kingma & Ba (2015), Adam: A Method for Stochastic Optimization, algorithm 1.
    """

    hyperparameters: ClassVar = {
        "beta_1": Hyperparameter("beta_1", is_below_one, "a number from 0 to below 1"),
        "beta_2": Hyperparameter("beta_2", is_below_one, "a number from 0 to below 1"),
        "epsilon": Hyperparameter("epsilon", is_positive, "a positive number"),
    }
    arrays = ("m", "v")
    counts = ("t",)

    def __init__(self, theta, beta_1=0.9, beta_2=0.999, epsilon=1e-8, state=None):
        super().__init__(theta, state, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.decay_m = scalar_like(theta, beta_1)
        self.decay_v = scalar_like(theta, beta_2)
        self.factor, self.offset = broadcastable(theta), scalar_like(theta)

    def step(self, theta, grad, learning_rate):
        """W <- W - learning_rate m_hat / (sqrt(v_hat) + epsilon)."""
        m, v = self.state["m"], self.state["v"]
        self.state["t"] += 1
        m *= self.decay_m
        m += grad
        v *= self.decay_v
        v += np.multiply(grad, grad, out=grad)
        # m_hat = m_unit m and sqrt(v_hat) = v_unit sqrt(v)
        m_unit = (1 - self.beta_1) / (1 - self.beta_1 ** self.state["t"])
        v_unit = ((1 - self.beta_2) / (1 - self.beta_2 ** self.state["t"])) ** 0.5
        np.sqrt(v, out=grad)
        self.offset[...] = self.epsilon / v_unit
        grad += self.offset
        np.divide(m, grad, out=grad)
        self.factor[...] = learning_rate * (m_unit / v_unit)
        grad *= self.factor
        theta -= grad


OPTIMIZERS = {"adam": Adam, "sgd": SGD}


def flush(*arrays):
    """Set to 0 what is too small to be a normal number.

    Decay alone never gets there: the smallest numbers round back to themselves, and
    arithmetic on them is several times slower. The moments and the weights of hidden
    units that have died end like that.
    """
    tiny = np.finfo(arrays[0].dtype).tiny
    for array in arrays:
        array[np.abs(array) < tiny] = 0


def clip_norm(grad, limit):
    """Shrink each network's gradient to a Euclidean norm of at most limit.

    The limit is a float, or a (K, 1) column in the dtype of grad.

    References
    ----------
    Pascanu et al. (2013), On the difficulty of training recurrent neural networks.
    """
    norm = np.sqrt(np.vecdot(grad, grad))[..., np.newaxis]
    # A norm that has overflowed is divergence, and has to become NaN: inf - inf is.
    grad *= limit / (np.maximum(norm, limit) + (norm - norm))
