"""A committee: Bayesian networks of one size, weighed by their evidence."""

from contextlib import contextmanager
from copy import copy
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from ..core.initializers import glorot, initialize
from ..core.second_order.evidence import Posterior, factor_of, groups_of, variance
from ..core.second_order.gauss_newton import GaussNewton
from ..core.second_order.levenberg_marquardt import levenberg_marquardt
from ..preprocessing.preparation import draw_seed
from .fitted_committee import fitted_committee
from .neighbours import neighbours_err_alike
from .threads import one_blas_thread

# How the runs start, in turn: with first weights of what share of the usual ones, and
# how many steps before noise is told from signal. From small weights, and soon, a run
# finds simple functions, and takes what is not simple for noise. From larger ones, and
# late, it finds the others, and takes some noise for signal. The evidence tells.
SIMPLE, INTRICATE = (0.5, 3), (1.0, 21)
STARTS = (SIMPLE, INTRICATE, SIMPLE, SIMPLE)
# How they start where all of that has explained about nothing: with units that bend
# somewhere among the rows, so steeply (Nguyen & Widrow, 1990, have 0.7), and after so
# many steps; and how many runs at least. They find waves that the others do not.
BENT = ((0.7, 100), (1.5, 100))
FURTHER = 4
# Less than this share of the squares may be chance, or may lack something.
HALF = 0.5
# Of the error of a row with such a leverage next to nothing is left, whatever it is.
ALONE = 0.95
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


@contextmanager
def quietly():
    """On one BLAS thread, and without NumPy's warnings."""
    with one_blas_thread(), np.errstate(all="ignore"):
        yield


class Run(NamedTuple):
    """One run.

    Attributes
    ----------
    best : Posterior
        Its best step.
    factor : ndarray of shape (P, P)
        Cholesky's factor of the precision matrix there, lower triangular.
    memorizes : bool
        Whether it has learnt rows by heart, and not what they have in common.
    unfinished : bool
        Whether it was still making progress at its end.
    """

    best: Posterior
    factor: np.ndarray
    memorizes: bool
    unfinished: bool = False


