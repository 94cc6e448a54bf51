"""Tables of real data for the benchmarks, from a folder that is passed to them.

The folder holds bike/hour.csv.gz, the hourly rentals of the UCI Bike Sharing data
(Fanaee-T & Gama, 2013), and for each other name a data.csv.gz, whose column y is the
target, beside a splits_mask.npz, whose test_mask (rows, 10) marks the test rows of ten
splits (github.com/treforevans/uci_datasets).
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

BIKE = "bike-by-time"  # the test rows are the last ones
NAMES = ("airfoil", "gas", "skillcraft", "sml", "parkinsons", "kin40k", BIKE)
BIKE_TEST = 21 * 24  # rows: three weeks


class Split(NamedTuple):
    """Arrays of float64, and the split that they come from."""

    X: np.ndarray
    y: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def load(folder: Path, name: str) -> Split:
    """A table, divided: by time, or in the first of the ten splits."""
    if name == BIKE:
        X, y = _bike(folder / "bike" / "hour.csv.gz")
        test = np.arange(len(y)) >= len(y) - BIKE_TEST
    else:
        frame = pd.read_csv(folder / name / "data.csv.gz")
        X, y = frame.drop(columns="y").to_numpy(), frame["y"].to_numpy()
        test = np.load(folder / name / "splits_mask.npz")["test_mask"][:, 0]
    return Split(X[~test], y[~test], X[test], y[test])


def _bike(path):
    frame = pd.read_csv(path)
    y = frame["cnt"].to_numpy(float)
    parts_of_the_target = ["casual", "registered", "cnt"]
    dropped = ["instant", "dteday", "atemp", "workingday", *parts_of_the_target]
    frame = frame.drop(columns=dropped)
    categories = ["season", "weathersit", "mnth", "hr", "weekday"]
    return pd.get_dummies(frame, columns=categories, dtype=float).to_numpy(float), y
