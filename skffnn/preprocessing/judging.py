"""What predictions are judged by: targets and weights that users pass to `score`."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.base import RegressorMixin
from sklearn.utils import check_array

from .foreign import needing_numbers, refuse
from .notices import warn_user

# What is said of NaN, and of pandas' NA among objects.
GAPS = "contains NaN", "NAType"


def check_truth(values: Any, name: str) -> None:
    """Raise an error, as `fit` would, for what predictions cannot be held against.

    Parameters
    ----------
    values : object
        Targets or weights, as users pass them.
    name : str
        Of the argument.
    """
    refuse(values, name)
    how = {"ensure_2d": False, "dtype": np.float64, "input_name": name}
    with config_context(assume_finite=False), needing_numbers(name):
        try:
            check_array(values, **how)
        except (TypeError, ValueError) as error:
            if not any(words in str(error) for words in GAPS):
                raise
            missing = int(pd.isna(np.asarray(values, dtype=object)).sum())
            raise ValueError(
                f"Input {name} contains NaN: {missing} of {np.size(values)} values are "
                "missing. Leave those rows out: X[pd.notna(y)], y[pd.notna(y)]."
            ) from error


class JudgedMixin(RegressorMixin):
    """Gives a regressor a `score` that says what is wrong with y, as `fit` does."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R^2 of the predictions: 1 is perfect, 0 is what the mean of y gets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The rows to predict.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their true targets; of several outputs R^2 is averaged.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X has other columns than at `fit`, or if X, y or the weights have values
            that are no numbers, such as dates.

        Warns
        -----
        UserWarning
            If errors are so large that R^2 is no number.
        """
        check_truth(y, "y")
        if sample_weight is not None:
            check_truth(sample_weight, "sample_weight")
        with np.errstate(over="ignore", invalid="ignore"):
            score: float = super().score(X, y, sample_weight)
        if np.isinf(score):
            warn_user(
                "R^2 is not finite: targets, or errors of the predictions, are too "
                "large to be squared. Look for values of X that lie far from those at "
                "fit."
            )
        return score
