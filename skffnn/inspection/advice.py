"""What to try next: what a fit has advised, and what the parameters leave to try."""

from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any

from ..core.solvers import SOLVERS
from ..fitting.diagnosis import HIGH
from .wrappers import layers

# In which direction a word points.
FURTHER = {"higher": 1, "larger": 1, "lower": -1}


def advice_of(estimator: Any) -> list[str]:
    """Return what the fit of an estimator has told its user to try, best first.

    Parameters
    ----------
    estimator : fitted estimator
        A network, or what is wrapped around one. Of an ensemble, the first network that
        was advised speaks for all.

    Returns
    -------
    advice : list of str
        Such as "a lower learning_rate (now 0.1)"; empty if there was nothing to say. A
        direction in which a search has tried other values is none.
    """
    searches, model = [], None
    for _, model in layers(estimator):
        several = getattr(model, "estimators_", None)
        if isinstance(several, list):
            return next(filter(None, map(advice_of, several)), [])
        if hasattr(model, "best_params_"):
            searches.append(model)
    return [
        phrase
        for phrase in getattr(model, "_advice", [])
        if not any(_has_tried(search, phrase) for search in searches)
    ]


def _has_tried(search: Any, phrase: str) -> bool:
    """Whether a search has tried what a phrase such as "a larger max_iter" asks for."""
    words = phrase.split()  # "a", "larger", "max_iter", ...
    further = FURTHER.get(words[1], 0) if len(words) > 2 else 0
    for name, best in search.best_params_.items():
        if further and name.rpartition("__")[2] == words[2] and _is_number(best):
            tried = [each.get(name) for each in search.cv_results_["params"]]
            return any(further * (n - best) > 0 for n in filter(_is_number, tried))
    return False


def _is_number(value: Any) -> bool:
    return isinstance(value, Real)


def open_parameters(estimator: Any) -> dict[str, Any]:
    """Return the parameters of the innermost estimator that no search has chosen."""
    chosen: set[str] = set()
    for model in _down_to_the_innermost(estimator):
        chosen |= {n.rpartition("__")[2] for n in getattr(model, "best_params_", {})}
    params = model.get_params()
    return {name: value for name, value in params.items() if name not in chosen}


def _down_to_the_innermost(estimator: Any) -> Iterator[Any]:
    for _, model in layers(estimator):
        yield model
        if hasattr(model, "n_estimators"):
            return


def less_fitting(params: Mapping[str, Any]) -> str:
    """What to try against overfitting, with these parameters.

    Examples
    --------
    >>> less_fitting({"early_stopping": True, "weight_decay": 0.1})
    'a larger weight_decay'
    """
    if params.get("early_stopping") is False:
        return "early_stopping=True"
    for name in ("weight_decay", "alpha", "dropout"):
        if name in params:
            return f"a larger {name}"
    return "a simpler or more strongly regularised model"


def longer_training(params: Mapping[str, Any]) -> str:
    """What to try if next to nothing was learnt, with these parameters.

    Examples
    --------
    >>> longer_training({"learning_rate": 0.01, "max_iter": 100})
    'a higher learning_rate'
    >>> longer_training({"n_restarts": 5, "max_iter": 100})
    'a larger n_restarts'
    """
    if "n_restarts" in params:
        return "a larger n_restarts"
    if "max_iter" not in params:
        return more_fitting(params)
    for name in ("learning_rate", "learning_rate_init"):
        rate: Any = params.get(name)
        # Others than ours have words for it, or a solver that does without.
        if _is_number(rate) and _uses_a_rate(params):
            high = "hidden_layer_sizes" in params and rate >= HIGH
            return f"{'a lower' if high else 'a higher'} {name}"
    return more_fitting(params) if _uses_a_rate(params) else "a larger max_iter"


def _uses_a_rate(params: Mapping[str, Any]) -> bool:
    solver = SOLVERS.get(str(params.get("solver")))
    return solver is None or "learning_rate" in solver.uses


def more_fitting(params: Mapping[str, Any]) -> str:
    """What to try for what is left to explain, with these parameters.

    Examples
    --------
    >>> more_fitting({"hidden_layer_sizes": (64,)})
    'larger hidden_layer_sizes'
    """
    if "hidden_layer_sizes" in params:
        return "larger hidden_layer_sizes"
    return "a more flexible model"
