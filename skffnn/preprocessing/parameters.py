"""What users may ask of the regressors, and what "auto" stands for."""

import math
from numbers import Integral, Real

import numpy as np

from ..core.activations import ACTIVATIONS
from ..core.losses import LOSSES

SOLVERS = ("adam", "sgd", "lbfgs")
SCHEDULES = ("constant", "cosine", "invscaling", "adaptive")
# exp is the output of the poisson loss and nothing to choose by hand.
ACTIVATION_NAMES = tuple(name for name in ACTIVATIONS if name != "exp")


def automatic(value, rule, *arguments):
    """Give the value itself, or what the rule makes of "auto"."""
    return rule(*arguments) if _is_auto(value) else value


def auto_batch_size(n):
    """Batches grow with the table, between 32 and 512 rows.

    Never below 32: for fewer rows than that a batch is the whole table, and sample
    weights equal repeated rows to rounding.
    """
    return int(min(512, max(32, 2 ** round(math.log2(max(n, 1) / 64)))))


def auto_max_iter(n):
    """Epochs shrink with the table, so that the number of steps grows slowly."""
    return round(240 * (200 / max(n, 200)) ** 0.25)


def auto_weight_decay(solver):
    """What it is where there is no choosing it (see `skffnn.decay`)."""
    return 0.01 if solver == "lbfgs" else 0.1


def weight_decay_of_few_rows(solver, momentum):
    """What tables get that are too small to choose by (see `skffnn.decay`).

    Momentum adds up 1 / (1 - momentum) gradients, but not the decay: with less of it
    the same number would hold the weights back more.
    """
    return 0.01 / (1 - momentum) if solver == "sgd" else 2.0


def auto_clip_norm(solver, momentum):
    """Momentum adds up 1 / (1 - momentum) gradients: their sum is kept below 50.

    Then a step is never longer than 50 learning rates, and long memory is safe.
    Gradient descent without momentum stays what the textbook says.
    """
    return 50 * (1 - momentum) if solver == "sgd" and momentum else None


def rows_of_batch(model, n):
    """Rows of a step, of n in all."""
    if model.solver == "lbfgs":
        return n
    return min(n, automatic(model.batch_size, auto_batch_size, n))


def standardizes(model):
    """Whether it standardises, by its own statistics or by given ones."""
    return isinstance(model.standardize, dict) or bool(model.standardize)


def hidden_sizes(hidden_layer_sizes):
    """The hidden layer sizes as a tuple of int; a bare number is one layer."""
    if isinstance(hidden_layer_sizes, Integral):
        hidden_layer_sizes = (hidden_layer_sizes,)
    try:
        sizes = tuple(hidden_layer_sizes)
    except TypeError:
        sizes = (None,)
    if not all(is_int(size, 1) for size in sizes):
        raise ValueError(
            "hidden_layer_sizes must be a whole number of units, or a sequence of "
            f"them, one per hidden layer (all at least 1); got {hidden_layer_sizes!r}."
        )
    return tuple(int(size) for size in sizes)


def layer_activations(activation, n_hidden, output_activation, loss):
    """The activation's name for each layer, the output's last."""
    one = isinstance(activation, str) or not hasattr(activation, "__iter__")
    names = [activation] * n_hidden if one else list(activation)
    for name in [activation] if one else names:
        _check_choice("activation", name, ACTIVATION_NAMES)
    if len(names) != n_hidden:
        raise ValueError(
            f"activation names {len(names)} activations, but there are {n_hidden} "
            "hidden layers: give one name for all of them, or one name per hidden "
            "layer (the output has output_activation)."
        )
    _check_choice("output_activation", output_activation, ACTIVATION_NAMES)
    if loss == "poisson":
        if output_activation != "identity":
            raise ValueError(
                "loss='poisson' puts an exponential behind the output itself; leave "
                f"output_activation at 'identity' (got {output_activation!r})."
            )
        output_activation = "exp"
    return [*names, output_activation]


def layers(model):
    """Units of each hidden layer, and the activation of each, the output's last."""
    sizes = hidden_sizes(model.hidden_layer_sizes)
    activations = layer_activations(
        model.activation, len(sizes), model.output_activation, model.loss
    )
    return sizes, activations


def check_parameters(model):
    """Raise ValueError for the first parameter that makes no sense."""
    if isinstance(model.learning_rate, str):
        raise ValueError(
            f"learning_rate is a number, got {model.learning_rate!r}: put it into "
            "learning_rate_schedule, whose choices are "
            f"{', '.join(SCHEDULES)}."
        )
    _check_rules(model, _RULES)
    for name, choices in _CHOICES.items():
        _check_choice(name, getattr(model, name), choices)
    layers(model)
    if model.solver == "lbfgs":
        _check_lbfgs(model)


