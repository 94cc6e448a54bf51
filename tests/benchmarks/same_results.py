"""Whether two versions of the package give the same results, to the last bit.

    python tests/benchmarks/same_results.py --write before.pkl
    python tests/benchmarks/same_results.py --compare before.pkl [--only lbfgs]

Write the file with one version, compare with another, on one machine: the last bits of
a product are BLAS's own. Every estimator, solver, loss, activation and schedule is in
it, early stopping, weights, sparse rows, float32, stacks, searches, going on and
resuming, and what `evaluate`, the range test and `trace` say of a model. Of each case
are kept predictions, fitted attributes, curves (without seconds) and warnings. Only the
public interface is used: it is what must not change.
"""

import argparse
import pickle
import sys
import tempfile
import warnings
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from threadpoolctl import threadpool_limits

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
    LearningRateDisplay,
    evaluate,
    trace,
)

Net = partial(FFNNRegressor, (12, 8), max_iter=12, random_state=0)

# What a fitted model has for everybody to see; `seconds` are no result.
ATTRIBUTES = (
    *("theta_", "units_", "activations_", "n_outputs_", "n_iter_", "kept_iter_"),
    *("x_mean_", "x_scale_", "x_heavy_", "y_mean_", "y_scale_", "loss_"),
    *("weight_decay_", "best_iter_", "best_loss_", "validation_indices_", "history_"),
    *("alpha_", "lambda_", "log_evidence_", "n_effective_parameters_", "relevance_"),
    *("committee_weights_", "evidence_by_size_", "hidden_layer_sizes_"),
    *("estimators_samples_", "calibration_indices_", "noise_", "calibration_scores_"),
    *("best_params_", "best_score_", "best_index_", "n_features_in_"),
    "feature_names_in_",
)
TIMES = ("seconds", "time")


