"""What each default gives, and what its neighbours give: the study behind the defaults.

    python tests/benchmarks/defaults.py DATA [--write] [--only depth dropout ...]
    python tests/benchmarks/defaults.py DATA --few [--write]

DATA is the folder that datasets.py describes. Each candidate is FFNNRegressor() with
one thing changed. Nothing here sees a test row: of the training rows of each table's
first split, a fifth (a tenth of large tables) is held out at random, twice for all but
the large ones and the same for every candidate. Figures are the RMSE on the held-out
rows over that of the defaults, geometric means over repetitions and then over tables:
above 1 is worse than the default. "time" is the sum of the seconds of all fits over the
sum of the defaults. Everything runs in float32, on one BLAS thread.

--few is about solver="lbfgs" on tables of 8 to 99 rows: smooth functions, the same with
noise, and rows drawn from the tables of the study. Each is learnt twice by the default
network and by 50 logistic units; up to 1,000 other rows tell the errors. An error below
a thousandth of the standard deviation of y counts as that.
"""

import os
from pathlib import Path
from unittest import mock

import datasets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from common import DOCS, machine, parser, quiet, seconds, table, write
from joblib import Parallel, delayed
from matplotlib.colors import LinearSegmentedColormap
from scipy.stats import gmean
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skffnn import FFNNRegressor
from skffnn.core.data import saturate
from skffnn.core.solvers import SOLVERS
from skffnn.fitting import weight_decay
from skffnn.preprocessing.parameters import auto_batch_size, auto_max_iter
from skffnn.preprocessing.scaling import LIMIT

LARGE = 5000
DECAYS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


def changed(**parameters):
    return lambda n: FFNNRegressor(**parameters)


def by_rows(make):
    """Parameters that follow from the number of rows."""
    return lambda n: FFNNRegressor(**make(n))


def choosing(candidates=None, solver="adam", **settings):
    """The defaults, with other settings of how the weight decay is chosen."""
    usual = SOLVERS[solver].weight_decays
    other = usual if candidates is None else usual._replace(candidates=candidates)
    settings = {"HELD_OUT": weight_decay.HELD_OUT, **settings}

    class Choosing(FFNNRegressor):
        def fit(self, X, y):
            with (
                mock.patch.multiple(weight_decay, **settings),
                mock.patch.object(SOLVERS[solver], "weight_decays", other),
            ):
                return super().fit(X, y)

    return lambda n: Choosing(solver=solver)


def clipped(margin):
    """Predictions that stay within the range of y, and so many ranges beyond."""

    class Clipped(FFNNRegressor):
        def fit(self, X, y):
            beyond = margin * np.ptp(y)
            self.range_ = y.min() - beyond, y.max() + beyond
            return super().fit(X, y)

        def predict(self, X):
            return np.clip(super().predict(X), *self.range_)

    return lambda n: Clipped()


def saturated(z):
    """Every input as a heavy-tailed one."""
    z, columns = z.copy(), np.arange(z.shape[1])
    saturate(z, columns, np.full(len(columns), LIMIT))
    return z


