"""Displays: training curves, and the range test, on axes of matplotlib."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..extras import require
from .range_test import range_test
from .wrappers import fitted_network

# Colours that are told apart, also by the colour-blind, on white and on black.
TRAINING, VALIDATION, QUIET = "#1f77b4", "#d95f02", "0.5"


class LossCurveDisplay:
    """Training and validation error by epoch.

    Best made with `from_estimator`.

    Parameters
    ----------
    epoch : sequence of float
        The epochs, from 1.
    rmse : sequence of float, default=None
        RMSE on the training rows after each, in the units of the target; None or NaN
        where there is none.
    validation_rmse : sequence of float, default=None
        The same on validation rows.
    kept_epoch : int, default=None
        The epoch whose weights were kept, to be marked.
    best_epoch : int, default=None
        The epoch with the lowest validation loss, to be marked if it is another one.
    learning_rate : sequence of float, default=None
        The learning rate at the end of each epoch.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the curves are.
    learning_rate_ax_ : matplotlib Axes or None
        The second axis, of the learning rate, if that was asked for.
    figure_ : matplotlib Figure
        The figure that holds them.
    lines_ : list of matplotlib Line2D
        The curves that there are: training, validation, learning rate.

    See Also
    --------
    LearningRateDisplay : The loss against the learning rate.

    Examples
    --------
    >>> from skffnn import LossCurveDisplay
    >>> display = LossCurveDisplay(epoch=[1, 2, 3], rmse=[9, 5, 4]).plot()
    >>> display.ax_.get_xlabel()
    'Epoch'
    """

    _metric = "RMSE"
    ax_: Any
    learning_rate_ax_: Any
    figure_: Any
    lines_: list[Any]

    def __init__(
        self,
        *,
        epoch: Sequence[float],
        rmse: Sequence[float] | None = None,
        validation_rmse: Sequence[float] | None = None,
        kept_epoch: int | None = None,
        best_epoch: int | None = None,
        learning_rate: Sequence[float] | None = None,
    ):
        self.epoch = epoch
        self.rmse = rmse
        self.validation_rmse = validation_rmse
        self.kept_epoch = kept_epoch
        self.best_epoch = best_epoch
        self.learning_rate = learning_rate

    def __repr__(self) -> str:
        curves = {"training": self.rmse, "validation": self.validation_rmse}
        names = [name for name, curve in curves.items() if _finite(curve) is not None]
        drawn = " and ".join(names) or "no"
        return f"<LossCurveDisplay: {len(self.epoch)} epochs, {drawn} rows>"

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        ax: Any = None,
        target_name: str | None = None,
        learning_rate: bool = False,
        yscale: str | None = None,
    ) -> "LossCurveDisplay":
        """Draw the curves of a fitted `FFNNRegressor`.

        Parameters
        ----------
        estimator : fitted estimator
            The regressor, or a pipeline, search or `TransformedTargetRegressor`
            around it.
        ax, target_name, learning_rate, yscale
            See `plot`.

        Returns
        -------
        LossCurveDisplay
            What was drawn.

        Raises
        ------
        ValueError
            If there is not one fitted `FFNNRegressor` in the estimator; the message
            says what to pass.

        Examples
        --------
        >>> import numpy as np
        >>> from skffnn import FFNNRegressor, LossCurveDisplay
        >>> X = np.linspace(-1, 1, 50).reshape(-1, 1)
        >>> network = FFNNRegressor(8, max_iter=20, validation_fraction=0.2,
        ...                         random_state=0).fit(X, X[:, 0] ** 2)
        >>> len(LossCurveDisplay.from_estimator(network).lines_)
        2
        """
        network = fitted_network(estimator)
        history, metric = network.history_, network._target_kind.metric
        display = cls(
            epoch=history["epoch"],
            rmse=history[metric],
            validation_rmse=history[f"validation_{metric}"],
            kept_epoch=network.kept_iter_,
            best_epoch=network.best_iter_,
            learning_rate=history["learning_rate"],
        )
        display._metric = metric.upper()
        return display.plot(
            ax=ax, target_name=target_name, learning_rate=learning_rate, yscale=yscale
        )

    def plot(
        self,
        ax: Any = None,
        *,
        target_name: str | None = None,
        learning_rate: bool = False,
        yscale: str | None = None,
    ) -> "LossCurveDisplay":
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        target_name : str, default=None
            What the RMSE is of, for the label of the axis.
        learning_rate : bool, default=False
            Whether to draw the learning rate as well, on an axis of its own.
        yscale : {"linear", "log"}, default=None
            Scale of the RMSE; None takes "log" where the curves would else lie on the
            floor.

        Returns
        -------
        LossCurveDisplay
            The display itself.
        """
        if yscale not in (None, "linear", "log"):
            raise ValueError(f"yscale must be 'linear', 'log' or None; got {yscale!r}.")
        self.ax_, self.figure_ = _axes(ax)
        ax = self.ax_
        self.lines_, self.learning_rate_ax_ = [], None
        curves = []
        for name, values, color in (
            ("training rows", _finite(self.rmse), TRAINING),
            ("validation rows", _finite(self.validation_rmse), VALIDATION),
        ):
            if values is not None:
                self.lines_ += ax.plot(self.epoch, values, color=color, label=name)
                curves.append(values)
        if curves:
            _scale(ax, np.concatenate(curves), yscale)
            self._mark(ax, curves[-1], self.lines_[-1].get_color())
        if learning_rate:
            self._plot_learning_rate(ax)
        ax.set(
            xlabel="Epoch",
            ylabel=self._metric + (f" of {target_name}" * bool(target_name)),
        )
        if curves:
            ax.legend(frameon=False, fontsize="small")
        return self

    def _mark(self, ax: Any, values: np.ndarray, color: str) -> None:
        """Mark the epoch whose weights were kept, and the best, on the last curve."""
        epochs = list(self.epoch)
        marks = {}
        if self.best_epoch in epochs and _finite(self.validation_rmse) is not None:
            marks[self.best_epoch] = "lowest validation loss"
        if self.kept_epoch in epochs:
            marks[self.kept_epoch] = "kept"
        for epoch, what in marks.items():
            value, kept = values[epochs.index(epoch)], epoch == self.kept_epoch
            ax.axvline(epoch, color=QUIET, linewidth=0.8, linestyle=":")
            ax.plot(
                [epoch],
                [value],
                "o",
                color=color,
                markerfacecolor=color if kept else "none",
                markersize=7,
                zorder=3,
                label=f"epoch {epoch}, {what}: {value:,.4g}",
            )

    def _plot_learning_rate(self, ax: Any) -> None:
        rates = _finite(self.learning_rate)
        if rates is None:
            raise ValueError("There is no learning rate to draw: the run had none.")
        second = self.learning_rate_ax_ = ax.twinx()
        self.lines_ += second.plot(
            self.epoch, rates, color=QUIET, linewidth=1, linestyle="--"
        )
        second.set_ylabel("learning rate (dashed)")
        second.set_ylim(bottom=0)
        # The curves lie above the rate.
        ax.set_zorder(second.get_zorder() + 1)
        ax.patch.set_visible(False)


