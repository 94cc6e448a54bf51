"""The curves of training: one row an epoch, in the target's units."""

import numpy as np

COLUMNS = (
    "epoch",
    "learning_rate",
    "loss",
    "rmse",
    "validation_loss",
    "validation_rmse",
    "seconds",
)


class History:
    """Rows that are added one by one, and read as a dict of lists.

    Parameters
    ----------
    before : dict of list, default=None
        The history to go on from; it is not changed.

    Examples
    --------
    >>> history = History()
    >>> history.append({name: 1.0 for name in COLUMNS})
    >>> history.columns()["rmse"], len(history)
    ([1.0], 1)
    """

    def __init__(self, before=None):
        self.before = before or {name: [] for name in COLUMNS}
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


@np.errstate(all="ignore")
def in_target_units(loss, mse, degree, y_scale):
    """Turn standardised curves into the target's units.

    Parameters
    ----------
    loss, mse : ndarray of shape (n_outputs,)
        One value per output.
    degree : int
        How the loss scales, see `skffnn.core.losses.Loss`.
    y_scale : ndarray of shape (n_outputs,)

    Returns
    -------
    loss, rmse : float
        The losses summed over outputs, the RMSEs averaged.
    """
    loss, rmse = loss @ y_scale**degree, np.sqrt(mse) @ y_scale / len(y_scale)
    return float(loss), float(rmse)
