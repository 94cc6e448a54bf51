"""A committee: Bayesian networks of one size, weighed by their evidence."""

from time import perf_counter

import numpy as np

from ..core.initializers import initialize
from ..core.layout import Layout
from ..core.second_order.evidence import factor_of, groups_of
from ..core.second_order.gauss_newton import GaussNewton
from ..core.second_order.levenberg_marquardt import levenberg_marquardt
from ..saving.rules import is_array, is_list, is_number, is_whole
from .fitted import NETWORK
from .threads import one_blas_thread

# How the runs start, in turn: with first weights of what share of the usual ones, and
# how many steps before noise is told from signal. From small weights, and soon, a run
# finds simple functions, and takes what is not simple for noise. From larger ones, and
# late, it finds the others, and takes some noise for signal. The evidence tells.
SIMPLE, INTRICATE = (0.5, 3), (1.0, 21)
STARTS = (SIMPLE, INTRICATE, SIMPLE, SIMPLE)
# So many steps after that a run is given up if it is far behind another one, in log
# evidence a row: it would hardly count.
GRACE, FAR_BEHIND = 4, 1.0
# A network with 1/20 less log evidence a row has 1/e of the weight. Weighing by the
# evidence itself would be too sure: it is an approximation, and that of n rows.
PER_ROW = 20
# Networks that count less are left out.
LEAST_WEIGHT = 1e-3
# On a target without noise the errors shrink for ever. Smaller than this share of its
# standard deviation, they are small enough not to speak of.
EXACT = 1e-3


class Committee:
    """Networks that differ in their first weights, trained one after the other.

    Parameters
    ----------
    model : BayesianFFNNRegressor
        Only its parameters are read.
    network : Network
    data : Data
        Standardised, in float64.
    seed : int
        Source of the first weights.

    Attributes
    ----------
    members : list of Posterior
        Of each run the step with the highest evidence, if it counts.
    factors : list of ndarray of shape (P, P)
        Cholesky's factors of their precision matrices, lower triangular.
    steps : list of dict
        All steps of all runs, in standardised units.
    seconds : list of float
        How long each of them took.
    n_rows : int
        How many there are, whatever their weights.
    unfinished : int
        How many runs were still making progress when max_iter ended them.
    weights : ndarray of shape (len(members),)
        What each network counts for.
    best_evidence : float
        The highest logarithm of the evidence.
    """

    def __init__(self, model, network, data, seed):
        self.model, self.network = model, network
        self.groups = groups_of(network.layout, bool(model.ard))
        self.steps, self.seconds, self.unfinished = [], [], 0
        with one_blas_thread(), np.errstate(all="ignore"):
            self.curvature, self.n_rows = GaussNewton(network, data), len(data)
            # Nothing would be learnt of these, but a new value would meet random
            # weights.
            self.constant = data.constant_inputs()
            starts = np.random.default_rng(seed).spawn(model.n_restarts)
            self.members = []
            for k, rng in enumerate(starts):
                self.members.append(self._run(k, rng))
            self._weigh()
            self.factors = [
                factor_of(self.curvature, member, self.groups)
                for member in self.members
            ]

    def _weigh(self):
        """Weigh the networks, and leave out those that hardly count."""
        evidence = np.array([member.log_evidence for member in self.members])
        self.best_evidence = evidence.max()
        root = min(1, PER_ROW / self.curvature.n)
        weights = np.exp(root * (evidence - evidence.max()))
        weights /= weights.sum()
        count = np.flatnonzero(weights >= LEAST_WEIGHT)
        self.members = [self.members[k] for k in count]
        self.weights = weights[count] / weights[count].sum()

    def _run(self, k, rng):
        """The best step of one run."""
        model, layout = self.model, self.network.layout
        theta = np.empty(layout.size)
        initialize(layout, theta, self.network.activations, [rng])
        share, warm_up = STARTS[k % len(STARTS)]
        theta *= share
        layout.views(theta).W[0][self.constant] = 0
        best, to_beat, waited, clock = None, -np.inf, 0, perf_counter()
        ahead = max((m.log_evidence for m in self.members), default=-np.inf)
        hopeless = ahead - FAR_BEHIND * self.curvature.n
        descent = levenberg_marquardt(self.curvature, theta, self.groups, warm_up)
        for i, judged in zip(range(1, model.max_iter + 1), descent, strict=False):
            now = perf_counter()
            self.steps.append(_record(k + 1, i, judged, self.curvature.n))
            self.seconds.append(now - clock)
            clock = now
            if best is None or judged.log_evidence > best.log_evidence:
                best = judged
            waited += i >= warm_up
            if judged.log_evidence > to_beat + model.tol * self.curvature.n:
                to_beat, waited = judged.log_evidence, 0
            behind = i >= warm_up + GRACE and best.log_evidence < hopeless
            if behind or waited == model.n_iter_no_change:
                return best
        self.unfinished += judged.squares > EXACT**2 * self.curvature.n
        return best

    def mean(self, values):
        """The mean of one value, or one array, for each network."""
        return self.weights @ np.array(values)

    def n_effective_parameters(self):
        """How many parameters the rows determine."""
        return float(self.mean([member.effective.sum() for member in self.members]))

    def history(self, y_scale):
        """The steps as columns, in the target's units."""
        columns = {name: [step[name] for step in self.steps] for name in self.steps[0]}
        for name in ("rmse", "noise"):
            columns[name] = [y_scale * value for value in columns[name]]
        shift = self.curvature.n * np.log(y_scale)
        columns["log_evidence"] = [float(v - shift) for v in columns["log_evidence"]]
        return columns

    def log_evidence(self, y_scale):
        """The highest log evidence of all networks, in the target's units."""
        return float(self.best_evidence - self.curvature.n * np.log(y_scale))


