"""Fitting many models at once: those of one shape are trained as stacks."""

from copy import deepcopy
from dataclasses import dataclass
from numbers import Integral
from time import perf_counter
from typing import Any

import numpy as np
from joblib import effective_n_jobs
from joblib import hash as hash_of
from sklearn.utils.parallel import Parallel, delayed

from ..core.stack import NUMBERS, largest_stack, packed
from ..preprocessing.checks import check_table, check_validation, seen
from ..preprocessing.parameters import check_parameters, hidden_sizes, rows_of_batch
from ..preprocessing.preparation import prepare
from ..regressor import FFNNRegressor, draw_seed
from .callbacks import FitTask
from .diagnosis import explain
from .resume import digest, lesson_of
from .run import Fit, choose_weight_decay, descend, unshared

# What may differ between the networks of a stack.
FREE = (
    "learning_rate",
    "learning_rate_schedule",
    "power_t",
    "tol",
    "n_iter_no_change",
    "momentum",
    "clip_norm",
    "weight_decay",
    "random_state",
    "verbose",
    "warm_start",
)


@dataclass
class Lesson:
    """What a model is to learn: the arguments of its `fit`."""

    X: Any
    y: Any
    params: dict


_NAMES = list(FFNNRegressor().get_params())
_FIXED = [name for name in _NAMES if name not in FREE]


def shape(model):
    """What models have to agree in to be trained as a stack."""
    fixed = [getattr(model, name) for name in _FIXED]
    # The repr of an array leaves most of its digits out.
    return repr([hash_of(v) if isinstance(v, dict) else v for v in fixed])


def plain(estimator):
    """Whether it has parameters, and nothing else that its fit heeds, as callbacks.

    To be asked of estimators that have not been fitted.
    """
    names = _NAMES if type(estimator) is FFNNRegressor else estimator.get_params()
    return vars(estimator).keys() - {"_metadata_request"} <= set(names)


@dataclass
class Workers:
    """Joblib's workers, as they were asked for where this was made."""

    n_jobs: int | None
    pre_dispatch: int | str = "2*n_jobs"

    def __post_init__(self):
        self.parallel = Parallel(n_jobs=self.n_jobs, pre_dispatch=self.pre_dispatch)
        self.number = effective_n_jobs(self.n_jobs)


def fit_all(models, lessons, workers, task):
    """Fit each model to its lesson, as its own `fit` would, in as few stacks as fit.

    Models that are not `plain` are left to their own.

    Parameters
    ----------
    models : list of FFNNRegressor
        Not fitted before, and changed or not: take what is returned.
    lessons : list of Lesson
        As many. Those that are one object belong side by side.
    workers : Workers
        Each of them trains a stack at a time.
    task : FitTask
        Told of every epoch of a stack.

    Returns
    -------
    models : list of FFNNRegressor
        Fitted, where there is no error.
    errors : list of Exception or None
        What the `fit` of each would have raised.
    seconds : ndarray of shape (len(models),)
        Their shares of the time of their stacks.
    """
    jobs = _jobs(models, lessons, workers.number)
    subtask = task.subtask("networks", len(jobs))
    results = workers.parallel(
        delayed(_fit_job)(
            [models[i] for i in job],
            [lessons[i] for i in job],
            subtask.subtask("stacks", None),
        )
        for job in jobs
    )
    subtask.end(None)
    fitted, errors = list(models), [None] * len(models)
    seconds = np.empty(len(models))
    for job, (own_models, own_errors, duration) in zip(jobs, results, strict=True):
        for i, model, error in zip(job, own_models, own_errors, strict=True):
            fitted[i], errors[i], seconds[i] = model, error, duration / len(job)
    return fitted, errors, seconds


