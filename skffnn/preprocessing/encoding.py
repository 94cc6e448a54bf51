"""From columns to inputs: categories as fixed or learned numbers, gaps as the mean.

A column with few levels becomes one-hot inputs, which are standardised; one with many
is embedded: each level chooses a row of a table that the network learns. A gap is the
mean of its column, and where there were gaps at fit, an input of its own says so.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import issparse

from ..core.data import Data
from .columns import Columns, Mixed
from .scaling import blocks, index

# Columns with more levels than that are embedded.
ONE_HOT = 12
# Levels with fewer rows share what unknown ones have.
RARE = 2
# Standard deviations of one-hot inputs below that are taken for that.
NARROW = 0.2
# The width of an embedding is a power of the number of levels, up to a limit.
POWER, WIDEST = 0.4, 16


class Fixed(NamedTuple):
    """A column as fixed numbers.

    Attributes
    ----------
    feature : int
        A column of the table; of X without the categories, where it tells gaps.
    table : ndarray of shape (n_codes, width)
        The inputs that each code stands for.
    """

    feature: int
    table: np.ndarray


class Learned(NamedTuple):
    """A column that is embedded.

    Attributes
    ----------
    feature : int
    choice : ndarray of int32 of shape (n_codes,)
        The row of the embedding table that each code chooses. Rare levels share the
        last one with unknown levels.
    width : int
        The numbers in a row.
    """

    feature: int
    choice: np.ndarray
    width: int

    @property
    def shape(self):
        """Rows and width of the embedding table."""
        return int(self.choice.max()) + 1, self.width


@dataclass(frozen=True)
class Encoding:
    """How the columns of a table become the inputs of a network.

    Attributes
    ----------
    columns : Columns or None
        None where all are numbers.
    n_numeric : int
        How many columns are numbers; they are the first inputs.
    empty : list of int
        Those of them that had nothing but gaps at fit.
    gaps : list of Fixed
        For each column of numbers that has some, an input that tells them.
    one_hot : list of Fixed
        The categories with few levels.
    embedded : list of Learned
        Those with many, the last inputs.
    """

    columns: Columns | None
    n_numeric: int
    empty: list
    gaps: list
    one_hot: list
    embedded: list

    @property
    def tables(self):
        """Rows and width of each embedding table, for a `Layout`."""
        return [each.shape for each in self.embedded]

    @property
    def n_inputs(self):
        """The number of inputs of the network."""
        fixed = sum(each.table.shape[1] for each in (*self.gaps, *self.one_hot))
        return self.n_numeric + fixed + sum(width for _, width in self.tables)

    @property
    def numeric(self):
        """The numbers of the columns that are numbers."""
        if self.columns is None:
            return list(range(self.n_numeric))
        return self.columns.numeric

    def features(self):
        """The column of the table that each input, and then each code, comes from."""
        numeric = self.numeric
        of_gaps = [numeric[gap.feature] for gap in self.gaps]
        rest = [(f.feature, f.table.shape[1]) for f in self.one_hot]
        rest += [(each.feature, 1) for each in self.embedded]
        repeated = [feature for feature, width in rest for _ in range(width)]
        return np.array([*numeric, *of_gaps, *repeated], int)

    # As a model keeps it ------------------------------------------------------------

    @classmethod
    def of(cls, model: Any) -> "Encoding | None":
        """The encoding of a fitted model; None where all columns are whole numbers."""
        values = model._encoding
        if values is None:
            return None
        levels = values["levels"]
        n_features = values["n_features"]
        return cls(
            Columns(n_features, dict(levels)) if levels else None,
            n_features - len(levels),
            values["empty"],
            [Fixed(*pair) for pair in values["gaps"]],
            [Fixed(*pair) for pair in values["one_hot"]],
            [Learned(*triple) for triple in values["embedded"]],
        )

    def as_values(self) -> dict:
        """What a model keeps: plain values."""
        levels = self.columns.levels if self.columns is not None else {}
        return {
            "n_features": self.n_numeric + len(levels),
            "levels": [(k, list(each)) for k, each in levels.items()],
            "empty": list(self.empty),
            "gaps": [tuple(each) for each in self.gaps],
            "one_hot": [tuple(each) for each in self.one_hot],
            "embedded": [tuple(each) for each in self.embedded],
        }


def columns_at_fit(model: Any) -> Columns | None:
    """What the table of a fitted model consisted of; None where all were numbers."""
    encoding = Encoding.of(model)
    return None if encoding is None else encoding.columns


def tables_of(model: Any) -> list:
    """Rows and width of each embedding table of a fitted model, for a `Layout`."""
    if model._encoding is None:
        return []
    return [Learned(*each).shape for each in model._encoding["embedded"]]


def joint_encoding(each: list) -> dict | None:
    """What networks of one table know of it together: the gaps of all their samples.

    Parameters
    ----------
    each : list of dict or None
        The ``_encoding`` of each network.
    """
    known = [values for values in each if values is not None]
    if len(known) < 2:
        return known[0] if known else None
    gaps = {pair[0]: pair for values in known for pair in values["gaps"]}
    empty = {feature for values in known for feature in values["empty"]}
    return {**known[0], "gaps": list(gaps.values()), "empty": sorted(empty)}


# From a table -------------------------------------------------------------------------


def gapped_columns(X, rows):
    """The columns of numbers that have some gaps in those rows, and those of only gaps.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
    rows : range or ndarray of int of shape (n,)

    Returns
    -------
    some, empty : list of int
    """
    n_gaps = np.zeros(X.shape[1], int)
    for part in blocks(rows, X.shape[1]):
        n_gaps += np.isnan(X[part]).sum(axis=0)
    empty = n_gaps == len(rows)
    return np.flatnonzero((n_gaps > 0) & ~empty).tolist(), np.flatnonzero(
        empty
    ).tolist()


def encoding_of(table, rows, weight, gaps, standardized):
    """How the columns of a table are encoded; None where all are whole numbers.

    Parameters
    ----------
    table : Table
    rows : range or ndarray of int of shape (n,)
        Of the training rows, positive weight.
    weight : ndarray of shape (n_rows,) or None
        With the mean 1 at those rows.
    gaps : tuple of list of int
        The `gapped_columns` of ``table.X`` in these rows.
    standardized : bool
        Whether inputs are.
    """
    columns, (gapped, empty) = table.columns, gaps
    if columns is None and not gapped and not empty:
        return None
    share = None if weight is None else weight[index(rows)]
    tell = [
        Fixed(k, _indicator(np.isnan(table.X[index(rows), k]), share, standardized))
        for k in gapped
    ]
    one_hot, embedded = [], []
    features = () if columns is None else columns.levels
    for feature, codes in zip(features, table.codes, strict=True):
        own = codes[index(rows)]
        often = _n_rows(own, columns.unseen(feature) + 1, share) >= RARE
        often[: columns.missing(feature)] |= columns.complete
        choice = _choice(often)
        if choice.max() > ONE_HOT:
            embedded.append(Learned(feature, choice, _width(int(choice.max()))))
        else:
            table_of_codes = _one_hot(own, choice, share, standardized)
            one_hot.append(Fixed(feature, table_of_codes))
    return Encoding(columns, table.X.shape[1], empty, tell, one_hot, embedded)


def _width(n_levels):
    return int(min(WIDEST, max(2, round(n_levels**POWER))))


def _n_rows(own, n_codes, share):
    """How many rows each code of a column has; by weight, in units of the lightest row.

    So a row of twice the weight is two rows, and only the ratios of weights matter.
    """
    if share is None:
        return np.bincount(own, minlength=n_codes)
    n_rows = np.bincount(own, share / share.min(), n_codes)
    return n_rows * (1 + 1e-9)  # a sum of equal numbers is rounded


def _choice(often):
    """The row of a table that each code of a column chooses, (n_codes,).

    Codes with enough rows have one each, and the last is for all others.
    """
    often[-1] = False
    choice = np.full(len(often), np.count_nonzero(often), np.int32)
    choice[often] = np.arange(np.count_nonzero(often))
    return choice


def _one_hot(own, choice, share, standardized):
    """The standardised one-hot row of each code; 0, the mean, if nobody has had it."""
    n_levels = int(choice.max()) + 1
    p = np.bincount(choice[own], share, n_levels) / _total(own, share)
    table = np.eye(n_levels)
    kept = p > 0
    kept[:-1] = True
    if np.count_nonzero(kept) == 2:  # two of which one is what the other is not
        kept[np.flatnonzero(kept)[-1]] = False
    table = _standardised(table, p, standardized)[:, kept]
    if p[-1] == 0:
        table[-1] = 0
    return table[choice]


def _indicator(gap, share, standardized):
    p = np.average(gap, weights=share)
    return _standardised(np.array([[0.0], [1.0]]), np.array([p]), standardized)


def _standardised(table, p, standardized):
    if not standardized:
        return table
    return (table - p) / np.maximum(np.sqrt(p * (1 - p)), NARROW)


def _total(own, share):
    return len(own) if share is None else share.sum()


# Rows as the core reads them ----------------------------------------------------------


def raw_data(encoding, X, scaling, Y=None, weight=None, rows=None):
    """Checked rows as `Data` that are standardised and encoded when they are gathered.

    Parameters
    ----------
    encoding : Encoding or None
    X : ndarray, CSR or Mixed
    scaling : sequence of ndarray
        Mean, scale and limit of the columns of numbers.
    Y, weight, rows
        As `Data` takes them.
    """
    x_mean, x_scale, x_limit = scaling
    if not isinstance(X, Mixed):
        if encoding is None:
            return Data(X, Y, weight, rows, x_mean, x_scale, x_limit)
        X = Mixed(X, gaps=not issparse(X))
    fixed, codes = [], None
    if encoding is not None:
        fixed, codes = _looked_up(encoding, X)
    return Data(
        X.X,
        Y,
        weight,
        rows,
        x_mean,
        x_scale,
        x_limit,
        gaps=X.gaps,
        fixed=fixed,
        codes=codes,
    )


def _gap_codes(X, feature):
    """1 for a gap in a column of numbers, else 0."""
    if not X.gaps:
        return np.zeros(len(X), np.uint8)
    return np.isnan(X.X[:, feature]).view(np.uint8)


def _looked_up(encoding, X):
    """The codes of fixed columns with their tables, and those of embedded columns."""
    place: dict[int, np.ndarray] = {}
    if encoding.columns is not None:
        place = dict(zip(encoding.columns.levels, X.codes, strict=True))
    fixed = [(_gap_codes(X, gap.feature), gap.table) for gap in encoding.gaps]
    fixed += [(place[f.feature], f.table) for f in encoding.one_hot]
    if not encoding.embedded:
        return fixed, None
    codes = np.empty((len(X), len(encoding.embedded)), np.int32)
    for c, each in enumerate(encoding.embedded):
        codes[:, c] = each.choice[place[each.feature]]
    return fixed, codes
