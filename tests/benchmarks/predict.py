"""predict for 1 row, 100 rows and 1 million, from an array and from a DataFrame.

    python tests/benchmarks/predict.py [--rounds 7] [--write]

The network is 13 -> 100 -> 1, relu, and once 13 -> 500 -> 1. skffnn standardises inputs
and target on the way, and so do PyTorch and skorch here, by hand; MLPRegressor does
not. PyTorch gets the rows in pieces that suit it, checks nothing, and returns the dtype
that it is given. "first call" is the first prediction for 1 million rows in a fresh
process, the model loaded from a file. skorch, which reads rows one by one, is spared
the million: it would take minutes. The peak is what the process needs beyond the rows
and the model, the output excluded.
"""

import tempfile
import warnings
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from common import (
    MEMORY,
    THREADS,
    blas_threads,
    fresh,
    interleaved,
    optional,
    parser,
    publish,
    ratio,
    table,
)
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPRegressor
from step import torch_network

from skffnn import FFNNRegressor

torch, skorch = optional("torch"), optional("skorch")
ROWS, COLUMNS, HIDDEN, WIDE = 1_000_000, 13, (100,), (500,)
PIECE = 8192  # rows of one pass in PyTorch
CALLS = {1: 300, 100: 300, 2000: 30, ROWS: 1}

FIRST_CALL = (
    MEMORY
    + """
import sys, time, joblib, numpy as np, pandas as pd
from threadpoolctl import threadpool_limits
path, dtype, kind, threads = sys.argv[1:]
model = joblib.load(path)
X = np.random.default_rng(0).normal(size=(1_000_000, 13)).astype(dtype)
if kind == "DataFrame":
    X = pd.DataFrame(X, columns=model.feature_names_in_)

forget_peak()
before = resident("VmRSS")
with threadpool_limits(int(threads) or None):
    start = time.perf_counter()
    y_hat = model.predict(X)
    elapsed = time.perf_counter() - start
print(elapsed, resident("VmHWM") - before - y_hat.nbytes / 2**20)
"""
)


def make_rows(n, dtype, kind):
    X = np.random.default_rng(0).normal(size=(n, COLUMNS)).astype(dtype)
    return pd.DataFrame(X).add_prefix("x") if kind == "DataFrame" else X


class Torch:
    """The network in PyTorch, with the scaling that skffnn does."""

    def __init__(self, dtype, hidden):
        self.network = torch_network(
            COLUMNS, hidden, torch.from_numpy(np.empty(0, dtype)).dtype
        )
        self.dtype = dtype

    def predict(self, X):
        X = torch.from_numpy(np.asarray(X, self.dtype))
        with torch.no_grad():
            pieces = [self.network((x - 0.5) / 1.5) for x in X.split(PIECE)]
            return (torch.cat(pieces) * 3.0 + 2.0).numpy()


class Skorch(Torch):
    """The same in skorch, which reads the rows through a loader of batches."""

    def __init__(self, dtype, hidden):
        super().__init__(dtype, hidden)
        self.model = skorch.NeuralNetRegressor(self.network, batch_size=1024)
        self.model.initialize()

    def predict(self, X):
        X = np.asarray(X, self.dtype)
        return self.model.predict((X - self.dtype(0.5)) / self.dtype(1.5)) * 3.0 + 2.0


def fitted(dtype, kind, hidden=HIDDEN):
    """Every model, fitted to a few rows: what it has learnt does not matter."""
    X = make_rows(2000, dtype, kind)
    y = np.asarray(X)[:, 0] * 3
    mlp = MLPRegressor(hidden_layer_sizes=hidden, max_iter=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = {
            "skffnn": FFNNRegressor(hidden, max_iter=3, random_state=0).fit(X, y),
            "MLPRegressor": mlp.fit(X, y),
            "LinearRegression": LinearRegression().fit(X, y),
        }
    if torch:
        models["PyTorch"] = Torch(dtype, hidden)
    if skorch:
        models["skorch"] = Skorch(dtype, hidden)
    return models


def measure(models, dtype, kind, n, rounds, hidden=HIDDEN):
    """One row of the table: the time of a call, and ratios."""
    X = make_rows(n, dtype, kind)
    calls = {
        name: partial(repeat, model.predict, X, CALLS[n])
        for name, model in models.items()
        if n < ROWS or name != "skorch"
    }
    times = interleaved(calls, rounds)
    shown = [
        f"{1e6 * times[name].min() / CALLS[n]:,.0f}" if name in times else "-"
        for name in models
    ]
    ratios = [ratio(times, name) for name in models if name != "skffnn"]
    return [f"{n:,}", hidden[0], kind, np.dtype(dtype).name, *shown, *ratios]


def repeat(function, argument, times):
    for _ in range(times):
        function(argument)


def first_call(models, dtype, kind, threads, rounds):
    """Seconds of the first call, and its peak in MiB, of skffnn and MLPRegressor."""
    times = {name: [] for name in ("skffnn", "MLPRegressor")}
    peaks = {name: [] for name in times}
    with tempfile.TemporaryDirectory() as folder:
        for name in times:
            joblib.dump(models[name], Path(folder) / name)
        for _ in range(rounds):
            for name in times:
                path = Path(folder) / name
                said = fresh(FIRST_CALL, path, np.dtype(dtype).name, kind, threads or 0)
                elapsed, peak = map(float, said.split())
                times[name].append(elapsed)
                peaks[name].append(peak)
    quotient = np.median(np.divide(times["MLPRegressor"], times["skffnn"]))
    shown = [f"{min(times[name]):.2f}" for name in times]
    shown += [f"{quotient:.1f}", *(f"{np.median(peaks[name]):.1f}" for name in times)]
    return [kind, np.dtype(dtype).name, *shown]


def main():
    options = parser(__doc__).parse_args()
    tables, rounds = [], options.rounds or 7
    for threads, what in THREADS.items():
        warm, cold = [], []
        for dtype in (np.float64, np.float32):
            for kind in ("array", "DataFrame"):
                models = fitted(dtype, kind)
                with blas_threads(threads):
                    for n in (1, 100, ROWS):
                        warm.append(measure(models, dtype, kind, n, rounds))
                cold.append(first_call(models, dtype, kind, threads, rounds))
            with blas_threads(threads):
                wide = fitted(dtype, "array", WIDE)
                warm.append(measure(wide, dtype, "array", 2000, rounds, WIDE))
        names = list(models)
        header = ["rows", "units", "from", "dtype", *(f"{name} us" for name in names)]
        header += [f"{name} / ours" for name in names[1:]]
        tables += [f"{what}, warm:", table(header, warm)]
        header = ["from", "dtype", "skffnn s", "MLPRegressor s", "MLPRegressor / ours"]
        header += ["skffnn peak MiB", "MLPRegressor peak MiB"]
        tables += [f"{what}, first call for 1 million rows:", table(header, cold)]
    publish("predict", tables, options)


if __name__ == "__main__":
    main()
