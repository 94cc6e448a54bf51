"""The search of the command: which network, behind what, at which learning rates."""

import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.pipeline import Pipeline

from ..extras import require
from ..model_selection import FFNNGridSearchCV
from ..regressor import FFNNRegressor
from .columns import Kinds

# From too low to too high, closer together where the best usually lies.
LEARNING_RATES = (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0, 10.0)
# Above so many rows, fewer folds and rates tell as much.
LARGE = 5000
# Above so many columns a fit takes so long that few rates have to do.
WIDE = 500
FEW_LEARNING_RATES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)

RATE = "ffnnregressor__learning_rate"


# The networks of the command. All hold rows out, for the picture of both curves.
NETWORKS: dict[str, dict[str, Any]] = {
    # Little to find in much noise: early stopping would spend rows that it needs.
    "noisy": {
        "hidden_layer_sizes": (16,),
        "weight_decay": 1.0,
        "validation_fraction": 0.2,
        "max_iter": 100,
    },
    "small": {
        "hidden_layer_sizes": (50,),
        "weight_decay": 0.3,
        "validation_fraction": 0.1,
        "early_stopping": True,
    },
    "large": {
        "hidden_layer_sizes": (100, 100),
        "weight_decay": 0.1,
        "validation_fraction": 0.1,
        "early_stopping": True,
    },
    # Many units, trained for long, with nothing to hold them down.
    "overfit": {
        "hidden_layer_sizes": (100, 100),
        "weight_decay": 0.0,
        "validation_fraction": 0.2,
        "max_iter": 200,
    },
}
# Below so many rows a table is small.
SMALL = 1000


def network(kind: str, *, seed: int = 0, hidden: Any = None) -> FFNNRegressor:
    """Make one of the networks of the command.

    Parameters
    ----------
    kind : {"noisy", "small", "large", "overfit"}
        What it is for.
    seed : int, default=0
        The random state.
    hidden : tuple of int, default=None
        Units of the hidden layers, if not the usual ones.

    Examples
    --------
    >>> network("noisy").weight_decay
    1.0
    """
    params = {**NETWORKS[kind], "random_state": seed}
    if hidden:
        params["hidden_layer_sizes"] = hidden
    return FFNNRegressor(**params)


def table_pipeline(regressor: FFNNRegressor, kinds: Kinds) -> Pipeline:
    """Let a network take a table of users.

    Numbers, categories and gaps go into it as they are; skrub encodes dates and text,
    if there are some. The pipeline picks its columns by name: a table that it predicts
    may have others.

    Parameters
    ----------
    regressor : FFNNRegressor
        The last step.
    kinds : Kinds
        What the columns of the table are.

    Raises
    ------
    MissingExtraError
        If there are dates or text, and skrub is not installed.
    """
    columns = [*kinds.others, *kinds.foreign]
    picked = ColumnTransformer(
        [("columns", "passthrough", columns)], verbose_feature_names_out=False
    ).set_output(transform="pandas")
    steps = [("columntransformer", picked)]
    if kinds.foreign:
        what = f"Column {kinds.foreign[0]!r}, of dates or text,"
        vectorizer = require("skrub", what).TableVectorizer(
            specific_transformers=[("passthrough", kinds.others)]
        )
        steps.append(("tablevectorizer", vectorizer))
    if kinds.categories:
        # By name: a fold of the rows may have other dtypes, or hardly a level twice.
        regressor.set_params(categorical_features=kinds.categories)
    return Pipeline([*steps, ("ffnnregressor", regressor)])


def plain_pipeline(regressor: FFNNRegressor) -> Pipeline:
    """Put nothing before a network: for a table of numbers without gaps."""
    return Pipeline([("ffnnregressor", regressor)])


def learning_rate_search(
    pipeline: Pipeline,
    n_rows: int,
    n_columns: int = 1,
    *,
    learning_rates: Sequence[float] = (),
    time_order: bool = False,
    overfit: bool = False,
    seed: int = 0,
    n_jobs: int | None = None,
) -> FFNNGridSearchCV:
    """Wrap a pipeline in a cross-validated search over the learning rate.

    Parameters
    ----------
    pipeline : Pipeline
        What `table_pipeline` or `plain_pipeline` made.
    n_rows : int
        Rows of the table.
    n_columns : int, default=1
        Its columns. Large and wide tables get fewer rates, large ones fewer folds.
    learning_rates : sequence of float, default=()
        The rates to try, if not the usual ones.
    time_order : bool, default=False
        Judge each fold on rows that come after those it learnt from.
    overfit : bool, default=False
        Refit at the rate of the lowest error on the *training* rows.
    seed : int, default=0
        Decides the folds.
    n_jobs : int, default=None
        Stacks that are trained at a time.
    """
    folds = 3 if n_rows > LARGE else 5
    few = overfit or n_rows > LARGE or n_columns > WIDE
    usual = FEW_LEARNING_RATES if few else LEARNING_RATES
    return FFNNGridSearchCV(
        pipeline,
        {RATE: list(learning_rates or usual)},
        scoring="neg_root_mean_squared_error",
        cv=TimeSeriesSplit(folds)
        if time_order
        else KFold(folds, shuffle=True, random_state=seed),
        refit=_closest_fit if overfit else True,
        return_train_score=True,
        error_score=np.nan,
        n_jobs=n_jobs,
    )


def _closest_fit(results: dict[str, Any]) -> int:
    return int(np.nanargmax(results["mean_train_score"]))


@contextmanager
def quiet_search() -> Iterator[None]:
    """Silence the warnings of a search, whose table tells what they would.

    A run that diverged late falls back on its best weights and warns; here that fails
    the fit, so that the rate is listed as diverged and never chosen.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings(
            "error", message="Training diverged", category=ConvergenceWarning
        )
        yield


def rates_below(search: FFNNGridSearchCV, diverged: Exception) -> list[float]:
    """Return the learning rates of a search that are lower than what has diverged.

    Parameters
    ----------
    search : FFNNGridSearchCV
    diverged : Exception
        Which tells at which rate.
    """
    found = re.search(r"learning_rate=(\S+?)[.,;:]?\s", str(diverged))
    highest = float(found.group(1)) if found else -np.inf
    return [rate for rate in search.param_grid[RATE] if rate < highest]


def rates_table(
    search: FFNNGridSearchCV, diverged: Sequence[float] = ()
) -> pd.DataFrame:
    """Tabulate a fitted search: RMSE by learning rate, NaN where training diverged.

    Parameters
    ----------
    search : FFNNGridSearchCV
    diverged : sequence of float, default=()
        More learning rates, which are not in the search.

    Returns
    -------
    DataFrame
        Columns learning_rate, train_rmse, validation_rmse, spread (the standard
        deviation of validation_rmse between folds) and chosen.
    """
    results = search.cv_results_
    rates = np.asarray(results[f"param_{RATE}"], dtype=float)
    table = pd.DataFrame(
        {
            "learning_rate": rates,
            "train_rmse": -results["mean_train_score"],
            "validation_rmse": -results["mean_test_score"],
            "spread": results["std_test_score"],
            "chosen": np.arange(len(rates)) == search.best_index_,
        }
    )
    more = pd.DataFrame({"learning_rate": list(diverged), "chosen": False})
    table = (
        pd.concat([table, more.astype({"learning_rate": float})])
        if len(more)
        else table
    )
    return table.sort_values("learning_rate", ignore_index=True)