class LearningRateDisplay:
    """The learning-rate range test: the loss of a short run whose rate grows.

    Best made with `from_estimator`. Too low a rate and the loss hardly falls, too high
    and it rises: in between is where to search.

    Parameters
    ----------
    learning_rates, losses : sequence of float
        The loss at each rate, smoothed, in the units of the target.
    steepest : float
        The rate at which the logarithm of the loss falls fastest: the lower end of
        where to search.
    largest_safe : float
        The last rate before the loss lies a quarter above its lowest: the upper end.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where the curve is.
    figure_ : matplotlib Figure
        The figure that holds it.
    lines_ : list of matplotlib Line2D
        The curve.

    See Also
    --------
    LossCurveDisplay : The curves of a whole training run.

    References
    ----------
    Smith (2017), Cyclical Learning Rates for Training Neural Networks, section 3.3.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from skffnn import FFNNRegressor, LearningRateDisplay
    >>> X, y = make_friedman1(n_samples=1000, noise=1.0, random_state=0)
    >>> model = FFNNRegressor(random_state=0)
    >>> display = LearningRateDisplay.from_estimator(model, X, y)
    >>> 1e-5 < display.steepest < display.largest_safe < 10
    True
    """

    ax_: Any
    figure_: Any
    lines_: list[Any]

    def __init__(
        self,
        *,
        learning_rates: Sequence[float],
        losses: Sequence[float],
        steepest: float,
        largest_safe: float,
    ):
        self.learning_rates = learning_rates
        self.losses = losses
        self.steepest = steepest
        self.largest_safe = largest_safe

    def __repr__(self) -> str:
        ends = f"steepest {self.steepest:.2g}, largest safe {self.largest_safe:.2g}"
        return f"<LearningRateDisplay: {ends}>"

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        lowest: float = 1e-5,
        highest: float = 10.0,
        ax: Any = None,
    ) -> "LearningRateDisplay":
        """Run the range test and draw it.

        Parameters
        ----------
        estimator : FFNNRegressor or Pipeline
            The regressor, fitted or not, or a pipeline that ends in one: then the
            steps before it are fitted on X, as clones. Only parameters are read, and
            nothing of the estimator is changed.
        X, y, sample_weight
            What it would be fitted on. The run sees some thousand rows of it at most.
        lowest, highest : float, default=1e-5 and 10
            Where the rate begins and ends. The run ends early when the loss blows up.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        LearningRateDisplay
            What was drawn; `steepest` and `largest_safe` are the ends of the range to
            search in.

        Raises
        ------
        ValueError
            If the estimator is none of the two, if its solver is "lbfgs", or if the
            rates do not grow.

        Notes
        -----
        The run has a thousand steps or some more, over a sample of sixteen batches of
        rows. A weight decay that the table is to choose is a small fixed one here: 0.1,
        with "sgd" 0.0005. Beyond the largest safe rate whole runs are soon worse; some
        tables want a lower one than that, for a short run bears more than a long one.

        Examples
        --------
        >>> from sklearn.datasets import load_diabetes
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.preprocessing import PolynomialFeatures
        >>> from skffnn import FFNNRegressor, LearningRateDisplay
        >>> X, y = load_diabetes(return_X_y=True)
        >>> model = make_pipeline(PolynomialFeatures(2), FFNNRegressor(random_state=0))
        >>> display = LearningRateDisplay.from_estimator(model, X, y)
        >>> display.ax_.get_xscale()
        'log'
        """
        test = range_test(estimator, X, y, sample_weight, lowest, highest)
        return cls(**test._asdict()).plot(ax=ax)

    def plot(self, ax: Any = None) -> "LearningRateDisplay":
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        LearningRateDisplay
            The display itself.
        """
        self.ax_, self.figure_ = _axes(ax)
        ax = self.ax_
        self.lines_ = ax.plot(self.learning_rates, self.losses, color=TRAINING)
        ax.set(xscale="log", xlabel="Learning rate", ylabel="Loss")
        if np.min(self.losses) > 0:  # a perfect fit has no logarithm
            ax.set_yscale("log")
        ax.axvspan(
            self.steepest, self.largest_safe, color=QUIET, alpha=0.15, linewidth=0
        )
        marks = {
            "steepest": (self.steepest, "v"),
            "largest safe": (self.largest_safe, "s"),
        }
        for name, (rate, marker) in marks.items():
            loss = np.interp(rate, self.learning_rates, self.losses)
            ax.plot(
                [rate], [loss], marker, color=VALIDATION, label=f"{name}: {rate:.2g}"
            )
        ax.legend(frameon=False, fontsize="small")
        return self


def _axes(ax: Any) -> tuple[Any, Any]:
    """Axes to draw on, and their figure."""
    if ax is None:
        ax = require("matplotlib.pyplot", "Drawing").subplots()[1]
    return ax, ax.figure


def _finite(values: Sequence[float] | None) -> np.ndarray | None:
    """A curve as an array; None if there is nothing to draw."""
    if values is None:
        return None
    curve = np.asarray(values, dtype=float)
    return curve if np.isfinite(curve).any() else None


def _scale(ax: Any, values: np.ndarray, yscale: str | None) -> None:
    """Set the y-axis: logarithmic where the curves would else lie on the floor."""
    values = values[np.isfinite(values)]
    if yscale is None and values.min() > 0 and values.max() > 8 * np.median(values):
        yscale = "log"
    ax.margins(x=0.02)
    if yscale == "log":
        ax.set_yscale("log")
    elif ax.get_yscale() != "log":
        ax.autoscale(axis="y")  # the axes may hold other curves already
        ax.set_ylim(bottom=0)
