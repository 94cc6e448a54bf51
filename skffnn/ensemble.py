"""FFNNEnsembleRegressor: networks that differ in their seeds, trained side by side."""

from copy import deepcopy
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.validation import check_is_fitted

from .base import Estimator
from .categories import LevelsMixin
from .core.hyperparameters import is_inside_unit, is_int
from .export.description import Networks
from .fitting.calibration import (
    are_samples,
    are_scores,
    calibrated,
    deviations_for,
    is_noise,
    mean_and_spread,
)
from .fitting.callbacks import CallbackSupportMixin, FitTask, with_callbacks
from .fitting.intervals import IntervalMixin
from .fitting.side_by_side import Workers, fit_all, shared_arguments
from .preprocessing.checks import check_inputs, seen, unchanged_on_error
from .preprocessing.encoding import columns_at_fit, joint_encoding
from .preprocessing.judging import JudgedMixin
from .preprocessing.parameters import check_flag, check_parameters
from .preprocessing.preparation import rows_with_weight
from .regressor import IN_NETWORKS, FFNNRegressor
from .saving.rules import are_names, are_rows, is_list, is_whole

# What stands for a network in the state of an ensemble.
_NETWORK = "state of an FFNNRegressor"


# What a file may hold, by the rules of `skffnn.saving.mixin` ------------------------


def _is_fitted_network(value):
    return type(value) is FFNNRegressor and hasattr(value, "theta_")


def _are_networks(value, others):
    fitted = is_list(value, _is_fitted_network) and len(value) > 0
    return fitted and all(map(_are_alike, value, value[1:]))


def _are_alike(a, b):
    """Whether two networks take the same tables, and their sizes are the same."""
    return (
        # Samples of one table may be encoded to other inputs.
        a.units_[1:] == b.units_[1:]
        and a.n_features_in_ == b.n_features_in_
        and columns_at_fit(a) == columns_at_fit(b)
        and a._y_ndim == b._y_ndim
        and a.theta_.dtype == b.theta_.dtype
    )


