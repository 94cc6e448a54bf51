"""Seconds to the accuracy that MLPRegressor at its defaults ends with.

    python tests/benchmarks/time_to_accuracy.py DATA [--rounds 3] [--write]

DATA is the folder that datasets.py describes. MLPRegressor() is fitted behind a
StandardScaler; its test RMSE is the goal. The others are asked for their test RMSE
after each epoch, and the time runs until it is no larger for the first time: for
FFNNRegressor() at its defaults, checks and preparation included, and for the network of
MLPRegressor's defaults in PyTorch and skorch on a standardised target, up to as many
epochs. The asking is a part of their time. The times and the ratio are medians over
the rounds; a dash says that in most of them the goal was not reached, or that skorch,
which takes minutes there, was spared a table of more than 10,000 rows.
"""

import time
import warnings
from pathlib import Path

import datasets
import numpy as np
from common import THREADS, blas_threads, optional, parser, publish, table
from sklearn.metrics import root_mean_squared_error
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from step import RATE, skorch_model, torch_network

from skffnn import FFNNRegressor

torch, skorch = optional("torch"), optional("skorch")
EPOCHS = 200  # max_iter of MLPRegressor
NEVER = np.inf
SKORCH_MOST = 10_000  # rows


def mlp(split, seed):
    """The goal, and the time that it takes."""
    start = time.perf_counter()
    model = make_pipeline(StandardScaler(), MLPRegressor(random_state=seed))
    model.fit(split.X, split.y)
    elapsed = time.perf_counter() - start
    return root_mean_squared_error(split.y_test, model.predict(split.X_test)), elapsed


def ours(split, goal, seed):
    start = time.perf_counter()
    model = FFNNRegressor(random_state=seed)
    model.fit(split.X, split.y, X_val=split.X_test, y_val=split.y_test)
    whole, history = time.perf_counter() - start, model.history_
    epochs = np.cumsum(model.seconds_)
    reached = np.flatnonzero(np.array(history["validation_rmse"]) <= goal)
    return whole - epochs[-1] + epochs[reached[0]] if len(reached) else NEVER


def standardised(split):
    """The arrays of PyTorch, and what the test RMSE has to be in them."""
    scaler, mean, sd = StandardScaler().fit(split.X), split.y.mean(), split.y.std()
    X, X_test = scaler.transform(split.X), scaler.transform(split.X_test)
    y, y_test = (((y - mean) / sd)[:, np.newaxis] for y in (split.y, split.y_test))
    dtype = split.X.dtype
    return [a.astype(dtype) for a in (X, y, X_test, y_test)], sd


def by_torch(split, goal, seed):
    torch.manual_seed(seed)
    start = time.perf_counter()
    arrays, sd = standardised(split)
    X, y, X_test, y_test = map(torch.from_numpy, arrays)
    network = torch_network(X.shape[1], (100,), X.dtype)
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE, fused=True)
    loss = torch.nn.MSELoss()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(X)).split(200):
            optimizer.zero_grad()
            loss(network(X[rows]), y[rows]).backward()
            optimizer.step()
        with torch.no_grad():
            if loss(network(X_test), y_test).item() ** 0.5 * sd <= goal:
                return time.perf_counter() - start
    return NEVER


def by_skorch(split, goal, seed):
    torch.manual_seed(seed)
    start = time.perf_counter()
    (X, y, X_test, y_test), sd = standardised(split)
    model = skorch_model(X, (100,), batch=200, epochs=1)
    for _ in range(EPOCHS):
        model.partial_fit(X, y)
        if root_mean_squared_error(y_test, model.predict(X_test)) * sd <= goal:
            return time.perf_counter() - start
    return NEVER


PEERS = {
    "skffnn": ours,
    "PyTorch": torch and by_torch,
    "skorch": skorch and by_skorch,
}


def measure(folder, name, dtype, rounds):
    """One row: medians over the rounds, each with a seed of its own."""
    split = datasets.Split(*(a.astype(dtype) for a in datasets.load(folder, name)))
    goals, times = [], {peer: [] for peer in ("MLPRegressor", *PEERS)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(rounds):
            goal, seconds = mlp(split, seed)
            goals.append(goal)
            times["MLPRegressor"].append(seconds)
            for peer, run in PEERS.items():
                spared = peer == "skorch" and len(split.y) > SKORCH_MOST
                times[peer].append(
                    run(split, goal, seed) if run and not spared else NEVER
                )
    middle = {peer: np.median(values) for peer, values in times.items()}
    shown = [f"{m:.2f}" if np.isfinite(m) else "-" for m in middle.values()]
    gains = np.array(times["MLPRegressor"]) / np.array(times["skffnn"])  # 0 for never
    goal = f"{np.median(goals):.4g}"
    return [name, len(split.y), dtype.name, goal, *shown, f"{np.median(gains):.1f}"]


def main():
    options = parser(__doc__)
    options.add_argument("data", type=Path, help="the folder with the tables")
    options = options.parse_args()
    header = ["", "rows", "dtype", "goal", "MLPRegressor s"]
    header += [f"{peer} s" for peer in PEERS] + ["MLPRegressor / ours"]
    tables = []
    for threads, what in THREADS.items():
        with blas_threads(threads):
            rows = [
                measure(options.data, name, np.dtype(dtype), options.rounds or 3)
                for name in datasets.NAMES
                for dtype in (np.float64, np.float32)
            ]
        tables += [f"{what}:", table(header, rows)]
    publish("time_to_accuracy", tables, options)


if __name__ == "__main__":
    main()
