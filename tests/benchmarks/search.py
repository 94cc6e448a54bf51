"""A grid over the learning rate: FFNNGridSearchCV beside GridSearchCV and MLPRegressor.

    python tests/benchmarks/search.py [--rounds 3] [--write]

Eight learning rates times five folds, and the refit: 41 fits. MLPRegressor gets the
same layers, batches and epochs in its own GridSearchCV. Every search is at its own
fastest with one BLAS thread and one job. "same" says whether the mean scores of the two
searches of skffnn agree to the last bit.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
from common import blas_threads, interleaved, parser, publish, table
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor

from skffnn import FFNNGridSearchCV, FFNNRegressor

RATES = list(np.geomspace(0.001, 0.1, 8))


class Case(NamedTuple):
    """A table and a network."""

    rows: int
    columns: int
    hidden: tuple
    batch: int
    epochs: int
    dtype: str = "float64"
    weight_decay: float | str = 0.1


CASES = {
    "small": Case(900, 8, (50,), 32, 100),
    "small, float32": Case(900, 8, (50,), 32, 100, "float32"),
    "small, decay chosen": Case(900, 8, (50,), 32, 100, weight_decay="auto"),
    "three layers of 64": Case(900, 8, (64, 64, 64), 32, 100),
    "three of 64, float32": Case(900, 8, (64, 64, 64), 32, 100, "float32"),
    "more rows": Case(10_000, 8, (50,), 128, 30),
    "large": Case(2000, 20, (300, 300), 64, 10),
    "larger": Case(2000, 20, (800, 800), 64, 3),
}


def searches(case):
    """The fits to be timed, and the searches of skffnn."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(case.rows, case.columns)).astype(case.dtype)
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.3 * rng.normal(size=case.rows)
    network = FFNNRegressor(
        case.hidden,
        batch_size=case.batch,
        max_iter=case.epochs,
        weight_decay=case.weight_decay,
        random_state=0,
    )
    mlp = MLPRegressor(
        hidden_layer_sizes=case.hidden,
        batch_size=case.batch,
        max_iter=case.epochs,
        tol=0,
        n_iter_no_change=case.epochs + 1,
        random_state=0,
    )
    grid = {"learning_rate": RATES}
    every = {
        "skffnn": FFNNGridSearchCV(network, grid),
        "GridSearchCV": GridSearchCV(network, grid),
        "MLP": GridSearchCV(mlp, {"learning_rate_init": RATES}),
    }
    return {name: partial(search.fit, X, y) for name, search in every.items()}, every


def main():
    options = parser(__doc__).parse_args()
    rows = []
    for name, case in CASES.items():
        fits, every = searches(case)
        with blas_threads(1):
            times = interleaved(fits, options.rounds or 3)
        ours, theirs = (
            every[own].cv_results_["mean_test_score"]
            for own in ("skffnn", "GridSearchCV")
        )
        best = {own: t.min() for own, t in times.items()}
        rows.append(
            [
                name,
                f"{case.rows:,} x {case.columns}",
                case.hidden,
                case.batch,
                case.epochs,
                *(f"{seconds:.2f}" for seconds in best.values()),
                f"{best['GridSearchCV'] / best['skffnn']:.2f}",
                f"{best['MLP'] / best['skffnn']:.1f}",
                "yes" if np.array_equal(ours, theirs) else "no",
            ]
        )
    head = ["", "table", "hidden", "batch", "epochs", *times]
    tables = [
        "Seconds of a search, and how many times as long the others take:",
        table([*head, "GridSearchCV / skffnn", "MLP / skffnn", "same"], rows),
    ]
    publish("search", tables, options)


if __name__ == "__main__":
    main()
