"""What estimators with error bars answer: predictions, deviations, intervals."""

from typing import Any

import numpy as np

from ..preprocessing.checks import guarded
from ..preprocessing.parameters import check_coverage


class IntervalMixin:
    """Gives an estimator the answers of its `predict` and its `predict_interval`.

    It says what they are made of, for rows that `_checked` has let pass:
    ``_mean_and_std(X, with_std)``, a pair of arrays, the second of which may be None,
    and ``_deviations(coverage)``, how many standard deviations cover such a share of
    the targets, one number or one for each output.
    """

    _checked: Any
    _mean_and_std: Any
    _deviations: Any

    def _predicted(self, X, return_std, return_interval):
        """What `predict` returns: an array, or several."""
        if return_interval is not None:
            check_coverage("return_interval", return_interval)
        y_hat, *more = self._answers(X, return_std, return_interval)
        return (y_hat, *more) if more else y_hat

    def _interval(self, X, coverage):
        """What `predict_interval` returns."""
        check_coverage("coverage", coverage)
        _, low, high = self._answers(X, False, coverage)
        return low, high

    def _answers(self, X, return_std, coverage):
        X = self._checked(X)
        wide = None if coverage is None else self._deviations(coverage)
        y_hat, *more = guarded(self._parts, X, return_std, wide)
        if wide is None:
            return y_hat, *more
        std, half = more
        # Where an error had no deviation to be measured by, nothing is ruled out.
        half = np.where(np.isinf(wide), np.inf, half)
        with np.errstate(all="ignore"):  # what is not finite has been told of
            limits = y_hat - half, y_hat + half
        return (y_hat, std, *limits) if return_std else (y_hat, *limits)

    def _parts(self, X, return_std, wide):
        y_hat, std = self._mean_and_std(X, return_std or wide is not None)
        parts = {"predictions": y_hat}
        if std is not None:
            parts["standard deviations"] = std
        if wide is not None:
            parts["intervals"] = np.where(np.isinf(wide), 0, wide) * std
        return parts
