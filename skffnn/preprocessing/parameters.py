"""What users may ask of the estimators, and what "auto" stands for.

The choices and the rules of losses, solvers and schedules are read off their tables in
the core, where each names what it takes.
"""

import math
from itertools import chain

import numpy as np

from ..core.activations import ACTIVATIONS
from ..core.hyperparameters import (
    Hyperparameter,
    is_below_one,
    is_flag,
    is_inside_unit,
    is_int,
    is_not_negative,
    is_positive,
    is_sequence,
)
from ..core.losses import LOSSES
from ..core.schedules import SCHEDULES
from ..core.solvers import SOLVERS
from .words import our_word

# What "auto" stands for ---------------------------------------------------------------


def automatic(value, rule, *arguments):
    """Give the value itself, or what the rule makes of "auto"."""
    return rule(*arguments) if is_auto(value) else value


def is_auto(value):
    """Whether a value is the word "auto"."""
    return isinstance(value, str) and value == "auto"


def auto_batch_size(n):
    """Batches grow with the table, between 32 and 512 rows.

    Never below 32: for fewer rows than that a batch is the whole table, and sample
    weights equal repeated rows to rounding.
    """
    return int(min(512, max(32, 2 ** round(math.log2(max(n, 1) / 64)))))


def auto_max_iter(n):
    """Epochs shrink with the table, so that the number of steps grows slowly."""
    return round(240 * (200 / max(n, 200)) ** 0.25)


def auto_clip_norm(newest):
    """The limit of the gradients that a memory adds up: their sum is kept below 50.

    Then a step is never longer than 50 learning rates, and long memory is safe.
    Gradient descent without momentum stays what the textbook says.

    Parameters
    ----------
    newest : float
        See `skffnn.core.optimizers.Optimizer`.
    """
    return 50 * newest if newest < 1 else None


def uses(model, what):
    """Whether the solver of a model has a use for that: see `skffnn.core.solvers`.

    A solver that does not exist is told of by `check_parameters`; until then, why not.
    """
    known = is_choice(model.solver, SOLVERS)
    return not known or what in SOLVERS[model.solver].uses


def solvers_with(use):
    """The solvers that use something, as a message names them: 'this' or 'that'."""
    return " or ".join(repr(name) for name in SOLVERS if use in SOLVERS[name].uses)


def why_not(model, what):
    """Why the solver of a model has no use for that, to end a sentence with."""
    reason = SOLVERS[model.solver].reasons.get(what)
    return f": {reason}" if reason else ""


def rows_of_batch(model, n):
    """Rows of a step, of n in all."""
    if not uses(model, "batches"):
        return n
    return min(n, automatic(model.batch_size, auto_batch_size, n))


def standardizes(model):
    """Whether a model standardises, by its own statistics or by given ones."""
    return isinstance(model.standardize, dict) or bool(model.standardize)


# Layers -------------------------------------------------------------------------------


def activation_names():
    """The activations that users may choose."""
    return [name for name, each in ACTIVATIONS.items() if each.selectable]


def hidden_sizes(hidden_layer_sizes):
    """The hidden layer sizes as a tuple of int; a bare number is one layer."""
    one = not is_sequence(hidden_layer_sizes)
    sizes = [hidden_layer_sizes] if one else list(hidden_layer_sizes)
    if not all(is_int(size, 1) for size in sizes):
        raise ValueError(
            "hidden_layer_sizes must be a whole number of units, or a sequence of "
            "them such as a list, one per hidden layer (all at least 1); got "
            f"{shown(hidden_layer_sizes)}."
        )
    return tuple(int(size) for size in sizes)


def hidden_activations(activation, n_hidden):
    """The activation's name for each hidden layer."""
    one = not is_sequence(activation)
    names = [activation] * n_hidden if one else list(activation)
    for name in [activation] if one else names:
        check_choice("activation", name, activation_names())
    if len(names) != n_hidden:
        raise ValueError(
            f"activation names {len(names)} activations, but there are {n_hidden} "
            "hidden layers: give one name for all of them, or one name per hidden "
            "layer (the output has output_activation)."
        )
    return names


def output_of(model):
    """The activation of the output: the loss's own, if it has one."""
    check_choice("output_activation", model.output_activation, activation_names())
    output = LOSSES[model.loss].output
    if output is None:
        return model.output_activation
    if model.output_activation != "identity":
        raise ValueError(
            f"loss={model.loss!r} puts its own activation, {output!r}, behind the "
            "output itself; leave output_activation at 'identity' (got "
            f"{model.output_activation!r})."
        )
    return output


def lowest_target(loss):
    """The lowest target that suits a loss; minus infinity for a name that is none."""
    return LOSSES[loss].lowest if is_choice(loss, LOSSES) else -math.inf


def layers(model):
    """Units of each hidden layer, and the activation of each, the output's last."""
    sizes = hidden_sizes(model.hidden_layer_sizes)
    return sizes, [*hidden_activations(model.activation, len(sizes)), output_of(model)]