def _record(restart, iteration, judged, n):
    return {
        "restart": restart,
        "iteration": iteration,
        "rmse": (judged.squares / n) ** 0.5,
        "noise": judged.precisions.noise**-0.5,
        "log_evidence": judged.log_evidence,
        "n_effective_parameters": float(judged.effective.sum()),
    }


# A fitted committee -------------------------------------------------------------------


def fitted_committee(committee, tried, scaling):
    """The attributes of a fitted model.

    Parameters
    ----------
    committee : Committee
        The one with the highest evidence.
    tried : list of Committee
        All that were trained, one of each size.
    scaling : Scaling
    """
    members, layout = committee.members, committee.network.layout
    y_scale = float(scaling.y_scale[0])
    noise = np.array([1 / member.precisions.noise for member in members])
    spread = committee.mean([1 / member.precisions.groups for member in members])
    history = committee.history(y_scale)
    return {
        "units_": [int(n) for n in layout.units],
        "activations_": list(committee.network.names),
        "committee_weights_": committee.weights,
        "theta_": np.stack([member.theta for member in members]),
        **scaling.as_attributes(),
        "hidden_layer_sizes_": tuple(int(n) for n in layout.units[1:-1]),
        "alpha_": float(1 / (committee.mean(noise) * y_scale**2)),
        "lambda_": 1 / spread,
        "n_effective_parameters_": committee.n_effective_parameters(),
        "log_evidence_": committee.log_evidence(y_scale),
        "history_": history,
        "n_iter_": max(history["iteration"]),
        "_factors": committee.factors,
        "_noise": noise,
        "_evidence": [
            (each.network.layout.units[1:-1], each.log_evidence(y_scale))
            for each in tried
        ],
        "_seconds": committee.seconds,
    }


def _is_vector(value):
    return isinstance(value, np.ndarray) and value.ndim == 1


def _are_weights(value, others):
    right = _is_vector(value) and len(value) and is_array(value, value.shape)
    return right and bool((value >= 0).all()) and bool(abs(value.sum() - 1) < 1e-6)


def _are_thetas(value, others):
    K, P = len(others["committee_weights_"]), Layout(others["units_"]).size
    return is_array(value, (K, P)) and others["units_"][-1] == 1


def _are_factors(value, others):
    K, P = others["theta_"].shape
    right = is_list(value, lambda factor: is_array(factor, (P, P)))
    return right and len(value) == K and all(np.diag(f).all() for f in value)


def _is_noise(value, others):
    return is_array(value, others["committee_weights_"].shape) and bool(
        (value >= 0).all()
    )


def _is_history(value, others):
    if not isinstance(value, dict) or "iteration" not in value:
        return False
    good = all(is_list(column, is_number) for column in value.values())
    return good and len({len(column) for column in value.values()}) == 1


def _is_last_step(value, others):
    return is_whole(value) and value == max(others["history_"]["iteration"], default=0)


def _is_evidence(pair):
    good = isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], tuple)
    return good and all(is_whole(n, 1) for n in pair[0]) and is_number(pair[1])


# What a file may hold, by the rules of `skffnn.fitting.fitted`.
COMMITTEE = {
    "units_": NETWORK["units_"],
    "activations_": NETWORK["activations_"],
    "committee_weights_": _are_weights,
    **NETWORK,
    "theta_": _are_thetas,
    "hidden_layer_sizes_": lambda value, others: value == tuple(others["units_"][1:-1]),
    "alpha_": lambda value, others: is_number(value),
    "lambda_": lambda value, others: (
        _is_vector(value) and is_array(value, value.shape, finite=False)
    ),
    "n_effective_parameters_": lambda value, others: is_number(value),
    "log_evidence_": lambda value, others: is_number(value),
    "history_": _is_history,
    "n_iter_": _is_last_step,
    "_factors": _are_factors,
    "_noise": _is_noise,
    "_evidence": lambda value, others: is_list(value, _is_evidence),
}
