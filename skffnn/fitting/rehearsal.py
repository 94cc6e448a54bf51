"""A rehearsal: all fits of a grid search, made in stacks before they are asked for."""

from contextlib import ExitStack
from copy import copy, deepcopy
from functools import partial
from itertools import product
from pickle import PicklingError
from typing import Any

import numpy as np
from joblib import hash as hash_of
from sklearn import get_config
from sklearn.base import clone, is_classifier
from sklearn.model_selection import ParameterGrid, check_cv, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.utils import indexable
from sklearn.utils.metadata_routing import process_routing
from sklearn.utils.parallel import delayed

from .side_by_side import FitArguments, Workers, fit_all, largest_job
from .state import State

# Numbers in the tables of all folds together, 128 MB of float64, beyond which only one
# fold at a time is in memory.
MOST_NUMBERS = 2**24


class NotStackedError(Exception):
    """Raised where GridSearchCV is to do it alone."""


class Rehearsal:
    """All fits of a search, made before they are asked for.

    The search is given a template for its estimator. As long as nothing is asked for,
    the clone of a template is a template; while the search asks, it is a clone of the
    estimator whose `fit` recalls the next of the fits; and in the end, for the refit, a
    clone of the estimator and no more. As a splitter, it gives the folds of the fits.

    Parameters
    ----------
    search : FFNNGridSearchCV
    X, y : array-like
    params : dict
        What the `fit` of the search was given.
    """

    def __init__(self, search, X, y, params):
        self.search, self.params = search, params
        self.estimator = search.estimator
        self.X, self.y = X, y
        self.candidates = list(ParameterGrid(search.param_grid))
        self.models = _models(self.estimator, self.candidates)
        # As the user's backend is set around the search.
        self.workers = Workers(search.n_jobs, search.pre_dispatch)
        self.outcomes: Any = None
        self.templates: list[Any] = []

    # What stands for the estimator ------------------------------------------------

    def template(self):
        """A clone of the estimator, whose clones this object makes."""
        template = clone(self.estimator)
        template.__sklearn_clone__ = self.another
        self.templates.append(template)
        return template

    def another(self):
        """Make what stands for a clone of the template at this point of the search."""
        if self.outcomes is None:
            return self.template()
        recalling = clone(self.estimator)
        recalling.fit = partial(_recall, recalling, *next(self.outcomes))
        return recalling

    def asked_for(self):
        """Let the fits be asked for, one after the other; a context manager."""
        pairs = product(range(len(self.candidates)), range(len(self.splits)))
        self.outcomes = ((self.candidates[c], self.learnt[c, k]) for c, k in pairs)
        asked = ExitStack()
        asked.callback(self.end)
        return asked

    def end(self):
        """Make the templates estimators like any other, which the search may keep."""
        self.outcomes = None  # which knows this object, and with it the rows
        while self.templates:
            del self.templates.pop().__sklearn_clone__

    # A splitter -------------------------------------------------------------------

    def get_n_splits(self, *args, **kwargs):
        """The number of folds."""
        return len(self.splits)

    def split(self, *args, **kwargs):
        """The folds of the fits, drawn once."""
        return iter(self.splits)

    # The fits ---------------------------------------------------------------------

    def plan(self):
        """Decide whether there are stacks to be made, and prepare their rows.

        Returns
        -------
        stacked : bool
            False where GridSearchCV is to do it alone.
        """
        if not self.models:
            return False
        self.X, self.y = indexable(self.X, self.y)
        fit_params, split_params = _routed(self.search, self.params)
        stratified = is_classifier(self.estimator)
        cv = check_cv(self.search.cv, self.y, classifier=stratified)
        # A splitter may draw at random: if nothing comes of it, it has not drawn.
        drawn, cv = cv, deepcopy(cv)
        n_splits = cv.get_n_splits(self.X, self.y, **split_params)
        if np.prod(np.shape(self.X), dtype=float) * n_splits > MOST_NUMBERS:
            return False
        self.splits = list(cv.split(self.X, self.y, **split_params))
        if len(self.splits) != n_splits or not self.splits:
            return False  # which is an error of the splitter's
        self.folds = self._first_steps(fit_params)
        if self.folds is None or not self._pays():
            return False
        self.splits = list(drawn.split(self.X, self.y, **split_params))
        return True

    def _pays(self):
        """Whether some networks share a stack, or first steps."""
        steps = isinstance(self.estimator, Pipeline)
        return steps or _pay(self.models, _last_step(self.folds[0]).given)

    def _first_steps(self, fit_params):
        """Fit what comes before the network on each fold, and note what reaches it.

        Returns
        -------
        folds : list of estimator or None
            None if a step fails on a fold: GridSearchCV knows what to do then.
        """
        steps = isinstance(self.estimator, Pipeline)
        # By the names that the user gave: the estimator's may be others.
        given = {
            name: value
            for name, value in self.params.items()
            if any(value is routed for routed in fit_params.values())
        }
        take_notes = partial(
            cross_validate,
            _noting(self.estimator),
            self.X,
            self.y,
            params=given,
            scoring=_no_score,
            return_estimator=True,
            error_score="raise",
        )
        each = [[split] for split in self.splits]
        try:
            if steps:
                notes = self.workers.parallel(delayed(take_notes)(cv=cv) for cv in each)
            else:
                notes = [take_notes(cv=self.splits)]
        except Exception:
            # The steps are other people's, and so are their errors.
            if steps:
                return None
            raise
        self.seconds = np.concatenate([note["fit_time"] for note in notes])
        folds = [fold for note in notes for fold in note["estimator"]]
        for fold in folds:
            if isinstance(_last_step(fold).given, Exception):
                raise _last_step(fold).given
        return folds

    def fit(self, task):
        """Fit all candidates on all folds.

        Parameters
        ----------
        task : FitTask

        Returns
        -------
        seconds : ndarray of shape (n_candidates, n_splits)
            What each fit took: its share of a stack, and of its fold's first steps.
        """
        pairs = list(product(range(len(self.folds)), range(len(self.models))))
        models, errors, shares = fit_all(
            [_another(self.models[candidate]) for _, candidate in pairs],
            [_last_step(self.folds[fold]).given for fold, _ in pairs],
            self.workers,
            task,
        )
        self.learnt, n = {}, len(self.models)
        seconds = np.empty((n, len(self.folds)))
        for (fold, c), model, error, share in zip(
            pairs, models, errors, shares, strict=True
        ):
            self.learnt[c, fold] = error or _whole(self.folds[fold], model)
            seconds[c, fold] = share + self.seconds[fold] / n
            if error is None:
                State.forget_memory(model)  # it is scored, and does not go on
        del self.folds  # and with them the rows that were learnt
        return seconds


