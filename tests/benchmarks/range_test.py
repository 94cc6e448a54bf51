"""Whether the learning-rate range test points where it is worth searching.

    python tests/benchmarks/range_test.py DATA [--write] [--splits 3]

DATA is the folder that datasets.py describes. On the training rows of each split the
range test, its time and its two rates; then whole fits, default but for the rate: the
steepest one, a tenth and a third of the largest safe one, that itself, and three times
it. Their test RMSE over that of the default rate, 0.02; "-" if a fit diverged.
"""

from pathlib import Path

import datasets
import numpy as np
from common import parser, publish, quiet, seconds, table
from joblib import Parallel, delayed
from scipy.stats import gmean
from sklearn.metrics import root_mean_squared_error

from skffnn import FFNNRegressor
from skffnn.inspection.range_test import range_test

TABLES = tuple(name for name in datasets.STUDY if name not in ("kin40k", "bike"))
SOLVERS = ("adam", "sgd")
RATES = {
    "steepest": lambda test: test.steepest,
    "safe / 10": lambda test: test.largest_safe / 10,
    "safe / 3": lambda test: test.largest_safe / 3,
    "safe": lambda test: test.largest_safe,
    "3 safe": lambda test: 3 * test.largest_safe,
}


def error(split, **parameters):
    try:
        model = FFNNRegressor(**parameters).fit(split.X, split.y)
    except FloatingPointError:
        return np.nan
    return root_mean_squared_error(split.y_test, model.predict(split.X_test))


def run(folder, name, number, solver):
    with quiet():
        split = datasets.load(folder, name, number)
        own = {"solver": solver, "random_state": number}
        found = []
        time = seconds(
            lambda: found.append(
                range_test(FFNNRegressor(**own), split.X, split.y, None, 1e-5, 10.0)
            )
        )
        default = error(split, **own)
        ratios = [
            error(split, learning_rate=rate(found[0]), **own) / default
            for rate in RATES.values()
        ]
    return time, found[0].steepest, found[0].largest_safe, *ratios


def rows_of(solver, results):
    rows = []
    for name in TABLES:
        means = gmean(np.array(results[solver, name]), axis=0)
        rows.append([name, f"{means[0]:.2f}", *(f"{m:.2g}" for m in means[1:3])])
        rows[-1] += ["-" if np.isnan(m) else f"{m:.3f}" for m in means[3:]]
    return rows


def main():
    options = parser(__doc__)
    options.add_argument("data", type=Path)
    options.add_argument("--splits", type=int, default=3)
    options = options.parse_args()
    jobs = [
        (name, k, solver)
        for solver in SOLVERS
        for name in TABLES
        for k in range(options.splits)
    ]
    found = Parallel(n_jobs=2)(delayed(run)(options.data, *job) for job in jobs)
    results = {}
    for (name, _, solver), result in zip(jobs, found, strict=True):
        results.setdefault((solver, name), []).append(result)
    header = ["", "s", "steepest rate", "largest safe rate", *RATES]
    tables = [
        f'solver="{solver}":\n\n{table(header, rows_of(solver, results))}'
        for solver in SOLVERS
    ]
    publish("range_test", tables, options)


if __name__ == "__main__":
    main()
