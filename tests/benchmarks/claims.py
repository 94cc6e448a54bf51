"""Three claims about the defaults: bike sharing, early stopping, splines in front.

    python tests/benchmarks/claims.py DATA [--write] [--seeds 10] [--splits 3]

DATA is the folder that datasets.py describes.

Bike sharing, the classic protocol of the courses: the last 504 rows are test rows, the
1,440 before them validation rows, the target is standardised, and the figure is the
mean squared error on the validation rows, which nothing here looks at while training.

Early stopping: the test RMSE of FFNNRegressor(early_stopping=True), which holds out a
tenth of the rows, over that of the epoch that would have been best on the test rows, as
an oracle knows it; once at the defaults and once for a network that is far too large
and has next to no weight decay.

Splines: SplineTransformer(degree=1, knots="quantile") in front of the network, against
the network alone.
"""

import os
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
from common import parser, publish, quiet, table
from joblib import Parallel, delayed
from scipy.stats import gmean
from sklearn.metrics import mean_squared_error, root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from skffnn import FFNNRegressor

TABLES = datasets.STUDY
TOO_LARGE = {"hidden_layer_sizes": (256, 256), "weight_decay": 0.01}


def run(function, *arguments):
    with quiet():
        return function(*arguments)


def bike(folder, seed):
    """Mean squared error on the classic validation rows, in variances of cnt."""
    X, y, _, y_test = datasets.load(folder, "bike-by-time")
    whole = np.append(y, y_test)
    y = (y - whole.mean()) / whole.std(ddof=1)
    end = len(y) - datasets.BIKE_VALIDATION
    model = FFNNRegressor(random_state=seed).fit(X[:end], y[:end])
    return mean_squared_error(y[end:], model.predict(X[end:]))


def early_stopping(folder, name, split, parameters):
    """Test RMSE: stopped early, of the best epoch, of the last epoch."""
    X, y, X_test, y_test = datasets.load(folder, name, split)
    model = FFNNRegressor(random_state=split, **parameters)
    watched = model.fit(X, y, X_val=X_test, y_val=y_test)
    curve = watched.history_["validation_rmse"]
    model = FFNNRegressor(early_stopping=True, random_state=split, **parameters)
    stopped = root_mean_squared_error(y_test, model.fit(X, y).predict(X_test))
    return {"table": name, "stopped": stopped, "best": min(curve), "last": curve[-1]}


def splines(folder, name, split, n_knots):
    """Test RMSE with splines in front, over that without."""
    X, y, X_test, y_test = datasets.load(folder, name, split)
    rmse = []
    for knots in (None, n_knots):
        model = FFNNRegressor(random_state=split)
        if knots:
            basis = SplineTransformer(n_knots=knots, degree=1, knots="quantile")
            model = make_pipeline(basis, model)
        model.fit(X, y)
        rmse.append(root_mean_squared_error(y_test, model.predict(X_test)))
    return {"table": name, "ratio": rmse[1] / rmse[0]}


def everywhere(function, jobs):
    jobs = sorted(jobs, key=lambda job: job[1] not in ("kin40k", "bike"))
    return pd.DataFrame(
        Parallel(os.cpu_count())(delayed(run)(function, *j) for j in jobs)
    )


def main():
    options = parser(__doc__)
    options.add_argument("data", type=Path, help="the folder with the tables")
    options.add_argument("--seeds", type=int, default=10)
    options.add_argument("--splits", type=int, default=3)
    options = options.parse_args()
    folder = options.data

    def splits(name):
        return range(1 if name in ("kin40k", "bike") else options.splits)

    jobs = [(folder, seed) for seed in range(options.seeds)]
    errors = Parallel(os.cpu_count())(delayed(run)(bike, *job) for job in jobs)
    shown = [
        "Bike sharing, the classic protocol, validation MSE: "
        f"mean {np.mean(errors):.4f}, standard deviation {np.std(errors, ddof=1):.4f}, "
        f"worst {max(errors):.4f} of {len(errors)} seeds."
    ]
    for what, parameters in {"defaults": {}, "a network too large": TOO_LARGE}.items():
        jobs = [(folder, name, s, parameters) for name in TABLES for s in splits(name)]
        frame = everywhere(early_stopping, jobs).groupby("table").agg(gmean)
        ratio = frame.div(frame["best"], axis=0)[["stopped", "last"]].loc[list(TABLES)]
        rows = [[name, *(f"{v:.3f}" for v in ratio.loc[name])] for name in TABLES]
        rows.append(["geometric mean", *(f"{v:.3f}" for v in gmean(ratio))])
        header = ["", "early stopping / best epoch", "last epoch / best epoch"]
        shown += [f"Early stopping, {what}, test RMSE:", table(header, rows)]
    counts = (5, 10)
    by_knots = []
    for n_knots in counts:
        jobs = [(folder, name, s, n_knots) for name in TABLES for s in splits(name)]
        frame = everywhere(splines, jobs).groupby("table")["ratio"].agg(gmean)
        by_knots.append(frame)
    rows = [[name, *(f"{frame[name]:.3f}" for frame in by_knots)] for name in TABLES]
    header = ["", *(f"{k} knots" for k in counts)]
    shown += ["Test RMSE with splines over that without:", table(header, rows)]
    publish("claims", shown, options)


if __name__ == "__main__":
    main()
