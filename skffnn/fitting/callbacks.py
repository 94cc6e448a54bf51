"""The one place that touches scikit-learn's experimental callbacks.

With scikit-learn < 1.9, which has none, everything here does nothing.
"""

from collections.abc import Callable
from contextlib import nullcontext, suppress
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
    """A running fit as scikit-learn's callbacks see it: a task of tasks.

    Parameters
    ----------
    estimator : CallbackSupportMixin or None
        With None, nobody is told.
    max_subtasks : int or None
        At most so many epochs, or other parts; None if nobody knows.
    X, y, sample_weight
        What the callbacks may ask for, as the user passed it.
    """

    def __init__(
        self,
        estimator: Any,
        max_subtasks: int | None,
        X: Any = None,
        y: Any = None,
        sample_weight: Any = None,
    ):
        self._context = None
        if AVAILABLE and estimator is not None:
            context = estimator._init_callback_context(max_subtasks=max_subtasks)
            metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
            data = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
            self._begin(context, data)

    @classmethod
    def of(cls, context: Any, estimator: Any) -> "FitTask":
        """Go on with a task that scikit-learn has begun; with None, nobody is told."""
        task = cls(None, None)
        if context is not None:
            task._context, task._data = context, {"estimator": estimator}
        return task

    def _begin(self, context: Any, data: dict) -> None:
        self._context, self._data = context, data
        context.call_on_fit_task_begin(**data)

    def subtask(self, name: str, max_subtasks: int | None = 0) -> "FitTask":
        """Begin a part of the task; the callbacks are not shown the data again."""
        task = FitTask(None, max_subtasks)
        if self._context is not None:
            context = self._context.subcontext(name, max_subtasks=max_subtasks)
            task._begin(context, {"estimator": self._data["estimator"]})
        return task

    def epoch_ended(self, attributes: Callable[[], dict] | None = None) -> bool:
        """Tell the callbacks of an epoch; whether one of them asks to stop.

        `attributes` is called only if a callback wants to look at the model so far;
        without it, there is none to look at.
        """
        if self._context is None:
            return False
        epoch = self._context.subcontext(task_name="epoch")
        epoch.call_on_fit_task_begin(**self._data)
        return bool(
            epoch.call_on_fit_task_end(
                **self._data, reconstruction_attributes=attributes
            )
        )

    def end(self, attributes: Callable[[], dict] | None = dict) -> bool:
        """Tell the callbacks that the task is complete, by default with its model.

        Returns whether one of them asks for an end of such tasks.
        """
        if self._context is None:
            return False
        return bool(
            self._context.call_on_fit_task_end(
                **self._data, reconstruction_attributes=attributes
            )
        )

    def within(self, estimator: Any) -> Any:
        """Let a fit of that estimator be this task; a context manager."""
        if self._context is None:
            return nullcontext()
        return self._context.propagate_callback_context(estimator)


def progress_bar(estimator):
    """Give the estimator scikit-learn's progress bar, where there is one."""
    if AVAILABLE:
        with suppress(ImportError):  # rich is not installed
            # One bar: a search has dozens of fits, and each would get its own.
            estimator.set_callbacks(ProgressBar(max_propagation_depth=0))
    return estimator