class Committee:
    """Networks that differ in their first weights, trained one after the other.

    Parameters
    ----------
    model : BayesianFFNNRegressor
        Only its parameters are read.
    network : Network
    learnt : tuple of (Data, Scaling, Encoding or None)
        Standardised, in float64; how it was standardised and encoded.
    seed : int
        Source of the first weights.
    task : FitTask
        The callbacks of scikit-learn are told of the runs as parts of it, and of their
        steps as epochs.

    Attributes
    ----------
    stopped, cut_short : bool
        Whether a callback has asked for an end of the runs, or of one.
    runs : list of Run
        Those that are kept, weighed or not.
    steps : list of dict
        All steps of all runs, in standardised units.
    seconds : list of float
        How long each of them took.
    n_rows : int
        How many there are, whatever their weights.
    members : list of Posterior
        Of each run the step with the highest evidence, if it counts; from `settle` on,
        like all that follows.
    factors : list of ndarray of shape (P, P)
        Cholesky's factors of their precision matrices, lower triangular.
    weights : ndarray of shape (len(members),)
        What each network counts for.
    """

    def __init__(self, model, network, learnt, seed, task):
        self.model, self.network = model, network
        self.data, self.scaling, self.encoding = learnt
        self.stopped = self.cut_short = False
        self.errors = np.geterr()
        self.groups = groups_of(network.layout, bool(model.ard))
        self.steps, self.seconds, self.runs = [], [], []
        self.rng, self.n_started = np.random.default_rng(seed), 0
        with quietly():
            self.curvature = GaussNewton(network, self.data)
            self.n_rows = len(self.data)
            self.squares = self.curvature.squares(np.zeros(network.layout.size))
            self.constant = np.zeros(network.layout.units[0], bool)
            self.constant[: network.layout.n_inputs] = self.data.constant_inputs()
            for k, rng in enumerate(self.rng.spawn(model.n_restarts)):
                start = STARTS[k % len(STARTS)]
                if not self.stopped:
                    self.runs.append(self._run(rng, start, self._usual, task))

    @property
    def bends(self):
        """Whether units bend; a linear model is found from every start."""
        return set(self.network.names) != {"identity"}

    @property
    def counted(self):
        """The runs that count: what is learnt by heart does only if there is no other.

        The evidence is no judge of it. A unit that is steep enough explains one row and
        no other, whatever the noise in it; then there is little noise left.
        """
        return [run for run in self.runs if not run.memorizes] or self.runs

    @property
    def best(self):
        """Of the runs that count the step with the highest evidence."""
        return max((run.best for run in self.counted), key=lambda b: b.log_evidence)

    def search(self, task):
        """Look for what the usual starts have missed; keep it, if there is anything."""
        before, runs = self.best.log_evidence, self.runs
        with quietly():
            for k, rng in enumerate(self.rng.spawn(_further(self.model))):
                if not self.stopped:
                    run = self._run(rng, BENT[k % len(BENT)], self._bent, task)
                    self.runs = [*self.runs, run]
        if self.best.log_evidence == before or self.explains_nothing:
            self.runs = runs

    def explained(self):
        """The share of the squares that the best explain, what they cost taken off.

        As the adjusted R^2 does: parameters, as many as are determined, and the mean
        of y fit some of the rows whatever these say.
        """
        n, best = self.curvature.n, self.best
        left = n - 1 - best.effective.sum()
        if left <= 0 or self.squares == 0:
            return 1.0  # nobody can tell, or there is nothing to explain
        return 1 - best.squares / self.squares * (n - 1) / left

    @property
    def memorizes(self):
        """Whether all of its runs have learnt rows by heart."""
        return all(run.memorizes for run in self.runs)

    @property
    def by_chance(self):
        """Whether y is as probable under a constant and noise."""
        n = self.curvature.n
        if self.squares == 0:
            return False
        log_evidence = -n / 2 * (np.log(2 * np.pi * self.squares / n) + 1)
        return self.best.log_evidence <= log_evidence

    @property
    def explains_nothing(self):
        """Whether the networks explain little of y, if anything."""
        return self.explained() < HALF and self.by_chance

    def doubts(self):
        """What speaks for more in y than the networks have found, by a word for each.

        Chance may explain as much, or the errors of neighbouring rows be alike. Of runs
        that the user has cut short nothing else is expected.
        """
        if self.cut_short or self.constant.all() or not self.bends:
            return set()
        if self.explained() >= HALF:
            return set()
        best = self.network, self.best.theta, self.data
        found = {"chance": self.by_chance, "neighbours": neighbours_err_alike(*best)}
        return {word for word, is_so in found.items() if is_so}

    def settle(self):
        """Weigh the networks, and leave out those that hardly count."""
        runs = self.counted
        evidence = np.array([run.best.log_evidence for run in runs])
        root = min(1, PER_ROW / self.curvature.n)
        weights = np.exp(root * (evidence - evidence.max()))
        weights /= weights.sum()
        count = np.flatnonzero(weights >= LEAST_WEIGHT)
        self.members = [runs[k].best for k in count]
        self.factors = [runs[k].factor for k in count]
        self.weights = weights[count] / weights[count].sum()

    def _usual(self, theta, share, rng):
        """First weights that are a share of the usual ones."""
        theta *= share

    def _bent(self, theta, steepness, rng):
        """First weights under which each unit of the first layer bends at a row."""
        W, b = (each[0] for each in self.network.layout.views(theta))
        n_inputs, units = np.count_nonzero(~self.constant), W.shape[1]
        W *= steepness * units ** (1 / n_inputs) / np.sqrt(n_inputs * glorot(*W.shape))
        some = self.data.of(rng.choice(self.data.rows, units))
        x = self.network.inputs(theta, some)
        b[...] = -np.sum(W * x.T, axis=0)

    def _run(self, rng, start, place, task):
        """One run, from the usual first weights or what `place` makes of them."""
        model, layout = self.model, self.network.layout
        theta = np.empty(layout.size)
        initialize(layout, theta, self.network.activations, [rng])
        size, warm_up = start
        place(theta, size, rng)
        self.network.clear_unused(theta, self.data)
        self.n_started += 1
        task = task.subtask("restart", model.max_iter)
        best: Any = None
        to_beat, waited, clock = -np.inf, 0, perf_counter()
        others = [run.best.log_evidence for run in self.runs if not run.memorizes]
        hopeless = max(others, default=-np.inf) - FAR_BEHIND * self.curvature.n
        descent = levenberg_marquardt(self.curvature, theta, self.groups, warm_up)
        for i, judged in zip(range(1, model.max_iter + 1), descent, strict=False):
            self.steps.append(_record(self.n_started, i, judged, self.curvature.n))
            self.seconds.append(perf_counter() - clock)
            if best is None or judged.log_evidence > best.log_evidence:
                best = judged
            waited += i >= warm_up
            if judged.log_evidence > to_beat + model.tol * self.curvature.n:
                to_beat, waited = judged.log_evidence, 0
            ended = i >= warm_up + GRACE and best.log_evidence < hopeless
            ended |= waited == model.n_iter_no_change
            if self._tell(task, judged):
                self.cut_short = ended = True
            if ended:
                break
            clock = perf_counter()
        with np.errstate(**self.errors):
            self.stopped = task.end(None)
        unfinished = not ended and judged.squares > EXACT**2 * self.curvature.n
        return self._judged(best)._replace(unfinished=unfinished)

    def _judged(self, best):
        """The run that has this for its best step."""
        factor = factor_of(self.curvature, best, self.groups)
        # Of one of as many equal rows as the weight says: they hold each other.
        leverage = variance(self.network, best.theta, self.data, factor)
        leverage *= best.precisions.noise
        rows = self.data.at(slice(None))
        squares = self.data.targets(rows)[:, 0] ** 2
        if self.data.weight is not None:
            squares = squares * self.data.weight[rows, 0]
        alone = leverage > ALONE
        return Run(best, factor, bool(squares[alone].sum() > squares.sum() / 2))

    def _tell(self, task, judged):
        """Tell the callbacks of a step; whether one of them asks to stop."""
        with np.errstate(**self.errors):
            return task.epoch_ended(lambda: self._model_of(judged))

    def _model_of(self, judged):
        """The attributes of a model that has one network, that of this step."""
        alone = copy(self)
        with quietly():
            alone.runs = [self._judged(judged)]
        alone.settle()
        return fitted_committee(alone, [alone], [])

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
        return float(self.best.log_evidence - self.curvature.n * np.log(y_scale))


