"""L-BFGS: the exception. Full batch, through SciPy, one network at a time."""

from contextlib import suppress
from typing import ClassVar

import numpy as np
from scipy.optimize import minimize

from .optimizers import WeightDecays
from .stopping import Patience
from .training import Record, evaluate

# A single short step is no end: the line search has them.
PATIENCE = 3


def lbfgs(
    network, theta, data, consume, *, max_iter, tol, weight_decay, validation,
    within=None, most=np.inf,
):  # fmt: skip
    """Minimise J + weight_decay/2 |W|^2 over all rows; one `Record` an iteration.

    Parameters
    ----------
    network : Network
    theta : ndarray of shape (P,)
        Changed in place.
    data : Data
    consume : callable
        Takes each record, returns True to stop. SciPy calls back and cannot be asked
        for one iteration at a time, hence no generator.
    max_iter : int
    tol : float
        The run ends when the objective has not fallen by this share of it for some
        iterations, or has fallen to the square of this share of its first value.
    weight_decay : float
        Inside the objective here; the recorded loss is J without it.
    validation : Data or None
    within : Data, default=None
        The same rows, with targets that can be computed with: next to a loss of 1e20,
        no number tells whether it has fallen.
    most : float, default=inf
        Of a larger objective, progress is ``tol`` times this: see
        `skffnn.core.stopping.below`.

    Returns
    -------
    converged : bool
        False when max_iter ended the run.

    References
    ----------
    Liu & Nocedal (1989), On the limited memory BFGS method for large scale
    optimization.
    """
    learnt = data if within is None else within
    objective = _Objective(network, theta, learnt, weight_decay)
    # SciPy's own test of progress is absolute for an objective below 1.
    iterations, patience = 0, Patience(PATIENCE, tol, most=most)

    def callback(intermediate_result):
        nonlocal iterations
        iterations += 1
        fun = intermediate_result.fun
        # Where the objective goes to 0, progress is relative for ever.
        settled = patience(fun) or fun <= tol**2 * objective.first
        theta[...] = intermediate_result.x
        curves = evaluate(network, theta, data)
        if validation is not None:
            curves += evaluate(network, theta, validation)
        if consume(Record(iterations, np.nan, *curves)) or settled:
            raise StopIteration

    with np.errstate(all="ignore"):
        result = minimize(
            objective,
            theta.astype(np.float64),
            jac=True,
            method="L-BFGS-B",
            callback=callback,
            options={
                "maxiter": max_iter,
                "maxfun": 20 * max_iter,
                "ftol": 0,
                "gtol": 0,
            },
        )
    if iterations == 0:  # nothing to gain from the start: record it all the same
        with suppress(StopIteration):
            callback(result)
    return result.status != 1


class LBFGS:
    """What L-BFGS says of itself as a solver: see `skffnn.core.solvers`."""

    hyperparameters: ClassVar[dict] = {}
    differ = arrays = counts = ()
    uses: ClassVar[frozenset[str]] = frozenset({"choice_of_weight_decay"})
    reasons: ClassVar[dict[str, str]] = {
        "partial_fit": "it sees all rows at once",
        "resume": "what it remembers is SciPy's own",
    }
    itemsize = 8  # SciPy computes in float64
    penalty = True
    weight_decays = WeightDecays((1e-6, 1e-3, 0.01, 0.1), 0.01, 0.01, fewest=5)
    slowness = 1.0
    minimize = staticmethod(lbfgs)

    @staticmethod
    def n_arrays():
        """How many arrays as long as theta there are: SciPy keeps pairs of steps."""
        return 44


class _Objective:
    """J and its gradient over all rows at once, in the network's dtype."""

    def __init__(self, network, theta, data, weight_decay):
        self.network, self.weight_decay = network, weight_decay
        self.theta, self.grad = theta.copy(), np.empty_like(theta)
        n, rows = len(data), data.at(slice(None))
        self.batch = network.workspace(theta, n).head(n)
        data.read(rows, self.batch)
        self.batch.share, self.Y = data.shares(rows, n), data.targets(rows)
        self.first = None

    def __call__(self, x):
        self.theta[...] = x
        J = self.network.batch_gradient(self.theta, self.grad, self.batch, self.Y)
        weights = x[: self.network.layout.n_weights]
        grad = self.grad.astype(np.float64)
        grad[: len(weights)] += self.weight_decay * weights
        value = float(J.sum()) + self.weight_decay / 2 * weights @ weights
        if self.first is None:
            self.first = value
        return value, grad
