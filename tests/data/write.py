"""Write files of models as this version saves them, for later versions to load.

    python tests/data/write.py tests/data/format-1

Once for each format of the file: never over files that are there. A kind of model that
is younger than its format is written beside the others, once:

    python tests/data/write.py tests/data/format-2 mixed

`predictions.npz` holds rows, and what each model predicts for them; those of a mixed
table are in `mixed-predictions.npz`. The numbers of the models are rounded
to fractions of powers of two that are so short that every product and every sum is
exact. So the predictions are the same on every machine, whatever its BLAS, to the last
bit; this script computes them once more in rational numbers, to be sure.
"""

import sys
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
)


class Interrupt:
    """A callback that does what Ctrl-C does, after three epochs."""

    epochs = 3

    def setup(self, estimator, context):
        """Do nothing."""

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context):
        """Interrupt, in time."""
        self.epochs -= context.task_name == "epoch"
        if self.epochs == 0:
            raise KeyboardInterrupt


def table(columns=("a", "b", "c")):
    """Three columns, the last of which has heavy tails, and a target."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(120, 2)), rng.standard_cauchy(120)])
    X[::50, 2] = 1000
    y = 3 + X[:, 0] * X[:, 1] + 0.1 * rng.normal(size=120)
    return pd.DataFrame(X, columns=list(columns)), y


def rows():
    """Short fractions; no column reaches as far as a heavy tail does."""
    return np.random.default_rng(1).integers(-8, 9, (16, 3)) / 8


def mixed_table(n=120):
    """Two columns of numbers, one with gaps; towns are few, and shops are many."""
    rng = np.random.default_rng(2)
    X = pd.DataFrame(rng.normal(size=(n, 2)), columns=["a", "b"])
    X["town"] = rng.choice(["Aix", "Bath", "Ulm"], n).astype(object)
    X["shop"] = [f"shop {k % 20}" for k in range(n)]
    y = X["b"] + (X["town"] == "Ulm") + np.sin(np.arange(n) % 20)
    X.loc[::7, ["a", "town"]] = None
    return X, y


def mixed_rows():
    """Short fractions, gaps, and levels; a town and a shop that nobody has seen."""
    X = pd.DataFrame(rows()[:, :2], columns=["a", "b"])
    X["town"] = np.resize(["Aix", "Bath", "Ulm", "", "Rome"], len(X)).astype(object)
    X["shop"] = [f"shop {k + 5}" for k in range(len(X))]
    X.loc[::4, "a"] = np.nan
    X["town"] = X["town"].where(X["town"] != "", None)
    return X


def shortened(model):
    """The model with short fractions for numbers."""
    model.theta_ = np.clip(np.round(model.theta_ * 16) / 16, -3, 3)
    for name in "x_mean_", "y_mean_":
        setattr(model, name, np.round(getattr(model, name) * 4) / 4)
    for name in "x_scale_", "y_scale_":
        setattr(model, name, 2 ** np.round(np.log2(getattr(model, name))))
    for name in ("gaps", "one_hot") if model._encoding else ():
        for _, inputs in model._encoding[name]:
            inputs[...] = np.round(inputs * 4) / 4
    return model


ratio = np.vectorize(Fraction, otypes=[object])


def exact(model, theta, X):
    """What one network predicts, in rational numbers."""
    a = (ratio(X) - ratio(model.x_mean_)) / ratio(model.x_scale_)
    return predicted(model, theta, a)


def exact_of_mixed(model, X):
    """The same for the rows of `mixed_rows`."""
    known, theta = model._encoding, model.theta_
    gaps = X[["a", "b"]].isna().to_numpy()
    numbers = ratio(X[["a", "b"]].fillna(0).to_numpy())
    z = (numbers - ratio(model.x_mean_)) / ratio(model.x_scale_)
    parts = [np.where(gaps, Fraction(0), z)]
    parts += [ratio(inputs[gaps[:, k].astype(int)]) for k, inputs in known["gaps"]]
    codes = {k: codes_of(X.iloc[:, k], levels) for k, levels in known["levels"]}
    parts += [ratio(inputs[codes[k]]) for k, inputs in known["one_hot"]]
    start = sum(m * n for m, n in pairwise(model.units_))
    for k, choice, width in known["embedded"]:
        stop = start + (choice.max() + 1) * width
        E, start = theta[start:stop].reshape(-1, width), stop
        parts.append(ratio(E[choice[codes[k]]]))
    n_weights = sum(m * n for m, n in pairwise(model.units_))
    theta = np.concatenate([theta[:n_weights], theta[start:]])
    return predicted(model, theta, np.hstack(parts))


def codes_of(values, levels):
    """The places of the levels; behind them a missing one, and an unknown one."""
    n = len(levels)
    place = dict(zip(levels, range(n), strict=True))
    return np.array([n if pd.isna(v) else place.get(v, n + 1) for v in values])


def predicted(model, theta, a):
    """What comes of inputs, in rational numbers; theta has weights and biases."""
    units = model.units_
    n_weights = sum(m * n for m, n in pairwise(units))
    W, b = ratio(theta[:n_weights]), ratio(theta[n_weights:])
    for l, (m, n) in enumerate(pairwise(units)):
        a = a @ W[: m * n].reshape(m, n) + b[:n]
        W, b = W[m * n :], b[n:]
        if l + 2 < len(units):
            a = np.maximum(a, 0)
    return (a * ratio(model.y_scale_) + ratio(model.y_mean_))[:, 0]


def models():
    """Name of the file, fitted model and exact predictions, for each kind."""
    (X, y), new = table(), rows()
    network = FFNNRegressor((6, 4), max_iter=20, random_state=0)
    regressor = shortened(network.fit(X, y))
    yield "regressor", regressor, exact(regressor, regressor.theta_, new)

    halfway = FFNNRegressor((6, 4), max_iter=20, early_stopping=True, random_state=0)
    halfway.set_callbacks(Interrupt())
    with suppress(KeyboardInterrupt):
        halfway.fit(X, y)
    halfway = shortened(halfway)
    yield "interrupted", halfway, exact(halfway, halfway.theta_, new)

    small = BayesianFFNNRegressor(
        5, activation="relu", n_restarts=2, max_iter=20, tol=0.1, random_state=0
    )
    small = shortened(small.fit(X[:100], y[:100]))
    weights = np.array([0.75, 0.25])[: len(small.committee_weights_)]
    small.committee_weights_ = weights / weights.sum()
    each = np.array([exact(small, theta, new) for theta in small.theta_])
    # Weighted and brought back to units: both are linear.
    mixed = [Fraction(w) for w in small.committee_weights_] @ each
    yield "bayesian", small, mixed

    options = {"max_iter": 20, "solver": "sgd", "loss": "huber"}
    ensemble = FFNNEnsembleRegressor(
        FFNNRegressor(6, **options), 2, calibration_fraction=0.25, random_state=0
    ).fit(X, y)
    ensemble.estimators_ = [shortened(one) for one in ensemble.estimators_]
    each = [exact(one, one.theta_, new) for one in ensemble.estimators_]
    yield "ensemble", ensemble, sum(each) / len(each)

    search = FFNNGridSearchCV(network, {"learning_rate": [0.01, 0.02]}, cv=2).fit(X, y)
    shortened(search.best_estimator_)
    best = search.best_estimator_
    yield "search", search, exact(best, best.theta_, new)


def write_mixed(folder):
    """Write the file of a model with categories and gaps, and what it predicts."""
    X = mixed_rows()
    model = FFNNRegressor((6, 4), max_iter=20, random_state=0).fit(*mixed_table())
    model = shortened(model)
    y_hat = model.predict(X)
    assert [Fraction(value) for value in y_hat] == list(exact_of_mixed(model, X))
    path = folder / "mixed.npz"
    assert not path.exists()
    model.save(path)
    columns = {name: X[name].fillna("").to_numpy(str) for name in ("town", "shop")}
    columns |= {name: X[name].to_numpy(float) for name in ("a", "b")}
    np.savez(folder / "mixed-predictions.npz", **columns, mixed=y_hat)


def main(folder):
    """Write all files, and check that their models predict what they must."""
    folder.mkdir()
    X = pd.DataFrame(rows(), columns=["a", "b", "c"])
    predictions = {}
    for name, model, fractions in models():
        predictions[name] = model.predict(X)
        assert [Fraction(value) for value in predictions[name]] == list(fractions), name
        model.save(folder / f"{name}.npz")
    np.savez(folder / "predictions.npz", X=rows(), **predictions)
    write_mixed(folder)


if __name__ == "__main__":
    write = write_mixed if sys.argv[2:] == ["mixed"] else main
    write(Path(sys.argv[1]))
