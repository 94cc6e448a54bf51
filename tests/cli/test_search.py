"""The search of the command: its networks, its rates, and what it waits for."""

import warnings

import pytest
from sklearn.exceptions import ConvergenceWarning

from skffnn import FFNNRegressor
from skffnn.cli.search import (
    FEW_LEARNING_RATES,
    NETWORKS,
    RATE,
    learning_rate_search,
    network,
    plain_pipeline,
    quiet_search,
    rates_table,
)


def search_of(table, **kwargs):
    X, y = table
    pipeline = plain_pipeline(FFNNRegressor(4, max_iter=20, random_state=0))
    search = learning_rate_search(pipeline, len(X), **kwargs)
    with quiet_search():
        return search.fit(X, y)


def test_rates_table_are_the_results_of_the_search(table):
    search = search_of(table, learning_rates=[0.1, 1e9, 0.01])
    rates = rates_table(search)
    assert rates["learning_rate"].tolist() == [0.01, 0.1, 1e9]
    assert rates["validation_rmse"].isna().tolist() == [False, False, True]
    chosen = rates[rates["chosen"]].iloc[0]
    assert chosen["learning_rate"] == search.best_params_[RATE]
    assert chosen["validation_rmse"] == -search.best_score_


def test_overfitting_search_takes_the_closest_fit(table):
    rates = rates_table(search_of(table, learning_rates=[1e-4, 0.1], overfit=True))
    assert rates["chosen"].tolist() == [False, True]
    assert rates["train_rmse"].idxmin() == 1


def test_late_divergence_fails_the_fit():
    message = "Training diverged at learning_rate=9; weights of epoch 2 were kept."
    with quiet_search():
        warnings.warn("anything else", stacklevel=1)
        with pytest.raises(ConvergenceWarning):
            warnings.warn(message, ConvergenceWarning, stacklevel=1)


def test_networks_warn_of_divergence_in_those_words(table):
    """What `quiet_search` waits for is what the regressor says."""
    model = FFNNRegressor(4, solver="sgd", learning_rate=1e9, random_state=0)
    with pytest.raises(
        (FloatingPointError, ConvergenceWarning), match=r"^Training div"
    ):
        model.fit(*table)


@pytest.mark.parametrize("kind", NETWORKS)
def test_networks_hold_rows_out_for_the_picture(kind):
    assert network(kind).validation_fraction > 0
    assert network(kind, seed=3, hidden=(7,)).get_params()["random_state"] == 3
    assert network(kind, hidden=(7,)).hidden_layer_sizes == (7,)


def test_large_tables_are_searched_in_less():
    pipeline = plain_pipeline(network("large"))
    small = learning_rate_search(pipeline, 500)
    large = learning_rate_search(pipeline, 50_000)
    assert (small.cv.get_n_splits(), large.cv.get_n_splits()) == (5, 3)
    assert large.param_grid[RATE] == list(FEW_LEARNING_RATES)
