"""FFNNEnsembleRegressor beside its networks, and how often its intervals are right.

    python tests/benchmarks/ensemble.py DATA [--splits 3] [--write] [--only airfoil gas]

DATA is the folder that datasets.py describes; tables and splits are those of
accuracy.py, defaults all along. Of each split there is an ensemble of eight networks,
one of eight bootstrap samples, and one that holds out a fifth of the rows to calibrate
its intervals. Ratios of RMSE are geometric means, over the networks and splits of a
table and then over the tables: below 1 is better than one network. One BLAS thread, as
many processes at a time as the machine has cores.
"""

import os
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
from accuracy import MAIN, SPLITS
from common import parser, publish, quiet, seconds, table
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.metrics import root_mean_squared_error

from skffnn import FFNNEnsembleRegressor

COVERAGES = (0.5, 0.8, 0.95)
VARIANTS = {
    "ensemble": {},
    "bootstrap": {"bootstrap": True},
    "calibrated": {"calibration_fraction": 0.2},
}
# The half width of an 80 % interval of a normal distribution, in standard deviations.
EIGHTY = 1.2815515655446004


def run(folder, name, split, variant):
    """Errors, seconds and coverages of one ensemble."""
    data = datasets.load(folder, name, split)
    model = FFNNEnsembleRegressor(random_state=split, **VARIANTS[variant])
    found = {"table": name, "rows": len(data.y), "split": split, "variant": variant}
    with quiet():
        found["seconds"] = seconds(lambda: model.fit(data.X, data.y))
        found["rmse"] = root_mean_squared_error(data.y_test, model.predict(data.X_test))
        if variant == "ensemble":
            alone = [own.predict(data.X_test) for own in model.estimators_]
            errors = [root_mean_squared_error(data.y_test, y_hat) for y_hat in alone]
            found["one"] = np.exp(np.mean(np.log(errors)))
            one = clone(model.estimators_[0])
            found["seconds of one"] = seconds(lambda: one.fit(data.X, data.y))
        for coverage in COVERAGES:
            low, high = model.predict_interval(data.X_test, coverage)
            inside = (low <= data.y_test) & (data.y_test <= high)
            found[f"{coverage:.0%}"] = inside.mean()
            if coverage == 0.8:
                normal = 2 * EIGHTY * found["rmse"]
                found["width"] = np.mean(high - low) / normal
    return found


def tables(results, names):
    """Errors and times; coverages and widths."""
    of = {v: part.groupby("table") for v, part in results.groupby("variant")}
    one = results.pivot(index=["table", "split"], columns="variant", values="one")
    rmse = results.pivot(index=["table", "split"], columns="variant", values="rmse")
    ratio = np.log(rmse.div(one["ensemble"], axis=0)).groupby("table").mean()
    errors, intervals = [], []
    columns = [f"{coverage:.0%}" for coverage in COVERAGES]
    for name in names:
        plain = of["ensemble"]
        took = plain["seconds"].mean()[name], plain["seconds of one"].mean()[name]
        errors.append(
            [
                name,
                f"{plain['rows'].first()[name]:,}",
                f"{plain['one'].mean()[name]:.4g}",
                *(f"{np.exp(ratio[variant][name]):.3f}" for variant in VARIANTS),
                f"{took[0]:.2f}",
                f"{8 * took[1] / took[0]:.2f}",
            ]
        )
        intervals.append(
            [
                name,
                *(f"{plain[c].mean()[name]:.0%}" for c in columns),
                *(f"{of['calibrated'][c].mean()[name]:.0%}" for c in columns),
                f"{of['calibrated']['width'].mean()[name]:.2f}",
            ]
        )
    means = [f"{np.exp(ratio.loc[list(names), v].mean()):.3f}" for v in VARIANTS]
    errors.append(["geometric mean", "", "", *means, "", ""])
    covered = [
        f"{of[variant][c].mean()[list(names)].mean():.0%}"
        for variant in ("ensemble", "calibrated")
        for c in columns
    ]
    intervals.append(["mean", *covered, ""])
    heads = [f"spread, {c}" for c in columns] + [f"calibrated, {c}" for c in columns]
    return [
        "Test RMSE of one network, and of ensembles of eight as a share of it; seconds "
        "to train the ensemble, and how many times as long its eight networks take one "
        "after the other:",
        table(["", "rows", "one", *VARIANTS, "seconds", "alone / stack"], errors),
        "How many of the test targets lie in intervals that are to cover 50, 80 and "
        "95 % of them: by the spread alone, and calibrated on held-out rows. The width "
        "of the calibrated 80 % interval is its mean, as a share of that of a normal "
        "distribution with the test RMSE:",
        table(["", *heads, "width"], intervals),
    ]


def main():
    options = parser(__doc__)
    options.add_argument("data", type=Path, help="the folder with the tables")
    options.add_argument("--splits", type=int, default=3, help="at most so many")
    options.add_argument("--only", nargs="*", help="these tables")
    options = options.parse_args()
    names = [name for name in MAIN if name in (options.only or MAIN)]
    jobs = [
        (options.data, name, split, variant)
        for name in names
        for split in range(min(options.splits, SPLITS.get(name, options.splits)))
        for variant in VARIANTS
    ]
    jobs.sort(key=lambda job: job[1] not in SPLITS)
    results = Parallel(os.cpu_count())(delayed(run)(*job) for job in jobs)
    publish("ensemble", tables(pd.DataFrame(results), names), options)


if __name__ == "__main__":
    main()
