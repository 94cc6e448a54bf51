"""What robust losses make of rows of y that are far off: outliers, and signal.

    python tests/benchmarks/outliers.py [--write] [--seeds 4]

3,000 rows of three columns. Some are far off, by so many times the deviation of the
others. As signal: they lie where the first column is extreme, and depend on it and on
the second; the others are noise. As outliers: they lie anywhere, and the others are a
smooth function. The median, over the seeds, of R2 on 1,000 further rows without
outliers, and how many of the fits were warned of; all parameters but the loss are the
defaults.
"""

import warnings

import numpy as np
from common import blas_threads, parser, publish, table
from joblib import Parallel, delayed

from skffnn import FFNNRegressor

LOSSES = "squared_error", "huber", "absolute_error"
SHARES = 0.003, 0.03, 0.1, 0.2
DISTANCES = {"signal": (30, 1e3, 1e5), "outliers": (1e3, 1e5, 1e20)}
ROWS, TEST = 3000, 1000


def rows_of(kind, share, distance, seed):
    """X, y as it is measured, and y as it is to be predicted."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (ROWS + TEST, 3))
    if kind == "signal":
        noise = rng.normal(size=len(X)) / distance
        there = np.abs(X[:, 0]) > 1 - share
        y = np.where(there, np.sign(X[:, 0]) * X[:, 1], noise)
        return X, y, y
    truth = np.sin(2 * X[:, 0]) + X[:, 1]
    y, wrong = truth.copy(), rng.permutation(ROWS)[: round(share * ROWS)]
    y[wrong] += distance * rng.normal(size=len(wrong))
    return X, y, truth


def run(kind, share, distance, loss, seed):
    X, y, truth = rows_of(kind, share, distance, seed)
    model = FFNNRegressor(loss=loss, random_state=seed)
    with warnings.catch_warnings(record=True) as told, blas_threads(1):
        warnings.simplefilter("always")
        model.fit(X[:ROWS], y[:ROWS])
    return model.score(X[ROWS:], truth[ROWS:]), bool(told)


def cell(results):
    r2, told = (
        np.median([each[0] for each in results]),
        sum(each[1] for each in results),
    )
    return (f"{r2:.2f}" if r2 > -1 else "< -1") + f" ({told} warned)" * bool(told)


def main():
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=4)
    options = options.parse_args()
    cases = [
        (kind, share, distance, loss)
        for kind, distances in DISTANCES.items()
        for share in SHARES
        for distance in distances
        for loss in LOSSES
    ]
    jobs = [(*case, seed) for case in cases for seed in range(options.seeds)]
    found = Parallel(n_jobs=2)(delayed(run)(*job) for job in jobs)
    results = {}
    for (*case, _), result in zip(jobs, found, strict=True):
        results.setdefault(tuple(case), []).append(result)
    tables = []
    for kind, distances in DISTANCES.items():
        lines = [
            [
                f"{100 * share:g} %",
                f"{distance:g}",
                *(cell(results[kind, share, distance, loss]) for loss in LOSSES),
            ]
            for share in SHARES
            for distance in distances
        ]
        head = table(["share", "distance", *LOSSES], lines)
        tables.append(f"Rows that are far off as {kind}:\n\n{head}")
    publish("outliers", tables, options)


if __name__ == "__main__":
    main()
