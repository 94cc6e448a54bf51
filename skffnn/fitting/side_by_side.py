"""Fitting many models at once: those of one architecture are trained as stacks."""

from copy import deepcopy
from dataclasses import dataclass
from itertools import chain
from numbers import Integral
from time import perf_counter
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from joblib import hash as hash_of
from sklearn.utils.parallel import Parallel, delayed

from ..core.layout import Layout
from ..core.schedules import SCHEDULES
from ..core.solvers import SOLVERS
from ..core.stack import NUMBERS, largest_stack, packed
from ..preprocessing.checks import seen
from ..preprocessing.notices import each_once
from ..preprocessing.parameters import (
    check_flag,
    check_parameters,
    hidden_sizes,
    is_choice,
    rows_of_batch,
    uses,
)
from ..preprocessing.preparation import draw_seed, prepare
from ..preprocessing.scaling import index
from .callbacks import FitTask
from .diagnosis import explain
from .fitted import fitted
from .resume import digest_of, fingerprint_of
from .run import Fit, choose_weight_decay, train_fits
from .settings import Settings
from .state import copied

# What may differ between the networks of a stack, besides the hyperparameters of
# schedules and solvers.
FREE = (
    "learning_rate",
    "learning_rate_schedule",
    "tol",
    "n_iter_no_change",
    "clip_norm",
    "weight_decay",
    "random_state",
    "verbose",
    "warm_start",
)

# What joblib takes in C.
MOST_JOBS = 2**31 - 1


@dataclass
class FitArguments:
    """What a model is to be fitted to: the arguments of its `fit`.

    Attributes
    ----------
    X, y : array-like
    params : dict
        ``sample_weight`` and the like.
    """

    X: Any
    y: Any
    params: dict


def shared_arguments(table, samples, val):
    """What networks are fitted to, each to its rows; one object for the same rows.

    Parameters
    ----------
    table : Table
    samples : list of sequence of int
        The rows of each network.
    val : Table or None
        Validation rows for all of them.

    Returns
    -------
    arguments : list of FitArguments
    """
    y = table.Y[:, 0] if table.y_ndim == 1 else table.Y
    held = {}
    if val is not None:
        held = {"X_val": val.rows, "y_val": val.Y, "sample_weight_val": val.weight}
    arguments: dict[int, FitArguments] = {}
    for rows in samples:
        if id(rows) not in arguments:
            picked, weight = index(rows), table.weight
            params = {} if weight is None else {"sample_weight": weight[picked]}
            given = FitArguments(table.rows[picked], y[picked], {**params, **held})
            arguments[id(rows)] = given
    return [arguments[id(rows)] for rows in samples]


def _free_names(solver):
    """The parameters that may differ between the networks of a stack."""
    parts = (*SCHEDULES.values(), *SOLVERS.values())
    taken = chain.from_iterable(part.hyperparameters.values() for part in parts)
    free = {*FREE, *(each.name for each in taken)}
    if not is_choice(solver, SOLVERS):
        return free
    own, differ = SOLVERS[solver].hyperparameters, SOLVERS[solver].differ
    return free - {own[name].name for name in own.keys() - set(differ)}


def fixed_key(model):
    """What models have to agree in to be trained as a stack."""
    parameters, free = model.get_params(deep=False), _free_names(model.solver)
    fixed = [value for name, value in parameters.items() if name not in free]
    # The repr of an array leaves most of its digits out.
    return repr(
        [type(model), *(hash_of(v) if isinstance(v, dict) else v for v in fixed)]
    )


def has_only_parameters(estimator):
    """Whether an estimator has parameters and nothing else, such as callbacks.

    To be asked of estimators that have not been fitted.
    """
    names = type(estimator)._get_param_names()
    return vars(estimator).keys() - {"_metadata_request"} <= set(names)


def check_n_jobs(n_jobs):
    """Raise ValueError for a number of jobs that joblib cannot count.

    Parameters
    ----------
    n_jobs : int or None
    """
    if isinstance(n_jobs, Integral) and abs(int(n_jobs)) > MOST_JOBS:
        raise ValueError(
            f"n_jobs must be None or a whole number of jobs, at most {MOST_JOBS:,}; "
            "use -1 for as many as there are processors."
        )


