"""Pictures: the training curve, and predicted against actual."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .extras import require
from .unwrap import unwrap

_TRAINING, _VALIDATION, _QUIET = "#1f6fb2", "#d95f02", "0.35"


class LossCurveDisplay:
    """Training and validation error by epoch.

    Best made with `from_estimator`.

    Parameters
    ----------
    epoch : sequence of float
        The epochs, from 1.
    rmse : sequence of float
        RMSE on the training rows after each, in the units of the target.
    validation_rmse : sequence of float, default=None
        The same on validation rows; None or NaN where there are none.
    best_epoch : int, default=None
        The epoch to mark.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the curves are.
    figure_ : matplotlib Figure
        The figure that holds them.
    lines_ : list of matplotlib Line2D
        The training curve and, where there is one, the validation curve.

    Examples
    --------
    >>> display = LossCurveDisplay(epoch=[1, 2, 3], rmse=[9, 5, 4]).plot()
    >>> display.ax_.get_xlabel()
    'Epoch'
    """

    ax_: Any
    figure_: Any
    lines_: list[Any]

    def __init__(
        self,
        *,
        epoch: Sequence[float],
        rmse: Sequence[float],
        validation_rmse: Sequence[float] | None = None,
        best_epoch: int | None = None,
    ):
        self.epoch = epoch
        self.rmse = rmse
        self.validation_rmse = validation_rmse
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: Any = None, target_name: str | None = None
    ) -> "LossCurveDisplay":
        """Draw the curves of a fitted `FFNNRegressor`.

        Parameters
        ----------
        estimator : fitted estimator
            The regressor, or a pipeline, search or `TransformedTargetRegressor`
            around it.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        target_name : str, default=None
            What the RMSE is of, for the label of the axis.

        Returns
        -------
        LossCurveDisplay
            What was drawn.

        Examples
        --------
        >>> import numpy as np
        >>> from skffnn import FFNNRegressor
        >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
        >>> network = FFNNRegressor(8, max_iter=20, validation_fraction=0.2,
        ...                         random_state=0).fit(X, X[:, 0] ** 2)
        >>> len(LossCurveDisplay.from_estimator(network).lines_)
        2
        """
        network = _network(estimator)
        history = network.history_
        display = cls(
            epoch=history["epoch"],
            rmse=history["rmse"],
            validation_rmse=history["validation_rmse"],
            best_epoch=getattr(network, "best_iter_", None),
        )
        return display.plot(ax=ax, target_name=target_name)

    def plot(
        self, ax: Any = None, *, target_name: str | None = None
    ) -> "LossCurveDisplay":
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        target_name : str, default=None
            What the RMSE is of, for the label of the axis.

        Returns
        -------
        LossCurveDisplay
            The display itself.
        """
        if ax is None:
            ax = require("matplotlib.pyplot", "Drawing").subplots()[1]
        self.ax_, self.figure_ = ax, ax.figure
        self.lines_ = ax.plot(
            self.epoch, self.rmse, color=_TRAINING, label="training rows"
        )
        curves = [np.asarray(self.rmse, dtype=float)]
        if self.validation_rmse is not None and np.isfinite(self.validation_rmse).any():
            curves.append(np.asarray(self.validation_rmse, dtype=float))
            self._plot_validation(ax)
        _scale(ax, np.concatenate(curves))
        ax.set(
            xlabel="Epoch", ylabel="RMSE" + (f" of {target_name}" * bool(target_name))
        )
        ax.legend(frameon=False)
        return self

    def _plot_validation(self, ax: Any) -> None:
        self.lines_ += ax.plot(
            self.epoch, self.validation_rmse, color=_VALIDATION, label="validation rows"
        )
        epochs = list(self.epoch)
        if self.validation_rmse is None or self.best_epoch not in epochs:
            return
        best = self.validation_rmse[epochs.index(self.best_epoch)]
        ax.axvline(self.best_epoch, color=_QUIET, linewidth=0.8, linestyle=":")
        ax.plot(
            [self.best_epoch],
            [best],
            "o",
            color=_VALIDATION,
            markeredgecolor="white",
            markersize=8,
            zorder=3,
            label=f"best validation epoch: {self.best_epoch} (RMSE {best:,.4g})",
        )


