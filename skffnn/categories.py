"""What a fitted model tells of its columns of categories."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from .core.layout import Layout
from .preprocessing.columns import Mixed
from .preprocessing.encoding import Encoding, tables_of
from .preprocessing.tables import names_of

# What the rows of tables are called that are no level.
MISSING, OTHER = "(missing)", "(other)"


class LevelsMixin:
    """Tells which columns are categories, and which levels they have."""

    n_features_in_: int

    @property
    def is_categorical_(self) -> np.ndarray:
        """Which columns are categories: a mask of all columns."""
        check_is_fitted(self)
        mask = np.zeros(self.n_features_in_, bool)
        mask[list(self._levels())] = True
        return mask

    @property
    def categories_(self) -> dict[Any, list]:
        """The levels of each column of categories at fit, by its name or number."""
        check_is_fitted(self)
        names = names_of(self, self.n_features_in_)
        return {names[k]: list(levels) for k, levels in self._levels().items()}

    def _levels(self):
        encoding = Encoding.of(self)
        if encoding is None or encoding.columns is None:
            return {}
        return encoding.columns.levels


class CategoriesMixin(LevelsMixin):
    """Gives a fitted network what it knows of its columns of categories."""

    _checked: Any
    _predict: Any
    units_: list[int]
    theta_: np.ndarray

    @property
    def embeddings_(self) -> dict[Any, pd.DataFrame]:
        """The learned vectors of each embedded column, by its name or number.

        A row for each level. Levels that share a vector, being rare, have equal rows;
        the last one is that of unknown levels. Of several networks, those of the one
        that counts for most.
        """
        check_is_fitted(self)
        encoding, names = Encoding.of(self), names_of(self, self.n_features_in_)
        if encoding is None:
            return {}
        theta = self._theta_that_counts()
        tables = Layout(self.units_, tables_of(self)).views(theta).E
        levels = self._levels()
        return {
            names[each.feature]: pd.DataFrame(
                E[each.choice], index=[*levels[each.feature], MISSING, OTHER]
            )
            for each, E in zip(encoding.embedded, tables, strict=True)
        }

    def level_effects(self, X: Any) -> dict[Any, pd.DataFrame]:
        """How the prediction changes where a row gets another level, on average.

        For each column of categories and each of its levels: all rows get that level,
        and the mean prediction is compared with the mean over the rows as they are. It
        is to categories what the mean of `input_gradient` is to numbers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows, as `predict` takes them.

        Returns
        -------
        effects : dict of DataFrame of shape (n_levels + 2, n_outputs)
            By the name or the number of the column; in units of the target. The last
            two rows are for a missing category, and for an unknown one.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X has other columns than at `fit`, or infinite values.

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from skffnn import FFNNRegressor
        >>> rng = np.random.default_rng(0)
        >>> X = pd.DataFrame({"size": rng.uniform(size=300)})
        >>> X["town"] = rng.choice(["Bonn", "Rome"], 300)
        >>> y = X["size"] + 2.0 * (X["town"] == "Rome")
        >>> model = FFNNRegressor(random_state=0).fit(X, y)
        >>> effects = model.level_effects(X)["town"][0]
        >>> float(round(effects["Rome"] - effects["Bonn"], 1))
        2.0
        """
        X = self._checked(X)
        names = names_of(self, self.n_features_in_)
        effects: dict[Any, pd.DataFrame] = {}
        if not isinstance(X, Mixed) or X.columns is None:
            return effects
        mean = self._mean_prediction(X)
        for c, (feature, levels) in enumerate(X.columns.levels.items()):
            rows = []
            for code in range(len(levels) + 2):
                codes = list(X.codes)
                codes[c] = np.full_like(codes[c], code)
                changed = Mixed(X.X, tuple(codes), X.columns, X.gaps)
                rows.append(self._mean_prediction(changed) - mean)
            index = [*levels, MISSING, OTHER]
            effects[names[feature]] = pd.DataFrame(np.stack(rows), index=index)
        return effects

    def _theta_that_counts(self):
        return self.theta_

    def _mean_prediction(self, X):
        return self._predict(X).mean(axis=0)

    def _by_feature(self, values):
        """What is known of the columns of numbers, spread over all; NaN elsewhere."""
        encoding = Encoding.of(self)
        if encoding is None or encoding.columns is None:
            return values
        spread = np.full((*values.shape[:-1], self.n_features_in_), np.nan)
        spread[..., encoding.numeric] = values
        return spread