# Rules --------------------------------------------------------------------------------


def check_parameters(model):
    """Raise ValueError for the first parameter of a model that makes no sense.

    Parameters
    ----------
    model : estimator
        With the parameters of `FFNNRegressor`.
    """
    if isinstance(model.learning_rate, str):
        raise ValueError(
            f"learning_rate is a number, got {model.learning_rate!r}: put it into "
            "learning_rate_schedule, whose choices are "
            f"{', '.join(SCHEDULES)}."
        )
    check_rules(model, [*RULES, *rules_of_the_core()])
    for name, choices in (
        ("loss", LOSSES),
        ("solver", SOLVERS),
        ("learning_rate_schedule", SCHEDULES),
    ):
        check_choice(name, getattr(model, name), choices)
    layers(model)


def rules_of_the_core():
    """The hyperparameters that losses, solvers and schedules take."""
    tables = LOSSES, SOLVERS, SCHEDULES
    parts = chain.from_iterable(table.values() for table in tables)
    return chain.from_iterable(part.hyperparameters.values() for part in parts)


def check_rules(model, rules):
    """Raise ValueError for the first parameter that its rule does not allow.

    Parameters
    ----------
    model : estimator
    rules : iterable of Hyperparameter
    """
    for rule in rules:
        value = getattr(model, rule.name)
        if not rule.valid(value):
            raise ValueError(f"{rule.name} must be {rule.wanted}; got {shown(value)}.")


def shown(value):
    """A value for a message, also if Python has no word for it.

    Examples
    --------
    >>> shown(0.5), shown(10**9999)
    ('0.5', 'an int that is too large to be written down')
    """
    try:
        return repr(value)
    except ValueError:  # a whole number of thousands of digits
        return f"an {type(value).__name__} that is too large to be written down"


def is_choice(value, choices):
    """Whether a value is one of the names; it may be anything else."""
    return isinstance(value, str) and value in choices


def check_choice(name, value, choices):
    """Raise ValueError if that is none of the choices, and list them."""
    if not is_choice(value, choices):
        ours = our_word(name, value, choices)
        told = "" if ours is None else f" Here that is {ours!r}."
        raise ValueError(
            f"{name} must be one of {', '.join(choices)}; got {value!r}.{told}"
        )


def check_flag(name, value):
    """Raise ValueError if that is neither True nor False."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False; got {value!r}.")


def can_learn_by_parts(model):
    """Whether partial_fit makes sense; the reason, raised, if it does not."""
    if not uses(model, "partial_fit"):
        raise ValueError(
            f"solver={model.solver!r} cannot learn by parts"
            f"{why_not(model, 'partial_fit')}; use solver="
            f"{solvers_with('partial_fit')}, or call fit."
        )
    if model.early_stopping or model.validation_fraction is not None:
        raise ValueError(
            "partial_fit holds out no rows: leave early_stopping and "
            "validation_fraction at their defaults, or call fit."
        )
    return True


def check_coverage(name, coverage):
    """Raise ValueError if that is no share of the targets."""
    if not is_inside_unit(coverage):
        raise ValueError(f"{name} must be a number between 0 and 1; got {coverage!r}.")


def _flag(name):
    return Hyperparameter(name, is_flag, "True or False", bool)


# What belongs to no part of the core, but to all of a fit.
CATEGORICAL_FEATURES = Hyperparameter(
    "categorical_features",
    lambda value: (
        value is None
        or (value == "from_dtype" if isinstance(value, str) else np.ndim(value) == 1)
    ),
    "'from_dtype', None, a list of column names or numbers, or a mask",
)
RULES = (
    Hyperparameter("learning_rate", is_positive, "a positive number"),
    Hyperparameter(
        "weight_decay",
        lambda value: is_auto(value) or is_not_negative(value),
        "'auto' or a number that is not negative",
    ),
    Hyperparameter("dropout", is_below_one, "a probability from 0 (none) to below 1"),
    Hyperparameter(
        "clip_norm",
        lambda value: value is None or is_auto(value) or is_positive(value),
        "'auto', None or a positive number",
    ),
    Hyperparameter(
        "batch_size",
        lambda value: is_auto(value) or is_int(value, 1),
        "'auto' or a whole number of rows, at least 1",
    ),
    Hyperparameter(
        "max_iter",
        lambda value: is_auto(value) or is_int(value, 1),
        "'auto' or a whole number of epochs, at least 1",
    ),
    _flag("early_stopping"),
    Hyperparameter(
        "validation_fraction",
        lambda value: value is None or is_inside_unit(value),
        "None or a number between 0 and 1",
    ),
    Hyperparameter(
        "standardize",
        lambda value: is_flag(value) or isinstance(value, dict),
        "True, False or a dict of statistics",
    ),
    CATEGORICAL_FEATURES,
    _flag("shuffle"),
    _flag("warm_start"),
    _flag("verbose"),
)
