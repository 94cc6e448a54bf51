"""What a pipeline, a search or a target transformer is wrapped around."""

from collections.abc import Iterator
from typing import Any

from sklearn.pipeline import Pipeline

from ..base import FittedNetwork, GradientDescentNetwork
from ..ensemble import FFNNEnsembleRegressor

# A fitted search or transformer comes before the unfitted one it was made from.
_WRAPPED = ("best_estimator_", "regressor_", "regressor", "estimator")


def unwrap(estimator: Any) -> Any | None:
    """Take one wrapping off an estimator; None if there is none."""
    return _unwrapped(estimator)[1]


def _unwrapped(estimator: Any) -> tuple[str, Any]:
    """What is inside one wrapping, and how it is written."""
    if isinstance(estimator, Pipeline):
        return "[-1]", estimator.steps[-1][1]
    inside = ((f".{name}", getattr(estimator, name, None)) for name in _WRAPPED)
    return next((pair for pair in inside if hasattr(pair[1], "fit")), ("", None))


def through_pipeline(estimator: Any, X: Any) -> tuple[Any, Any]:
    """X as a fitted pipeline's last step gets it, and that step.

    What is no pipeline comes back as it is.
    """
    while isinstance(estimator, Pipeline):
        if len(estimator) > 1:
            X = estimator[:-1].transform(X)
        estimator = estimator[-1]
    return X, estimator


def innermost(estimator: Any) -> Any:
    """Return the estimator at the bottom of all wrappings; an ensemble is none.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.pipeline import make_pipeline
    >>> innermost(GridSearchCV(make_pipeline(Ridge()), {}))
    Ridge()
    """
    inside = None if hasattr(estimator, "n_estimators") else unwrap(estimator)
    return estimator if inside is None else innermost(inside)


def fitted_network(estimator: Any) -> Any:
    """Return the fitted network that an estimator is, or is wrapped around.

    Raises
    ------
    ValueError
        If there is none, or more than one; the message says what to pass.
    """
    why, inside = "", None
    for path, inside in layers(estimator):
        why = why or _no_curve(inside, path)
    is_network = isinstance(inside, GradientDescentNetwork)
    if is_network and hasattr(inside, "history_") and not why:
        return inside
    why = why or "pass a fitted FFNNRegressor, or a pipeline or a search around one"
    raise ValueError(f"{type(estimator).__name__} has no training curve: {why}.")


def layers(estimator: Any) -> Iterator[tuple[str, Any]]:
    """An estimator and all that is inside of it, and how each is written."""
    path = "model"
    while estimator is not None:
        yield path, estimator
        step, estimator = _unwrapped(estimator)
        path += step


def _no_curve(estimator: Any, path: str) -> str:
    """Say why it is not one network, and what to do; empty if it may be one."""
    name = type(estimator).__name__
    if hasattr(estimator, "cv_results_") and not hasattr(estimator, "best_estimator_"):
        return f"the {name} has refit=False, and kept no network; use refit=True"
    one = _one_of_several(estimator)
    if one is not None:
        which = f"{path}.estimators_[{one}]"
        return f"each network of the {name} has its own; pass one, such as {which}"
    if isinstance(estimator, GradientDescentNetwork):
        return ""
    if isinstance(estimator, FittedNetwork):
        return f"the {name} has no epochs; {path}.history_ is the table of its steps"
    return ""


def _one_of_several(estimator: Any) -> int | None:
    """Which of its estimators is the first network; None if it is no ensemble."""
    if isinstance(estimator, FFNNEnsembleRegressor):
        return 0
    inside = getattr(estimator, "estimators_", None)
    several = inside if isinstance(inside, list) else []
    kinds = [isinstance(innermost(each), GradientDescentNetwork) for each in several]
    return kinds.index(True) if any(kinds) else None
