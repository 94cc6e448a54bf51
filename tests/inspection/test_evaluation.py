"""The train/test split, the baselines, and a verdict that cries at the right time."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from skffnn import FFNNEnsembleRegressor, FFNNRegressor, evaluate
from skffnn.inspection.evaluation import Scores, verdict


def scores(train_r2, test_r2, sd=10.0):
    return Scores(
        sd * np.sqrt(1 - train_r2), sd * np.sqrt(1 - test_r2), train_r2, test_r2
    )


def from_errors(train, test):
    """Scores from errors in standard deviations of the target."""
    return scores(1 - train**2, 1 - test**2)


# the numbers


def test_scores_are_those_of_a_split_done_by_hand(table):
    X, y = table
    found = evaluate(Ridge(), X, y, test_size=0.3, random_state=7)
    A, B, a, b = train_test_split(X, y, test_size=0.3, random_state=7)
    model = Ridge().fit(A, a)
    assert found.train_rmse == root_mean_squared_error(a, model.predict(A))
    assert found.test_rmse == root_mean_squared_error(b, model.predict(B))
    assert found.train_r2 == r2_score(a, model.predict(A))
    assert found.test_r2 == r2_score(b, model.predict(B))
    np.testing.assert_array_equal(X[found.test_indices], B)
    np.testing.assert_array_equal(X[found.train_indices], A)


def test_baselines_are_the_mean_and_linear_regression(table):
    X, y = table
    found = evaluate(DecisionTreeRegressor(), X, y, random_state=0)
    train, test = found.train_indices, found.test_indices
    line = LinearRegression().fit(X[train], y[train])
    linear, mean = found.baselines["linear regression"], found.baselines["mean"]
    assert linear.test_rmse == pytest.approx(
        root_mean_squared_error(y[test], line.predict(X[test]))
    )
    assert mean.train_rmse == pytest.approx(y[train].std())
    assert mean.test_rmse == pytest.approx(
        np.sqrt(np.mean((y[test] - y[train].mean()) ** 2))
    )


def test_unshuffled_split_tests_on_the_last_rows(table):
    found = evaluate(Ridge(), *table, test_size=30, shuffle=False, random_state=3)
    np.testing.assert_array_equal(found.train_indices, np.arange(120))
    np.testing.assert_array_equal(found.test_indices, np.arange(120, 150))


def test_only_a_clone_is_fitted(table):
    ridge = Ridge()
    found = evaluate(ridge, *table, random_state=0)
    assert not hasattr(ridge, "coef_")
    assert hasattr(found.estimator, "coef_")


def test_preprocessing_sees_the_training_rows_only(table):
    X, y = table
    found = evaluate(make_pipeline(StandardScaler(), Ridge()), X, y, random_state=0)
    np.testing.assert_allclose(
        found.estimator[0].mean_, X[found.train_indices].mean(axis=0)
    )


def test_without_baselines(table):
    found = evaluate(Ridge(), *table, random_state=0, baseline=False)
    assert found.baselines == {}
    assert "mean" not in str(found)


# what it takes


@pytest.mark.parametrize("container", [np.asarray, np.ndarray.tolist, pd.DataFrame])
def test_containers_give_the_same(table, container):
    X, y = table
    expected = evaluate(Ridge(), X, y, random_state=0).scores
    assert evaluate(Ridge(), container(X), y.tolist(), random_state=0).scores == (
        pytest.approx(expected)
    )


def test_sparse(table):
    X, y = table
    found = evaluate(Ridge(), csr_array(X), y, random_state=0)
    assert found.scores == pytest.approx(
        evaluate(Ridge(), X, y, random_state=0).scores, rel=1e-3
    )
    assert "linear regression" in found.baselines


def test_polars(table):
    polars = pytest.importorskip("polars")
    X, y = table
    frame = polars.DataFrame(X, schema=["a", "b", "c", "d"])
    found = evaluate(Ridge(), frame, polars.Series(y), random_state=0)
    assert found.scores == pytest.approx(evaluate(Ridge(), X, y, random_state=0).scores)


def test_several_outputs_are_averaged(table):
    X, y = table
    Y = np.column_stack([y, 100 * X[:, 0]])
    found = evaluate(Ridge(), X, Y, random_state=0)
    test = found.test_indices
    each = root_mean_squared_error(
        Y[test], found.estimator.predict(X[test]), multioutput="raw_values"
    )
    assert found.test_rmse == pytest.approx(each.mean())


SEARCH = GridSearchCV(
    make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [0.1, 1]}, cv=3
)


SCALED = make_pipeline(StandardScaler(), Ridge())


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (SCALED, "Ridge"),
        (SEARCH, "Ridge"),
        (TransformedTargetRegressor(SEARCH, transformer=StandardScaler()), "Ridge"),
        (BaggingRegressor(SCALED, n_estimators=2), "BaggingRegressor"),
        (
            make_pipeline(StandardScaler(), TransformedTargetRegressor(Ridge())),
            "Ridge",
        ),
        (FFNNRegressor(5, max_iter=3), "FFNNRegressor"),
        (
            FFNNEnsembleRegressor(FFNNRegressor(5, max_iter=3), n_estimators=2),
            "FFNNEnsembleRegressor",
        ),
    ],
    ids=["pipeline", "search", "target", "bagging", "nested", "network", "ensemble"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_any_regressor(estimator, name, table):
    found = evaluate(estimator, *table, random_state=0)
    assert found.baselines["linear regression"].test_r2 > 0.5
    assert str(found).splitlines()[1].startswith(f"{name} ")


@pytest.mark.parametrize("wrap", ["pipeline", "search", "target"])
def test_linear_regression_gets_the_preprocessing(rng, wrap):
    """Text columns: no linear regression without the encoder of the pipeline."""
    X = pd.DataFrame({"city": rng.choice(["Oslo", "Rome", "Lima"], 60)})
    y = X["city"].map({"Oslo": 1.0, "Rome": 5.0, "Lima": -3.0})
    pipeline = make_pipeline(OneHotEncoder(), Ridge())
    estimator = {
        "pipeline": pipeline,
        "search": GridSearchCV(pipeline, {"ridge__alpha": [1.0]}),
        "target": TransformedTargetRegressor(pipeline),
    }[wrap]
    found = evaluate(estimator, X, y, random_state=0)
    assert found.baselines["linear regression"].test_r2 == pytest.approx(1)


class TextLength(RegressorMixin, BaseEstimator):
    """A regressor that takes what linear regression does not."""

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        return X["word"].str.len().to_numpy()


def test_says_when_linear_regression_cannot_be_fitted():
    X = pd.DataFrame({"word": [chr(97 + k) * (k + 1) for k in range(26)]})
    found = evaluate(TextLength(), X, X["word"].str.len(), random_state=0)
    assert list(found.baselines) == ["mean"]
    why = "Column 'word' has 20 levels in 20 rows"
    assert found.note.startswith(f"No linear regression to compare with: {why}")
    assert found.note in str(found)


# errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"estimator": LogisticRegression()}, "needs a regressor, and LogisticReg"),
        ({"estimator": StandardScaler()}, "needs a regressor, and StandardScaler"),
        ({"test_size": 0}, "test_size must be a share"),
        ({"test_size": 1.5}, "test_size must be a share"),
        ({"test_size": 10}, "from 2 to n - 1 = 9; got 10"),
        ({"test_size": True}, "test_size must be a share"),
        ({"test_size": 0.05}, "10 rows are too few: this split has 9 training and 1"),
        ({"y": [1] * 9}, "inconsistent numbers of samples"),
        ({"y": [np.nan] + [1] * 9}, "Input y contains NaN: 1 of 10 values are missing"),
        ({"y": pd.Series([None, pd.NA] + [1] * 8)}, "NaN: 2 of 10 values"),
        ({"y": ["a"] * 10}, "could not convert string|numeric"),
    ],
)
def test_errors(arguments, message):
    usual = {"estimator": Ridge(), "X": np.eye(10), "y": np.arange(10)}
    arguments = {**usual, **arguments}
    with pytest.raises(ValueError, match=message):
        evaluate(**arguments)


def test_a_class_is_no_estimator():
    with pytest.raises(TypeError, match="must be a regressor"):
        evaluate(Ridge, np.eye(10), np.arange(10))


# the verdict


def word(*args, n_test=100, **kwargs):
    return verdict(*args, n_test=n_test, **kwargs).split()[1].rstrip(":,")


@pytest.mark.parametrize(
    ("model", "linear", "expected"),
    [
        (scores(0.95, 0.4), scores(0.5, 0.45), "overfits"),
        (scores(0.95, 0.4), None, "overfits"),
        (scores(0.2, -0.1), scores(0.15, 0.1), "overfits"),
        # A perfect fit to the training rows.
        (scores(1.0, 0.3), scores(0.5, 0.45), "overfits"),
        # Nearly free of noise: twice the error, and both of them nothing.
        (from_errors(0.01, 0.02), from_errors(0.5, 0.5), "generalises"),
        (from_errors(0.01, 0.02), None, "generalises"),
        (scores(0.55, 0.48), scores(0.54, 0.47), "generalises"),
        (scores(0.97, 0.95), scores(0.7, 0.7), "generalises"),
        # A linear target: nobody can be better than linear regression.
        (from_errors(0.01, 0.011), from_errors(1e-15, 1e-15), "generalises"),
        (scores(0.5, 0.49), scores(0.5, 0.49), "generalises"),
        (scores(0.5, 0.45), scores(0.7, 0.68), "underfits"),
        # Linear regression overfits a wide table: no yardstick on training rows.
        (scores(0.5, 0.45), scores(1.0, -2.0), "generalises"),
        (scores(0.01, 0.0), scores(0.6, 0.5), "underfits"),
        (scores(0.01, -0.3), scores(0.6, 0.5), "underfits"),
        (scores(0.0, -0.01), scores(0.01, -0.02), "underfits"),
        (scores(0.01, 0.0), None, "underfits"),
    ],
)
def test_verdict(model, linear, expected):
    assert word(model, linear) == expected


def test_a_small_test_set_does_not_accuse():
    model = from_errors(0.6, 0.78)
    assert word(model, n_test=2000) == "overfits"
    assert word(model, n_test=20) == "generalises"


def test_verdict_is_the_same_in_any_units():
    said = {
        verdict(scores(0.9, 0.6, sd), scores(0.5, 0.5, sd), n_test=50)
        for sd in (1e-6, 1, 1e6)
    }
    assert len(said) == 1


def test_later_rows_may_differ():
    model, linear = scores(0.8, 0.3), scores(0.7, 0.1)
    assert "last rows differ" in verdict(model, linear, n_test=100, shuffled=False)
    assert "last rows differ" not in verdict(model, linear, n_test=100)
    steady = scores(0.7, 0.68)
    assert "last rows differ" not in verdict(model, steady, n_test=100, shuffled=False)


@pytest.mark.parametrize(
    ("params", "advice"),
    [
        ({"early_stopping": False, "weight_decay": 0}, "try early_stopping=True."),
        ({"early_stopping": True, "weight_decay": 0}, "try a larger weight_decay."),
        ({}, "try a simpler or more strongly regularised model."),
    ],
)
def test_advice_against_overfitting(params, advice):
    assert verdict(scores(0.9, 0.1), n_test=99, params=params).endswith(advice)


def test_advice_against_underfitting():
    params = FFNNRegressor().get_params()
    for model in (scores(0.5, 0.45), scores(0.01, 0.0)):
        said = verdict(model, scores(0.7, 0.68), n_test=99, params=params)
        assert said.endswith("try a higher learning_rate.")
    nothing = verdict(scores(0.01, 0.0), scores(0.01, 0.0), n_test=99, params=params)
    assert nothing.endswith("nor does linear regression; try other features.")


def test_what_the_fit_has_said_comes_first():
    params, advice = FFNNRegressor().get_params(), ["a lower dropout", "another"]
    poor, fair = scores(0.01, 0.0), scores(0.8, 0.78)
    for model, linear in (
        (poor, scores(0.7, 0.68)),
        (poor, None),
        (fair, scores(0.95, 0.9)),
        (fair, scores(0.5, 0.5)),
    ):
        said = verdict(model, linear, n_test=99, params=params, advice=advice)
        assert "; try a lower dropout" in said
    both = verdict(poor, poor, n_test=99, params=params, advice=advice)
    assert both.endswith("try a lower dropout or other features.")
    line = verdict(fair, fair, n_test=99, params=params, advice=advice)
    assert line.endswith("try that, the simpler model, or a lower dropout.")
    heart = verdict(scores(0.9, 0.1), n_test=99, params=params, advice=advice)
    assert heart.endswith("try early_stopping=True.")


def test_advice_when_all_is_well():
    params = FFNNRegressor().get_params()
    model = scores(0.8, 0.78)
    said = [
        verdict(model, linear, n_test=99, params=params)
        for linear in (scores(0.79, 0.77), scores(0.5, 0.5))
    ]
    assert said[0].endswith("try that, the simpler model.")
    assert said[1].endswith("try larger hidden_layer_sizes for the rest.")
    # Both nearly perfect, and yet the network's error is half as large.
    perfect = verdict(from_errors(0.01, 0.01), from_errors(0.02, 0.02), n_test=99)
    assert "little is left to explain" in perfect


def test_overfitting_is_described():
    assert "2.0 times the tr" in verdict(from_errors(0.4, 0.8), n_test=99)
    assert "by heart" in verdict(scores(1.0, 0.5), n_test=99)
    assert "no better than predicting the mean" in verdict(scores(0.9, 0), n_test=99)


def test_verdict_on_real_networks(diabetes):
    """One network that learnt the table by heart, one that hardly started."""
    X, y = diabetes
    heart = FFNNRegressor(weight_decay=0.0, learning_rate=0.01, random_state=0)
    assert "It overfits" in str(evaluate(heart, X, y, random_state=0))
    short = FFNNRegressor(8, learning_rate=1e-5, max_iter=2, random_state=0)
    with pytest.warns(ConvergenceWarning):
        said = evaluate(short, X, y, random_state=0).verdict
    assert "It underfits" in said


# the table


def test_table_is_aligned():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = 12_000 + 4_000 * X[:, 0] + 500 * rng.normal(size=200)
    lines = str(evaluate(Ridge(), X, y, random_state=0)).splitlines()[:4]
    assert len({len(line) for line in lines}) == 1
    assert " ".join(lines[0].split()) == "train RMSE test RMSE train R2 test R2"
    assert lines[1].split()[0] == "Ridge"
    assert lines[3].split()[1].startswith(("3,", "4,"))


@pytest.mark.parametrize(
    ("scale", "cell"), [(1e-7, r"\d\.\d\de-0\d"), (1e12, r"\d\.\d\de\+1\d")]
)
def test_extreme_units(table, scale, cell):
    X, y = table
    line = str(evaluate(Ridge(), X, y * scale, random_state=0)).splitlines()[1]
    assert pd.Series(line.split()[1:3]).str.fullmatch(cell).all()


def test_is_frozen(table):
    found = evaluate(Ridge(), *table, random_state=0)
    with pytest.raises(AttributeError):
        found.test_rmse = 0


@pytest.mark.parametrize(
    "size", [Decimal("sNaN"), Decimal("0.5"), "0.2", None, 10**400, 1j, {0.2}, True]
)
def test_a_test_size_that_is_no_number_is_an_error(size):
    X = np.arange(20.0)[:, np.newaxis]
    with pytest.raises(ValueError, match="test_size must be a share"):
        evaluate(LinearRegression(), X, X[:, 0], test_size=size)


@pytest.mark.parametrize("size", [Fraction(1, 4), np.float32(0.25), np.int32(5)])
def test_a_test_size_may_be_a_number_of_any_kind(size):
    X = np.arange(20.0)[:, np.newaxis]
    found = evaluate(LinearRegression(), X, X[:, 0], test_size=size, random_state=0)
    assert len(found.test_indices) == 5