def may_stack(search, X, y):
    """Whether the fits of a search may share stacks, as far as can be told at once.

    Parameters
    ----------
    search : FFNNGridSearchCV
        Around a network, or a pipeline that ends in one.
    X, y : array-like
        What is to be learnt. What reaches the network may have other columns.
    """
    try:
        X, y = indexable(X, y)
        models = _models(search.estimator, list(ParameterGrid(search.param_grid)))
    except (TypeError, ValueError):  # GridSearchCV says it better
        return False
    steps = isinstance(search.estimator, Pipeline)
    return bool(models) and (steps or _pay(models, FitArguments(X, y, {})))


def _pay(models, given):
    """Whether some of the networks share a stack, if they are fitted to that."""
    return max(largest_job(model, given) for model in models) > 1


def _recall(model, candidate, learnt, X, y=None, **params):
    """Put what was learnt on a model, as its `fit` would; or raise the error of that.

    Parameters
    ----------
    model : estimator
        A clone, whose ``fit`` this stands for.
    candidate : dict
        The parameters that were learnt with.
    learnt : estimator or Exception
        What came of it.
    """
    parameters = model.get_params()
    asked = {name: parameters[name] for name in candidate}
    if not _are_alike(asked, candidate):
        raise RuntimeError(
            f"The search asks for {asked}, where {candidate} is next: this version of "
            "scikit-learn searches in another order. Use GridSearchCV."
        )
    del model.fit
    if isinstance(learnt, Exception):
        raise learnt
    vars(model).update(vars(learnt))
    return model


def _are_alike(a, b):
    """Whether two values are equal, as far as can be told."""
    try:
        return hash_of(a) == hash_of(b)
    except (PicklingError, AttributeError, TypeError):  # such as of a lambda
        return True


def _noting(estimator):
    """A clone of an estimator whose network notes what it is given, and learns nothing.

    Clones of that clone do the same.
    """
    noting = clone(estimator)
    if isinstance(noting, Pipeline):
        name, network = noting.steps[-1]
        return noting.set_params(**{name: _noting(network)})
    noting.fit = partial(_note, noting)
    noting.__sklearn_clone__ = partial(_noting, estimator)
    return noting


def _note(model, *args, **params):
    """Note what the `fit` of a model is given.

    An error in here is a note as well: raised, it would pass for one of the steps.
    """
    try:
        model.given = _arguments(*args, **params)
    except Exception as error:
        model.given = error
    return model


def _arguments(X, y, **params):
    given = {name: value for name, value in params.items() if value is not None}
    return FitArguments(X, y, given)


def _no_score(estimator, X, y):
    return 0.0


def _last_step(fold):
    return fold.steps[-1][1] if isinstance(fold, Pipeline) else fold


def _models(estimator, candidates):
    """A network for each candidate; None if the candidates differ in something else."""
    prefix = ""
    if isinstance(estimator, Pipeline):
        name, estimator = estimator.steps[-1]
        prefix = f"{name}__"
    names, models = estimator.get_params(deep=False), []
    for candidate in candidates:
        values = {name.removeprefix(prefix): v for name, v in candidate.items()}
        if not all(name.startswith(prefix) for name in candidate):
            return None
        if not values.keys() <= names.keys():
            return None
        models.append(clone(estimator).set_params(**clone(values, safe=False)))
    return models


def _another(model):
    """A copy that draws the same numbers; `clone` takes a hundred times as long."""
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


def _routed(search, params):
    """Divide the metadata: what the estimator gets, and what the splitter."""
    if get_config()["enable_metadata_routing"]:
        routed = process_routing(search, "fit", **params)
        return routed.estimator.fit, routed.splitter.split
    fit_params = dict(params)
    return fit_params, {"groups": fit_params.pop("groups", None)}