def _jobs(models, lessons, n_workers):
    """Lists of models that are fitted together: about a stack each.

    Joblib has to be told before anything is standardised. Those of one list are
    standardised at once: their tables together are no larger than those of a stack.
    """

    def too_large(job):
        tables = {_table(models[i], lessons[i]) for i in job}
        numbers = len(tables) * np.prod(np.shape(lessons[job[-1]].X))
        return len(tables) > 1 and numbers > NUMBERS

    groups: dict[Any, list[int]] = {}
    for i, (model, lesson) in enumerate(zip(models, lessons, strict=True)):
        groups.setdefault((shape(model), np.shape(lesson.y)[0]), []).append(i)
    jobs: list[list[int]] = []
    for group in groups.values():
        # One that makes no sense says nothing about the others.
        sizes = (largest_job(models[i], lessons[i]) for i in group)
        most = next((size for size in sizes if size > 1), 1)
        parts = max(-(-len(group) // most), min(n_workers, len(group)))
        jobs += packed(group, -(-len(group) // parts), too_large)
    return jobs


def _holds_out(model):
    return model.early_stopping or model.validation_fraction is not None


def _table(model, lesson):
    """What tells the rows that a model learns, standardised, from another's."""
    if not _holds_out(model):
        return id(lesson)
    seed = model.random_state
    return id(lesson), seed if isinstance(seed, Integral) else id(model)


def largest_job(model, lesson):
    """How many networks of this kind make the largest stack."""
    try:
        check_parameters(model)
    except ValueError:
        return 1
    if model.solver == "lbfgs":
        return 1
    n, n_features = np.shape(lesson.X)
    outputs = np.shape(lesson.y)[1:] or (1,)
    units = [n_features, *hidden_sizes(model.hidden_layer_sizes), *outputs]
    rows = rows_of_batch(model, n)
    single = getattr(lesson.X, "dtype", None) == np.float32
    return largest_stack(units, rows, 4 if single else 8)


def _fit_job(models, lessons, task):
    started = perf_counter()
    errors = fit_side_by_side(models, lessons, task)
    task.end(None)
    return models, errors, perf_counter() - started


def fit_side_by_side(models, lessons, task):
    """Fit each model to its lesson, as its own `fit` would.

    Parameters
    ----------
    models : list of FFNNRegressor
        Not fitted before.
    lessons : list of Lesson
        As many. Lessons that are one object are prepared once.
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
    for i, (model, lesson) in enumerate(zip(models, lessons, strict=True)):
        try:
            if not plain(model):
                model.fit(lesson.X, lesson.y, **lesson.params)
                continue
            fits[i] = _begun(model, lesson, prepared)
        except Exception as error:
            errors[i] = error
    prepared.clear()  # a table that no network learns from any more can go
    groups: dict[tuple, list[Fit]] = {}
    for fit in fits.values():
        groups.setdefault(_shape(fit), []).append(fit)
    for group in groups.values():
        _run(group, task)
    for i, fit in fits.items():
        try:
            explain(fit)
        except Exception as error:
            errors[i] = error
        else:
            attributes = fit.attributes(fit.theta, fit.state)
            models[i].__dict__.update(unshared(attributes))  # scales are of the lesson
    return errors


def _begun(model, lesson, prepared):
    """The `Fit` of a model, on rows that those with the same lesson share."""
    check_parameters(model)
    seed = draw_seed(model.random_state)
    same = id(lesson), shape(model), seed if _holds_out(model) else None
    if same not in prepared:
        prepared[same] = _prepared(model, lesson.X, lesson.y, seed, **lesson.params)
    rows, columns, hashed = prepared[same]
    fit = Fit(model, rows, seed, go_on=False, lesson=lesson_of(model, hashed))
    model.__dict__.update(deepcopy(columns))
    return fit


def _prepared(
    model, X, y, seed, sample_weight=None, X_val=None, y_val=None,
    sample_weight_val=None,
):  # fmt: skip
    """Rows to learn from, what the model saw of their columns, and their digest."""
    table = check_table(model, X, y, sample_weight)
    validation = check_validation(model, (X_val, y_val, sample_weight_val), table)
    rows = prepare(model, table, validation, seed, go_on=False)
    return rows, seen(model), digest(table, validation)


def _shape(fit):
    """What fits have to agree in: those of one solver's own, or loss, are alone."""
    alone = fit.model.solver == "lbfgs" or fit.y_sd is not None
    return (
        shape(fit.model),
        tuple(fit.rows.units),
        fit.theta.dtype,
        len(fit.training),
        id(fit) if alone else None,
    )


def _run(fits, task):
    for fit in fits:
        fit.start(FitTask(None, None))
    with fits[0].blas_threads():
        choose_weight_decay(fits)
        if len(fits) == 1:
            fits[0].train()
        else:
            _descend(fits, task)
    for fit in fits:
        fit.settle()


def _descend(fits, task):
    """Train, and tell of each stack and its epochs."""
    current: list | None = None
    parts: list[FitTask] = []
    for stack in descend(fits):
        if stack is not current:
            current = stack
            parts.append(task.subtask("stack", stack[0].max_iter))
        parts[-1].epoch_ended()
    for part in parts:
        part.end(None)