@dataclass
class Workers:
    """Joblib's workers, as they were asked for where this was made."""

    n_jobs: int | None
    pre_dispatch: int | str = "2*n_jobs"

    def __post_init__(self):
        check_n_jobs(self.n_jobs)
        self.parallel = Parallel(n_jobs=self.n_jobs, pre_dispatch=self.pre_dispatch)
        self.number = effective_n_jobs(self.n_jobs)


def fit_all(models, arguments, workers, task):
    """Fit each model to its arguments, as its own `fit` would, in as few stacks as fit.

    Models with callbacks, or with anything else besides parameters, are fitted by their
    own `fit`.

    Parameters
    ----------
    models : list of GradientDescentNetwork
        Not fitted before, and changed or not: take what is returned.
    arguments : list of FitArguments
        As many. Models with one and the same object share the rows, standardised once.
    workers : Workers
        Each of them trains a stack at a time.
    task : FitTask
        Told of every epoch of a stack.

    Returns
    -------
    models : list of GradientDescentNetwork
        Fitted, where there is no error.
    errors : list of Exception or None
        What the `fit` of each would have raised.
    seconds : ndarray of shape (len(models),)
        Their shares of the time of their stacks.
    """
    jobs = _jobs(models, arguments, workers.number)
    subtask = task.subtask("networks", len(jobs))
    with each_once():
        results = workers.parallel(
            delayed(_fit_job)(
                [models[i] for i in job],
                [arguments[i] for i in job],
                subtask.subtask("stacks", None),
            )
            for job in jobs
        )
    subtask.end(None)
    models, errors = list(models), [None] * len(models)
    seconds = np.empty(len(models))
    for job, (own_models, own_errors, duration) in zip(jobs, results, strict=True):
        for i, model, error in zip(job, own_models, own_errors, strict=True):
            models[i], errors[i], seconds[i] = model, error, duration / len(job)
    return models, errors, seconds


