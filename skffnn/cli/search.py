"""The search of the command: which network, behind what, at which learning rates."""

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
from sklearn.preprocessing import OneHotEncoder

from ..extras import require
from ..model_selection import FFNNGridSearchCV
from ..regressor import FFNNRegressor

# From too low to too high, closer together where the best usually lies.
LEARNING_RATES = (1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0, 10.0)
# Above so many rows, fewer folds and rates tell as much.
LARGE = 5000
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


def table_pipeline(
    regressor: FFNNRegressor, columns: Sequence[str], categorical: Sequence[str] = ()
) -> Pipeline:
    """Put skrub's preparation of mixed tables before a network.

    The pipeline picks its columns by name: a table that it predicts may have others.

    Parameters
    ----------
    regressor : FFNNRegressor
        The last step.
    columns : sequence of str
        All columns to use.
    categorical : sequence of str, default=()
        Those of them whose values are names, whatever they look like.
    """
    skrub = require("skrub", "Reading tables of text, dates and gaps")
    others = [name for name in columns if name not in set(categorical)]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    picked = ColumnTransformer(
        [
            ("categories", encoder, list(categorical)),
            ("others", "passthrough", others),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    return Pipeline(
        [("columntransformer", picked), *skrub.tabular_pipeline(regressor).steps]
    )


def plain_pipeline(regressor: FFNNRegressor) -> Pipeline:
    """Put nothing before a network: for a table of numbers without gaps."""
    return Pipeline([("ffnnregressor", regressor)])


def learning_rate_search(
    pipeline: Pipeline,
    n_rows: int,
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
        Rows of the table; a large one gets fewer folds and rates.
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
    usual = FEW_LEARNING_RATES if overfit or n_rows > LARGE else LEARNING_RATES
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


def rates_table(search: FFNNGridSearchCV) -> pd.DataFrame:
    """Tabulate a fitted search: RMSE by learning rate, NaN where training diverged.

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
    return table.sort_values("learning_rate", ignore_index=True)
