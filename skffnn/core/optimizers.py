"""Optimizers: a handful of array operations on the flat parameters, at any depth.

`step(theta, grad, learning_rate)` changes theta in place and uses up grad. The
learning rate is a float, or a (K, 1) column for a stack; it is rounded to the dtype
of grad only at the end, so that both give the same bits. What an optimizer remembers
between steps is its `state`, a dict of arrays and numbers. `stack(theta, singles)`
makes one optimizer of those of K networks that have come equally far.
"""

import numpy as np


def number(theta):
    """One number for each network, () or (K, 1), to be written in place.

    Of all that can be multiplied with an array, a number of NumPy's own, in an array
    without axes and of the same dtype, costs the least: half of a Python float.
    """
    shape = () if theta.ndim == 1 else (*theta.shape[:-1], 1)
    return np.zeros(shape, theta.dtype)


def same(theta, value=0.0):
    """The same, but one that serves all networks stays one, which costs less."""
    return np.full(np.shape(value), value, theta.dtype)


class SGD:
    """Gradient descent: W <- W - learning_rate dJ/dW, with momentum if asked for.

    With momentum, a velocity v <- momentum v + dJ/dW takes the gradient's place;
    Nesterov's variant steps along dJ/dW + momentum v, the velocity one step ahead.

    References
    ----------
    Sutskever et al. (2013), On the importance of initialization and momentum in deep
    learning.
    """

    def __init__(self, theta, momentum=0.0, nesterov=False, state=None):
        self.momentum, self.nesterov = momentum, nesterov
        self.state = state or {"velocity": np.zeros_like(theta)}
        self.decay, self.rate = same(theta, momentum), number(theta)
        self.work = np.empty_like(theta) if nesterov else None
        self.remembers = bool(np.any(momentum))

    @classmethod
    def stack(cls, theta, singles):
        """One for the stack theta of the networks that these are for."""
        momenta = [single.momentum for single in singles]
        momentum = momenta[0] if len(set(momenta)) == 1 else np.c_[momenta]
        return cls(theta, momentum, singles[0].nesterov, _stacked(singles))

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


class Adam:
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

    remembers = True

    def __init__(self, theta, beta_1=0.9, beta_2=0.999, epsilon=1e-8, state=None):
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.state = state or {
            "m": np.zeros_like(theta),
            "v": np.zeros_like(theta),
            "t": 0,
        }
        self.decay_m, self.decay_v = same(theta, beta_1), same(theta, beta_2)
        self.factor, self.offset = number(theta), same(theta)

    @classmethod
    def stack(cls, theta, singles):
        """One for the stack theta of the networks that these are for."""
        first = singles[0]
        betas = first.beta_1, first.beta_2
        return cls(theta, *betas, first.epsilon, _stacked(singles))

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


def _stacked(optimizers):
    """Their states as one; a number, such as a count of steps, is the same in all."""
    first = optimizers[0].state
    return {
        name: np.stack([optimizer.state[name] for optimizer in optimizers])
        if isinstance(value, np.ndarray)
        else value
        for name, value in first.items()
    }


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
