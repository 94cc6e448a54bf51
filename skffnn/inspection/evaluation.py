"""Does it overfit? The train/test split, the baselines and the verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10, sqrt
from typing import Any

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.model_selection import train_test_split
from sklearn.utils import check_consistent_length

from ..core.hyperparameters import is_inside_unit, is_int
from ..core.notebook import paragraphs, table
from ..preprocessing.foreign import refuse_lazy
from ..preprocessing.judging import check_truth
from .advice import (
    advice_of,
    less_fitting,
    longer_training,
    more_fitting,
    open_parameters,
)
from .baselines import Scores, baselines_of, scores_of
from .wrappers import innermost

# The thresholds of `verdict`: errors in standard deviations of the target, and ratios.
_GAP = 0.1
_RATIO = 1.2
_LEARNT = 0.975
_BEHIND_LINEAR = 0.05
_AS_GOOD = 1.05


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """What `evaluate` found; ``print`` and notebooks show it as a table.

    Attributes
    ----------
    estimator : estimator
        The clone that was fitted on the training rows.
    train_rmse, test_rmse : float
        Root mean squared error in the units of the target; several outputs: the
        mean of theirs.
    train_r2, test_r2 : float
        Share of the target's variance that is explained: 1 is perfect, 0 is what
        predicting the mean gets.
    baselines : dict of str to Scores
        The same four numbers for "mean" and "linear regression".
    verdict : str
        One sentence: overfits, underfits or generalises, and one thing to try.
    train_indices, test_indices : ndarray of int
        Which rows were which.
    note : str
        Why a baseline is missing, else empty.

    See Also
    --------
    evaluate : Makes one.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skffnn import evaluate
    >>> found = evaluate(Ridge(), *load_diabetes(return_X_y=True), random_state=0)
    >>> found.test_rmse < found.baselines["mean"].test_rmse
    True
    >>> len(found.train_indices), len(found.test_indices)
    (353, 89)
    """

    estimator: Any
    train_rmse: float
    test_rmse: float
    train_r2: float
    test_r2: float
    baselines: dict[str, Scores]
    verdict: str
    train_indices: np.ndarray
    test_indices: np.ndarray
    note: str = ""

    @property
    def scores(self) -> Scores:
        """The four numbers of the estimator itself."""
        return Scores(self.train_rmse, self.test_rmse, self.train_r2, self.test_r2)

    def __repr__(self) -> str:
        name, _, rmse, _, r2 = self._cells()[1]
        return f"<Evaluation of {name}: test RMSE {rmse}, test R2 {r2}>"

    def __str__(self) -> str:
        return "\n".join([*align(self._cells()), "", *filter(None, self._notes())])

    def _repr_html_(self) -> str:
        head, *rows = self._cells()
        return f"{table(head, rows)}\n{paragraphs(*self._notes())}"

    def _cells(self) -> list[list[str]]:
        name = type(innermost(self.estimator)).__name__
        return _cells({name: self.scores, **self.baselines})

    def _notes(self) -> list[str]:
        """What is said below the table."""
        train, test = len(self.train_indices), len(self.test_indices)
        rows = f"{train:,} training rows, {test:,} test rows."
        return [rows, self.note, self.verdict]


def evaluate(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    test_size: float = 0.2,
    shuffle: bool = True,
    random_state: int | np.random.RandomState | None = None,
    baseline: bool = True,
) -> Evaluation:
    """Hold rows out, fit on the others, and judge whether the model overfits.

    Everything is fitted on the training rows only: the estimator (a clone of it), the
    preprocessing of a pipeline, the search over parameters, the baselines.

    Parameters
    ----------
    estimator : regressor
        Any scikit-learn regressor: a pipeline, a search and a
        `TransformedTargetRegressor` too.
    X : array-like, sparse matrix or DataFrame with n rows
        The features. A table may have categories and gaps, if the estimator takes them.
    y : array-like of shape (n,) or (n, n_outputs)
        The target.
    test_size : float or int, default=0.2
        Share (or number) of rows held out.
    shuffle : bool, default=True
        Draw the test rows at random. With False they are the last rows: for rows in
        the order of time.
    random_state : int, RandomState or None, default=None
        Decides which rows are drawn.
    baseline : bool, default=True
        Also judge predicting the mean and linear regression. Linear regression gets
        the preprocessing of the estimator: of a pipeline the last step is replaced.
        Categories that are left become one-hot columns for it, and gaps the mean.
        Where it cannot be fitted it is left out, and `note` says so.

    Returns
    -------
    Evaluation
        The fitted clone, its scores, those of the baselines, and a verdict.

    Raises
    ------
    TypeError
        If estimator is none.
    ValueError
        If it is no regressor, if there are too few rows, or if y has gaps, which are
        counted.

    Notes
    -----
    The verdict compares errors in standard deviations of the target,
    e = sqrt(1 - R2), so that it means the same for every target:

    * It **overfits** when e on the test rows is above e on the training rows by more
      than 0.1 *and* by more than a factor 1.2, widened by two standard errors of an
      RMSE over n test rows, 1 + 2 / sqrt(2 n), so that a small test set does not
      accuse by chance. Tiny errors on both sides are no overfitting, however different.
      It also overfits when it learnt something of the training rows (e < 0.975) and
      is no better than the mean on the test rows (R2 <= 0).
    * It **underfits** when on its own training rows it is hardly better than
      predicting the mean (e >= 0.975, R2 of about 0.05), or more than 0.05 behind
      linear regression, and on the test rows behind it as well.
    * Otherwise it **generalises**. On a linear target the best network equals linear
      regression: that generalises too, and where linear regression comes within 5 %
      the verdict recommends it.

    What to try is what the fit has warned of, if it has; a parameter that a search has
    chosen is left to the search.

    Where linear regression loses as much from the training to the test rows of an
    unshuffled split, the verdict says that the last rows may just be different.

    Rows that the estimator holds out itself, for early stopping, are training rows
    here: they helped to choose the model.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> tree = DecisionTreeRegressor(random_state=0)
    >>> print(evaluate(tree, X, y, random_state=0))
                           train RMSE  test RMSE  train R2  test R2
    DecisionTreeRegressor         0.0       83.0     1.000   -0.344
    linear regression            52.3       58.5     0.554    0.332
    mean                         78.3       71.7     0.000   -0.001
    <BLANKLINE>
    353 training rows, 89 test rows.
    It overfits: on the test rows it is no better than predicting the mean; try a
    simpler or more strongly regularised model.
    """
    _check_regressor(estimator)
    n, test_size = _check_rows(X, y, test_size)
    seed = random_state if shuffle else None
    how = {"test_size": test_size, "shuffle": shuffle, "random_state": seed}
    *parts, train, test = train_test_split(X, y, np.arange(n), **how)
    _check_split(train, test)
    X_train, _, y_train, _ = parts
    fitted = clone(estimator).fit(X_train, y_train)
    scores = scores_of(fitted, *parts)
    baselines, note = baselines_of(fitted, *parts) if baseline else ({}, "")
    sentence = verdict(
        scores,
        baselines.get("linear regression"),
        n_test=len(test),
        shuffled=shuffle,
        params=open_parameters(fitted),
        advice=advice_of(fitted),
    )
    return Evaluation(fitted, *scores, baselines, sentence, train, test, note)


def verdict(
    scores: Scores,
    linear: Scores | None = None,
    *,
    n_test: int,
    shuffled: bool = True,
    params: dict[str, Any] | None = None,
    advice: Sequence[str] = (),
) -> str:
    """Say in one sentence whether a model with these scores overfits.

    The rule and its thresholds stand in the notes of `evaluate`; `params` are the
    parameters of the model, and `advice` what its fit has said, for what to try.

    Examples
    --------
    >>> verdict(Scores(1.0, 3.4, 0.95, 0.4), n_test=100, params={"alpha": 0.1})
    'It overfits: the test RMSE is 3.4 times the training RMSE; try a larger alpha.'
    """
    params = params or {}
    train, test = _error(scores.train_r2), _error(scores.test_r2)
    if train < _LEARNT and (scores.test_r2 <= 0 or _apart(train, test, n_test)):
        return _overfits(scores, linear, n_test, shuffled, params)
    if train >= _LEARNT:
        return _learnt_nothing(linear, params, advice)
    if linear and _behind(scores, linear):
        return (
            "It underfits: even on its own training rows it is behind linear "
            f"regression; try {[*advice, longer_training(params)][0]}."
        )
    return _generalises(scores, linear, params, advice)


def _error(r2: float) -> float:
    """Return the error in standard deviations of the target."""
    return sqrt(max(0.0, 1 - r2))


def _apart(train: float, test: float, n_test: int) -> bool:
    """Whether the test error exceeds the training error by more than chance does."""
    ratio = _RATIO * (1 + 2 / sqrt(2 * n_test))
    return test - train > _GAP and test > ratio * train


def _behind(scores: Scores, linear: Scores) -> bool:
    """Whether a model is well behind linear regression on its own training rows."""
    behind = _error(scores.train_r2) - _error(linear.train_r2)
    # On wide tables linear regression fits its training rows perfectly and is worth
    # nothing: it is a yardstick only where it is better on the test rows too.
    return behind > _BEHIND_LINEAR and scores.test_r2 < linear.test_r2


def _overfits(
    scores: Scores,
    linear: Scores | None,
    n_test: int,
    shuffled: bool,
    params: dict[str, Any],
) -> str:
    if not shuffled and linear and _loses_as_much(linear, scores):
        return (
            "It overfits or the last rows differ from those before them, for linear "
            "regression loses as much; try a shuffled split to tell which."
        )
    return f"It overfits: {_gap(scores)}; try {less_fitting(params)}."


def _gap(scores: Scores) -> str:
    if scores.test_r2 <= 0:
        return "on the test rows it is no better than predicting the mean"
    if scores.test_rmse > 20 * scores.train_rmse:
        return "it knows the training rows by heart and is well off on the test rows"
    ratio = scores.test_rmse / scores.train_rmse
    return f"the test RMSE is {ratio:.1f} times the training RMSE"


def _loses_as_much(linear: Scores, scores: Scores) -> bool:
    """Whether linear regression, no closer a fit, loses as much on test rows."""
    loses, lost = (_error(s.test_r2) - _error(s.train_r2) for s in (linear, scores))
    return loses >= lost and linear.train_r2 <= scores.train_r2


def _learnt_nothing(
    linear: Scores | None, params: dict[str, Any], advice: Sequence[str]
) -> str:
    what = "even on its own training rows it hardly beats predicting the mean"
    if linear and _error(linear.train_r2) >= _LEARNT:
        # Nothing that a longer training would mend, unless the fit was not content.
        cures = " or ".join([*advice[:1], "other features"])
        return f"It underfits: {what}, nor does linear regression; try {cures}."
    return f"It underfits: {what}; try {[*advice, longer_training(params)][0]}."


def _generalises(
    scores: Scores,
    linear: Scores | None,
    params: dict[str, Any],
    advice: Sequence[str],
) -> str:
    if linear and _error(linear.test_r2) <= _AS_GOOD * _error(scores.test_r2):
        cures = ", or ".join(["that, the simpler model", *advice[:1]])
        return f"It generalises, and linear regression does about as well; try {cures}."
    if scores.test_r2 > 0.99:
        return "It generalises: little is left to explain; try it on newer data."
    return (
        f"It generalises: R2 is {scores.test_r2:.2f} on the test rows and "
        f"{scores.train_r2:.2f} on the training rows; try "
        f"{[*advice, more_fitting(params)][0]} for the rest."
    )


def _check_regressor(estimator: Any) -> None:
    if isinstance(estimator, type) or not hasattr(estimator, "fit"):
        raise TypeError(f"estimator must be a regressor, got {estimator!r}.")
    if not is_regressor(estimator):
        name = type(innermost(estimator)).__name__
        raise ValueError(f"evaluate needs a regressor, and {name} is none.")


def _check_rows(X: Any, y: Any, test_size: float) -> tuple[int, float]:
    refuse_lazy(X, "X")
    check_truth(y, "y")
    check_consistent_length(X, y)
    n, whole = np.shape(y)[0], is_int(test_size, 2)
    if not (test_size < n if whole else is_inside_unit(test_size)):
        raise ValueError(
            "test_size must be a share between 0 and 1, or a number of rows from 2 to n"
            f" - 1 = {n - 1}; got {test_size!r}."
        )
    return n, int(test_size) if whole else float(test_size)


def _check_split(train: np.ndarray, test: np.ndarray) -> None:
    if min(len(train), len(test)) < 2:
        raise ValueError(
            f"{len(train) + len(test)} rows are too few: this split has {len(train)} "
            f"training and {len(test)} test rows, and R2 needs two of each."
        )


def _cells(rows: dict[str, Scores]) -> list[list[str]]:
    """Turn the scores into words, below titles."""
    rmse = rmse_format([value for s in rows.values() for value in s[:2]])
    titles = [name.replace("_", " ") for name in Scores._fields]
    titles = [t.replace("rmse", "RMSE").replace("r2", "R2") for t in titles]
    cells = [["", *titles]]
    for name, s in rows.items():
        cells.append([name, *(rmse(v) for v in s[:2]), *(f"{v:.3f}" for v in s[2:])])
    return cells


def rmse_format(values: list[float]) -> Callable[[float], str]:
    """Choose one number of decimals for a table: the least RMSE gets three digits.

    Examples
    --------
    >>> [rmse_format([512.25, 7.125])(value) for value in (512.25, 7.125)]
    ['512.25', '7.12']
    """
    sizes = [value for value in values if isfinite(value)]
    most = max(sizes, default=1.0)
    # Rounding errors, such as of linear regression on a linear target, do not count.
    least = min((value for value in sizes if value > 1e-5 * most), default=1.0)
    if not (least >= 1e-4 and most < 1e8):
        return "{:.2e}".format
    return f"{{:,.{max(0, 2 - floor(log10(least)))}f}}".format


def align(cells: list[list[str]]) -> list[str]:
    """Return lines of text with the first column to the left, the others to the right.

    Examples
    --------
    >>> align([["", "RMSE"], ["mean", "7"]])
    ['      RMSE', 'mean     7']
    """
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for first, *rest in cells:
        numbers = zip(rest, widths[1:], strict=True)
        line = [first.ljust(widths[0]), *(cell.rjust(w) for cell, w in numbers)]
        lines.append("  ".join(line).rstrip())
    return lines
