"""The curves of training: one row an epoch, in units that users know.

How long the epochs took is kept beside them: equal fits have equal curves, and never
take the same time.
"""

from typing import ClassVar


def columns_of(metric):
    """The names of the columns, for curves of a loss and of that metric."""
    return (
        "epoch",
        "learning_rate",
        "loss",
        metric,
        "validation_loss",
        f"validation_{metric}",
    )


class History:
    """Rows that are added one by one, and read as a dict of lists.

    Parameters
    ----------
    metric : str
        What is recorded besides the loss.
    before : dict of list, default=None
        The history to go on from; it is not changed.
    seconds : list of float, default=()
        How long its rows took.

    Examples
    --------
    >>> history = History("rmse")
    >>> history.append({name: 1.0 for name in columns_of("rmse")}, 0.25)
    >>> history.columns()["rmse"], history.seconds(), len(history)
    ([1.0], [0.25], 1)
    """

    def __init__(self, metric, before=None, seconds=()):
        self.before = before or {name: [] for name in columns_of(metric)}
        self.seconds_before = list(seconds)
        self.rows: list[tuple[dict, float]] = []

    def __len__(self):
        return len(self.before["epoch"]) + len(self.rows)

    def append(self, row, seconds):
        """Add a row, whole or, if interrupted, not at all."""
        self.rows.append((row, seconds))

    def columns(self):
        """One new list per column, all equally long."""
        return {
            name: values + [row[name] for row, _ in self.rows]
            for name, values in self.before.items()
        }

    def seconds(self):
        """How long each row took, in a new list."""
        return self.seconds_before + [seconds for _, seconds in self.rows]


class TimedMixin:
    """Gives a network with a ``history_`` the times of its rows.

    They are no part of what a model is: neither pickled nor saved.
    """

    history_: dict[str, list[float]]
    _times: ClassVar[tuple[str, ...]] = ("_seconds",)

    @property
    def seconds_(self) -> list[float]:
        """How long each row of ``history_`` took, in seconds.

        NaN where that is not known: pickles, copies and files keep no times.
        """
        n = len(next(iter(self.history_.values())))
        return vars(self).get("_seconds") or [float("nan")] * n
