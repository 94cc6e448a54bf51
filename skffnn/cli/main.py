"""`python -m skffnn`: a table in; a tuned and tested network, its report, pictures."""

import os
import re
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from ..extras import MissingExtraError, require
from ..fitting.callbacks import progress_bar
from ..inspection.advice import advice_of
from ..inspection.evaluation import Evaluation, evaluate
from ..model_selection import FFNNGridSearchCV
from .columns import kinds_of, names_of_numbers, names_of_text
from .options import UsageError, predict_parser, train_parser
from .report import Report, edge_note, rates_text
from .search import (
    RATE,
    SMALL,
    learning_rate_search,
    network,
    plain_pipeline,
    quiet_search,
    rates_below,
    rates_table,
    table_pipeline,
)
from .tables import (
    Dataset,
    TableError,
    check_columns,
    check_new_table,
    read_table,
    split_target,
    suspects,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code.

    0: done. 2: a mistake of the user, told in one line on stderr. 130: interrupted.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        if argv[:1] == ["predict"]:
            _predict(predict_parser().parse_args(argv[1:]))
        else:
            _train(train_parser().parse_args(argv))
    except KeyboardInterrupt:
        print("skffnn: interrupted", file=sys.stderr)
        return 130
    except (UsageError, TableError, MissingExtraError) as error:
        print(f"skffnn: error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader, such as head, has seen enough. Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _train(options: Namespace) -> None:
    if options.out:
        require("matplotlib", "Drawing")
    table = _diabetes(options) if options.data is None else _user_table(options)
    search = _search(table.X, options)
    if options.out:
        _check_folder(options.out)
    report = Report()
    report.say("\n".join([_heading(table, options), *table.notes]))
    folds = search.cv.get_n_splits()
    report.say(f"Learning rate, {folds}-fold cross-validated on the training rows:")
    evaluation = _evaluate(search, table, options)
    fitted = evaluation.estimator
    diverged = set(search.param_grid[RATE]) - set(fitted.param_grid[RATE])
    rates, advice = rates_table(fitted, sorted(diverged)), advice_of(fitted)
    note = "" if options.overfit else edge_note(rates, advice)
    report.say(f"{rates_text(rates)}\n{note}".strip())
    report.say(str(evaluation))
    if options.out:
        _save(report, evaluation, table, options.out)


def _diabetes(options: Namespace) -> Dataset:
    for name in ("target", "drop", "categorical"):
        if getattr(options, name):
            raise UsageError(f"--{name} goes with a table of yours: name its file")
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True, as_frame=True, scaled=False)
    return Dataset(X, y.rename("disease progression"), [])


def _user_table(options: Namespace) -> Dataset:
    data = read_table(options.data)
    if options.target is None:
        shown = ", ".join(data.columns[:12]) + ", ..." * (len(data.columns) > 12)
        raise UsageError(f"--target is missing: which column to predict? {shown}")
    check_columns(options.drop, data, "--drop")
    check_columns(options.categorical, data, "--categorical")
    if options.target in (*options.drop, *options.categorical):
        raise UsageError(f"{options.target!r} is the target: it stays a number")
    table = split_target(data, options.target)
    X = table.X.drop(columns=options.drop)
    if X.columns.empty:
        raise TableError("--drop leaves no column to learn from")
    notes = [
        f"warning: {name!r} {why} (--drop {_for_a_shell(name)} leaves it out)"
        for name, why in suspects(X).items()
        if name not in options.categorical
    ]
    return Dataset(X, table.y, [*table.notes, *notes])


def _for_a_shell(name: str) -> str:
    """A name as an argument: in quotes where a shell would take it apart."""
    return name if re.fullmatch(r"[\w.-]+", name) else f'"{name}"'


def _search(X: pd.DataFrame, options: Namespace) -> FFNNGridSearchCV:
    regressor = network(
        _kind(len(X), options), seed=options.seed, hidden=options.hidden
    )
    pipeline = (
        plain_pipeline(regressor)
        if options.data is None
        else table_pipeline(regressor, kinds_of(X, options.categorical))
    )
    return learning_rate_search(
        pipeline,
        *X.shape,
        learning_rates=options.learning_rates,
        time_order=options.time_order,
        overfit=options.overfit,
        seed=options.seed,
        n_jobs=options.jobs or (-1 if options.data else 1),
    )


def _kind(n_rows: int, options: Namespace) -> str:
    if options.overfit:
        return "overfit"
    if options.data is None:
        return "noisy"
    return "small" if n_rows < SMALL else "large"


def _heading(table: Dataset, options: Namespace) -> str:
    name = options.data.name if options.data else "scikit-learn's diabetes table"
    (rows, columns), y = table.X.shape, table.y
    which = "the last ones" if options.time_order else "drawn at random"
    return (
        f"{name}: {rows:,} rows, {columns} columns\n"
        f"target: {y.name}, from {y.min():,g} to {y.max():,g}, mean {y.mean():,.4g}\n"
        f"test rows, held out: {100 * options.test_size:.3g}%, {which}"
    )


def _evaluate(
    search: FFNNGridSearchCV, table: Dataset, options: Namespace
) -> Evaluation:
    """Search and evaluate, with a bar on a terminal and without warnings."""
    if sys.stdout.isatty():
        search = progress_bar(search)
    try:
        with quiet_search():
            return evaluate(
                search,
                table.X,
                table.y,
                test_size=options.test_size,
                shuffle=not options.time_order,
                random_state=options.seed,
            )
    except (FloatingPointError, ConvergenceWarning) as error:
        # What went well on every fold may fail on all training rows.
        rates = rates_below(search, error)
        if not rates:
            raise TableError("training diverged: try lower --learning-rates") from error
        lower = clone(search).set_params(param_grid={RATE: rates})
        return _evaluate(lower, table, options)
    except ValueError as error:
        # A search whose every fit failed says why in the last line that names an error.
        lines = str(error).strip().splitlines()
        why = next((line for line in reversed(lines) if "Error: " in line), lines[-1])
        if "diverged" in why:
            why = "training diverged at every rate: try lower --learning-rates"
        raise TableError(why) from error


def _save(report: Report, evaluation: Evaluation, table: Dataset, folder: Path) -> None:
    rows = evaluation.test_indices
    model, X = evaluation.estimator.best_estimator_, table.X.iloc[rows]
    with _writing(f"to {folder}"):
        paths = report.save(folder, model, X, table.y.iloc[rows])
    print(f"\nWrote {', '.join(map(str, paths))}.")


@contextmanager
def _writing(where: str) -> Iterator[None]:
    """Tell in one line what cannot be written."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write {where}: {error.strerror or error}") from error


def _check_folder(folder: Path) -> None:
    """Find out whether results can be saved, before a long run; leave nothing there."""
    there = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    with _writing(f"to {folder}"):
        tempfile.TemporaryFile(dir=there).close()


def _predict(options: Namespace) -> None:
    model = _load(options.model)
    data = read_table(options.data, text=names_of_text(model))
    if options.out and options.out.resolve() == options.data.resolve():
        raise UsageError(f"--out {options.out} would overwrite the table")
    X = check_new_table(data, model, names_of_numbers(model))
    try:
        with quiet_search():
            predictions = model.predict(X)
    except ValueError as error:
        why = str(error).strip().splitlines()[0]
        raise TableError(f"{options.data} does not fit the model: {why}") from error
    table = pd.DataFrame({"prediction": predictions})
    if options.out is None:
        table.to_csv(sys.stdout, index=False)
        return
    with _writing(str(options.out)):
        table.to_csv(options.out, index=False)
    print(f"Wrote {len(table):,} predictions to {options.out}.")


def _load(path: Path) -> Any:
    import joblib

    try:
        model = joblib.load(path)
    except FileNotFoundError as error:
        raise UsageError(f"cannot read {path}: no such file") from error
    # Any bytes may stand in a file that is no pickle, and any error come of them.
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "skrub":
            require("skrub", "This model")
        raise UsageError(f"{path} is no model of this command") from error
    if not hasattr(model, "predict") or not hasattr(model, "feature_names_in_"):
        raise UsageError(f"{path} is no model of this command")
    return model