def table(n=180, d=5, outputs=1, seed=0):
    """Smooth, with some noise, columns of different scales, one with heavy tails."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * [1, 10, 100, 1e-2, 3][:d] + [0, 5, 1000, 0, -1][:d]
    X[:, -1] = rng.standard_cauchy(n)
    y = np.sin(X[:, 0]) + X[:, 1] / 10 * X[:, 0] + 0.1 * rng.normal(size=n)
    Y = np.column_stack([y * (k + 1) + k * X[:, 1] for k in range(outputs)]) + 7
    return X, Y[:, 0] if outputs == 1 else Y


def seen(model, X):
    """All that a fitted model shows."""
    found = {n: getattr(model, n) for n in ATTRIBUTES if hasattr(model, n)}
    if "history_" in found:
        history = found["history_"].items()
        found["history_"] = {k: v for k, v in history if k not in TIMES}
    if hasattr(model, "cv_results_"):
        results = model.cv_results_.items()
        found["cv_results_"] = {
            name: np.asarray(column).tolist()
            for name, column in results
            if not any(time in name for time in TIMES) and name != "params"
        }
    found["predict"] = model.predict(X)
    for name in ("input_gradient", "predict_interval"):
        if hasattr(model, name):
            found[name] = getattr(model, name)(X[:50])
    if isinstance(model, BayesianFFNNRegressor | FFNNEnsembleRegressor):
        found["std"] = model.predict(X, return_std=True)[1]
    if hasattr(model, "coefs_"):
        found["coefs_"], found["intercepts_"] = model.coefs_, model.intercepts_
    return found


def fitted(model, data=None, **params):
    """Fit to a table, and show what came of it."""
    X, y = data or table()
    return seen(model.fit(X, y, **params), X)


def weights(n=180):
    return np.random.default_rng(1).integers(0, 4, n).astype(float)


def validation():
    X, y = table(60, seed=9)
    return {"X_val": X, "y_val": y, "sample_weight_val": weights(60)}


def counts(n=180):
    X, _ = table(n)
    return X, np.random.default_rng(2).poisson(np.exp(X[:, 0]))


def positive():
    X, y = table()
    return X, (y - y.min()) / np.ptp(y)


# Cases --------------------------------------------------------------------------------

CASES = {}


def add(name, case, *arguments, **options):
    CASES[name] = partial(case, *arguments, **options)


LOSSES = {
    "squared_error": {},
    "root_mean_squared_error": {},
    "absolute_error": {},
    "huber": {"huber_delta": 0.7},
    "quantile": {"quantile": 0.8},
    "poisson": {},
}
SOLVERS = "adam", "sgd", "lbfgs"
for solver in SOLVERS:
    for loss, extra in LOSSES.items():
        data = counts() if loss == "poisson" else table()
        one = partial(Net, solver=solver, loss=loss, **extra)
        name = f"{solver} {loss}"
        add(name, fitted, one(), data)
        add(f"{name} early stopping", fitted, one(early_stopping=True), data)
        add(f"{name} weights", fitted, one(), data, sample_weight=weights())
        if loss == "poisson":
            continue
        add(f"{name} two targets", fitted, one(), table(outputs=2))
        add(f"{name} held out", fitted, one(validation_fraction=0.2))
        add(f"{name} X_val", fitted, one(), **validation())
        add(f"{name} raw y", fitted, one(output_activation="logistic"), positive())
        add(f"{name} not standardised", fitted, one(standardize=False), positive())
    for name, options in {
        "default": {"max_iter": "auto", "hidden_layer_sizes": (64, 64, 64)},
        "chosen": {"max_iter": 40},
        "decay": {"weight_decay": 0.3},
        "no hidden layer": {"hidden_layer_sizes": ()},
        "float32": {"validation_fraction": 0.1},
    }.items():
        X, y = table(300 if name in ("default", "chosen") else 180)
        X = X.astype(np.float32) if name == "float32" else X
        add(
            f"{solver} {name}", fitted, Net(solver=solver).set_params(**options), (X, y)
        )

for schedule in "constant", "cosine", "invscaling", "adaptive":
    options = {"learning_rate_schedule": schedule, "n_iter_no_change": 2, "tol": 0.05}
    for solver in "adam", "sgd":
        for early in False, True:
            one = Net(solver=solver, max_iter=60, early_stopping=early, **options)
            add(f"{schedule} {solver} early={early}", fitted, one)

for activation in "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu":
    add(f"hidden {activation}", fitted, Net(activation=activation))
    one = Net(output_activation=activation, solver="sgd", activation=[activation] * 2)
    add(f"output {activation}", fitted, one, positive())

for name, options in {
    "dropout": {"dropout": 0.2},
    "clip_norm": {"clip_norm": 0.1},
    "no momentum": {"solver": "sgd", "momentum": 0.0},
    "no nesterov": {"solver": "sgd", "momentum": 0.9, "nesterovs_momentum": False},
    "betas": {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    "not shuffled": {"shuffle": False, "batch_size": 50},
    "large batch": {"batch_size": 10_000},
    "diverges": {"solver": "sgd", "learning_rate": 3.0, "clip_norm": None},
    "diverges late": {
        **{"solver": "sgd", "activation": "identity", "momentum": 0.0},
        **{"learning_rate": 0.5, "max_iter": 100, "batch_size": 180},
    },
    "too high": {"learning_rate": 5.0},
    "learns nothing": {"weight_decay": 60.0},
    "still falling": {"learning_rate_schedule": "constant", "learning_rate": 1e-4},
}.items():
    add(f"option {name}", fitted, Net(**options))


def error_of(model, data):
    X, y = data
    try:
        model.fit(X, y)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"error": None}


for name, (options, data) in {
    "blows up": ({"solver": "sgd", "learning_rate": 1e8, "clip_norm": None}, table()),
    "negative counts": ({"loss": "poisson"}, (table()[0], table()[1] - 10)),
    "loss": ({"loss": "mse"}, table()),
    "solver": ({"solver": "newton"}, table()),
    "activation": ({"activation": "swish"}, table()),
    "lbfgs and dropout": ({"solver": "lbfgs", "dropout": 0.1}, table()),
    "too few rows": ({"early_stopping": True}, table(1)),
    "delta": ({"huber_delta": -1.0}, table()),
}.items():
    add(f"error {name}", error_of, Net(**options), data)


def given_statistics():
    X, _ = table()
    given = {"x_mean": X.mean(0), "x_scale": X.std(0), "y_mean": 7.0, "y_scale": 2.0}
    return fitted(Net(standardize=given))


def sparse():
    X, y = table()
    X = csr_matrix(np.where(np.abs(X) > 2, X, 0))
    return fitted(Net(), (X, y))


def memory_map():
    X, y = table()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "X")
        for order in "C", "F":
            kept = np.memmap(path, X.dtype, "w+", shape=X.shape, order=order)
            kept[...] = X
            found = fitted(Net(early_stopping=True), (kept, y))
    return found


def frame():
    X, y = table()
    return fitted(Net(), (pd.DataFrame(X, columns=list("abcde")), pd.Series(y)))


def many_rows(outputs=1):
    """Predictions in chunks."""
    X, y = table(5000, outputs=outputs)
    found = fitted(Net(max_iter=3), (X, y))
    single = fitted(Net(max_iter=3, activation="tanh"), (X.astype(np.float32), y))
    return {"float64": found, "float32": single}


def warm(**options):
    """Two fits, the second of which goes on."""
    model, (X, y) = Net(warm_start=True, **options), table()
    first = seen(model.fit(X, y), X)
    second = seen(model.set_params(learning_rate=0.01).fit(X, y), X)
    third = seen(model.set_params(early_stopping=True).fit(X, y), X)
    return {"first": first, "second": second, "third": third}


def parts(**options):
    model, (X, y) = Net(**options), table()
    for k in range(6):
        model.partial_fit(X[k::6], y[k::6], weights()[k::6] + 1)
    by_parts = seen(model, X)
    return {
        "parts": by_parts,
        "then": seen(model.set_params(warm_start=True).fit(X, y), X),
    }


class Stop:
    """A callback that interrupts, as Ctrl-C does, after some epochs."""

    def __init__(self, after):
        self.after = after

    def setup(self, estimator, context):
        pass

    teardown = setup

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.after -= context.task_name == "epoch"
        if self.after == 0:
            raise KeyboardInterrupt


def resumed(**options):
    """Interrupted, saved, loaded, resumed."""
    X, y = table()
    model = Net(**options)
    model.set_callbacks(Stop(5))
    with suppress(KeyboardInterrupt):
        model.fit(X, y)
    interrupted = seen(model, X)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.npz")
        model.save(path)
        model = FFNNRegressor.load(path)
    return {
        "interrupted": interrupted,
        "resumed": seen(model.fit(X, y, resume=True), X),
    }


for name, case in {
    "statistics": given_statistics,
    "sparse": sparse,
    "memory map": memory_map,
    "frame": frame,
    "many rows": many_rows,
    "many rows, two targets": partial(many_rows, outputs=2),
}.items():
    add(name, case)

for name, options in {
    "": {},
    " sgd": {"solver": "sgd"},
    " adaptive": {"learning_rate_schedule": "adaptive", "max_iter": 20},
    " held out": {"validation_fraction": 0.2},
    " huber": {"loss": "huber", "output_activation": "leaky_relu"},
    " dropout": {"dropout": 0.1},
    " auto": {"max_iter": 30},
}.items():
    add(f"warm{name}", warm, **options)
    add(f"resumed{name}", resumed, **options)
    if "held" not in name:
        add(f"parts{name}", parts, **options)
add("warm lbfgs", warm, solver="lbfgs")


def small(data=None, **options):
    X, y = data or table(90, 3)
    model = BayesianFFNNRegressor(**{"n_restarts": 2, "random_state": 0, **options})
    return fitted(model, (X, y))


add("bayesian", small)
add("bayesian default", small, n_restarts=4)
add("bayesian no ard", small, ard=False)
add("bayesian relu", small, activation="relu", hidden_layer_sizes=(4, 3))
add("bayesian sizes", small, hidden_layer_sizes="auto", n_restarts=1, max_iter=20)
add("bayesian diabetes", small, load_diabetes(return_X_y=True), n_restarts=2)


def ensemble(data=None, network=None, weighted=False, **options):
    X, y = data or table()
    model = FFNNEnsembleRegressor(network or Net(), 3, random_state=0, **options)
    weight = weights(len(y)) if weighted else None
    model.fit(X, y, sample_weight=weight)
    return {**seen(model, X), "networks": [seen(m, X) for m in model.estimators_]}


add("ensemble", ensemble)
add("ensemble weights", ensemble, weighted=True)
add("ensemble bootstrap", ensemble, bootstrap=True)
add("ensemble two targets", ensemble, table(outputs=2), calibration_fraction=0.3)
add("ensemble huber", ensemble, network=Net(loss="huber", max_iter=40))
add("ensemble early", ensemble, network=Net(early_stopping=True, weight_decay=0.1))
add("ensemble float32", ensemble, (table()[0].astype(np.float32), table()[1]))
add("ensemble lbfgs", ensemble, network=Net(solver="lbfgs"))


def search(model, grid, data=None, **options):
    X, y = data or table()
    cv = KFold(3, shuffle=True, random_state=0)
    options = {"return_train_score": True, "cv": cv, **options}
    return fitted(FFNNGridSearchCV(model, grid, **options), (X, y))


RATES = {"learning_rate": [0.003, 0.03, 3.0]}
add("search", search, Net(), RATES)
add("search sgd", search, Net(solver="sgd"), {"momentum": [0.0, 0.9, 0.99]})
add("search decay", search, Net(max_iter=30), {"weight_decay": [0.1, "auto"]})
add("search losses", search, Net(), {"loss": ["huber", "quantile"], "quantile": [0.7]})
add("search lbfgs", search, Net(), {"solver": ["lbfgs", "adam"]})
add("search schedules", search, Net(n_iter_no_change=2, tol=0.1),
    {"learning_rate_schedule": ["constant", "adaptive", "invscaling"]})  # fmt: skip
add("search early", search, Net(early_stopping=True), RATES)
add("search scores", search, Net(), RATES, scoring=["r2", "neg_max_error"], refit="r2")
add("search sparse", search, Net(), RATES, (csr_matrix(table()[0]), table()[1]))
add(
    "search pipeline",
    search,
    make_pipeline(StandardScaler(), PolynomialFeatures(2), Net()),
    {"ffnnregressor__learning_rate": [0.003, 0.03]},
)
add("search sizes", search, Net(), {"hidden_layer_sizes": [(4,), (8, 8)]})


def verdict(model, **options):
    X, y = make_friedman1(300, noise=1.0, random_state=0)
    return {"text": str(evaluate(model, X, y, random_state=0, **options))}


def look():
    X, y = table()
    found = {}
    for name, model in {
        "one": Net(),
        "huber": Net(loss="huber", standardize=False),
    }.items():
        seen_by = trace(model.fit(X, y), X[:9], y[:9], weights()[:9])
        found[name] = vars(seen_by) | {"text": str(seen_by)}
    return found


def rates(model):
    display = LearningRateDisplay.from_estimator(model, *table())
    return {n: v for n, v in vars(display).items() if not n.endswith("_")}


add("evaluate", verdict, Net())
big = Net().set_params(hidden_layer_sizes=100, weight_decay=0.0, max_iter=150)
add("evaluate overfitting", verdict, big)
add("trace", look)
add("range test", rates, Net())
add("range test sgd", rates, Net(solver="sgd", loss="huber", standardize=False))


# Running and comparing ----------------------------------------------------------------


def run(case):
    """What comes of a case, and what it warns of."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = case()
        except Exception as error:
            found = {"error": f"{type(error).__name__}: {error}"}
    return {**found, "warnings": [str(w.message) for w in told]}


