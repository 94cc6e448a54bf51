"""What a pipeline, a search or a target transformer is wrapped around."""

from typing import Any

from sklearn.pipeline import Pipeline

# A fitted search or transformer comes before the unfitted one it was made from.
_WRAPPED = ("best_estimator_", "regressor_", "regressor", "estimator")


def unwrap(estimator: Any) -> Any | None:
    """Take one wrapping off an estimator; None if there is none."""
    if isinstance(estimator, Pipeline):
        return estimator.steps[-1][1]
    inside = (getattr(estimator, name, None) for name in _WRAPPED)
    return next((found for found in inside if hasattr(found, "fit")), None)


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