def _jobs(models, arguments, n_workers):
    """Lists of models that are fitted together: about a stack each.

    Joblib has to be told before anything is standardised. Those of one list are
    standardised at once: their tables together are no larger than those of a stack.
    """

    def too_large(job):
        tables = {_table_key(models[i], arguments[i]) for i in job}
        numbers = len(tables) * np.prod(np.shape(arguments[job[-1]].X))
        return len(tables) > 1 and numbers > NUMBERS

    groups: dict[Any, list[int]] = {}
    for i, (model, given) in enumerate(zip(models, arguments, strict=True)):
        groups.setdefault((fixed_key(model), np.shape(given.y)[0]), []).append(i)
    jobs: list[list[int]] = []
    for group in groups.values():
        # One that makes no sense says nothing about the others.
        sizes = (largest_job(models[i], arguments[i]) for i in group)
        most = next((size for size in sizes if size > 1), 1)
        parts = max(-(-len(group) // most), min(n_workers, len(group)))
        jobs += packed(group, -(-len(group) // parts), too_large)
    return jobs


def _holds_out(model):
    return model.early_stopping or model.validation_fraction is not None


def _table_key(model, given):
    """What tells the rows that a model learns, standardised, from another's."""
    if not _holds_out(model):
        return id(given)
    seed = model.random_state
    return id(given), seed if isinstance(seed, Integral) else id(model)


def largest_job(model, given):
    """How many networks like a model make the largest stack.

    Parameters
    ----------
    model : GradientDescentNetwork
    given : FitArguments
        What it is to be fitted to.
    """
    try:
        check_parameters(model)
    except ValueError:
        return 1
    if not uses(model, "stack"):
        return 1
    n, n_features = np.shape(given.X)
    outputs = np.shape(given.y)[1:] or (1,)
    units = [n_features, *hidden_sizes(model.hidden_layer_sizes), *outputs]
    rows = rows_of_batch(model, n)
    single = getattr(given.X, "dtype", None) == np.float32
    arrays = len(SOLVERS[model.solver].arrays)
    return largest_stack(Layout(units), rows, 4 if single else 8, arrays)


def _fit_job(models, arguments, task):
    started = perf_counter()
    with each_once():
        errors = fit_side_by_side(models, arguments, task)
    task.end(None)
    return models, errors, perf_counter() - started


def fit_side_by_side(models, arguments, task):
    """Fit each model to its arguments, as its own `fit` would, in this process.

    Parameters
    ----------
    models : list of GradientDescentNetwork
        Not fitted before.
    arguments : list of FitArguments
        As many. The rows of those that are one object are prepared once.
    task : FitTask
        Told of every epoch of a stack.

    Returns
    -------
    errors : list of Exception or None
        What the `fit` of a model would have raised.
    """
    errors: list[Exception | None] = [None] * len(models)
    fits: dict[int, Fit] = {}
    prepared: dict[tuple, tuple] = {}
    for i, (model, given) in enumerate(zip(models, arguments, strict=True)):
        try:
            if has_only_parameters(model):
                fits[i] = _begun(model, given, prepared)
            else:
                model.fit(given.X, given.y, **given.params)
        except Exception as error:
            errors[i] = error
    prepared.clear()  # a table that no network learns from any more can go
    groups: dict[tuple, list[Fit]] = {}
    for fit in fits.values():
        groups.setdefault(_group_key(fit), []).append(fit)
    for group in groups.values():
        _train(group, task)
    for i, fit in fits.items():
        try:
            explain(fit)
        except Exception as error:
            errors[i] = error
        else:
            shared = fit.prepared.scaling.as_attributes()  # by fits to the same rows
            models[i].__dict__.update(fitted(fit), **copied(shared))
    return errors


def _begun(model, given, prepared):
    """The `Fit` of a model, on rows that those with the same arguments share."""
    check_parameters(model)
    seed = draw_seed(model.random_state)
    same = id(given), fixed_key(model), seed if _holds_out(model) else None
    if same not in prepared:
        prepared[same] = _prepared(model, seed, given.X, given.y, **given.params)
    rows, columns, hashed = prepared[same]
    settings = Settings(model, len(rows.training_data))
    fit = Fit(settings, rows, seed, fingerprint=fingerprint_of(model, hashed))
    model.__dict__.update(deepcopy(columns))
    return fit


def _prepared(
    model, seed, X, y, sample_weight=None, X_val=None, y_val=None,
    sample_weight_val=None, resume=False,
):  # fmt: skip
    """Rows to learn from, what the model saw of their columns, and their digest."""
    check_flag("resume", resume)  # there is nothing yet to be resumed
    validation = X_val, y_val, sample_weight_val
    table, validation, target = model._check_rows(X, y, sample_weight, validation)
    rows = prepare(model, table, validation, target, seed)
    return rows, seen(model), digest_of(table, validation)


def _group_key(fit):
    """What fits have to agree in to be trained as a stack.

    Those of a solver that trains alone, and those whose loss depends on their own rows,
    agree with no other.
    """
    settings = fit.settings
    stacks = "stack" in settings.solver.uses and fit.state.deviations is None
    return (
        fixed_key(settings.model),
        tuple(fit.prepared.units),
        tuple(fit.prepared.tables),
        fit.theta.dtype,
        len(fit.training_data),
        None if stacks else id(fit),
    )


def _train(fits, task):
    """Train a group, and tell of each stack of several and of its epochs."""
    for fit in fits:
        fit.begin(FitTask(None, None))
    first = fits[0]
    with first.settings.blas_threads(first.network.layout.n_multiplied):
        choose_weight_decay(fits)
        current: list | None = None
        parts: list[FitTask] = []
        for stack in train_fits(fits):
            if len(fits) == 1:
                continue
            if stack is not current:
                current = stack
                parts.append(task.subtask("stack", first.settings.max_iter))
            parts[-1].epoch_ended()
    for part in parts:
        part.end(None)
    for fit in fits:
        fit.choose_weights()