def differences(a, b, where=""):
    """Where two results differ, all the way down."""
    if isinstance(a, dict) and isinstance(b, dict):
        for name in a.keys() | b.keys():
            if name not in a or name not in b:
                yield f"{where}.{name}: only in one"
            else:
                yield from differences(a[name], b[name], f"{where}.{name}")
    elif isinstance(a, list | tuple) and isinstance(b, list | tuple):
        if len(a) != len(b):
            yield f"{where}: {a} and {b}"
        else:
            for i, pair in enumerate(zip(a, b, strict=True)):
                yield from differences(*pair, f"{where}[{i}]")
    elif not _equal(a, b):
        x, y = np.asarray(a), np.asarray(b)
        far = ""
        if x.shape == y.shape and x.dtype.kind == "f" == y.dtype.kind:
            far = f", at most {np.nanmax(np.abs(x - y)):.3g} apart"
        short = [str(v)[:200] for v in (a, b)]
        yield f"{where}{far}: {short[0]} and {short[1]}"


def _equal(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        kind = a.dtype.kind == "f"
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=kind)
    return a == b or (a != a and b != b)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--write", type=Path)
    arguments.add_argument("--compare", type=Path)
    arguments.add_argument("--only", default="")
    options = arguments.parse_args()
    before = pickle.loads(options.compare.read_bytes()) if options.compare else {}
    results, wrong = {}, 0
    with threadpool_limits(1, "blas"):
        for name, case in CASES.items():
            if options.only not in name:
                continue
            results[name] = run(case)
            if before:
                for line in differences(before[name], results[name], name):
                    wrong += 1
                    print(line)
    if options.write:
        options.write.write_bytes(pickle.dumps(results))
    print(f"{len(results)} cases" + f", {wrong} differences" * bool(before))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
