"""What a model is compared with: the mean, and linear regression on any table."""

from typing import Any, NamedTuple
from warnings import catch_warnings, simplefilter

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.dummy import DummyRegressor
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.pipeline import Pipeline, make_pipeline

from ..preprocessing.columns import Mixed
from ..preprocessing.tables import read_table
from .wrappers import unwrap

# So many levels of a column have coefficients of their own; the rarer ones share one.
LEVELS = 100


class Scores(NamedTuple):
    """RMSE, in the units of the target, and R2 on training and test rows."""

    train_rmse: float
    test_rmse: float
    train_r2: float
    test_r2: float


@np.errstate(over="ignore", invalid="ignore")  # of errors that cannot be squared
def scores_of(fitted: Any, X: Any, X_test: Any, y: Any, y_test: Any) -> Scores:
    """Judge a fitted model on its training rows and on test rows.

    Examples
    --------
    >>> mean = DummyRegressor().fit([[0], [0]], [1.0, 3.0])
    >>> scores_of(mean, [[0], [0]], [[0], [0]], [1.0, 3.0], [0.0, 4.0]).test_rmse
    2.0
    """
    predictions = fitted.predict(X), fitted.predict(X_test)
    pairs = list(zip((y, y_test), predictions, strict=True))
    rmse = [float(root_mean_squared_error(*pair)) for pair in pairs]
    r2 = [float(r2_score(*pair)) for pair in pairs]
    return Scores(*rmse, *r2)


def baselines_of(
    fitted: Any, X: Any, X_test: Any, y: Any, y_test: Any
) -> tuple[dict[str, Scores], str]:
    """Judge what a fitted model is compared with, on the same rows.

    Returns
    -------
    baselines : dict of str to Scores
    note : str
        Why linear regression is not among them, else empty.
    """
    parts = X, X_test, y, y_test
    mean = {"mean": scores_of(DummyRegressor().fit(X, y), *parts)}
    try:
        with catch_warnings():
            # The preprocessing warned already, when the estimator was fitted.
            simplefilter("ignore")
            linear = clone(_linear_twin(fitted)).fit(X, y)
            return {"linear regression": scores_of(linear, *parts), **mean}, ""
    except (TypeError, ValueError) as error:
        why = str(error).partition("\n")[0].rstrip(".")
        return mean, f"No linear regression to compare with: {why}."


def _linear_twin(estimator: Any) -> Any:
    """Return linear regression behind the preprocessing of a fitted estimator."""
    inside = unwrap(estimator)
    if inside is None:
        asked = getattr(estimator, "categorical_features", "from_dtype")
        return LinearTwin(asked)
    if isinstance(estimator, Pipeline):
        steps = [*estimator.steps[:-1], ("lineartwin", _linear_twin(inside))]
        return Pipeline(steps)
    return _linear_twin(inside)


class LinearTwin(RegressorMixin, BaseEstimator):
    """Linear regression that reads a table as the networks do.

    Numbers go into it as they are. In a table with categories or gaps, the mean stands
    for a gap, which a column of its own tells, and categories are one-hot.

    Parameters
    ----------
    categorical_features : array-like, "from_dtype" or None, default="from_dtype"
        As networks have it.

    Examples
    --------
    >>> import pandas as pd
    >>> X = pd.DataFrame({"town": ["Bonn", "Rome", "Bonn", None]})
    >>> LinearTwin().fit(X, [1.0, 2.0, 1.0, 3.0]).predict(X).round(3)
    array([1., 2., 1., 3.])
    """

    def __init__(self, categorical_features: Any = "from_dtype") -> None:
        self.categorical_features = categorical_features

    def fit(self, X: Any, y: Any) -> "LinearTwin":
        """Fit the encoder and the regression."""
        # A tenth of a second that only those need to wait who evaluate.
        from sklearn.linear_model import LinearRegression

        table = read_table(self, X, None, np.float64, reset=True)
        # A table of numbers without gaps is fitted as it was passed.
        self.encodes_ = isinstance(table, Mixed)
        self.columns_ = table.columns if self.encodes_ else None
        self.encoder_: Any = None
        if not issparse(table):
            self.encoder_ = _encoder(table).fit(_array(table))
        self.linear_ = LinearRegression().fit(self._inputs(X, table), y)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict the rows of a table with the same columns."""
        table = read_table(self, X, self.columns_, np.float64, reset=False)
        return self.linear_.predict(self._inputs(X, table))

    def _inputs(self, X, table):
        if self.encodes_:
            return self.encoder_.transform(_array(table))
        return self.encoder_.transform(table.X) if isinstance(table, Mixed) else X


def _array(table: Any) -> np.ndarray:
    """Numbers and codes side by side."""
    if not isinstance(table, Mixed):
        return table
    return np.column_stack([table.X, *table.codes])


def _encoder(table: Any) -> Any:
    """What makes numbers without gaps of the columns of a table."""
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    if not isinstance(table, Mixed):
        return SimpleImputer(keep_empty_features=True)
    fill = SimpleImputer(add_indicator=True, keep_empty_features=True)
    encode = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=LEVELS)
    n, n_codes = table.X.shape[1], len(table.codes)
    # Large tables of categories are sparse ones here, whose solver wants one scale.
    numbers = ("numbers", make_pipeline(fill, StandardScaler()), slice(0, n))
    categories = ("categories", encode, slice(n, n + n_codes))
    return ColumnTransformer([numbers] * bool(n) + [categories] * bool(n_codes))
