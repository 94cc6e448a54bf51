"""What fitted networks have in common: the interface of scikit-learn around the core.

`FittedNetwork` predicts and explains, be it one network or a committee.
`GradientDescentNetwork` is one that learns by the training loop: an estimator of that
kind is its parameters, its target and its documentation.
"""

from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .categories import CategoriesMixin
from .core.layout import Layout
from .core.losses import LOSSES
from .core.network import Network
from .export.description import described
from .export.mixin import TorchMixin
from .fitting.callbacks import CallbackSupportMixin, FitTask, with_callbacks
from .fitting.diagnosis import explain
from .fitting.fitted import YOUNGER, fitted, from_format_1
from .fitting.history import TimedMixin
from .fitting.resume import (
    check_fingerprint,
    check_same_network,
    digest_of,
    fingerprint_of,
)
from .fitting.run import Fit, train_alone
from .fitting.settings import Settings
from .fitting.state import State
from .preprocessing.checks import (
    check_inputs,
    check_table,
    check_validation,
    guarded,
    seen,
    unchanged_on_error,
)
from .preprocessing.encoding import Encoding, columns_at_fit, raw_data, tables_of
from .preprocessing.parameters import (
    can_learn_by_parts,
    check_flag,
    check_parameters,
    output_of,
    standardizes,
)
from .preprocessing.preparation import draw_seed, prepare
from .preprocessing.scaling import Scaling
from .preprocessing.target import NumericTarget
from .preprocessing.words import WordsMixin
from .saving.mixin import PersistenceMixin


class Estimator(WordsMixin, TorchMixin, PersistenceMixin, BaseEstimator):
    """Has what one network and several have: words, exports, files, links."""

    # For the links and tooltips of the HTML representation in notebooks.
    _doc_link_module = "skffnn"
    _doc_link_template = (
        "https://skffnn.readthedocs.io/en/stable/generated/skffnn.{estimator_name}.html"
    )


