"""Pictures in files: the training curve, and predicted against actual."""

from pathlib import Path
from typing import Any

from ..extras import require
from .display import QUIET, TRAINING, LossCurveDisplay


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
        line_kwargs={"color": QUIET, "linewidth": 1.2},
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
    return {"color": TRAINING, "s": size, "alpha": alpha, "linewidths": 0}


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
