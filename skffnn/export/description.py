"""What a fitted model consists of, for those who write it down in another language."""

from typing import Any, NamedTuple

import numpy as np


class Lookup(NamedTuple):
    """What a column of categories, or the gaps of a column, add to the first layer.

    z_2 is x W_1 + b_1, and of each lookup the row of its table that a code chooses:
    one-hot inputs and embeddings, multiplied by their rows of W_1.

    Attributes
    ----------
    feature : int
        The column of the table.
    levels : list or None
        The levels whose places are their codes, strings or floats; behind them are the
        codes of a missing category, and of an unknown one. None for gaps: the codes are
        0 for a number and 1 for a gap.
    table : ndarray of shape (n_codes, units[1]) or (K, n_codes, units[1])
    """

    feature: int
    levels: list | None
    table: np.ndarray


class Networks(NamedTuple):
    """One network, or a stack of K that are added up.

    The prediction is the sum of y_hat * y_scale over the networks, plus y_mean: what
    each network counts for is in its y_scale.

    Attributes
    ----------
    units : list of int
        Inputs, units of each hidden layer, outputs.
    activations : list of str
        The name for each layer, the output's last.
    theta : ndarray of shape (P,) or (K, P)
    x_mean, x_scale : ndarray of shape (n_inputs,) or (K, 1, n_inputs)
        What is subtracted from X, and then divided out; of each network, if the
        networks have scales of their own.
    x_limit : ndarray of the same shape
        How far a standardised column is taken as it is; beyond, it grows like a
        logarithm. Infinite for most columns.
    y_scale : ndarray of shape (n_outputs,) or (K, 1, n_outputs)
    y_mean : ndarray of shape (n_outputs,)
    y_ndim : int
        1 if predictions are to have one dimension.
    columns : list of int or None
        The columns of the table that are numbers, and the inputs; None if all are.
        A gap in one of them is 0 once it is standardised.
    lookups : sequence of Lookup
        What the other columns, and gaps, add to the first layer.
    """

    units: list[int]
    activations: list[str]
    theta: np.ndarray
    x_mean: np.ndarray
    x_scale: np.ndarray
    x_limit: np.ndarray
    y_scale: np.ndarray
    y_mean: np.ndarray
    y_ndim: int
    columns: Any = None
    lookups: Any = ()

    @property
    def n_features(self):
        """The number of columns of the table."""
        return self.units[0] + len(self.categories)

    @property
    def numeric(self):
        """The columns of the table that are numbers."""
        return range(self.units[0]) if self.columns is None else self.columns

    @property
    def categories(self):
        """The lookups of columns of categories, in their order."""
        lookups = [each for each in self.lookups if each.levels is not None]
        return sorted(lookups, key=lambda each: each.feature)

    def gaps(self):
        """What the gaps of columns of numbers add to the first layer.

        Returns
        -------
        places : list of int
            The columns whose gaps add something, by their places among the inputs.
        without : ndarray of shape (1, units[1]) or (K, 1, units[1])
            What they add as long as there is no gap.
        more : ndarray of shape (n_places, units[1]) or (K, n_places, units[1])
            What the gap of each adds to that.
        """
        place = {feature: k for k, feature in enumerate(self.numeric)}
        lookups = [lookup for lookup in self.lookups if lookup.levels is None]
        shape = *self.theta.shape[:-1], len(lookups), 2, self.units[1]
        tables = np.empty(shape, self.theta.dtype)
        for k, lookup in enumerate(lookups):
            tables[..., k, :, :] = lookup.table
        without, more = tables[..., 0, :], tables[..., 1, :] - tables[..., 0, :]
        places = [place[lookup.feature] for lookup in lookups]
        return places, without.sum(axis=-2, keepdims=True), more

    def weighted(self, weights):
        """A copy of the stack in which each network counts for its weight, (K,)."""
        return self._replace(y_scale=weights[:, np.newaxis, np.newaxis] * self.y_scale)

    def finite_limit(self, dtype):
        """`x_limit` in a dtype, with its largest number in place of infinity.

        Where z overflows, infinity less infinity would be no number.
        """
        return np.minimum(self.x_limit, np.finfo(dtype).max).astype(dtype)

    @classmethod
    def mean_of(cls, each):
        """The mean of networks of one architecture, each with scales of its own."""

        def stacked(name):
            return np.stack([getattr(one, name) for one in each])[:, np.newaxis]

        return each[0]._replace(
            theta=np.stack([one.theta for one in each]),
            x_mean=stacked("x_mean"),
            x_scale=stacked("x_scale"),
            x_limit=stacked("x_limit"),
            y_scale=stacked("y_scale") / len(each),
            y_mean=stacked("y_mean").mean(axis=(0, 1)),
            lookups=_stacked_lookups(each),
        )


def described(layout, activations, theta, scaling, y_ndim, encoding):
    """Describe a network, or a stack of them, with its encoding in the first layer.

    Parameters
    ----------
    layout : Layout
    activations : list of str
    theta : ndarray of shape (P,) or (K, P)
    scaling : Scaling
    y_ndim : int
    encoding : Encoding or None

    Returns
    -------
    Networks
    """
    units = list(layout.units)
    whole = Networks(
        units,
        activations,
        theta,
        scaling.x_mean,
        scaling.x_scale,
        scaling.x_limit,
        scaling.y_scale,
        scaling.y_mean,
        y_ndim,
    )
    if encoding is None:
        return whole
    parameters = layout.views(theta)
    W, n = parameters.W[0], encoding.n_numeric
    numeric = encoding.numeric
    tables: list[tuple] = [(numeric[g.feature], None, g.table) for g in encoding.gaps]
    levels = {} if encoding.columns is None else encoding.columns.levels
    tables += [(f.feature, levels[f.feature], f.table) for f in encoding.one_hot]
    for each, E in zip(encoding.embedded, parameters.E, strict=True):
        chosen = E[..., each.choice, :].astype(np.float64)
        tables.append((each.feature, levels[each.feature], chosen))
    lookups, start = [], n
    for feature, of, table in tables:
        rows = slice(start, start := start + table.shape[-1])
        product = table @ W[..., rows, :].astype(np.float64)
        lookups.append(Lookup(feature, of, product.astype(theta.dtype)))
    # The same network without the rows of W_1 that the lookups have taken in.
    stack = theta.shape[:-1]
    parts = W[..., :n, :], *parameters.W[1:], *parameters.b
    theta = np.concatenate([part.reshape(*stack, -1) for part in parts], axis=-1)
    return whole._replace(
        units=[n, *units[1:]],
        theta=theta,
        columns=None if encoding.columns is None else numeric,
        lookups=tuple(lookups),
    )


def _stacked_lookups(each):
    """The lookups of networks side by side: of a column that one has, all have one."""
    own = [{(l.feature, l.levels is None): l for l in one.lookups} for one in each]
    stacked = []
    for key in dict.fromkeys(key for lookups in own for key in lookups):
        some = next(lookups[key] for lookups in own if key in lookups)
        none = np.zeros_like(some.table)
        tables = [lookups[key].table if key in lookups else none for lookups in own]
        stacked.append(some._replace(table=np.stack(tables)))
    return tuple(stacked)