class FFNNEnsembleRegressor(
    IntervalMixin,
    CallbackSupportMixin,
    JudgedMixin,
    LevelsMixin,
    Estimator,
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
    is_categorical_, categories_ : ndarray of bool, dict of list
        As those of `FFNNRegressor`.

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

    _elsewhere = IN_NETWORKS
    _fitted: ClassVar = {
        "estimators_": _are_networks,
        "estimators_samples_": are_samples,
        "calibration_indices_": lambda value, others: value is None or are_rows(value),
        "noise_": is_noise,
        "calibration_scores_": are_scores,
        "n_features_in_": lambda value, others: (
            is_whole(value) and value == others["estimators_"][0].n_features_in_
        ),
        "feature_names_in_": lambda value, others: are_names(
            value, others["n_features_in_"]
        ),
        "_y_ndim": lambda value, others: (
            is_whole(value) and value == others["estimators_"][0]._y_ndim
        ),
    }

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
        check_parameters(estimator)  # which may have values that cannot be copied
        network = clone(estimator)
        table, val, _ = network._check_rows(X, y, sample_weight, validation)
        if table.on_disk:
            table = table._replace(X=X)  # checked, it would no longer say so
        if val is not None and val.on_disk:
            val = val._replace(X=validation[0])
        columns = seen(network)
        rng = check_random_state(self.random_state)
        seeds = rng.randint(np.iinfo(np.int32).max, size=self.n_estimators)
        rows, held_out = self._split(table, rng)
        samples = [self._sample(rows, seed) for seed in seeds]
        task = FitTask(self, 1, X, y, sample_weight)
        models, errors, _ = fit_all(
            [clone(estimator).set_params(random_state=int(seed)) for seed in seeds],
            shared_arguments(table, samples, val),
            Workers(self.n_jobs),
            task,
        )
        for error in filter(None, errors):
            raise error
        for model in models:
            model.__dict__.update(deepcopy(columns))
        noise, scores = calibrated(models, table, held_out)
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
        check_flag("bootstrap", self.bootstrap)
        fraction = self.calibration_fraction
        if fraction is not None and not is_inside_unit(fraction):
            raise ValueError(
                "calibration_fraction must be None or a number between 0 and 1; got "
                f"{fraction!r}."
            )
        return estimator

    def _split(self, table, rng):
        """The rows to learn, and those to calibrate with."""
        rows = rows_with_weight(table)
        if self.calibration_fraction is None:
            return rows, None
        fraction = float(self.calibration_fraction)
        try:
            return train_test_split(
                np.asarray(rows), test_size=fraction, random_state=rng
            )
        except ValueError as error:
            raise ValueError(
                f"n_samples={len(rows)} is too few to hold out a share of "
                f"{fraction:g} for calibration: pass more rows, or "
                "leave calibration_fraction at None."
            ) from error

    def _sample(self, rows, seed):
        if not self.bootstrap:
            return rows
        return np.random.default_rng(seed).choice(rows, len(rows))

    # Its networks are kept as their states: so a file of skops has one type to be
    # trusted, and not two.

    def __getstate__(self):
        return {k: _as_state(value) for k, value in super().__getstate__().items()}

    def __setstate__(self, state):
        super().__setstate__({k: _as_network(value) for k, value in state.items()})

    # Predicting ----------------------------------------------------------------------

    def predict(
        self, X: Any, return_std: bool = False, return_interval: float | None = None
    ) -> np.ndarray | tuple[np.ndarray, ...]:
        """Predict the target: the mean of what the networks predict.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        return_std : bool, default=False
            Whether to return standard deviations as well.
        return_interval : float, default=None
            Share of the targets that are to fall into an interval, which is returned as
            well: what `predict_interval` returns, where only ``predict`` can be
            reached, as in a Pipeline.

        Returns
        -------
        y_hat : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        std : ndarray of the same shape
            In the target's units. With calibration rows it is that of y around y_hat;
            without, that of the networks around their mean, which knows nothing of the
            noise in y. Only if return_std.
        low, high : ndarray of the same shape
            The limits of the interval. Only if return_interval.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X has other columns than at `fit`, or values that are not finite; if
            return_interval is no share, or more than the calibration rows can tell.

        Warns
        -----
        UserWarning
            If values of X are so large that answers are not finite.
        """
        return self._predicted(X, return_std, return_interval)

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

        Warns
        -----
        UserWarning
            If values of X are so large that limits are not finite.

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
        return self._interval(X, coverage)

    def _mean_and_std(self, X, with_std):
        y_hat, spread = mean_and_spread(self.estimators_, X, with_std)
        std = self._shaped(np.hypot(spread, self.noise_)) if with_std else None
        return self._shaped(y_hat), std

    def _deviations(self, coverage):
        return deviations_for(coverage, self.calibration_scores_)

    def _description(self):
        """What the fitted ensemble consists of, for `skffnn.export`."""
        return Networks.mean_of([each._description() for each in self.estimators_])

    def _checked(self, X):
        check_is_fitted(self)
        return check_inputs(self, X, self.estimators_[0].theta_.dtype)

    @property
    def _encoding(self):
        return joint_encoding([each._encoding for each in self.estimators_])

    def _shaped(self, values):
        return values.ravel() if self._y_ndim == 1 else values

    def __sklearn_tags__(self):
        """Tell scikit-learn what this estimator takes."""
        tags = super().__sklearn_tags__()
        known = isinstance(self.estimator, FFNNRegressor)  # fit says so if it is not
        each = get_tags(self.estimator if known else FFNNRegressor())
        tags.input_tags = each.input_tags
        tags.target_tags.multi_output = each.target_tags.multi_output
        tags.target_tags.positive_only = each.target_tags.positive_only
        return tags


def _as_state(value):
    """A network as its state, and so in a list; anything else as it is."""
    if isinstance(value, list):
        return [_as_state(each) for each in value]
    return {_NETWORK: value.__getstate__()} if type(value) is FFNNRegressor else value


def _as_network(value):
    """The network of such a state; anything else as it is."""
    if isinstance(value, list):
        return [_as_network(each) for each in value]
    if not isinstance(value, dict) or value.keys() != {_NETWORK}:
        return value
    network = FFNNRegressor()
    network.__setstate__(value[_NETWORK])
    return network
