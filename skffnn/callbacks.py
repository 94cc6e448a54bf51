"""The one place that touches scikit-learn's experimental callbacks.

With scikit-learn < 1.9, which has none, everything here does nothing.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, ProgressBar, with_callbacks

    AVAILABLE = True
except ImportError:
    AVAILABLE = False

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in for scikit-learn's mixin."""

    def with_callbacks(method):
        """Stand in for scikit-learn's decorator."""
        return method


__all__ = ["CallbackSupportMixin", "FitTask", "progress_bar", "with_callbacks"]


class FitTask:
    """A running fit as scikit-learn's callbacks see it: a task of epochs.

    Parameters
    ----------
    estimator : CallbackSupportMixin or None
        With None, nobody is told.
    max_epochs : int
    **data
        What the callbacks may ask for: X, y and metadata, as the user passed them.
    """

    def __init__(self, estimator: Any, max_epochs: int, **data: Any):
        self._task = None
        if AVAILABLE and estimator is not None:
            self._task = estimator._init_callback_context(max_subtasks=max_epochs)
            self._data = {"estimator": estimator, **data}
            self._task.call_on_fit_task_begin(**self._data)

    def epoch_ended(self, attributes: Callable[[], dict]) -> bool:
        """Tell the callbacks; whether one of them asks to stop.

        `attributes` is called only if a callback wants to look at the model so far.
        """
        if self._task is None:
            return False
        epoch = self._task.subcontext(task_name="epoch")
        epoch.call_on_fit_task_begin(**self._data)
        return bool(
            epoch.call_on_fit_task_end(
                **self._data, reconstruction_attributes=attributes
            )
        )

    def end(self) -> None:
        """Tell the callbacks that the fit is complete."""
        if self._task is not None:
            self._task.call_on_fit_task_end(
                **self._data, reconstruction_attributes=dict
            )


def progress_bar(estimator):
    """Give the estimator scikit-learn's progress bar, where there is one."""
    if AVAILABLE:
        with suppress(ImportError):  # rich is not installed
            # One bar: a search has dozens of fits, and each would get its own.
            estimator.set_callbacks(ProgressBar(max_propagation_depth=0))
    return estimator