CANDIDATES = {
    "weight decay": {
        f"weight_decay={value:g}": changed(weight_decay=value) for value in DECAYS
    },
    "choice of the weight decay": {
        "two candidates, 0.1 and 1": choosing((0.1, 1.0)),
        "five candidates, 0.03 to 3": choosing((0.03, 0.1, 0.3, 1.0, 3.0)),
        "five candidates, 0.1 to 10": choosing((0.1, 0.3, 1.0, 3.0, 10.0)),
        "a quarter of the epochs": choosing(budget=lambda n, slowness: 0.25),
        "half of the epochs": choosing(budget=lambda n, slowness: 0.5),
        "at most 10,000 rows": choosing(MOST_ROWS=10_000),
        "early_stopping=True, weight_decay=0.1": changed(
            early_stopping=True, weight_decay=0.1
        ),
    },
    "layers": {
        f"hidden_layer_sizes={sizes}": changed(hidden_layer_sizes=sizes)
        for sizes in [
            (100,),
            (100, 100),
            (48,) * 3,
            (100,) * 3,
            (128,) * 3,
            (64,) * 4,
        ]
    },
    "activation": {
        f'activation="{name}"': changed(activation=name)
        for name in ("tanh", "elu", "leaky_relu")
    },
    "learning rate": {
        f"learning_rate={rate:g}": changed(learning_rate=rate)
        for rate in (0.005, 0.01, 0.03, 0.05)
    },
    "schedule": {
        f'learning_rate_schedule="{name}"': changed(learning_rate_schedule=name)
        for name in ("constant", "adaptive", "invscaling")
    },
    "optimizer": {
        "beta_2=0.95": changed(beta_2=0.95),
        "beta_2=0.99": changed(beta_2=0.99),
        "clip_norm=1": changed(clip_norm=1.0),
    },
    "gradient descent": {
        'solver="sgd"': changed(solver="sgd"),
        **{
            f'solver="sgd", momentum={momentum:g}': changed(
                solver="sgd", momentum=momentum
            )
            for momentum in (0.9, 0.99, 0.998)
        },
        'solver="sgd", momentum=0.9, learning_rate=0.1': changed(
            solver="sgd", momentum=0.9, learning_rate=0.1
        ),
        'solver="sgd", clip_norm=None': changed(solver="sgd", clip_norm=None),
    },
    "L-BFGS": {
        'solver="lbfgs"': changed(solver="lbfgs"),
        **{
            f'solver="lbfgs", weight_decay={value:g}': changed(
                solver="lbfgs", weight_decay=value
            )
            for value in (0.0001, 0.001, 0.01, 0.1)
        },
    },
    "batch": {
        "half a batch, as many steps": by_rows(
            lambda n: {
                "batch_size": auto_batch_size(n) // 2,
                "max_iter": auto_max_iter(n) // 2,
            }
        ),
        "two batches, as many steps": by_rows(
            lambda n: {
                "batch_size": auto_batch_size(n) * 2,
                "max_iter": auto_max_iter(n) * 2,
            }
        ),
    },
    "budget": {
        "half the epochs": by_rows(lambda n: {"max_iter": auto_max_iter(n) // 2}),
        "twice the epochs": by_rows(lambda n: {"max_iter": auto_max_iter(n) * 2}),
        "learning_rate=0.01, a third more epochs": by_rows(
            lambda n: {"max_iter": auto_max_iter(n) * 4 // 3, "learning_rate": 0.01}
        ),
    },
    "dropout": {f"dropout={p:g}": changed(dropout=p) for p in (0.05, 0.1)},
    "predictions": {
        "clipped to the range of y": clipped(0.0),
        "clipped one range beyond": clipped(1.0),
    },
    "inputs": {
        "inputs saturated beyond 4 sd": lambda n: make_pipeline(
            StandardScaler(), FunctionTransformer(saturated), FFNNRegressor()
        ),
    },
}


# Of few rows: where the weight decay is chosen, and where it is not.
FEW = {
    **{
        f"weight_decay={value:g}": changed(solver="lbfgs", weight_decay=value)
        for value in (1e-6, 1e-4, 0.001, 0.01, 0.1)
    },
    "one fifth held out": choosing(solver="lbfgs", FEWEST_ROWS=0),
    "thirds in turn": choosing(solver="lbfgs", HELD_OUT=1 / 3),
    "tenths in turn": choosing(solver="lbfgs", HELD_OUT=0.1),
    "six candidates, 1e-6 to 1": choosing((1e-6, 1e-4, 0.001, 0.01, 0.1, 1.0), "lbfgs"),
    "a quarter of the epochs": choosing(
        solver="lbfgs", budget=lambda n, slowness: 0.25
    ),
}
FEW_ROWS = 8, 15, 30, 60, 99
NETWORKS = {}, {"hidden_layer_sizes": 50, "activation": "logistic", "max_iter": 1000}
# The function, its columns, and the noise of the noisy one.
FUNCTIONS = {
    "sine": (lambda X: np.sin(3 * X[:, 0]), 1, 0.3),
    "waves": (lambda X: np.sin(6 * X[:, 0]) + X[:, 0], 1, 0.3),
    "plane": (lambda X: X @ [1, 2, 3, 0, 0], 5, 1.0),
    "surface": (lambda X: np.sin(2 * X[:, 0]) * X[:, 1] + X[:, 0] ** 2, 2, 0.3),
    "noise": (lambda X: np.zeros(len(X)), 3, 1.0),
}
SMOOTH = tuple(name for name in FUNCTIONS if name != "noise")
NOISY = tuple(f"noisy {name}" for name in SMOOTH)
REAL = ("diabetes", *datasets.FRIEDMAN, "airfoil", "gas", "skillcraft", "sml")
SMALL = *SMOOTH, *NOISY, "noise", *REAL


def few_rows(folder, name, n, repetition):
    """So many rows to learn, and up to 1,000 others; float32."""
    rng = np.random.default_rng(repetition)
    if name in REAL:
        split = datasets.load(folder, name, 0)
        X, y, rows = split.X, split.y, rng.permutation(len(split.y))
        X, y = X[rows[: n + 1000]], y[rows[: n + 1000]]
    else:
        function, columns, noise = FUNCTIONS[name.removeprefix("noisy ")]
        X = rng.uniform(-1, 1, (n + 1000, columns))
        if columns == 1:
            X[:n, 0] = np.linspace(-1, 1, n)
        y = function(X) + noise * (name not in SMOOTH) * rng.normal(size=len(X))
    X, y = X.astype(np.float32), y.astype(np.float32)
    return X[:n], y[:n], X[n:], y[n:]


def run_few(folder, name, n, repetition, candidate, make):
    X, y, X_out, y_out = few_rows(folder, name, n, repetition)
    model = make(n)
    found = []
    for number, parameters in enumerate(NETWORKS):
        model.set_params(random_state=repetition, **parameters)
        with quiet():
            elapsed = seconds(lambda: model.fit(X, y))
            rmse = root_mean_squared_error(y_out, model.predict(X_out))
        found.append({
            "table": name,
            "rows": n,
            "fit": (name, n, repetition, number),
            "candidate": candidate,
            "rmse": max(rmse, 0.001 * np.std(y_out)),
            "seconds": elapsed,
        })  # fmt: skip
    return found


def summary_few(results):
    """Ratios to the choice: in the mean, of kinds of tables, and by rows."""
    rmse = results.pivot(index="fit", columns="candidate", values="rmse")
    about = results.drop_duplicates("fit").set_index("fit").loc[rmse.index]
    elapsed = results.groupby("candidate")["seconds"].sum()
    parts = {
        "mean": about["rows"] > 0,
        "smooth": about["table"].isin(SMOOTH),
        "noisy": about["table"].isin([*NOISY, "noise"]),
        "real": about["table"].isin(REAL),
        **{f"{n} rows": about["rows"] == n for n in FEW_ROWS},
    }
    rows = []
    for candidate in FEW:
        ratio = np.log(rmse[candidate] / rmse["default"])
        means = [
            ratio[part].groupby(about["table"][part]).mean() for part in parts.values()
        ]
        worst = f"{np.exp(ratio.groupby(about['table']).mean().max()):.2f}"
        time_ = f"{elapsed[candidate] / elapsed['default']:.2f}"
        cells = [f"{np.exp(mean.mean()):.2f}" for mean in means]
        rows.append([candidate, *cells, worst, time_])
    return table(["", *parts, "worst table", "time"], rows)


def measure_few(folder):
    """A frame of one row per fit."""
    everyone = {"default": changed(solver="lbfgs"), **FEW}
    jobs = [
        (folder, name, n, repetition, candidate, make)
        for n in FEW_ROWS[::-1]
        for name in SMALL
        for repetition in range(2)
        for candidate, make in everyone.items()
    ]
    found = Parallel(os.cpu_count())(delayed(run_few)(*job) for job in jobs)
    return pd.DataFrame([each for several in found for each in several])


def held_out(folder, name, repetition):
    """Training rows of the first split, divided once more; float32."""
    split = datasets.load(folder, name, 0)
    X, y = split.X.astype(np.float32), split.y.astype(np.float32)
    rows = np.random.default_rng(repetition).permutation(len(y))
    m = len(y) // (10 if len(y) > LARGE else 5)
    return X[rows[m:]], y[rows[m:]], X[rows[:m]], y[rows[:m]]


def run(folder, name, repetition, candidate, make):
    X, y, X_out, y_out = held_out(folder, name, repetition)
    model = make(len(y))
    seed = {k: repetition for k in model.get_params() if k.endswith("random_state")}
    model.set_params(**seed)
    with quiet():
        elapsed = seconds(lambda: model.fit(X, y))
        rmse = root_mean_squared_error(y_out, model.predict(X_out))
    return {
        "table": name,
        "repetition": repetition,
        "candidate": candidate,
        "rmse": rmse,
        "seconds": elapsed,
        "unexplained": (rmse / np.std(y_out)) ** 2,
        "chosen": getattr(model, "weight_decay_", np.nan),
    }


def measure(folder, candidates):
    """A frame of one row per fit; the long ones are started first."""
    jobs = [
        (folder, name, repetition, candidate, make)
        for name in reversed(datasets.STUDY)
        for repetition in range(1 if name in ("bike", "kin40k") else 2)
        for candidate, make in candidates.items()
    ]
    return pd.DataFrame(Parallel(os.cpu_count())(delayed(run)(*job) for job in jobs))


def summary(results, candidates):
    """Ratios to the defaults by table, their geometric mean, and time."""
    rmse = results.pivot(
        index=["table", "repetition"], columns="candidate", values="rmse"
    )
    ratio = np.log(rmse.div(rmse["default"], axis=0)).groupby("table").mean()
    elapsed = results.groupby("candidate")["seconds"].sum()
    rows = []
    for candidate in candidates:
        by_table = [f"{np.exp(ratio[candidate][name]):.2f}" for name in datasets.STUDY]
        mean = f"{np.exp(ratio[candidate].mean()):.3f}"
        time_ = f"{elapsed[candidate] / elapsed['default']:.2f}"
        rows.append([candidate, mean, time_, *by_table])
    return table(["", "mean", "time", *datasets.STUDY], rows)


def draw(results, path):
    """RMSE over the weight decay, a line for each table, and what the tables chose."""
    rmse = results.groupby(["table", "candidate"])["rmse"].agg(gmean).unstack()
    default = results[results["candidate"] == "default"].groupby("table")
    unexplained = default["unexplained"].mean().sort_values()
    chosen = default["chosen"].agg(gmean)
    lowest = rmse.filter(like="weight_decay").min(axis=1)
    ends = LinearSegmentedColormap.from_list("", ["#2f7fc1", "#2a9d6f", "#d9661f"])
    colours = ends(np.linspace(0, 1, len(unexplained)))
    plt.style.use(DOCS / "skffnn.mplstyle")
    figure, ax = plt.subplots(figsize=(9, 4.6))
    for colour, (name, share) in zip(colours, unexplained.items(), strict=True):
        y = [rmse[f"weight_decay={value:g}"][name] / lowest[name] for value in DECAYS]
        ax.plot(DECAYS, y, "-", color=colour, label=f"{name}, {100 * share:.2g} %")
        ax.plot(
            chosen[name], rmse["default"][name] / lowest[name], "o", color=colour, ms=7
        )
    ax.set(xscale="log", yscale="log", ylim=(0.93, 2.2), xlabel="weight_decay")
    ax.set_xticks(DECAYS, [f"{value:g}" for value in DECAYS])
    ax.set_yticks([1, 1.2, 1.5, 2], ["1", "1.2", "1.5", "2"], minor=False)
    ax.set_yticks([], minor=True)
    ax.set_ylabel("RMSE on held-out rows, over the lowest")
    ax.set_title('Lines: fixed. Dots: "auto", at what the tables chose.')
    ax.legend(title="variance unexplained", loc="center left", bbox_to_anchor=(1, 0.5))
    figure.savefig(path, dpi=130)


def main():
    options = parser(__doc__)
    options.add_argument("data", type=Path, help="the folder with the tables")
    options.add_argument("--only", nargs="*", help=", ".join(CANDIDATES))
    options.add_argument("--few", action="store_true", help="L-BFGS with few rows")
    options = options.parse_args()
    if options.few:
        text = f"{machine()}\n\n{summary_few(measure_few(options.data))}"
        print(text)
        if options.write:
            write("few rows", text, DOCS / "defaults.md")
        return
    groups = {k: v for k, v in CANDIDATES.items() if k in (options.only or CANDIDATES)}
    everyone = {"default": changed()}
    for group in groups.values():
        everyone |= group
    results = measure(options.data, everyone)
    text = "\n\n".join([machine(), *(summary(results, g) for g in groups.values())])
    print(text)
    if options.write:
        write("defaults", text, DOCS / "defaults.md")
        if "weight decay" in groups:
            draw(results, DOCS / "images" / "weight-decay.png")


if __name__ == "__main__":
    main()
