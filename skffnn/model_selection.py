"""FFNNGridSearchCV: a grid search whose networks are trained side by side.

GridSearchCV does what it always does: it splits, scores, ranks, warns and refits. Only
what it would fit has been fitted before, in stacks. While it runs, a stand-in takes the
place of the estimator, and remembers.
"""

from copy import copy, deepcopy
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from itertools import product
from time import perf_counter
from typing import Any, Self

import numpy as np
from joblib import hash as hash_of
from joblib import parallel_config
from sklearn import get_config
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    check_cv,
    cross_validate,
)
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags, indexable
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)

from .fitting.callbacks import FitTask, with_callbacks
from .fitting.side_by_side import Lesson, Workers, fit_all, largest_job, plain
from .preprocessing.checks import unchanged_on_error
from .regressor import FFNNRegressor
from .saving import integrity
from .saving.mixin import PersistenceMixin

# Numbers in the tables of all folds together, 128 MB of float64, beyond which only one
# fold at a time is in memory.
MOST_NUMBERS = 2**24


class FFNNGridSearchCV(PersistenceMixin, GridSearchCV):
    """A grid search with cross-validation that trains its networks side by side.

    Takes what `sklearn.model_selection.GridSearchCV` takes and gives what it gives, and
    is several times faster for small networks: a step of a small network costs what
    NumPy's calls cost, and forty networks in one stack share them. With an integer
    ``random_state`` (also of steps before the network) and as many BLAS threads the
    results are the same to the last bit.

    Stacked are `FFNNRegressor`, and pipelines that end in one, with the solvers "adam"
    and "sgd". Networks of one shape that differ in ``learning_rate``, ``weight_decay``,
    ``momentum``, ``clip_norm``, the schedule (with ``power_t``, ``tol`` and
    ``n_iter_no_change``) or ``random_state`` train together, on all folds of equal
    size; others form stacks of their own. A stack is no larger than 4 MB, as
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
        What to print. Of the times, the first contains the training of all.
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
        ``mean_fit_time`` is a network's share of its stack's time.
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

    _fitted = integrity.SEARCH + integrity.IF_ASKED + integrity.COLUMN_NAMES
    _check_fitted = staticmethod(integrity.check_search)

    _derived = ("scorer_",)

    def _complete(self):
        self.scorer_ = _plain_scorers(_scorers(self.estimator, self.scoring))

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
        folds = self.get_params(deep=False)["cv"]
        if hasattr(folds, "__next__"):
            try:  # with a list in its place: they are read more than once
                return self.set_params(cv=list(folds)).fit(X, y, **params)
            finally:
                self.set_params(cv=folds)
        plan = None if y is None else _plan(self, X, y, params)
        with unchanged_on_error(self):
            return super().fit(X, y, **params) if plan is None else self._search(plan)

    def __sklearn_tags__(self):
        """Tell scikit-learn what the estimator takes, of targets, too."""
        tags = super().__sklearn_tags__()
        own = get_tags(self.estimator).target_tags
        tags.target_tags.multi_output = own.multi_output
        tags.target_tags.positive_only = own.positive_only
        return tags

    @with_callbacks
    def _search(self, plan):
        weight = plan.params.get("sample_weight")
        metadata = None if weight is None else {"sample_weight": weight}
        parts = 1 + (self.refit is not False)
        task = FitTask(self, parts, X=plan.X, y=plan.y, metadata=metadata)
        workers = Workers(self.n_jobs, self.pre_dispatch)
        learn = cache(partial(_learn, plan, workers, task))
        try:
            search = _ask(self, plan, learn)
        except _Failure as failure:
            raise failure.error from None
        for name, value in vars(search).items():
            if name.endswith("_") and name not in ("best_estimator_", "refit_time_"):
                setattr(self, name, value)
        self.scorer_ = _plain_scorers(search.scorer_)
        _, seconds = learn()
        self.cv_results_["mean_fit_time"] = seconds.mean(axis=1)
        self.cv_results_["std_fit_time"] = seconds.std(axis=1)
        if self.refit:
            self._refit(plan, task.subtask("refit-with-best-params"))
        task.end(None)
        return self

    def _refit(self, plan, task):
        best = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
        started = perf_counter()
        with task.within(best):
            self.best_estimator_ = best.fit(plan.X, plan.y, **plan.fit_params)
        self.refit_time_ = perf_counter() - started
        task.end(None)
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_


@dataclass
class _Plan:
    """What is to be learnt.

    Attributes
    ----------
    X, y : array-like
    params, fit_params : dict
        What `fit` was given, and what of it the estimator gets.
    scoring : callable or dict of callable
        For a stand-in.
    splits : list of tuple of ndarray
    hashes : list of str
        Of the candidates' parameters, by which a stand-in finds what they have learnt.
    models : list of FFNNRegressor
        One for each.
    folds : list of estimator
        The steps before the network, fitted, with a `_Notes` at the end.
    seconds : ndarray of shape (n_splits,)
        What those took.
    """

    X: Any
    y: Any
    params: dict
    fit_params: dict
    scoring: Any
    splits: list
    hashes: list
    models: list
    folds: list
    seconds: np.ndarray


class _Notes(FFNNRegressor):
    """Takes down what it is to learn, and leaves it at that."""

    def _learn(
        self, X, y, sample_weight, validation=(None, None, None), **options
    ):  # fmt: skip
        X_val, y_val, sample_weight_val = validation
        params = {
            "sample_weight": sample_weight,
            "X_val": X_val,
            "y_val": y_val,
            "sample_weight_val": sample_weight_val,
        }
        given = {name: value for name, value in params.items() if value is not None}
        self.lesson = Lesson(X, y, given)
        return self


class _StandIn(BaseEstimator):
    """Takes the place of an estimator in a search: what it is to learn, is learnt.

    Parameters
    ----------
    estimator : estimator
    learn : callable
        Returns fitted estimators, or the error there was, by parameters and rows.
    """

    def __init__(self, estimator, learn):
        self.estimator, self.learn = estimator, learn

    def __sklearn_clone__(self):
        return _StandIn(self.estimator, self.learn)

    def __sklearn_tags__(self):
        return get_tags(self.estimator)

    def get_metadata_routing(self):
        """Ask for the row numbers, and for what the estimator asks."""
        mapping = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def set_params(self, **params):
        """Remember what is asked for."""
        self.params = params
        return self

    def fit(self, X, y=None, *, rows=None, **params):
        """Remember what these parameters have learnt of these rows."""
        try:
            learnt, _ = self.learn()
        except Exception as error:
            raise _Failure(error) from error
        outcome = learnt.get((hash_of(self.params), _digest(rows)))
        if isinstance(outcome, Exception):
            raise outcome
        self.fitted = outcome
        return self


class _Failure(BaseException):
    """An error that ends the search: it is not of one fit, which would be NaN."""

    def __init__(self, error):
        super().__init__()
        self.error = error


class _OfFitted:
    """A scorer that is shown the fitted estimator, not its stand-in.

    In all else it is that scorer: in what it asks for, and what it takes.
    """

    def __init__(self, scorer):
        self.__wrapped__ = scorer

    def __getattr__(self, name):
        return getattr(self.__wrapped__, name)

    def __call__(self, stand_in, *args, **kwargs):
        return self.__wrapped__(stand_in.fitted, *args, **kwargs)


def _digest(rows):
    return sha256(rows).digest()


# The plan ----------------------------------------------------------------------------


def _plan(search, X, y, params):
    """The `_Plan`; None where GridSearchCV is to do it alone."""
    try:
        candidates = list(ParameterGrid(search.param_grid))
        models = _models(search.estimator, candidates)
        if models is None:
            return None
        scoring = _scorers(search.estimator, search.scoring)
        X, y = indexable(X, y)
        fit_params, split_params = _routed(search, params)
        cv = check_cv(search.cv, y)
        n_splits = cv.get_n_splits(X, y, **split_params)
        if np.prod(np.shape(X), dtype=float) * n_splits > MOST_NUMBERS:
            return None
        splits = list(cv.split(X, y, **split_params))
        folds, seconds = _folds(search, X, y, splits, params, fit_params)
        first = _notes(folds[0]).lesson
        largest = max(largest_job(model, first) for model in models)
        if largest == 1 and not isinstance(search.estimator, Pipeline):
            return None
        hashes = [hash_of(candidate) for candidate in candidates]
    except Exception:
        # Whatever is wrong: GridSearchCV has an error for it, or a way.
        return None
    return _Plan(
        X, y, params, fit_params, scoring, splits, hashes, models, folds, seconds
    )


def _models(estimator, candidates):
    """A regressor for each candidate; None if they cannot be stacked."""
    prefix = ""
    if isinstance(estimator, Pipeline):
        if not plain(clone(estimator)):
            return None
        name, estimator = estimator.steps[-1]
        prefix = f"{name}__"
    if type(estimator) is not FFNNRegressor or not plain(clone(estimator)):
        return None
    names, models = estimator.get_params(deep=False), []
    for candidate in candidates:
        own = {name.removeprefix(prefix): value for name, value in candidate.items()}
        if not all(name.startswith(prefix) for name in candidate):
            return None
        if not own.keys() <= names.keys():
            return None
        models.append(clone(estimator).set_params(**clone(own, safe=False)))
    return models


def _scorers(estimator, scoring):
    """Scorers that take a stand-in, one or a dict."""
    if callable(scoring):
        return _OfFitted(scoring)
    if scoring is None or isinstance(scoring, str):
        return _OfFitted(check_scoring(estimator, scoring))
    named = scoring if isinstance(scoring, dict) else {name: name for name in scoring}
    if len(named) < len(scoring):
        raise ValueError("a score is asked for twice")
    return {name: _scorers(estimator, own) for name, own in named.items()}


def _plain_scorers(scorers):
    """The scorers inside."""
    if isinstance(scorers, dict):
        return {name: _plain_scorers(scorer) for name, scorer in scorers.items()}
    return scorers.__wrapped__


def _routed(search, params):
    """What the estimator gets, and what the splitter."""
    if "rows" in params:
        raise ValueError("rows is the stand-in's")
    if get_config()["enable_metadata_routing"]:
        routed = process_routing(search, "fit", **params)
        split, scored = routed.splitter.split, routed.scorer.score.values()
        groups = params.get("groups", ())
        if split.keys() - {"groups"} or any(value is groups for value in scored):
            raise ValueError("a splitter gets groups and no more, and a scorer none")
        return routed.estimator.fit, split
    fit_params = dict(params)
    return fit_params, {"groups": fit_params.pop("groups", None)}


def _folds(search, X, y, splits, params, fit_params):
    """Fit what comes before the network on each fold; what reaches it is taken down."""
    estimator = clone(search.estimator)
    steps = isinstance(estimator, Pipeline)
    notes = copy(estimator.steps[-1][1] if steps else estimator)
    notes.__class__ = _Notes
    if steps:
        estimator.set_params(**{estimator.steps[-1][0]: notes})
    else:
        estimator = notes
    # By the names that the user gave: the estimator's may be others.
    given = {
        name: value
        for name, value in params.items()
        if any(value is routed for routed in fit_params.values())
    }
    outcome = cross_validate(
        estimator,
        X,
        y,
        cv=splits,
        params=given,
        n_jobs=search.n_jobs if steps else None,
        pre_dispatch=search.pre_dispatch,
        scoring=_no_score,
        return_estimator=True,
        error_score="raise",
    )
    return outcome["estimator"], outcome["fit_time"]


def _no_score(estimator, X, y):
    return 0.0


def _notes(fold):
    return fold.steps[-1][1] if isinstance(fold, Pipeline) else fold


# The search --------------------------------------------------------------------------


def _learn(plan, workers, task):
    """Fit all candidates on all folds.

    Returns
    -------
    learnt : dict
        For `_StandIn`.
    seconds : ndarray of shape (n_candidates, n_splits)
        What each fit took: its share of a stack, and of its fold's first steps.
    """
    pairs = list(product(range(len(plan.folds)), range(len(plan.models))))
    models, errors, own = fit_all(
        [_another(plan.models[candidate]) for _, candidate in pairs],
        [_notes(plan.folds[fold]).lesson for fold, _ in pairs],
        workers,
        task,
    )
    every = np.arange(np.shape(plan.y)[0])
    digests = [_digest(every[train]) for train, _ in plan.splits]
    learnt, seconds = {}, np.empty((len(plan.models), len(plan.folds)))
    for (fold, c), model, error, share in zip(pairs, models, errors, own, strict=True):
        fitted = error or _whole(plan.folds[fold], model)
        learnt[plan.hashes[c], digests[fold]] = fitted
        seconds[c, fold] = share + plan.seconds[fold] / len(plan.models)
        if error is None:
            model._state.pop(model.solver, None)  # it is scored, and does not go on
    plan.folds.clear()  # and with them the rows that were learnt
    return learnt, seconds


def _another(model):
    """A model like it, which draws the same; `clone` takes a hundred times as long."""
    model = copy(model)
    model.random_state = deepcopy(model.random_state)
    return model


def _whole(fold, model):
    """The fitted first steps with the fitted network behind them."""
    if not isinstance(fold, Pipeline):
        return model
    whole = copy(fold)
    whole.steps = [*fold.steps[:-1], (fold.steps[-1][0], model)]
    return whole


def _ask(search, plan, learn):
    """Let GridSearchCV search; when it comes to the first fit, all are learnt."""
    stand_in = _StandIn(search.estimator, learn)
    if get_config()["enable_metadata_routing"]:
        stand_in.set_fit_request(rows=True)
    asked = GridSearchCV(
        stand_in,
        search.param_grid,
        scoring=plan.scoring,
        refit=search.refit,
        cv=plan.splits,
        verbose=search.verbose,
        error_score=search.error_score,
        return_train_score=search.return_train_score,
    )
    params = {k: v for k, v in plan.params.items() if k != "groups"}
    # Stand-ins belong together in this process, whatever backend is set around it.
    with parallel_config(backend="sequential"):
        return asked.fit(plan.X, plan.y, rows=np.arange(np.shape(plan.y)[0]), **params)