def check_bayesian(model):
    """The same for BayesianFFNNRegressor."""
    _check_rules(model, _BAYESIAN_RULES)
    sizes = model.hidden_layer_sizes
    if not _is_auto(sizes):
        layer_activations(
            model.activation, len(hidden_sizes(sizes)), "identity", "squared_error"
        )
    elif isinstance(model.activation, str):
        _check_choice("activation", model.activation, ACTIVATION_NAMES)
    else:
        raise ValueError(
            "hidden_layer_sizes='auto' tries several depths: give one activation for "
            f"all layers; got {model.activation!r}."
        )


def check_coverage(coverage):
    """Raise ValueError if that is no share of the targets."""
    if not inside_unit(coverage):
        raise ValueError(
            f"coverage must be a number between 0 and 1; got {coverage!r}."
        )


def _check_rules(model, rules):
    for name, (valid, wanted) in rules.items():
        value = getattr(model, name)
        if not valid(value):
            raise ValueError(f"{name} must be {wanted}; got {value!r}.")


def _check_lbfgs(model):
    unused = {
        "dropout": model.dropout > 0,
        "clip_norm": model.clip_norm not in (None, "auto"),
        # cosine is the default: nobody has asked for it.
        "learning_rate_schedule": model.learning_rate_schedule
        not in ("constant", "cosine"),
    }
    for name, asked in unused.items():
        if asked:
            raise ValueError(
                f"solver='lbfgs' has no use for {name}={getattr(model, name)!r}: it "
                "takes full-batch steps whose length it finds itself. Leave "
                f"{name} at its default, or use solver='adam'."
            )


def _check_choice(name, value, choices):
    if not (isinstance(value, str) and value in choices):
        raise ValueError(f"{name} must be one of {', '.join(choices)}; got {value!r}.")


def is_int(value, low):
    """Whether it is a whole number, at least that."""
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= low


def _is_real(value):
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can hold
        return False


def _positive(value):
    return _is_real(value) and value > 0


def _not_negative(value):
    return _is_real(value) and value >= 0


def _below_one(value):
    return _is_real(value) and 0 <= value < 1


def inside_unit(value):
    """Whether it is a number between 0 and 1."""
    return _is_real(value) and 0 < value < 1


def _flag(value):
    return isinstance(value, bool | int | np.bool_)


_RULES = {
    "learning_rate": (_positive, "a positive number"),
    "momentum": (_below_one, "a number from 0 (none) to below 1"),
    "nesterovs_momentum": (_flag, "True or False"),
    "beta_1": (_below_one, "a number from 0 to below 1"),
    "beta_2": (_below_one, "a number from 0 to below 1"),
    "epsilon": (_positive, "a positive number"),
    "power_t": (_not_negative, "a number that is not negative"),
    "quantile": (inside_unit, "a number between 0 and 1"),
    "huber_delta": (_positive, "a positive number of standard deviations of y"),
    "weight_decay": (
        lambda value: _is_auto(value) or _not_negative(value),
        "'auto' or a number that is not negative",
    ),
    "dropout": (_below_one, "a probability from 0 (none) to below 1"),
    "clip_norm": (
        lambda value: value is None or _is_auto(value) or _positive(value),
        "'auto', None or a positive number",
    ),
    "batch_size": (
        lambda value: _is_auto(value) or is_int(value, 1),
        "'auto' or a whole number of rows, at least 1",
    ),
    "max_iter": (
        lambda value: _is_auto(value) or is_int(value, 1),
        "'auto' or a whole number of epochs, at least 1",
    ),
    "tol": (_not_negative, "a number that is not negative"),
    "n_iter_no_change": (
        lambda value: is_int(value, 1),
        "a whole number of epochs, at least 1",
    ),
    "early_stopping": (_flag, "True or False"),
    "validation_fraction": (
        lambda value: value is None or inside_unit(value),
        "None or a number between 0 and 1",
    ),
    "standardize": (
        lambda value: _flag(value) or isinstance(value, dict),
        "True, False or a dict of statistics",
    ),
    "shuffle": (_flag, "True or False"),
    "warm_start": (_flag, "True or False"),
    "verbose": (_flag, "True or False"),
}

_BAYESIAN_RULES = {
    **dict.fromkeys(
        ("max_iter", "n_iter_no_change", "n_restarts"),
        (lambda value: is_int(value, 1), "a whole number, at least 1"),
    ),
    "tol": _RULES["tol"],
    "ard": (_flag, "True or False"),
}


def _is_auto(value):
    return isinstance(value, str) and value == "auto"


_CHOICES = {
    "loss": tuple(LOSSES),
    "solver": SOLVERS,
    "learning_rate_schedule": SCHEDULES,
}