class FittedNetwork(CategoriesMixin, TimedMixin, Estimator):
    """Gives an estimator what follows from its network and its scales."""

    _younger: ClassVar = YOUNGER

    units_: list[int]
    activations_: list[str]
    theta_: np.ndarray
    x_mean_: np.ndarray
    x_scale_: np.ndarray
    x_limit_: np.ndarray
    y_mean_: np.ndarray
    y_scale_: np.ndarray
    _encoding: dict | None

    @property
    def x_heavy_(self) -> np.ndarray:
        """The numbers of the columns with heavy tails."""
        heavy = np.flatnonzero(np.isfinite(self.x_limit_))
        encoding = Encoding.of(self)
        return heavy if encoding is None else np.array(encoding.numeric, int)[heavy]

    def _network(self):
        return Network(self.units_, self.activations_, tables=tables_of(self))

    # Not named `_data`: `cv_results_` holds models in masked arrays, and those take an
    # attribute of that name for their own.
    def _as_data(self, X):
        """Rows that have been checked, as the network reads them."""
        scaling = self.x_mean_, self.x_scale_, self.x_limit_
        return raw_data(Encoding.of(self), X, scaling)

    def _checked(self, X):
        """Check that X has the columns of `fit`, and no infinite values."""
        if not hasattr(self, "theta_"):  # the check takes longer than one row
            check_is_fitted(self)
        return check_inputs(self, X, self.theta_.dtype)

    def _description(self):
        """What the fitted model consists of, for `skffnn.export`."""
        encoding = Encoding.of(self)
        layout = Layout(self.units_, tables_of(self))
        what = layout, self.activations_, self.theta_, Scaling.of(self)
        return described(*what, getattr(self, "_y_ndim", 1), encoding)

    def __sklearn_tags__(self):
        """Tell scikit-learn what this estimator takes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = self.categorical_features is not None
        return tags


class GradientDescentNetwork(CallbackSupportMixin, FittedNetwork):
    """An estimator that learns by the training loop.

    A subclass has the parameters of `FFNNRegressor`, and says what it learns.

    Attributes
    ----------
    _target_kind : type
        The kind of target: see `skffnn.preprocessing.target`.
    """

    _target_kind: ClassVar[Any] = NumericTarget
    _upgrades: ClassVar = {1: from_format_1}

    loss: str
    warm_start: bool
    random_state: Any
    n_outputs_: int
    n_features_in_: int
    history_: dict[str, list[float]]
    _y_ndim: int

    def _target(self, goes_on):
        """Make the target that y is checked by.

        Parameters
        ----------
        goes_on : bool
            Whether the model has been fitted before and learns on: then its target is
            one that knows what the model has learnt of y, such as its classes.
        """
        return self._target_kind(LOSSES[self.loss], output_of(self), standardizes(self))

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
        resume: bool = False,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Its dtype decides the network's: float32 stays float32, anything else is
            computed in float64, but tables with categories in float32 (by "lbfgs" in
            float64).
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target.
        sample_weight : array-like of shape (n_samples,), default=None
            Rows of weight 0 are left out; only the ratios of the others matter.
        X_val, y_val : array-like, default=None
            Validation rows: their curve is recorded, and ``early_stopping`` uses them.
            They must have gone through the same preprocessing as X.
        sample_weight_val : array-like, default=None
            Weights of the validation rows.
        resume : bool, default=False
            Whether to complete a fit that was interrupted, by Ctrl-C or with the whole
            process (`ModelCheckpoint`), on the same rows and with the same parameters.
            It ends with the very weights of a fit that was not interrupted. A fit that
            was complete is left as it is, and a model without one begins.

        Returns
        -------
        self : estimator
            The fitted estimator itself.

        Raises
        ------
        ValueError
            If a parameter or the data make no sense; the message says what to do.
        MemoryError
            If the network is larger than the machine's memory.
        FloatingPointError
            If training diverges within the first epoch, or leaves no weights that are
            worth keeping. A model that was fitted before is then still what it was.

        Warns
        -----
        ConvergenceWarning
            If training diverges later (the best weights are kept), ends no better than
            the best constant prediction, collapses, reaches max_iter too early, or
            learns little where neighbouring rows know more.
        """
        check_parameters(self)
        check_flag("resume", resume)
        rows = X, y, sample_weight, (X_val, y_val, sample_weight_val)
        return self._learn(*rows, go_on=self.warm_start or resume, resume=resume)

    @available_if(can_learn_by_parts)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch on these rows, at the constant rate.

        The standardisation is that of the first call: pass it rows that are like all
        others, or statistics of all of them (``standardize``). No rows are held out,
        and ``learning_rate_schedule`` is not used.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Their weights.

        Returns
        -------
        self : estimator
            The estimator itself.

        Raises
        ------
        ValueError
            If a parameter or the data make no sense.
        AttributeError
            With the solver "lbfgs", ``early_stopping`` or a ``validation_fraction``:
            the method does not exist then, as scikit-learn's conventions want it.
        FloatingPointError
            If training diverges; the model is still what it was before the call.

        Warns
        -----
        ConvergenceWarning
            If the network has died: it predicts one number, call after call. It goes on
            from the best weights of earlier calls, at a fifth of the rate.

        Examples
        --------
        >>> import numpy as np
        >>> from skffnn import FFNNRegressor
        >>> rng = np.random.default_rng(0)
        >>> model = FFNNRegressor(random_state=0)
        >>> for _ in range(50):
        ...     X = rng.normal(size=(100, 3))
        ...     model = model.partial_fit(X, X[:, 0] * X[:, 1])
        >>> model.n_iter_
        50
        """
        check_parameters(self)
        return self._learn(X, y, sample_weight, one_epoch=True, go_on=True)

    def _learn(
        self,
        X,
        y,
        sample_weight,
        validation=(None, None, None),
        *,
        go_on,
        resume=False,
        one_epoch=False,
    ):
        """Continue a state: a new one, or what the model has reached."""
        go_on = go_on and hasattr(self, "theta_")
        state = State.of(self, resume) if go_on else None
        # The held-out rows of a model that goes on stay what they were.
        seed = state.seed if state else draw_seed(self.random_state)
        fit, fingerprint = None, None
        try:
            with unchanged_on_error(self):
                table, validation, target = self._check_rows(
                    X, y, sample_weight, validation, state, complete=one_epoch
                )
                columns = seen(self)
                if not one_epoch:
                    fingerprint = fingerprint_of(self, digest_of(table, validation))
                if state and resume:
                    check_fingerprint(self, state, fingerprint)
                    if state.run is None:
                        return self
                if state:
                    check_same_network(self, state, table.Y.shape[1])
                before = (Scaling.of(self), Encoding.of(self)) if state else None
                prepared = prepare(self, table, validation, target, seed, before)
                # What was converted or copied for the checks can go.
                del table, validation
                settings = Settings(self, len(prepared.training_data), one_epoch)
                fit = Fit(settings, prepared, seed, state, fingerprint)
                task = self._task(fit, X, y, sample_weight)
                train_alone(fit, task)
                explain(fit, warn=not one_epoch)
                self._adopt(fit, columns)
        except KeyboardInterrupt:
            if fit is not None and fit.rewind():
                self._adopt(fit, columns)
            raise
        task.end()
        return self

    def _check_rows(self, X, y, sample_weight, validation, state=None, complete=False):
        """Check all rows; return tables of them, and the target.

        Parameters
        ----------
        X, y, sample_weight
            As users pass them.
        validation : tuple
            X_val, y_val and sample_weight_val.
        state : State, default=None
            What is gone on from: columns and dtype are to be those of the model.
        complete : bool, default=False
            Whether more rows are to come.

        Returns
        -------
        table : Table
        validation : Table or None
        target : NumericTarget
        """
        target = self._target(state is not None)
        dtype = None if state is None else state.theta.dtype
        columns = None if state is None else columns_at_fit(self)
        how = {"dtype": dtype, "reset": state is None, "columns": columns}
        how["complete"] = complete
        table = check_table(self, X, y, sample_weight, target, **how)
        return table, check_validation(self, validation, table, target), target

    def _task(self, fit, X, y, sample_weight):
        estimator = None if fit.settings.one_epoch else self
        return FitTask(estimator, fit.settings.max_iter, X, y, sample_weight)

    def _adopt(self, fit, columns):
        """Take over what a fit has made, in one step."""
        before = {k: v for k, v in vars(self).items() if k != "feature_names_in_"}
        self.__dict__ = {**before, **columns, **fitted(fit)}

    # Predicting ----------------------------------------------------------------------

    def _predict(self, X):
        """The predictions for rows that have been checked, (n_samples, n_outputs)."""
        # float64 whatever the network's dtype, and back to the target's units in place.
        y_hat = np.empty((X.shape[0], self.n_outputs_))
        self._network().predict(self.theta_, self._as_data(X), out=y_hat)
        self._target_kind.decode(y_hat, self.y_mean_, self.y_scale_)
        return y_hat

    # Looking inside ------------------------------------------------------------------

    def input_gradient(self, X: Any) -> np.ndarray:
        """How the prediction changes with each input, row by row: d y_hat / d x.

        Exact, by the chain rule: the backward pass of training, taken one product
        further. The mean over the rows of a table is the average marginal effect of
        each column. Where an activation has a kink, it is the slope on one side.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Where to look.

        Returns
        -------
        gradient : ndarray of shape (n_samples, n_features) or \
                (n_samples, n_outputs, n_features)
            In units of the target per unit of the column; float64. The axis of the
            outputs is there if y had one at `fit`. NaN for columns of categories, of
            which `level_effects` tells; 0 where a value is missing.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X has other columns than at `fit`, or values that are not finite.

        Warns
        -----
        UserWarning
            If values of X are so large that slopes are not finite.

        Examples
        --------
        >>> import numpy as np
        >>> from skffnn import FFNNRegressor
        >>> X = np.random.default_rng(0).uniform(-1, 1, (500, 2))
        >>> y = X[:, 0] ** 2 + 3 * X[:, 1]
        >>> model = FFNNRegressor(activation="tanh", random_state=0).fit(X, y)
        >>> model.input_gradient([[0.5, 0.0]]).round()  # (2 x_1, 3)
        array([[1., 3.]])
        """
        X = self._checked(X)
        (gradient,) = guarded(self._slopes, X)
        gradient = self._by_feature(gradient)
        return gradient[:, 0] if self._y_ndim == 1 else gradient

    def _slopes(self, X):
        gradient = np.empty((X.shape[0], self.n_outputs_, len(self.x_mean_)))
        self._network().input_gradient(self.theta_, self._as_data(X), out=gradient)
        gradient *= self.y_scale_[:, np.newaxis]
        return {"slopes": gradient}

    @property
    def coefs_(self) -> list[np.ndarray]:
        """The weights W_l, read-only."""
        return self._parameters().W

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """The biases b_l, read-only."""
        return [b[0] for b in self._parameters().b]

    def _parameters(self):
        # Views made on demand: kept ones would not survive pickle and deepcopy.
        theta = self.theta_.view()
        theta.flags.writeable = False
        return Layout(self.units_, tables_of(self)).views(theta)

    @property
    def loss_curve_(self) -> list[float]:
        """The training loss by epoch."""
        return self.history_["loss"]

    @property
    def validation_loss_curve_(self) -> list[float] | None:
        """The validation loss by epoch, None without validation rows."""
        curve = self.history_["validation_loss"]
        return None if np.isnan(curve).all() else curve
