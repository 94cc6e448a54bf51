"""The curves of training: one row an epoch, in units that users know."""


def columns_of(metric):
    """The names of the columns, for curves of a loss and of that metric."""
    return (
        "epoch",
        "learning_rate",
        "loss",
        metric,
        "validation_loss",
        f"validation_{metric}",
        "seconds",
    )


class History:
    """Rows that are added one by one, and read as a dict of lists.

    Parameters
    ----------
    metric : str
        What is recorded besides the loss.
    before : dict of list, default=None
        The history to go on from; it is not changed.

    Examples
    --------
    >>> history = History("rmse")
    >>> history.append({name: 1.0 for name in columns_of("rmse")})
    >>> history.columns()["rmse"], len(history)
    ([1.0], 1)
    """

    def __init__(self, metric, before=None):
        self.before = before or {name: [] for name in columns_of(metric)}
        self.rows: list[dict] = []

    def __len__(self):
        return len(self.before["epoch"]) + len(self.rows)

    def append(self, row):
        """Add a row, whole or, if interrupted, not at all."""
        self.rows.append(row)

    def columns(self):
        """One new list per column, all equally long."""
        return {
            name: values + [row[name] for row in self.rows]
            for name, values in self.before.items()
        }
