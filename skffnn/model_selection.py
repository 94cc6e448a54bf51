"""FFNNGridSearchCV: a grid search whose networks are trained side by side.

GridSearchCV does what it always does: it splits, scores, ranks, warns and refits. Only
what it would fit has been fitted before, in stacks: the clones of the estimator that it
asks to be fitted recall what they have learnt.
"""

from typing import Any, ClassVar, Self

import numpy as np
from joblib import parallel_config
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from .base import GradientDescentNetwork
from .fitting.callbacks import FitTask
from .fitting.rehearsal import NotStackedError, Rehearsal, may_stack
from .fitting.side_by_side import check_n_jobs, has_only_parameters
from .preprocessing.checks import unchanged_on_error
from .preprocessing.foreign import refuse_lazy
from .preprocessing.judging import JudgedMixin, check_truth
from .preprocessing.notices import each_once
from .saving.mixin import PersistenceMixin
from .saving.rules import are_names, is_bool, is_list, is_whole

# What a file may hold, by the rules of `skffnn.saving.mixin` --------------------------


def _are_results(value, others):
    if not isinstance(value, dict) or "params" not in value:
        return False
    n = len(value["params"])
    columns = (np.shape(column) for name, column in value.items() if name != "params")
    params = is_list(value["params"], lambda each: isinstance(each, dict))
    return params and all(shape == (n,) for shape in columns)


def _is_index(value, others):
    return is_whole(value) and value < len(others["cv_results_"]["params"])


def _are_best(value, others):
    # Not the values: arrays, or states of generators, have no simple equality.
    best = others["cv_results_"]["params"][others["best_index_"]]
    return isinstance(value, dict) and value.keys() == best.keys()


# Columns of times in `cv_results_`.
_TIMES = "mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time"


def _from_format_1(parameters, attributes):
    attributes.update(FFNNGridSearchCV._without_times(attributes))


