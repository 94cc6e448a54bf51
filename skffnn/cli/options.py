"""What a user may ask of the command."""

import argparse
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

_EXAMPLES = """\
examples:
  python -m skffnn                                  scikit-learn's diabetes table
  python -m skffnn --overfit                        the same, overfitting
  python -m skffnn rides.csv --target cnt --categorical hour,weekday --out rides
  python -m skffnn predict rides/model.joblib new.csv --out predictions.csv
"""


class UsageError(ValueError):
    """A mistake on the command line, in one line."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see python -m skffnn --help)")


def train_parser() -> argparse.ArgumentParser:
    """Make the parser of the main job.

    Examples
    --------
    >>> options = train_parser().parse_args(["a.csv", "--target=y", "--drop=b,c"])
    >>> options.target, options.drop
    ('y', ['b', 'c'])
    """
    parser = _Parser(
        prog="python -m skffnn",
        description="Hold out a test set, search the learning rate of a neural network "
        "by cross-validation, and say how good it is and whether it overfits.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("data", nargs="?", type=Path, help="CSV or Parquet; none: the diabetes table")
    add("--target", help="the column to predict")
    names: dict[str, Any] = {"type": _names, "action": "extend", "metavar": "A,B"}
    add("--drop", **names, default=[], help="columns to leave out")
    add("--categorical", **names, default=[], help="numbers that are only names")
    add("--time-order", action="store_true", help="the last rows are the test set")
    add("--test-size", type=_share, default=0.2, help="share of rows held out (0.2)")
    add("--learning-rates", type=_rates, default=[], metavar="R1,R2", help="to search")
    add("--hidden", type=_sizes, metavar="N1,N2", help="units of each hidden layer")
    add("--overfit", action="store_true", help="show what overfitting looks like")
    add("--seed", type=_seed, default=0, help="decides everything random (0)")
    add("--jobs", type=_jobs, help="fits at a time (as many as cores)")
    add("--out", type=Path, metavar="DIR", help="folder for model, report and pictures")
    return parser


def predict_parser() -> argparse.ArgumentParser:
    """Make the parser of ``python -m skffnn predict``."""
    parser = _Parser(
        prog="python -m skffnn predict",
        description="Predict each row of a table with a saved model. A model file can "
        "run code when it is loaded: open only those you trust.",
    )
    parser.add_argument("model", type=Path, help="model.joblib of an earlier run")
    parser.add_argument("data", type=Path, help="CSV or Parquet")
    parser.add_argument("--out", type=Path, help="CSV to write; none: the terminal")
    return parser


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _numbers(text: str, kind: type, what: str) -> list[Any]:
    try:
        numbers = [kind(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or not all(0 < number < np.inf for number in numbers):
        raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
    return numbers


def _rates(text: str) -> list[float]:
    return sorted(set(_numbers(text, float, "a list of rates such as 0.001,0.01")))


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(_numbers(text, int, "a list of units such as 100,100"))


def _share(text: str) -> float:
    share, *more = _numbers(text, float, "a share between 0 and 1")
    if share >= 1 or more:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1")
    return share


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number from 0 to 2**32 - 1"
        )
    return int(text)


def _jobs(text: str) -> int:
    if text == "-1":
        return -1
    jobs, *more = _numbers(text, int, "a number of jobs")
    if more:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of jobs")
    return jobs
