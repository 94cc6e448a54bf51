"""The examples with MLflow and Optuna do what the page says of them.

Each runs in a process of its own: autolog changes scikit-learn's classes.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from skffnn.fitting.callbacks import AVAILABLE

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

pytestmark = pytest.mark.skipif(
    not AVAILABLE, reason="scikit-learn has no callbacks yet"
)


def printed(name, folder):
    """The lines that an example prints."""
    database = f"sqlite:///{folder / 'runs.db'}"
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py"],
        cwd=folder,
        env={**os.environ, "MLFLOW_TRACKING_URI": database},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_epoch_is_in_mlflow(tmp_path):
    pytest.importorskip("mlflow")
    assert printed("mlflow_epochs", tmp_path)[-1] == "True"


def test_optuna_gives_networks_up_and_finds_a_good_one(tmp_path):
    pytest.importorskip("optuna")
    trials, score = printed("optuna_pruning", tmp_path)
    assert 5 <= int(trials.split()[0]) <= 15
    assert float(score.split()[-1]) > 0.9
