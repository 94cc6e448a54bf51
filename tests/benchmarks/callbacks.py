"""What it costs an epoch that scikit-learn's callbacks can look at it.

    python tests/benchmarks/callbacks.py [--rounds 9] [--write]

One epoch is told to the callbacks that are set: none, one that does nothing, one that
looks at a copy of the model, scikit-learn's ScoringMonitor and its ProgressBar. A
thousand rows, three hidden layers of 64. Beside it, a whole fit of 100 epochs on those
rows with the same callbacks, against the fit without.
"""

import contextlib
import io
from functools import partial

import numpy as np
from common import blas_threads, interleaved, parser, publish, table
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor

from skffnn import FFNNRegressor
from skffnn.fitting.callbacks import FitTask

EPOCHS = 100


class Idle:
    """Is told of everything and looks at nothing."""

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        return False


class Looking(Idle):
    """Asks for a model of its own after each epoch."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        return False


CALLBACKS = {
    "none": None,
    "one that does nothing": Idle,
    "one that takes the model": Looking,
    "ScoringMonitor": partial(ScoringMonitor, scoring="r2"),
    "ProgressBar": partial(ProgressBar, max_propagation_depth=None),
}


def fit(model, X, y):
    with contextlib.redirect_stdout(io.StringIO()):
        model.fit(X, y)


def telling(X, y):
    """A thousand epochs of nothing, told to nobody."""
    task = FitTask(FFNNRegressor(), 1000, X=X, y=y, metadata={})
    for _ in range(1000):
        task.epoch_ended(dict)


def main():
    options = parser(__doc__).parse_args()
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1000, 10))
    y = np.sin(X[:, 0]) + X[:, 1]
    plain = FFNNRegressor(max_iter=EPOCHS, weight_decay=0.1, random_state=0)
    fits = {}
    for name, callback in CALLBACKS.items():
        model = clone(plain)
        if callback:
            model.set_callbacks(callback())
        fits[name] = partial(fit, model, X, y)
    with blas_threads(1):
        times = interleaved(fits, options.rounds or 9)
        told = interleaved({"none": partial(telling, X, y)}, 9)["none"].min()
    none = times["none"]
    rows = [
        [
            name,
            f"{1e3 * t.min():.1f}",
            "-" if name == "none" else f"{1e6 * np.median(t - none) / EPOCHS:.0f}",
        ]
        for name, t in times.items()
    ]
    tables = [
        f"Telling nobody: {1e3 * told:.1f} microseconds an epoch.",
        table(
            ["callback", f"{EPOCHS} epochs, ms", "more an epoch, microseconds"], rows
        ),
    ]
    publish("callbacks", tables, options)


if __name__ == "__main__":
    main()
