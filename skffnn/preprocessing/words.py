"""Words of other libraries, and what this one calls the same thing."""

from collections.abc import Mapping
from inspect import Parameter, signature
from typing import Any, ClassVar, Self

# Values, by the parameter whose choices have another word.
VALUES = {
    "activation": {
        "sigmoid": "logistic",
        "linear": "identity",
        "none": "identity",
        "swish": "silu",
        "lrelu": "leaky_relu",
        "leakyrelu": "leaky_relu",
    },
    "loss": {
        "mse": "squared_error",
        "l2": "squared_error",
        "mean_squared_error": "squared_error",
        "squared_loss": "squared_error",
        "rmse": "root_mean_squared_error",
        "mae": "absolute_error",
        "l1": "absolute_error",
        "mean_absolute_error": "absolute_error",
        "lad": "absolute_error",
        "smooth_l1": "huber",
        "huber_loss": "huber",
        "pinball": "quantile",
        "pinball_loss": "quantile",
        "quantile_loss": "quantile",
        "count": "poisson",
        "mean_poisson_deviance": "poisson",
    },
    "solver": {
        "adamw": "adam",
        "momentum": "sgd",
        "nesterov": "sgd",
        "gd": "sgd",
        "gradient_descent": "sgd",
        "l_bfgs": "lbfgs",
        "l_bfgs_b": "lbfgs",
        "lbfgsb": "lbfgs",
        "bfgs": "lbfgs",
    },
    "learning_rate_schedule": {
        "cosine_annealing": "cosine",
        "cosine_decay": "cosine",
        "one_cycle": "cosine",
        "onecycle": "cosine",
        "reduce_on_plateau": "adaptive",
        "plateau": "adaptive",
        "inverse_scaling": "invscaling",
        "fixed": "constant",
        "none": "constant",
    },
}
VALUES["output_activation"] = VALUES["activation"]
# Parameters, and what may stand for them, where an estimator has it.
PARAMETERS = {
    "alpha": "weight_decay",
    "l2": "weight_decay",
    "l2_penalty": "weight_decay",
    "reg_lambda": "weight_decay",
    "learning_rate_init": "learning_rate",
    "lr": "learning_rate",
    "eta": "learning_rate",
    "eta0": "learning_rate",
    "step_size": "learning_rate",
    "lr_schedule": "learning_rate_schedule",
    "lr_scheduler": "learning_rate_schedule",
    "scheduler": "learning_rate_schedule",
    "n_iter": "max_iter",
    "epochs": "max_iter",
    "n_epochs": "max_iter",
    "num_epochs": "max_iter",
    "max_epochs": "max_iter",
    "iterations": "max_iter",
    "patience": "n_iter_no_change",
    "early_stopping_rounds": "n_iter_no_change",
    "hidden_layers": "hidden_layer_sizes",
    "hidden_units": "hidden_layer_sizes",
    "hidden_sizes": "hidden_layer_sizes",
    "hidden_dims": "hidden_layer_sizes",
    "hidden_size": "hidden_layer_sizes",
    "layers": "hidden_layer_sizes",
    "activation_function": "activation",
    "out_activation": "output_activation",
    "optimizer": "solver",
    "optim": "solver",
    "criterion": "loss",
    "objective": "loss",
    "loss_function": "loss",
    "dropout_rate": "dropout",
    "batch": "batch_size",
    "minibatch_size": "batch_size",
    "clipnorm": "clip_norm",
    "max_grad_norm": "clip_norm",
    "gradient_clip_val": "clip_norm",
    "validation_split": "validation_fraction",
    "val_size": "validation_fraction",
    "cat_features": "categorical_features",
    "categorical_feature": "categorical_features",
    "normalize": "standardize",
    "scale": "standardize",
    "delta": "huber_delta",
    "beta1": "beta_1",
    "beta2": "beta_2",
    "eps": "epsilon",
    "nesterov": "nesterovs_momentum",
    "seed": "random_state",
    "random_seed": "random_state",
    "base_estimator": "estimator",
    "n_models": "n_estimators",
    "n_networks": "n_estimators",
    "ensemble_size": "n_estimators",
    "n_init": "n_restarts",
    "n_restarts_optimizer": "n_restarts",
}

# What training of second order does without: see `WordsMixin`.
SECOND_ORDER = {
    "weight_decay": "how much weights pay for their size follows from the rows",
    "learning_rate": "it takes steps of second order, which find their own length",
    "loss": (
        "it minimises the squared error, and other losses are those of "
        "FFNNRegressor({written})"
    ),
    "solver": (
        "it takes steps of second order, and other solvers are those of "
        "FFNNRegressor({written})"
    ),
}


def our_word(parameter: str, value: Any, choices: Any) -> str | None:
    """What is called so elsewhere, or written in another way; None if nothing is.

    Parameters
    ----------
    parameter : str
        Whose value it is.
    value : object
        As users pass it.
    choices : container of str
        Those that there are.
    """
    if not isinstance(value, str):
        return None
    word = value.strip().lower().replace("-", "_").replace(" ", "_")
    ours = VALUES.get(parameter, {}).get(word, word)
    return ours if ours in choices else None


class WordsMixin:
    """Lets an estimator say what it calls the parameters of other libraries.

    Attributes
    ----------
    _elsewhere : dict of str to str
        Parameters of `FFNNRegressor` that it does without, and what there is in place
        of them, to end a sentence with; ``{written}`` is how they are written there,
        and ``{owner}`` the name of the estimator.
    """

    _elsewhere: ClassVar[Mapping[str, str]] = {}

    # Not in `__init__`, which scikit-learn reads the parameters off.
    def __new__(cls, *args: Any, **params: Any) -> Self:
        """Raise TypeError for a parameter that is called otherwise here."""
        if params.keys() & (PARAMETERS.keys() | cls._elsewhere.keys()):
            known = signature(cls.__init__).parameters
            any_name = Parameter.VAR_KEYWORD in {each.kind for each in known.values()}
            advice = _advice(params, known, cls)
            if advice and not any_name:
                raise TypeError(f"{cls.__name__} has {advice}")
        return super().__new__(cls)

    def set_params(self, **params: Any) -> Self:
        """Set parameters, as scikit-learn's estimators do.

        Parameters
        ----------
        **params : dict
            Names and values; ``name__parameter`` for a part of the estimator.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If there is no such parameter.
        """
        if params.keys() & (PARAMETERS.keys() | self._elsewhere.keys()):
            known = self.get_params(deep=False)  # type: ignore[attr-defined]
            advice = _advice(params, known, type(self))
            if advice:
                raise ValueError(f"{type(self).__name__} has {advice}")
        return super().set_params(**params)  # type: ignore[misc]


def _advice(params, known, cls):
    """What to write in place of parameters that there are not; empty for no idea."""
    unknown = sorted(params.keys() - known.keys())
    ours = {name: PARAMETERS.get(name, name) for name in unknown}
    found = {name: word for name, word in ours.items() if word in known}
    if found:
        return (
            f"no parameter {', '.join(found)}: use {', '.join(found.values())}, and "
            "see in the documentation what its values mean."
        )
    for name, word in ours.items():
        if word in cls._elsewhere:
            written = f"{word}={_value(word, params[name])}"
            there = cls._elsewhere[word].format(owner=cls.__name__, written=written)
            return f"no parameter {name}: {there}."
    return ""


def _value(parameter, value):
    """A value as it is written here, if it is a word of ours or of another library."""
    choices = VALUES.get(parameter, {}).values()
    ours = our_word(parameter, value, choices)
    return "..." if ours is None else repr(ours)
