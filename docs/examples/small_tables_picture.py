"""Draw the picture of the page on small tables: a band, and what the rows determine.

Run as ``python docs/examples/small_tables_picture.py docs/images/small-tables.png``.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skffnn import BayesianFFNNRegressor

STYLE = Path(__file__).parents[1] / "skffnn.mplstyle"
NOISE = 0.15
UNITS = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80)


def signal(x):
    return np.sin(2 * x) + x / 3


def rows():
    """Sixty rows, and none in the middle."""
    rng = np.random.default_rng(3)
    x = np.sort(np.r_[rng.uniform(-4, -1, 30), rng.uniform(1, 4, 30)])
    return x[:, np.newaxis], signal(x) + NOISE * rng.normal(size=60)


def draw_band(ax, X, y):
    model = BayesianFFNNRegressor(20, random_state=0).fit(X, y)
    grid = np.linspace(-5, 5, 400)[:, np.newaxis]
    low, high = model.predict_interval(grid, 0.95)
    band = {"color": "C0", "linewidth": 0}
    ax.fill_between(grid[:, 0], low, high, alpha=0.25, label="95 %", **band)
    ax.plot(grid, signal(grid), color="C2", linewidth=1, label="the function")
    ax.plot(grid, model.predict(grid), color="C1", label="prediction")
    ax.plot(X, y, ".", color="C5", label="rows")
    ax.set(title="One layer of 20 units", xlabel="x", ylabel="y", ylim=(-4, 5))
    ax.legend(loc="upper left", ncols=2)


def draw_effective(ax, X, y):
    models = [BayesianFFNNRegressor(m, random_state=0).fit(X, y) for m in UNITS]
    ax.plot(UNITS, [model.theta_.shape[1] for model in models], ".-", label="all")
    effective = [model.n_effective_parameters_ for model in models]
    ax.plot(UNITS, effective, ".-", label="determined by the rows")
    ax.axhline(len(y), color="0.5", linewidth=1, linestyle="--")
    ax.text(80, 0.93 * len(y), "rows", color="0.5", ha="right", va="top")
    ax.set(title="Parameters", xlabel="hidden units", xscale="log", yscale="log")
    ax.legend(loc="upper left")


def draw(path):
    plt.style.use(STYLE)
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8))
    X, y = rows()
    draw_band(axes[0], X, y)
    draw_effective(axes[1], X, y)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    draw(sys.argv[1])