def _network(estimator: Any) -> Any:
    """Find the fitted network inside an estimator."""
    inside: Any = estimator
    while inside is not None and not hasattr(inside, "history_"):
        inside = unwrap(inside)
    if inside is None:
        raise ValueError(
            f"{type(estimator).__name__} has no training curve: pass a fitted "
            "FFNNRegressor, or a pipeline or a search around one."
        )
    return inside


def _scale(ax: Any, values: np.ndarray) -> None:
    """Set the y-axis: logarithmic where the curves would else lie on the floor."""
    values = values[np.isfinite(values)]
    if len(values) and values.min() > 0 and values.max() > 8 * np.median(values):
        ax.set_yscale("log")
    elif len(values) and ax.get_yscale() != "log":
        ax.autoscale(axis="y")  # the axes may hold other curves already
        ax.set_ylim(bottom=0)
        ax.margins(x=0.02)


def save_loss_curve(
    estimator: Any, path: str | Path, *, target_name: str = "the target"
) -> None:
    """Save the picture of the training curve of a fitted estimator.

    Parameters
    ----------
    estimator : fitted estimator
        What `LossCurveDisplay.from_estimator` takes.
    path : str or Path
        Where to write; its ending decides the format.
    target_name : str, default="the target"
        What is predicted, with its units.
    """
    figure, ax = _figure(7.2, 4.5)
    display = LossCurveDisplay.from_estimator(estimator, ax=ax, target_name=target_name)
    judged = len(display.lines_) > 1
    rows = "training and on validation rows" if judged else "training rows"
    _finish(figure, ax, f"Error on {rows} by epoch", path)


def save_predicted_vs_actual(
    y_true: Any, y_pred: Any, path: str | Path, *, target_name: str = "the target"
) -> None:
    """Save the picture of the predictions for the test rows against their targets.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n,)
        Actual and predicted targets of the test rows.
    path : str or Path
        Where to write; its ending decides the format.
    target_name : str, default="the target"
        What is predicted, with its units.
    """
    from sklearn.metrics import PredictionErrorDisplay, r2_score
    from sklearn.metrics import root_mean_squared_error as rmse

    figure, ax = _figure(5.6, 5.6)
    PredictionErrorDisplay.from_predictions(
        y_true,
        y_pred,
        kind="actual_vs_predicted",
        # All the rows: the picture is of the numbers in its title.
        subsample=None,
        ax=ax,
        scatter_kwargs=_dots(len(y_true)),
        line_kwargs={"color": _QUIET, "linewidth": 1.2},
    )
    for axis in (ax.xaxis, ax.yaxis):
        # scikit-learn's ticks divide the range of the data; round numbers read better.
        axis.set_major_locator(require("matplotlib.ticker", "Drawing").MaxNLocator(6))
    ax.set(xlabel=f"Predicted {target_name}", ylabel=f"Actual {target_name}")
    scores = f"RMSE {rmse(y_true, y_pred):,.4g}, R² {r2_score(y_true, y_pred):.3f}"
    _finish(figure, ax, f"{len(y_true):,} test rows: {scores}", path)


def _dots(n: int) -> dict[str, Any]:
    """Make the dots the smaller and the fainter the more there are."""
    size, alpha = (28.0, 0.65) if n < 300 else (12.0, 0.4) if n < 3000 else (6.0, 0.22)
    return {"color": _TRAINING, "s": size, "alpha": alpha, "linewidths": 0}


def _figure(width: float, height: float) -> tuple[Any, Any]:
    """Make a figure that no window system and no other figure knows of."""
    figure = require("matplotlib.figure", "Drawing").Figure(
        figsize=(width, height), layout="tight"
    )
    return figure, figure.subplots()


def _finish(figure: Any, ax: Any, title: str, path: str | Path) -> None:
    ax.set_title(title, fontsize=13, loc="left", pad=10)
    ax.xaxis.label.set_size(12)
    ax.yaxis.label.set_size(12)
    ax.tick_params(labelsize=11)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(alpha=0.2)
    figure.savefig(path, dpi=150)