class FFNNGridSearchCV(PersistenceMixin, GridSearchCV):
    """A grid search with cross-validation that trains its networks side by side.

    Takes what `sklearn.model_selection.GridSearchCV` takes and gives what it gives, and
    is several times faster for small networks: a step of a small network costs what
    NumPy's calls cost, and forty networks in one stack share them. With an integer
    ``random_state`` (also of steps before the network) and as many BLAS threads the
    results are the same to the last bit.

    Stacked are `FFNNRegressor`, and pipelines that end in one, with the solvers "adam"
    and "sgd". Networks of one architecture that differ in ``learning_rate``,
    ``weight_decay``, ``momentum``, ``clip_norm``, the schedule (with ``power_t``,
    ``tol`` and ``n_iter_no_change``) or ``random_state`` train together, on all folds
    of equal size; others form stacks of their own. A stack is no larger than 4 MB, as
    processors' caches are, and large networks are trained alone. Folds of sparse
    tables, and of more than 2**22 numbers together, do not share stacks. The steps of a
    pipeline before the network are fitted once per fold. Everything else goes to
    GridSearchCV as it is: a grid over the preprocessing, any other estimator, a
    regressor or pipeline with callbacks of its own, tables of more than 2**24 numbers
    in all folds together.

    Parameters
    ----------
    estimator : estimator object
        Usually an `FFNNRegressor`, or a `Pipeline` that ends in one.
    param_grid : dict or list of dict
        Parameters and the values to try.
    scoring : str, callable, list, tuple or dict, default=None
        How to score; by default with the ``score`` of the estimator, R^2.
    n_jobs : int, default=None
        Stacks that are trained at the same time, through joblib.
    refit : bool, str or callable, default=True
        Whether to fit the best on all rows; with several scores, by which.
    cv : int, cross-validation generator or iterable, default=None
        The folds; 5 by default.
    verbose : int, default=0
        What to print. The times are of scoring: all training is done before.
    pre_dispatch : int or str, default="2*n_jobs"
        How many stacks joblib hands out at a time.
    error_score : "raise" or number, default=np.nan
        The score of what could not be fitted.
    return_train_score : bool, default=False
        Whether to score the training rows, too.

    Attributes
    ----------
    cv_results_ : dict of ndarray
        A column for each parameter, score and time, a row for each candidate.
        ``mean_fit_time`` is a network's share of its stack's time. In pickles, copies
        and files of the search its times, and ``refit_time_``, are NaN, so that equal
        searches are equal.
    best_estimator_ : estimator
        Fitted on all rows.
    best_score_ : float
        Mean score of the best over the folds.
    best_params_ : dict
        What it was given.
    best_index_ : int
        Its row in ``cv_results_``.
    scorer_ : callable or dict of callable
        How it was scored.
    n_splits_ : int
        Folds.
    refit_time_ : float
        Seconds to fit the best on all rows.
    multimetric_ : bool
        Whether there are several scores.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of str
        Their names, when X is a DataFrame with string names.

    See Also
    --------
    sklearn.model_selection.GridSearchCV : The same, one fit after the other.
    FFNNEnsembleRegressor : Networks that differ in their seeds, averaged.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from skffnn import FFNNGridSearchCV, FFNNRegressor
    >>> X, y = make_friedman1(n_samples=200, random_state=0)
    >>> model = FFNNRegressor(20, weight_decay=0.4, max_iter=60, random_state=0)
    >>> search = FFNNGridSearchCV(model, {"learning_rate": [0.003, 0.03]}).fit(X, y)
    >>> search.best_params_
    {'learning_rate': 0.03}
    """

    _fitted: ClassVar = {
        "cv_results_": _are_results,
        "n_splits_": lambda value, others: is_whole(value, 1),
        "multimetric_": lambda value, others: is_bool(value),
        "best_index_": _is_index,
        "best_score_": lambda value, others: isinstance(value, float),
        "best_params_": _are_best,
        "best_estimator_": lambda value, others: hasattr(value, "predict"),
        "refit_time_": lambda value, others: isinstance(value, float),
        "feature_names_in_": lambda value, others: are_names(value, np.size(value)),
    }
    _optional = tuple(_fitted)[3:]
    _derived = ("scorer_",)
    _upgrades: ClassVar = {1: _from_format_1}

    # For the links and tooltips of the HTML representation in notebooks.
    _doc_link_module = GradientDescentNetwork._doc_link_module
    _doc_link_template = GradientDescentNetwork._doc_link_template

    estimator: Any
    scorer_: Any

    def _complete(self):
        scoring = self.scoring
        if isinstance(scoring, list | tuple | set):
            scoring = dict.fromkeys(scoring)
        if not isinstance(scoring, dict):
            self.scorer_ = check_scoring(self.estimator, scoring)
        else:
            self.scorer_ = {
                name: check_scoring(self.estimator, own or name)
                for name, own in scoring.items()
            }

    @classmethod
    def _without_times(cls, attributes):
        """Attributes as equal searches have them: whoever reads a time finds NaN."""
        kept = dict(attributes)
        if "refit_time_" in kept:
            kept["refit_time_"] = np.nan
        if "cv_results_" in kept:
            kept["cv_results_"] = {
                name: np.full(np.shape(column), np.nan) if name in _TIMES else column
                for name, column in kept["cv_results_"].items()
            }
        return kept

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:
        """Try all candidates on all folds.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        **params : dict
            ``sample_weight``, ``groups`` and all else that the estimator, the splitter
            and the scorer take, as in GridSearchCV.

        Returns
        -------
        self : FFNNGridSearchCV

        Raises
        ------
        ValueError
            If a parameter or the data make no sense.
        """
        check_n_jobs(self.n_jobs)
        self._refuse_foreign({"X": X, "y": y, **params})
        with each_once():
            return self._fit(X, y, params)

    def _fit(self, X, y, params):
        folds, estimator = self.cv, self.estimator
        if hasattr(folds, "__next__"):
            try:  # with a list in its place: they are read more than once
                return self.set_params(cv=list(folds))._fit(X, y, params)
            finally:
                self.set_params(cv=folds)
        if y is None or not _is_network(estimator) or not may_stack(self, X, y):
            return super().fit(X, y, **params)
        try:
            self._fit_rehearsed(X, y, params)
        except NotStackedError:
            return super().fit(X, y, **params)
        return self

    def _fit_rehearsed(self, X, y, params):
        estimator = self.estimator
        rehearsal = Rehearsal(self, X, y, params)
        # What is recalled need not travel to another process, whose pool is that of the
        # rehearsal.
        with unchanged_on_error(self), parallel_config(backend="sequential"):
            self._rehearsal = rehearsal
            self.estimator = rehearsal.template()
            super().fit(X, y, **params)
            if self.scoring is None:  # it was told of the template
                self.scorer_ = check_scoring(estimator)

    def score(self, X: Any, y: Any = None, **params: Any) -> float:
        """Score the best estimator on these rows, by the scorer of the search.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        **params : dict
            What the scorer takes besides, as in GridSearchCV.

        Returns
        -------
        score : float

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If the rows cannot be predicted, or y has values that are no numbers.
        """
        self._refuse_foreign({"X": X, "y": y, **params})
        return super().score(X, y, **params)

    def _refuse_foreign(self, given):
        """Raise an error for what the last step would refuse, and scorers might not."""
        for name, values in given.items():
            refuse_lazy(values, name)
        if isinstance(_last_step(self.estimator), JudgedMixin):
            for name in ("y", "sample_weight"):
                if given.get(name) is not None:
                    check_truth(given[name], name)

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        """Fit all candidates on all folds in stacks; then let each be asked for.

        This is where scikit-learn lets subclasses decide what is evaluated, and when.
        """
        rehearsal = self.__dict__.pop("_rehearsal", None)
        if rehearsal is not None:
            self.estimator = rehearsal.estimator
            if not rehearsal.plan():
                raise NotStackedError
            self._evaluate(rehearsal, evaluate_candidates, callback_ctx)
            return
        context = {} if callback_ctx is None else {"callback_ctx": callback_ctx}
        super()._run_search(evaluate_candidates, **context)

    def _evaluate(self, rehearsal, evaluate_candidates, callback_ctx):
        task = FitTask.of(callback_ctx, self).subtask("search", 1)
        seconds = rehearsal.fit(task)
        with rehearsal.asked_for():
            results = evaluate_candidates(rehearsal.candidates, cv=rehearsal)
        task.end(None)
        results["mean_fit_time"] = seconds.mean(axis=1)
        results["std_fit_time"] = seconds.std(axis=1)

    def _format_results(self, *args, **kwargs):
        # The deviation of scores is infinite where their squares are.
        with np.errstate(over="ignore", invalid="ignore"):
            return super()._format_results(*args, **kwargs)

    def __sklearn_tags__(self):
        """Tell scikit-learn what the estimator takes, of targets, too."""
        tags = super().__sklearn_tags__()
        own = get_tags(self.estimator)
        for name in ("allow_nan", "categorical", "string"):
            setattr(tags.input_tags, name, getattr(own.input_tags, name))
        for name in ("multi_output", "positive_only"):
            setattr(tags.target_tags, name, getattr(own.target_tags, name))
        return tags


# What a subclass may not do in another way, if its fits are to be stacked.
_SAME = "fit", "_learn", "_check_rows", "_adopt", "get_params", "set_params"


def _last_step(estimator):
    """What y is passed to: the last step of a pipeline, or the estimator itself."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def _is_network(estimator):
    """Whether an estimator is a network, or a pipeline that ends in one, and no more.

    Users may have set callbacks, and their subclasses may fit otherwise.
    """
    if isinstance(estimator, Pipeline) and not has_only_parameters(clone(estimator)):
        return False
    estimator = _last_step(estimator)
    kind, ours = type(estimator), GradientDescentNetwork
    alike = all(getattr(kind, n, None) is getattr(ours, n) for n in _SAME)
    return alike and has_only_parameters(clone(estimator))
