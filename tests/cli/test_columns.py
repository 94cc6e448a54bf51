"""What the columns of a user's table are, and those of a model."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from skffnn import FFNNRegressor
from skffnn.cli.columns import kinds_of, names_of_numbers, names_of_text
from skffnn.cli.search import table_pipeline

N = 60
NUMBERS = {
    "whole": np.arange(N),
    "gaps": np.where(np.arange(N) % 3, 1.5, np.nan),
    "boolean": np.arange(N) % 2 == 0,
    "boolean with gaps": pd.Series([True, None, False] * 20, dtype=object),
    "nullable": pd.array([1, None] * 30, dtype="Int64"),
    "nothing but gaps": np.full(N, np.nan),
}
CATEGORIES = {
    "text": ["a", "b", None] * 20,
    "many": [f"street {k % 40}" for k in range(N)],
    "dtype": pd.Categorical(np.arange(N)),
    "years": ["2023", "2024", None] * 20,
}
FOREIGN = {
    "free text": [f"a note of {k}" for k in range(N)],
    "dates": pd.date_range("2024-01-01", periods=N),
    "dates with gaps": [pd.Timestamp("2024-01-05"), None] * 30,
    "dates as text": ["2024-01-05", "2024-01-06"] * 30,
    "days first": ["05.01.2024", "28.01.2024", None] * 20,
    "months first": ["01/05/2024", "01/28/2024"] * 30,
    "mixture": pd.Series([1, "a"] * 30, dtype=object),
}


def frame(**columns):
    return pd.DataFrame(columns)


@pytest.mark.parametrize("column", NUMBERS)
def test_numbers(column):
    assert kinds_of(frame(x=NUMBERS[column])) == (["x"], [], [])


@pytest.mark.parametrize("column", CATEGORIES)
def test_categories(column):
    assert kinds_of(frame(x=CATEGORIES[column])) == (["x"], ["x"], [])


@pytest.mark.parametrize("column", FOREIGN)
def test_what_a_network_refuses_is_encoded_before(column):
    assert kinds_of(frame(x=FOREIGN[column])) == ([], [], ["x"])


@pytest.mark.parametrize("column", ["free text", "dates", "dates with gaps", "mixture"])
def test_networks_refuse_it(column):
    with pytest.raises(ValueError, match=r"'x'|in x"):
        FFNNRegressor(2, max_iter=1).fit(frame(x=FOREIGN[column]), np.arange(N))


@pytest.mark.parametrize("column", ["whole", "free text", "dates as text"])
def test_users_know_better(column):
    X = frame(x={**NUMBERS, **FOREIGN}[column])
    assert kinds_of(X, ["x"]) == (["x"], ["x"], [])


def test_the_columns_of_a_model():
    X = frame(
        city=["a", "b", "c"] * 20, hour=np.arange(N) % 24, size=np.arange(N) ** 0.5
    )
    network = FFNNRegressor(8, max_iter=30, weight_decay=0.1, random_state=0)
    pipeline = table_pipeline(network, kinds_of(X, ["hour"])).fit(X, X["size"])
    assert names_of_text(pipeline) == ["city"]
    assert names_of_numbers(pipeline) == ["size"]
    assert pipeline[-1].categories_.keys() == {"city", "hour"}


def test_the_columns_of_a_model_of_others():
    model = LinearRegression().fit(frame(a=[1, 2], b=[3, 4]), [1, 2])
    assert (names_of_text(model), names_of_numbers(model)) == ([], ["a", "b"])
    model = LinearRegression().fit([[1], [2]], [1, 2])
    assert (names_of_text(model), names_of_numbers(model)) == ([], [])