def _record(restart, iteration, judged, n):
    return {
        "restart": restart,
        "iteration": iteration,
        "rmse": (judged.squares / n) ** 0.5,
        "noise": judged.precisions.noise**-0.5,
        "log_evidence": judged.log_evidence,
        "n_effective_parameters": float(judged.effective.sum()),
    }


def committees_of(model, networks, learnt, task):
    """A committee of each network; what may be found from further starts, is.

    Parameters
    ----------
    model : BayesianFFNNRegressor
    networks : list of Network
        Of the sizes that are tried.
    learnt : tuple of (Data, Scaling, Encoding or None)
    task : FitTask
        The whole fit: see `n_parts`.

    Returns
    -------
    best : Committee
        The one with the highest evidence, ready to predict.
    committees : list of Committee
        All of them.
    doubts : set of str
        Those of the best, in the end.
    """
    seed = draw_seed(model.random_state)
    committees: list[Committee] = []
    for network in networks:
        if not any(each.stopped for each in committees):
            each = Committee(model, network, learnt, seed, task)
            committees.append(each)

    def best():
        return max(committees, key=lambda c: (not c.memorizes, c.best.log_evidence))

    doubts = best().doubts()
    if doubts and not any(each.stopped for each in committees):
        more = task.subtask("further restarts", len(committees) * _further(model))
        for each in committees:
            each.search(more)
        more.end(None)
        doubts = best().doubts()
    best().settle()
    return best(), committees, doubts


def n_parts(model, networks):
    """Of how many parts the fit consists at most: the runs, and a further search."""
    return len(networks) * model.n_restarts + 1


def _further(model):
    """How many further starts a size may have."""
    return max(FURTHER, model.n_restarts)
