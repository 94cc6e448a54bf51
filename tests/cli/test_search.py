"""The search of the command: its networks, its rates, and what it waits for."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

from skffnn import FFNNRegressor
from skffnn.cli.columns import kinds_of
from skffnn.cli.search import (
    FEW_LEARNING_RATES,
    NETWORKS,
    RATE,
    learning_rate_search,
    network,
    plain_pipeline,
    quiet_search,
    rates_below,
    rates_table,
    table_pipeline,
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


def test_only_dates_and_text_go_through_skrub():
    X = pd.DataFrame(
        {"size": np.arange(30.0), "city": ["a", "b"] * 15, "date": "2024-01-05"}
    )
    plain = table_pipeline(network("small"), kinds_of(X[["size", "city"]]))
    assert list(plain.named_steps) == ["columntransformer", "ffnnregressor"]
    assert plain[-1].categorical_features == ["city"]
    pytest.importorskip("skrub")
    encoding = table_pipeline(network("small"), kinds_of(X))
    assert "tablevectorizer" in encoding.named_steps
    # What a network reads itself comes out as it went in.
    encoded = encoding[:-1].fit_transform(X)
    pd.testing.assert_frame_equal(encoded[["size", "city"]], X[["size", "city"]])
    assert encoded.drop(columns="city").dtypes.map(lambda d: d.kind).eq("f").all()


def test_names_of_encoded_columns_may_be_there_already():
    pytest.importorskip("skrub")
    X = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=40, freq="D")})
    X["day_month"] = np.sin(np.arange(40))
    regressor = FFNNRegressor(4, max_iter=5, weight_decay=0.1, random_state=0)
    model = table_pipeline(regressor, kinds_of(X)).fit(X, np.arange(40.0))
    assert np.isfinite(model.predict(X)).all()


def test_rates_below_what_diverged(table):
    search = learning_rate_search(plain_pipeline(network("small")), 100)
    model = FFNNRegressor(4, solver="sgd", learning_rate=1.0, random_state=0)
    with pytest.raises((FloatingPointError, ConvergenceWarning)) as caught:
        model.set_params(learning_rate=1e9).fit(*table)
    assert rates_below(search, caught.value) == list(search.param_grid[RATE])
    said = FloatingPointError("Training diverged at learning_rate=0.1 before it.")
    assert rates_below(search, said) == [1e-4, 1e-3, 3e-3, 1e-2, 3e-2]
    said = ConvergenceWarning("Training diverged at learning_rate=1e-04; weights")
    assert rates_below(search, said) == []
    assert rates_below(search, ValueError("something else")) == []


def test_rates_that_were_given_up_are_listed(table):
    rates = rates_table(search_of(table, learning_rates=[0.01]), [0.1, 1.0])
    assert rates["learning_rate"].tolist() == [0.01, 0.1, 1.0]
    assert rates["validation_rmse"].isna().tolist() == [False, True, True]
    assert rates["chosen"].tolist() == [True, False, False]


def test_wide_tables_are_searched_at_fewer_rates():
    search = learning_rate_search(plain_pipeline(network("small")), 300, 2000)
    assert search.cv.get_n_splits() == 5
    assert search.param_grid[RATE] == list(FEW_LEARNING_RATES)


def test_large_tables_are_searched_in_less():
    pipeline = plain_pipeline(network("large"))
    small = learning_rate_search(pipeline, 500)
    large = learning_rate_search(pipeline, 50_000)
    assert (small.cv.get_n_splits(), large.cv.get_n_splits()) == (5, 3)
    assert large.param_grid[RATE] == list(FEW_LEARNING_RATES)
