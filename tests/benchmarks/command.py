"""How accurate the command's networks are, beside the mean and linear regression.

    python tests/benchmarks/command.py                  the diabetes table, ten seeds
    python tests/benchmarks/command.py hour.csv.gz      and the bike sharing data

The network of the diabetes run should stay within 3 % of the test RMSE of linear
regression, and that of the bike data above a test R2 of 0.9.
"""

import sys
import time
from argparse import Namespace
from pathlib import Path

import numpy as np

from skffnn.cli.main import _diabetes, _evaluate, _search, _user_table
from skffnn.cli.options import train_parser
from skffnn.cli.search import RATE

BIKE = ["--target=cnt", "--drop=casual,registered,instant,dteday"]
BIKE += ["--categorical=season,mnth,hr,weekday,weathersit"]


def run(options: Namespace) -> float:
    """Print one line of scores; return the ratio of test RMSE to linear regression."""
    start = time.perf_counter()
    table = _user_table(options) if options.data else _diabetes(options)
    found = _evaluate(_search(table.X, options), table, options)
    linear, mean = found.baselines["linear regression"], found.baselines["mean"]
    ratio = found.test_rmse / linear.test_rmse
    rate = found.estimator.best_params_[RATE]
    print(
        f"{options.seed:4d}  {rate:6g}  {found.train_rmse:10.2f}"
        f"  {found.test_rmse:9.2f}  {found.test_r2:7.3f}"
        f"  {linear.test_rmse:11.2f}  {linear.test_r2:9.3f}"
        f"  {mean.test_rmse:9.2f}  {ratio:6.3f}  {time.perf_counter() - start:7.1f}"
        f"  {found.verdict[:14]}",
        flush=True,
    )
    return ratio


def main() -> None:
    """Run ten seeds of the diabetes job, then one of the bike data if it is given."""
    print(
        "seed    rate  train RMSE  test RMSE  test R2  linear RMSE  linear R2"
        "  mean RMSE   ratio  seconds  verdict"
    )
    parse = train_parser().parse_args
    ratios = [run(parse([f"--seed={seed}"])) for seed in range(10)]
    print(f"mean ratio {np.mean(ratios):.3f}, worst {np.max(ratios):.3f}\n")
    for path in map(Path, sys.argv[1:]):
        run(parse([str(path), *BIKE]))


if __name__ == "__main__":
    main()
