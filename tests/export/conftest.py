import numpy as np
import pandas as pd
import pytest

N = 300


@pytest.fixture
def mixed(rng):
    """Columns of numbers and of categories, both with gaps; and a target.

    Of the categories, towns are few and shops many; levels of zones are numbers.
    """
    size = rng.normal(100, 20, N)
    shops = np.array([f"shop {k:02d}" for k in range(30)])
    X = pd.DataFrame(
        {
            "size": np.where(rng.random(N) < 0.2, np.nan, size),
            "town": rng.choice(["Aix", "Bath", "Ulm"], N).astype(object),
            "year": rng.integers(1990, 2020, N).astype(float),
            "shop": pd.Categorical(rng.choice(shops, N)),
            "zone": pd.Categorical(rng.choice([1.5, 2.25, 30.0], N)),
        }
    )
    X.loc[rng.random(N) < 0.1, ["town", "shop", "zone"]] = None
    effects = pd.Series(rng.normal(size=30), shops)
    y = size / 20 + (X["town"] == "Ulm") + (X["zone"].astype(float) > 2)
    y = y + X["shop"].astype(object).map(effects).fillna(0.5) + (X["year"] - 2000) / 9
    return X, y.to_numpy()


@pytest.fixture
def strange(mixed):
    """Rows with gaps where there were none, and with levels that nobody has seen."""
    X = mixed[0].iloc[:20].astype({"shop": object, "zone": float})
    X.loc[X.index[3], "year"] = np.nan
    X.loc[X.index[4], ["town", "shop", "zone"]] = ["Rome", "a new one", 7.0]
    X.loc[X.index[5], ["town", "shop", "zone"]] = None
    X["zone"] = pd.Categorical(X["zone"])
    return X
