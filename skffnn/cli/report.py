"""What the command prints and saves."""

import re
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd

from ..inspection.evaluation import align, rmse_format

FILES = "report.txt", "model.joblib", "learning_curve.png", "predicted_vs_actual.png"


class Report:
    """What the command tells: printed paragraph by paragraph, and kept.

    Examples
    --------
    >>> report = Report()
    >>> report.say("It generalises.")
    It generalises.
    >>> report.text
    'It generalises.'
    """

    def __init__(self) -> None:
        self.text = ""

    def say(self, paragraph: str) -> None:
        """Print one more paragraph."""
        gap = "\n" if self.text else ""
        print(gap + paragraph, flush=True)
        self.text += gap * 2 + paragraph

    def save(self, folder: Path, model: Any, X: Any, y: pd.Series) -> list[Path]:
        """Write the text, the model and its pictures; return where.

        Parameters
        ----------
        folder : Path
            Made if it is not there.
        model : fitted estimator
            What to keep.
        X, y : DataFrame, Series
            The test rows, for the picture of predicted against actual.
        """
        import joblib

        from ..inspection.pictures import save_loss_curve, save_predicted_vs_actual

        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / name for name in FILES]
        report, pickled, curve, predicted = paths
        report.write_text(self.text + "\n", encoding="utf-8")
        joblib.dump(model, pickled)
        save_loss_curve(model, curve, target_name=str(y.name))
        save_predicted_vs_actual(
            y, model.predict(X), predicted, target_name=str(y.name)
        )
        return paths


def rates_text(rates: pd.DataFrame) -> str:
    """Lay out learning rate against cross-validated RMSE, the chosen one marked.

    Examples
    --------
    >>> print(rates_text(pd.DataFrame({
    ...     "learning_rate": [0.01, 10], "train_rmse": [4.0, None],
    ...     "validation_rmse": [5.0, None], "spread": [0.5, None],
    ...     "chosen": [True, False]})))
    learning rate  train RMSE  validation RMSE
    0.01                 4.00      5.00 ± 0.50  <- chosen
    10               diverged         diverged
    """
    numbers = rates["train_rmse"].dropna().tolist()
    rmse = rmse_format([*numbers, *rates["validation_rmse"].dropna().tolist()])
    cells = [["learning rate", "train RMSE", "validation RMSE"]]
    for rate, *values in rates.iloc[:, :4].to_numpy(dtype=float).tolist():
        train, validation, spread = map(rmse, values)
        known = isfinite(values[1])
        pair = [train, f"{validation} ± {spread}"] if known else ["diverged"] * 2
        cells.append([f"{rate:g}", *pair])
    marks = ["", *("  <- chosen" if chosen else "" for chosen in rates["chosen"])]
    lines = zip(align(cells), marks, strict=True)
    return "\n".join(line + mark for line, mark in lines)


def edge_note(rates: pd.DataFrame, advice: Sequence[str] = ()) -> str:
    """Say if the chosen rate is the first or last of those that worked.

    Nothing is said where the fit at that rate has `advice` on the rate itself.

    Examples
    --------
    >>> edge_note(pd.DataFrame({"learning_rate": [0.1, 1], "validation_rmse": [5, 4],
    ...                         "chosen": [False, True]}))
    'The best rate is the highest that was tried: higher ones may be better.'
    """
    where = list(rates["chosen"]).index(True)
    ends = {0: "lowest", len(rates) - 1: "highest"}
    spoken_of = any(re.search(r"\blearning_rate\b", phrase) for phrase in advice)
    if where not in ends or len(rates) == 1 or spoken_of:
        return ""
    word = {"lowest": "lower", "highest": "higher"}[ends[where]]
    return (
        f"The best rate is the {ends[where]} that was tried: {word} ones may be better."
    )
