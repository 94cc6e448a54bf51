"""BayesianFFNNRegressor: small tables, second order, error bars, nothing to tune."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from scipy.stats import norm
from sklearn.utils.validation import check_is_fitted

from .base import FittedNetwork
from .core.hyperparameters import Hyperparameter, is_flag, is_int, is_not_negative
from .core.losses import squared_error
from .core.network import Network
from .core.second_order.evidence import variance
from .fitting.callbacks import CallbackSupportMixin, FitTask, with_callbacks
from .fitting.committee import committees_of, n_parts
from .fitting.doubts import affordable, warn_of_doubts, warn_of_weights
from .fitting.fitted import network_from_format_1
from .fitting.fitted_committee import COMMITTEE, YOUNGER_COMMITTEE, fitted_committee
from .fitting.intervals import IntervalMixin
from .fitting.threads import one_blas_thread
from .preprocessing.checks import check_table, unchanged_on_error
from .preprocessing.inputs import standardized
from .preprocessing.judging import JudgedMixin
from .preprocessing.parameters import (
    CATEGORICAL_FEATURES,
    activation_names,
    check_choice,
    check_rules,
    hidden_activations,
    hidden_sizes,
    is_auto,
)
from .preprocessing.preparation import encoded, rows_with_weight
from .preprocessing.scaling import Scaling, extremes, input_statistics
from .preprocessing.target import NumericTarget
from .preprocessing.words import SECOND_ORDER

# What hidden_layer_sizes="auto" chooses from.
SIZES = ((5,), (10,), (10, 10), (10, 10, 10))
# Multiply-adds of a step from which on second order is foolish.
MOST_WORK = 2 * 10**10


class BayesianFFNNRegressor(
    IntervalMixin, CallbackSupportMixin, JudgedMixin, FittedNetwork
):
    """Bayesian neural network for small tables, with error bars and nothing to tune.

    Trained by Levenberg-Marquardt steps, second order over all rows at once, it reaches
    in some tens of them what takes stochastic gradients thousands. How strongly its
    weights are held back, and how much noise the target has, it tells from the table
    (MacKay's evidence): no validation rows, no learning rate, no weight decay. Each
    prediction has a standard deviation.

    It is for some hundred to a few thousand rows. A step takes a time that grows like
    ``n_samples * P**2 + P**3``, with P the number of parameters, so that wide or large
    tables are better off with `FFNNRegressor`. At the default size and 10 columns, P is
    231, and 1,000 rows take a third of a second on one core.

    Parameters
    ----------
    hidden_layer_sizes : int, sequence of int or "auto", default=(10, 10)
        Units of each hidden layer. Small ones do: what a layer has too much, the
        evidence switches off. "auto" tries 5 and 10 units and two and three layers of
        10, and takes the size with the highest evidence; it takes four times as long.
    activation : str or sequence of str, default="tanh"
        Activation of the hidden layers: one name, or one per layer; any that
        `FFNNRegressor` has. The smooth ones suit second order.
    ard : bool, default=True
        Automatic relevance determination: the weights that leave a column have a
        precision of their own, so that columns that say nothing are switched off.
        Without, those of a layer share one.
    n_restarts : int, default=4
        Networks with other first weights; one in four looks for functions that are
        less simple. They form a committee: a prediction is their mean, weighted by the
        evidence.
    max_iter : int, default=200
        At most so many steps of each of them.
    tol : float, default=2e-3
        Progress is a log evidence that rises by so much a row.
    n_iter_no_change : int, default=5
        Steps without progress that end a run. Of all its steps, the one with the
        highest evidence is kept.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Which columns are categories, as in `FFNNRegressor`.
    random_state : int, RandomState instance or None, default=None
        Source of the first weights.

    Attributes
    ----------
    alpha_ : float
        Precision of the noise: its standard deviation is ``alpha_ ** -0.5``, in units
        of the target.
    lambda_ : ndarray of shape (n_groups,)
        Precision of each group of parameters, in standardised units. With ``ard`` there
        is a group for the weights of each input, one for the biases of the first
        layer, one for each further layer, and one for each embedding table; without,
        one for each layer and table.
    n_effective_parameters_ : float
        How many parameters the rows determine; the prior holds the others.
    log_evidence_ : float
        Logarithm of the probability density of y, in units of the target: the highest
        of the committee. Higher is better, also between hidden layer sizes, on the
        same rows. It is a low estimate, by some units, where a run was stopped short of
        its most probable parameters.
    relevance_ : ndarray of shape (n_features_in_,)
        By how many standard deviations the prediction moves where a column takes the
        values of other rows: a root mean square, so that it is the slope where the
        dependence is linear. Next to nothing for columns that say nothing. None in the
        file of an earlier version.
    feature_importances_ : ndarray of shape (n_features_in_,)
        ``relevance_``, divided by its sum, for `sklearn.feature_selection`.
    hidden_layer_sizes_ : tuple of int
        The size that was asked for, or chosen.
    evidence_by_size_ : dict of tuple of int to float
        ``log_evidence_`` of each size that was tried.
    theta_ : ndarray of shape (n_networks, n_parameters)
        All weights, embedding tables, and then all biases, of each network of the
        committee.
    committee_weights_ : ndarray of shape (n_networks,)
        What each network counts for; those below 0.001 are left out. Where there are
        several, ``alpha_ ** -1``, ``lambda_ ** -1`` and ``n_effective_parameters_`` are
        means weighted by it.
    history_ : dict of list
        One entry per step: "restart" and "iteration" (both from 1), "rmse" on the
        training rows and "noise" (a standard deviation), both in the target's units,
        "log_evidence" and "n_effective_parameters".
    seconds_ : list of float
        How long each step took, as in `FFNNRegressor`.
    n_iter_ : int
        Steps of the longest run.
    units_ : list of int
        Inputs, units of each hidden layer, 1.
    activations_ : list of str
        The activation of each layer, the output's last.
    x_mean_, x_scale_ : ndarray of shape (n_numeric_features,)
        The columns of X that are numbers are standardised as
        ``(X - x_mean_) / x_scale_``.
    x_limit_ : ndarray of shape (n_numeric_features,)
        How far a standardised column is taken as it is, as in `FFNNRegressor`.
    x_heavy_ : ndarray of int
        The numbers of the columns with heavy tails, whose limit is finite.
    is_categorical_, categories_, embeddings_
        Which columns are categories, their levels, and the vectors of those with many
        levels, as in `FFNNRegressor`; those of the network that counts for most.
    y_mean_, y_scale_ : ndarray of shape (1,)
        The target is standardised as ``(y - y_mean_) / y_scale_``.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of str
        Their names, when X is a DataFrame with string names.

    See Also
    --------
    FFNNRegressor : For larger tables, other losses, several targets.
    FFNNEnsembleRegressor : Error bars for them.
    sklearn.linear_model.BayesianRidge : The same for a linear model.
    sklearn.gaussian_process.GaussianProcessRegressor : Error bars for small tables.

    Notes
    -----
    Everything is computed in float64: the matrix that is factorised has the square of
    the Jacobian's condition. Memory is a few matrices of P x P, and one for each
    network stays in the model, for the standard deviations.

    References
    ----------
    MacKay (1992), A Practical Bayesian Framework for Backpropagation Networks.
    Foresee & Hagan (1997), Gauss-Newton Approximation to Bayesian Learning.

    Examples
    --------
    >>> import numpy as np
    >>> from skffnn import BayesianFFNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-2, 2, (200, 2))
    >>> y = np.sin(2 * X[:, 0]) + 0.1 * rng.normal(size=200)
    >>> model = BayesianFFNNRegressor(random_state=0).fit(X, y)
    >>> y_hat, std = model.predict([[1.0, 0.0], [4.0, 0.0]], return_std=True)
    >>> bool(abs(y_hat[0] - np.sin(2)) < 0.1), bool(std[1] > 3 * std[0])
    (True, True)
    >>> round(model.alpha_**-0.5, 2)  # the noise
    0.1
    >>> bool(model.relevance_[0] > 10 * model.relevance_[1])  # y ignores the second
    True
    """

    _elsewhere = SECOND_ORDER
    _fitted = COMMITTEE
    _younger: ClassVar = YOUNGER_COMMITTEE
    _upgrades: ClassVar = {1: network_from_format_1}

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] | str = (10, 10),
        *,
        activation: str | Sequence[str] = "tanh",
        ard: bool = True,
        n_restarts: int = 4,
        max_iter: int = 200,
        tol: float = 2e-3,
        n_iter_no_change: int = 5,
        categorical_features: Any = "from_dtype",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.ard = ard
        self.n_restarts = n_restarts
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.categorical_features = categorical_features
        self.random_state = random_state

    # Learning ------------------------------------------------------------------------

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the networks, and find the precisions.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), default=None
            A row of weight 2 counts like two rows. Not only the ratios matter: the more
            rows, the surer the prediction.

        Returns
        -------
        self : BayesianFFNNRegressor

        Raises
        ------
        ValueError
            If a parameter or the data make no sense, or the table is too large for a
            method of second order; the message says what to do.
        FloatingPointError
            If numbers overflow.

        Warns
        -----
        ConvergenceWarning
            If max_iter ends a run that was still making progress, or the networks
            explain about nothing of y.
        UserWarning
            If the weights add up to much less or more than the number of rows, or the
            parameters leave too little of the rows to tell the noise by.
        """
        _check_parameters(self)
        with unchanged_on_error(self):
            target = NumericTarget(squared_error, single=True)
            table = check_table(self, X, y, sample_weight, target, dtype=np.float64)
            rows = rows_with_weight(table)
            encoding, gapped = encoded(self, table, rows, table.weight)
            networks = self._networks(table, encoding)
            networks = affordable(networks, len(rows), MOST_WORK)
            warn_of_weights(table.weight, len(rows))
            ends = extremes(table.X, rows)
            scaling = Scaling(
                *input_statistics(table.X, rows, table.weight, ends, gapped),
                *target.statistics(table.Y, rows, table.weight),
            )
            data = standardized(table, rows, table.weight, scaling, encoding)
            task = FitTask(self, n_parts(self, networks), X, y, sample_weight)
            learnt = data, scaling, encoding
            best, tried, doubts = committees_of(self, networks, learnt, task)
            advice = warn_of_doubts(self, best, doubts)
            self.__dict__.update(fitted_committee(best, tried, advice))
        task.end()
        return self

    def _networks(self, table, encoding):
        """The networks to try."""
        n_inputs, tables = table.X.shape[1], []
        if encoding is not None:
            n_inputs, tables = encoding.n_inputs, encoding.tables
        auto = is_auto(self.hidden_layer_sizes)
        sizes = SIZES if auto else (hidden_sizes(self.hidden_layer_sizes),)
        return [
            Network(
                [n_inputs, *hidden, 1],
                [*hidden_activations(self.activation, len(hidden)), "identity"],
                tables=tables,
            )
            for hidden in sizes
        ]

    # Predicting ----------------------------------------------------------------------

    def predict(
        self, X: Any, return_std: bool = False, return_interval: float | None = None
    ) -> np.ndarray | tuple[np.ndarray, ...]:
        """Predict the target.

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
        y_hat : ndarray of shape (n_samples,)
            The weighted mean of the committee.
        std : ndarray of shape (n_samples,)
            Standard deviation of a new target around it: the noise, what the rows leave
            open of the parameters (Laplace's approximation), and how far the networks
            disagree. In units of the target. Only if return_std.
        low, high : ndarray of shape (n_samples,)
            The limits of the interval. Only if return_interval.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X has other columns than at `fit`, or values that are not finite; if
            return_interval is no share.

        Warns
        -----
        UserWarning
            If values of X are so large that answers are not finite.
        """
        return self._predicted(X, return_std, return_interval)

    def predict_interval(
        self, X: Any, coverage: float = 0.9
    ) -> tuple[np.ndarray, np.ndarray]:
        """Predict an interval for the target, from a normal distribution.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        coverage : float, default=0.9
            Share of the targets that are to fall into it.

        Returns
        -------
        low, high : ndarray of shape (n_samples,)

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If coverage is no share.

        Warns
        -----
        UserWarning
            If values of X are so large that limits are not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from skffnn import BayesianFFNNRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = rng.uniform(-2, 2, (600, 1))
        >>> y = np.sin(3 * X[:, 0]) + 0.1 * rng.normal(size=600)
        >>> model = BayesianFFNNRegressor(random_state=0).fit(X[:200], y[:200])
        >>> low, high = model.predict_interval(X[200:], 0.8)
        >>> bool(abs(np.mean((low <= y[200:]) & (y[200:] <= high)) - 0.8) < 0.1)
        True
        """
        return self._interval(X, coverage)

    def _mean_and_std(self, X, with_std):
        network = self._network()
        data = self._as_data(X)
        each = np.stack([network.predict(theta, data)[:, 0] for theta in self.theta_])
        y_hat = self.committee_weights_ @ each
        scale, mean = self.y_scale_[0], self.y_mean_[0]
        if not with_std:
            return y_hat * scale + mean, None
        spread = (each - y_hat) ** 2
        with one_blas_thread():
            for spread_k, theta, factor, noise in zip(
                spread, self.theta_, self._factors, self._noise, strict=True
            ):
                spread_k += variance(network, theta, data, factor) + noise
        std = np.sqrt(self.committee_weights_ @ spread)
        return y_hat * scale + mean, std * scale

    def _theta_that_counts(self):
        return self.theta_[np.argmax(self.committee_weights_)]

    def _predict(self, X):
        y_hat, _ = self._mean_and_std(X, with_std=False)
        return y_hat[:, np.newaxis]

    def _deviations(self, coverage):
        return norm.ppf((1 + coverage) / 2)

    @property
    def evidence_by_size_(self) -> dict[tuple[int, ...], float]:
        """The evidence of each size that was tried."""
        check_is_fitted(self)
        return dict(self._evidence)

    @property
    def feature_importances_(self) -> np.ndarray:
        """The relevance of each column, as a share of the whole."""
        check_is_fitted(self)
        if self.relevance_ is None:
            raise AttributeError(
                "The file of this model is that of an earlier version, which did not "
                "keep the relevance of the columns: fit it once more."
            )
        whole = self.relevance_.sum()
        return self.relevance_ / whole if whole > 0 else self.relevance_

    def _description(self):
        """The committee as a stack: one scaling of X, K networks."""
        return super()._description().weighted(self.committee_weights_)


def _check_parameters(model):
    """Raise ValueError for the first parameter that makes no sense."""
    check_rules(model, _RULES)
    sizes = model.hidden_layer_sizes
    if not is_auto(sizes):
        hidden_activations(model.activation, len(hidden_sizes(sizes)))
    elif isinstance(model.activation, str):
        check_choice("activation", model.activation, activation_names())
    else:
        raise ValueError(
            "hidden_layer_sizes='auto' tries several depths: give one activation for "
            f"all layers; got {model.activation!r}."
        )


_RULES = (
    *(
        Hyperparameter(
            name, lambda value: is_int(value, 1), "a whole number, at least 1", int
        )
        for name in ("max_iter", "n_iter_no_change", "n_restarts")
    ),
    Hyperparameter("tol", is_not_negative, "a number that is not negative"),
    CATEGORICAL_FEATURES,
    Hyperparameter("ard", is_flag, "True or False", bool),
)
