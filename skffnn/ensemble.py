"""FFNNEnsembleRegressor: networks that differ in their seeds, trained side by side."""

from copy import deepcopy
from typing import Any, Self

import numpy as np
from scipy.stats import norm
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from .fitting.callbacks import CallbackSupportMixin, FitTask, with_callbacks
from .fitting.side_by_side import Lesson, Workers, fit_all
from .preprocessing.checks import (
    check_table,
    check_validation,
    seen,
    unchanged_on_error,
)
from .preprocessing.parameters import (
    check_coverage,
    check_parameters,
    inside_unit,
    is_int,
)
from .preprocessing.preparation import weighty_rows
from .preprocessing.scaling import index
from .regressor import FFNNRegressor
from .saving import integrity
from .saving.mixin import PersistenceMixin

# What stands for a network in the state of an ensemble.
_NETWORK = "state of an FFNNRegressor"
# Rows that all networks predict at once: what it takes is the same for any number.
BLOCK = 2**15


class FFNNEnsembleRegressor(
    PersistenceMixin, CallbackSupportMixin, RegressorMixin, BaseEstimator
):
    """A deep ensemble: networks with different seeds, and their mean.

    Networks that start elsewhere end elsewhere, and err differently: their mean errs
    less than each of them. Where they disagree, they have not learnt: the spread of
    their predictions tells how little is known. They are trained side by side as a
    stack, which for small networks takes a fraction of the time.

    Parameters
    ----------
    estimator : FFNNRegressor, default=None
        The network, with its parameters; ``FFNNRegressor()`` by default. Its
        ``random_state`` is not used.
    n_estimators : int, default=8
        How many networks.
    bootstrap : bool, default=False
        Whether each network learns a sample of the rows, drawn with replacement.
        Without, they learn the same rows and differ in their seeds alone, which on most
        tables is better.
    calibration_fraction : float, default=None
        Share of the rows that no network learns. On them the errors are compared with
        the spread, so that intervals cover what they say, and standard deviations
        contain the noise of y. Without, they are the spread alone, which is too small
        wherever y has noise.
    n_jobs : int, default=None
        Stacks that are trained at the same time, through joblib.
    random_state : int, RandomState instance or None, default=None
        Source of the seeds, the bootstrap samples and the calibration rows.

    Attributes
    ----------
    estimators_ : list of FFNNRegressor
        The networks, each as if it had been fitted alone with its ``random_state``.
    estimators_samples_ : list of ndarray of int
        The rows of X that each of them has learnt.
    calibration_indices_ : ndarray of int or None
        The rows that were held out.
    noise_ : ndarray of shape (n_outputs,)
        Standard deviation of what the spread does not explain of the errors on those
        rows; 0 without.
    calibration_scores_ : ndarray of shape (n_calibration_rows, n_outputs) or None
        Their absolute errors in standard deviations, sorted.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of str
        Their names, when X is a DataFrame with string names.

    See Also
    --------
    FFNNRegressor : One network; with the "quantile" loss it learns an interval.
    sklearn.gaussian_process.GaussianProcessRegressor : ``return_std`` as there.

    References
    ----------
    Lakshminarayanan, Pritzel & Blundell (2017), Simple and Scalable Predictive
    Uncertainty Estimation using Deep Ensembles. Lei et al. (2018), Distribution-Free
    Predictive Inference for Regression, section 5.2, for the intervals.

    Examples
    --------
    >>> import numpy as np
    >>> from skffnn import FFNNEnsembleRegressor, FFNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-2, 2, (300, 1))
    >>> y = np.sin(3 * X[:, 0]) + 0.1 * rng.normal(size=300)
    >>> network = FFNNRegressor((32, 32), max_iter=60)
    >>> model = FFNNEnsembleRegressor(network, random_state=0).fit(X, y)
    >>> y_hat, std = model.predict([[1.0], [6.0]], return_std=True)
    >>> bool(std[1] > 5 * std[0])  # far from everything that it has seen
    True
    """

    _fitted = integrity.ENSEMBLE + integrity.COLUMN_NAMES
    _check_fitted = staticmethod(integrity.check_ensemble)

    # For the links and tooltips of the HTML representation in notebooks.
    _doc_link_module = "skffnn"
    _doc_link_template = FFNNRegressor._doc_link_template

    def __init__(
        self,
        estimator: FFNNRegressor | None = None,
        n_estimators: int = 8,
        *,
        bootstrap: bool = False,
        calibration_fraction: float | None = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.bootstrap = bootstrap
        self.calibration_fraction = calibration_fraction
        self.n_jobs = n_jobs
        self.random_state = random_state

    # Learning ------------------------------------------------------------------------

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train the networks.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
            As in `FFNNRegressor.fit`. Calibration rows of weight 0 are left out, all
            others count alike.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation rows for each of the networks.

        Returns
        -------
        self : FFNNEnsembleRegressor

        Raises
        ------
        ValueError
            If a parameter or the data make no sense; the message says what to do.
        FloatingPointError
            If one of the networks diverges.
        """
        with unchanged_on_error(self):
            return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    def _fit(self, X, y, sample_weight, validation):
        estimator = self._checked_estimator()
        network = clone(estimator)
        check_parameters(network)
        table = check_table(network, X, y, sample_weight)
        if table.on_disk:
            table = table._replace(X=X)  # checked, it would no longer say so
        val = check_validation(network, validation, table)
        if val is not None and val.on_disk:
            val = val._replace(X=validation[0])
        columns = seen(network)
        rng = check_random_state(self.random_state)
        seeds = rng.randint(np.iinfo(np.int32).max, size=self.n_estimators)
        rows, held_out = self._split(table, rng)
        samples = [self._sample(rows, seed) for seed in seeds]
        metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
        task = FitTask(self, 1, X=X, y=y, metadata=metadata)
        models, errors, _ = fit_all(
            [clone(estimator).set_params(random_state=int(seed)) for seed in seeds],
            _lessons(table, samples, val),
            Workers(self.n_jobs),
            task,
        )
        for error in filter(None, errors):
            raise error
        for model in models:
            model.__dict__.update(deepcopy(columns))
        noise, scores = _calibration(models, table, held_out)
        self.__dict__.pop("feature_names_in_", None)
        self.__dict__.update(columns)
        self.estimators_ = models
        self.estimators_samples_ = [np.array(sample) for sample in samples]
        self.calibration_indices_, self._y_ndim = held_out, table.y_ndim
        self.noise_, self.calibration_scores_ = noise, scores
        task.end()
        return self

    def _checked_estimator(self):
        estimator = FFNNRegressor() if self.estimator is None else self.estimator
        if type(estimator) is not FFNNRegressor:
            raise ValueError(
                "estimator must be an FFNNRegressor, and no subclass, which may fit "
                f"otherwise; got {type(estimator).__name__}. Put what comes before the "
                "network into a Pipeline around the ensemble."
            )
        if not is_int(self.n_estimators, 1):
            raise ValueError(
                "n_estimators must be a whole number, at least 1; got "
                f"{self.n_estimators!r}."
            )
        if not isinstance(self.bootstrap, bool | np.bool_):
            raise ValueError(
                f"bootstrap must be True or False; got {self.bootstrap!r}."
            )
        fraction = self.calibration_fraction
        if fraction is not None and not inside_unit(fraction):
            raise ValueError(
                "calibration_fraction must be None or a number between 0 and 1; got "
                f"{fraction!r}."
            )
        return estimator

    def _split(self, table, rng):
        """The rows to learn, and those to calibrate with."""
        rows = weighty_rows(table)
        if self.calibration_fraction is None:
            return rows, None
        try:
            return train_test_split(
                np.asarray(rows), test_size=self.calibration_fraction, random_state=rng
            )
        except ValueError as error:
            raise ValueError(
                f"n_samples={len(rows)} is too few to hold out a share of "
                f"{self.calibration_fraction:g} for calibration: pass more rows, or "
                "leave calibration_fraction at None."
            ) from error

    def _sample(self, rows, seed):
        if not self.bootstrap:
            return rows
        return np.random.default_rng(seed).choice(rows, len(rows))

    # Its networks are kept as what they consist of: so a file of skops has one type to
    # be trusted, and not two.

    def __getstate__(self):
        return _with_networks(super().__getstate__(), _state_of)

    def __setstate__(self, state):
        super().__setstate__(_with_networks(state, _network_of))

    # Predicting ----------------------------------------------------------------------

    def predict(
        self, X: Any, return_std: bool = False
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Predict the target: the mean of what the networks predict.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return standard deviations as well.

        Returns
        -------
        y_hat : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        std : ndarray of the same shape
            In the target's units. With calibration rows it is that of y around y_hat;
            without, that of the networks around their mean, which knows nothing of the
            noise in y. Only if return_std.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X has other columns than at `fit`, or values that are not finite.
        """
        X = self._checked(X)
        y_hat, spread = _mean_and_spread(self.estimators_, X, return_std)
        if not return_std:
            return self._shaped(y_hat)
        return self._shaped(y_hat), self._shaped(np.hypot(spread, self.noise_))

    def predict_interval(
        self, X: Any, coverage: float = 0.9
    ) -> tuple[np.ndarray, np.ndarray]:
        """Predict an interval for the target.

        With calibration rows this is split conformal prediction: new rows that are
        drawn like those fall into it with about that probability, whatever the
        distribution, on average over all rows (not for each kind of row by itself).
        About, as ``noise_`` is estimated on the same rows.
        Without, it is the interval of a normal distribution with the standard
        deviation of `predict`, and too narrow wherever y has noise.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, default=0.9
            Share of the targets that are to fall into it, for each output by itself.

        Returns
        -------
        low, high : ndarray of shape (n_samples,) or (n_samples, n_outputs)

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If coverage is no share, or more than the calibration rows can tell.

        Examples
        --------
        >>> import numpy as np
        >>> from skffnn import FFNNEnsembleRegressor, FFNNRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.uniform(-2, 2, (600, 1))
        >>> y = np.sin(3 * X[:, 0]) + 0.1 * rng.normal(size=600)
        >>> network = FFNNRegressor((32, 32), max_iter=60)
        >>> model = FFNNEnsembleRegressor(
        ...     network, calibration_fraction=0.3, random_state=0
        ... )
        >>> low, high = model.fit(X[:400], y[:400]).predict_interval(X[400:], 0.8)
        >>> bool(abs(np.mean((low <= y[400:]) & (y[400:] <= high)) - 0.8) < 0.1)
        True
        """
        check_coverage(coverage)
        X = self._checked(X)
        wide = self._deviations(coverage)
        y_hat, spread = _mean_and_spread(self.estimators_, X)
        std = np.hypot(spread, self.noise_)
        # Where an error had no deviation to be measured by, nothing is ruled out.
        with np.errstate(invalid="ignore"):
            half = np.where(np.isinf(wide), np.inf, wide * std)
        return self._shaped(y_hat - half), self._shaped(y_hat + half)

    def _deviations(self, coverage):
        """How many standard deviations cover so much, for each output."""
        scores = self.calibration_scores_
        if scores is None:
            return norm.ppf((1 + coverage) / 2)
        n = len(scores)
        # The new row is one of n + 1, and as likely to be the largest as any.
        rank = _ceiling((n + 1) * coverage)
        if rank > n:
            raise ValueError(
                f"{n} calibration rows say nothing about coverage={coverage:g}: it "
                f"takes at least {_ceiling(coverage / (1 - coverage))}. Raise "
                "calibration_fraction, pass more rows to fit, or ask for less."
            )
        return scores[rank - 1]

    def _checked(self, X):
        check_is_fitted(self)
        dtype = (self.estimators_[0].theta_.dtype,)
        return validate_data(self, X, reset=False, accept_sparse="csr", dtype=dtype)

    def _shaped(self, values):
        return values.ravel() if self._y_ndim == 1 else values

    def __sklearn_tags__(self):
        """Tell scikit-learn what this estimator takes."""
        tags = super().__sklearn_tags__()
        known = isinstance(self.estimator, FFNNRegressor)  # fit says so if it is not
        own = get_tags(self.estimator if known else FFNNRegressor())
        tags.input_tags.sparse = own.input_tags.sparse
        tags.target_tags.multi_output = own.target_tags.multi_output
        tags.target_tags.positive_only = own.target_tags.positive_only
        return tags


def _with_networks(state, change):
    """The state of an ensemble, each network in it changed."""
    changed = {**state, "estimator": change(state["estimator"])}
    if "estimators_" in state:
        changed["estimators_"] = [change(each) for each in state["estimators_"]]
    return changed


def _state_of(network):
    if type(network) is not FFNNRegressor:  # what is none is refused by fit
        return network
    return {_NETWORK: network.__getstate__()}


def _network_of(state):
    if not isinstance(state, dict) or state.keys() != {_NETWORK}:
        return state
    network = FFNNRegressor()
    network.__setstate__(state[_NETWORK])
    return network


def _ceiling(number):
    """The next whole number; 9 is the next after 0.9 * 10, whatever the rounding."""
    return int(np.ceil(round(number, 9)))


def _mean_and_spread(models, X, spread=True):
    """Mean and standard deviation over the networks, (n_samples, n_outputs).

    Without spread, only the mean.
    """
    shape = X.shape[0], models[0].n_outputs_
    mean, std = np.empty(shape), np.zeros(shape) if spread else None
    for start in range(0, X.shape[0], BLOCK):
        rows = slice(start, start + BLOCK)
        # (n_estimators, rows, n_outputs)
        each = np.stack([model._predict(X[rows]) for model in models])
        each.mean(axis=0, out=mean[rows])
        if std is not None and len(models) > 1:
            each.std(axis=0, ddof=1, out=std[rows])
    return mean, std


def _calibration(models, table, rows):
    """The noise, and the sorted scores, of held-out rows; 0 and None without."""
    if rows is None:
        return np.zeros(table.Y.shape[1]), None
    y_hat, spread = _mean_and_spread(models, table.X[rows])
    error = table.Y[rows] - y_hat
    unexplained = np.mean(error**2, axis=0) - np.mean(spread**2, axis=0)
    noise = np.sqrt(np.maximum(unexplained, 0))
    with np.errstate(invalid="ignore", divide="ignore"):
        scores = np.abs(error) / np.hypot(spread, noise)
    # An exact prediction is no error, however sure it was.
    return noise, np.sort(np.where(error == 0, 0, scores), axis=0)


def _lessons(table, samples, val):
    """What each network is to learn; one lesson, if it is the same for all."""
    y = table.Y[:, 0] if table.y_ndim == 1 else table.Y
    held = {}
    if val is not None:
        held = {"X_val": val.X, "y_val": val.Y, "sample_weight_val": val.weight}
    lessons: dict[int, Lesson] = {}
    for rows in samples:
        if id(rows) not in lessons:
            own, weight = index(rows), table.weight
            params = {} if weight is None else {"sample_weight": weight[own]}
            lessons[id(rows)] = Lesson(table.X[own], y[own], {**params, **held})
    return [lessons[id(rows)] for rows in samples]
