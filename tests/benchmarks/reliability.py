"""The long runs of the tests of reliability, and what saving takes.

    python tests/benchmarks/reliability.py [--rounds 5] [--write]

Runs the tests that are marked as slow, which takes some ten minutes, and shows those
that count what they have tried: processes killed, files mutated, cases generated,
interrupts. Then it times `save` and `load` beside joblib and skops.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import joblib
import numpy as np
from common import (
    DOCS,
    blas_threads,
    interleaved,
    optional,
    parser,
    publish,
    quiet,
    table,
)

from skffnn import FFNNRegressor

ROOT, PAGE = DOCS.parent, DOCS / "reliability.md"
PYTEST = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "-m", "slow", "tests"]
BAD = ("failure", "error", "skipped")


def slow_tests():
    """A row for each slow test that counts: how much, how it ended, how long."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        subprocess.run([*PYTEST, f"--junitxml={report}"], cwd=ROOT, check=False)
        cases = ElementTree.parse(report).getroot().iter("testcase")
        tests: dict[str, list] = {}
        for case in cases:
            tests.setdefault(case.get("name").partition("[")[0], []).append(case)
    rows = (row_of(name, cases) for name, cases in sorted(tests.items()))
    return [row for row in rows if row[1]]


def row_of(name, cases):
    """One test of the report, with all its parameters, as cells."""
    counted = Counter()
    for case in cases:
        for found in case.iter("property"):
            counted[found.get("name")] += int(found.get("value"))
    bad = [kind for case in cases for kind in BAD if case.find(kind) is not None]
    return [
        name.removeprefix("test_").replace("_", " "),
        ", ".join(f"{number:,} {what}" for what, number in counted.items()),
        bad[0] if bad else "passed",
        f"{sum(float(case.get('time')) for case in cases):.0f}",
    ]


def files(rounds):
    """Time and size of a file, for two networks."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 20))
    skops = optional("skops.io")
    rows = []
    for hidden in ((64, 64, 64), (1000, 1000, 1000)):
        with quiet():
            model = FFNNRegressor(
                hidden, max_iter=1, weight_decay=0.1, random_state=0
            ).fit(X, X[:, 0])
        rows += times_of(model, hidden, skops, rounds)
    return rows


def times_of(model, hidden, skops, rounds):
    """A row for each way to keep that model."""
    with tempfile.TemporaryDirectory() as folder:
        paths = {way: Path(folder) / way for way in ("skffnn", "joblib", "skops")}
        trusted = ["skffnn.regressor.FFNNRegressor"]
        save = {
            "skffnn": partial(model.save, paths["skffnn"]),
            "joblib": partial(joblib.dump, model, paths["joblib"]),
            "skops": skops and partial(skops.dump, model, paths["skops"]),
        }
        load = {
            "skffnn": partial(FFNNRegressor.load, paths["skffnn"]),
            "joblib": partial(joblib.load, paths["joblib"]),
            "skops": skops and partial(skops.load, paths["skops"], trusted=trusted),
        }
        saved, loaded = interleaved(save, rounds), interleaved(load, rounds)
        return [
            [
                " x ".join(map(str, hidden)),
                way,
                f"{os.path.getsize(paths[way]) / 2**20:.2f}",
                f"{1e3 * np.median(saved[way]):.1f}",
                f"{1e3 * np.median(loaded[way]):.1f}",
            ]
            for way in saved
        ]


def main():
    """Print the tables."""
    options = parser(__doc__).parse_args()
    with blas_threads(1):
        tables = [
            table(["test", "tried", "", "seconds"], slow_tests()),
            table(
                ["hidden units", "with", "MiB", "save, ms", "load, ms"],
                files(options.rounds or 5),
            ),
        ]
    publish("reliability", tables, options, PAGE)


if __name__ == "__main__":
    main()
