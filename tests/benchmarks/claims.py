"""Three claims about the defaults: bike sharing, early stopping, splines in front.

    python tests/benchmarks/claims.py DATA [--write] [--seeds 10] [--splits 3]

DATA is the folder that datasets.py describes.

Bike sharing, the classic protocol of the courses: the last 504 rows are test rows, the
1,440 before them validation rows, the target is standardised, and the figure is the
mean squared error on the validation rows, which nothing here looks at while training.

Early stopping: a tenth of the training rows are held out, and choose an epoch. Its test
RMSE, over that of the epoch of the same run that was best on the test rows, as an
oracle knows it; beside it the last epoch of that run, and the last epoch of a run on
all of the rows. Once at the defaults and once for a network that is far too large and
has next to no weight decay.

Splines: SplineTransformer(degree=1, knots="quantile") in front of the network, for the
columns with more than 20 different values, against the network alone: test RMSE and the
time of a fit.
"""

import os
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
from common import parser, publish, quiet, seconds, table
from joblib import Parallel, delayed
from scipy.stats import gmean
from sklearn.compose import make_column_transformer
from sklearn.metrics import mean_squared_error, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from skffnn import FFNNRegressor

TABLES = datasets.STUDY
KNOTS = (5, 10)
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
    """Test RMSE: stopped early, of the best and the last epoch, without holding out."""
    X, y, X_test, y_test = datasets.load(folder, name, split)
    X_fit, X_out, y_fit, y_out = train_test_split(
        X, y, test_size=0.1, random_state=split
    )
    model = FFNNRegressor(random_state=split, **parameters)
    everything = root_mean_squared_error(y_test, model.fit(X, y).predict(X_test))
    model.fit(X_fit, y_fit, X_val=X_test, y_val=y_test)
    curve = model.history_["validation_rmse"]
    model.set_params(early_stopping=True).fit(X_fit, y_fit, X_val=X_out, y_val=y_out)
    return {
        "table": name,
        "stopped": root_mean_squared_error(y_test, model.predict(X_test)),
        "best": min(curve),
        "last": curve[-1],
        "all rows": everything,
    }


def splines(folder, name, split):
    """Test RMSE and time with splines in front, over those without."""
    X, y, X_test, y_test = datasets.load(folder, name, split)
    numeric = [j for j, column in enumerate(X.T) if len(np.unique(column)) > 20]
    found = {}
    for knots in (None, *KNOTS):
        model = FFNNRegressor(random_state=split)
        if knots:
            basis = SplineTransformer(n_knots=knots, degree=1, knots="quantile")
            columns = make_column_transformer((basis, numeric), remainder="passthrough")
            model = make_pipeline(columns, model)
        elapsed = seconds(lambda model=model: model.fit(X, y))
        rmse = root_mean_squared_error(y_test, model.predict(X_test))
        found[knots] = np.array([rmse, elapsed])
    ratios = {f"{k} knots": found[k][0] / found[None][0] for k in KNOTS}
    times = {f"{k} knots, time": found[k][1] / found[None][1] for k in KNOTS}
    return {"table": name, **ratios, **times}


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
        frame = frame.div(frame["best"], axis=0).loc[list(TABLES)]
        ratio = frame[["stopped", "last", "all rows"]]
        rows = [[name, *(f"{v:.3f}" for v in ratio.loc[name])] for name in TABLES]
        rows.append(["geometric mean", *(f"{v:.3f}" for v in gmean(ratio))])
        header = ["", "early stopping", "last epoch", "last epoch, all rows"]
        shown += [
            f"Early stopping, {what}, test RMSE over that of the best epoch:",
            table(header, rows),
        ]
    jobs = [(folder, name, s) for name in TABLES for s in splits(name)]
    frame = everywhere(splines, jobs).groupby("table").agg(gmean).loc[list(TABLES)]
    rows = [[name, *(f"{v:.3f}" for v in frame.loc[name])] for name in TABLES]
    shown += [
        "With splines in front over without, test RMSE and time:",
        table(["", *frame.columns], rows),
    ]
    publish("claims", shown, options)


if __name__ == "__main__":
    main()
