"""Checks of the data: what is wrong, and what to do about it."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skffnn import BayesianFFNNRegressor, FFNNEnsembleRegressor, FFNNRegressor
from skffnn.preprocessing.notices import each_once


def model_of(**parameters):
    return FFNNRegressor(
        **{"hidden_layer_sizes": 10, "max_iter": 5, "random_state": 0, **parameters}
    )


def with_infinity(X):
    X = X.copy()
    X[3, 1] = np.inf
    return X


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X, y: (with_infinity(X), y), ValueError, "contains infinity"),
        (
            lambda X, y: (X, np.r_[np.nan, y[1:]]),
            ValueError,
            "1 of 150 targets",
        ),
        (lambda X, y: (X, np.where(y > 50, np.inf, y)), ValueError, "infinity"),
        (lambda X, y: (X, ["?", *y[1:]]), ValueError, r"y has text.*1 of 150.*'\?'"),
        (lambda X, y: (X, y[:-1]), ValueError, "inconsistent numbers of samples"),
        (lambda X, y: (X[:, 0], y), ValueError, "Expected 2D array"),
        (lambda X, y: (X[:0], y[:0]), ValueError, "0 sample"),
        (lambda X, y: (X.astype(str), ["a"] * len(y)), ValueError, "could not convert"),
        (lambda X, y: (pd.DataFrame({"k": [["a"]] * len(y)}), y), ValueError, "'k'"),
        (lambda X, y: (X * 1e200, y), ValueError, "too large to be standardised"),
        (lambda X, y: (X, sparse.csr_array(y[:, None])), ValueError, "y.toarray"),
    ],
)
def test_senseless_data_is_an_error(table, change, error, message):
    with pytest.raises(error, match=message):
        model_of().fit(*change(*table))


@pytest.mark.parametrize("as_array", [False, True])
def test_text_where_numbers_are_expected_is_told_what_to_do(table, as_array):
    X, y = table
    frame = pd.DataFrame({"size": X[:, 0], "kind": ["a", "b"] * 75})
    wrong = frame.to_numpy(dtype=object) if as_array else frame
    name = 1 if as_array else "'kind'"
    told = f"Column {name} has text, such as 'a'"
    with pytest.raises(ValueError, match=f"{told}.*categorical_features"):
        model_of(categorical_features=None).fit(wrong, y)
    with pytest.raises(ValueError, match=told):
        model_of(categorical_features=[0]).fit(wrong, y)
    model = model_of().fit(X[:, :2] if as_array else frame.assign(kind=X[:, 1]), y)
    with pytest.raises(ValueError, match=rf"{told}.*at fit: pass pd.to_numeric"):
        model.predict(wrong)


def test_gaps_where_there_were_none_at_fit_are_told_once_by_column(table):
    X, y = table
    names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"][: X.shape[1]]
    frame = pd.DataFrame(X, columns=names)
    model = model_of().fit(frame, y)
    frame.loc[:4, "b"] = np.nan
    with pytest.warns(UserWarning, match="'b'") as record:
        y_hat = model.predict(frame)
    assert len(record) == 1
    mean = model.predict(frame.fillna({"b": model.x_mean_[1]}))
    np.testing.assert_allclose(y_hat, mean)
    model = model_of().fit(frame, y)
    y_hat = model.predict(frame)  # nothing to tell
    assert (y_hat[:5] != mean[:5]).all()


def test_gaps_of_later_calls_are_told(table):
    X, y = table
    model = model_of().partial_fit(X, y)
    gaps = X.copy()
    gaps[0, 1] = np.nan
    with pytest.warns(UserWarning, match="had none at fit: 1"):
        model.partial_fit(gaps, y)


def test_categories_that_are_all_missing_are_ignored(table):
    X, y = table
    frame = pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])])
    frame["kind"] = pd.Categorical([None] * len(X), categories=["a", "b"])
    with pytest.warns(UserWarning, match="nothing but gaps.*'kind'"):
        model = model_of().fit(frame, y)
    np.testing.assert_array_equal(
        model.predict(frame), model.predict(frame.assign(kind="a"))
    )


def test_columns_of_nothing_but_gaps_are_ignored(table):
    X, y = table
    empty = np.column_stack([X, np.full(len(X), np.nan)])
    with pytest.warns(UserWarning, match=f"nothing but gaps.*: {X.shape[1]}"):
        model = model_of().fit(empty, y)
    expected = model.predict(empty)
    empty[:, -1] = 1e6
    np.testing.assert_array_equal(model.predict(empty), expected)


@pytest.mark.parametrize("kind", [None, "a"])
def test_columns_that_were_empty_at_fit_may_hold_anything(table, kind):
    X, y = table
    frame = pd.DataFrame(X, columns=[f"x{k}" for k in range(X.shape[1])])
    frame["note"] = pd.Series([None] * len(X), dtype=object)
    if kind is not None:
        frame["kind"] = [kind, "b"] * (len(X) // 2)
    with pytest.warns(UserWarning, match="nothing but gaps.*'note'"):
        model = model_of().fit(frame, y)
    later = frame.assign(note=[f"words {k}" for k in range(len(X))])
    np.testing.assert_array_equal(model.predict(later), model.predict(frame))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(150), "Every sample_weight is zero"),
        (np.full(150, -1.0), "negative value"),
        (np.ones(149), "one number per row"),
        (np.full(150, np.nan), "NaN"),
    ],
)
def test_senseless_weights_are_an_error(table, weight, message):
    with pytest.raises(ValueError, match=message):
        model_of().fit(*table, sample_weight=weight)


def test_an_unfitted_model_does_not_predict(table):
    with pytest.raises(NotFittedError):
        model_of().predict(table[0])
    assert not hasattr(model_of(), "coefs_")
    assert not hasattr(model_of(), "loss_curve_")


def test_predict_refuses_other_columns(table):
    X, y = table
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = model_of().fit(frame, y)
    with pytest.raises(ValueError, match="same order"):
        model.predict(frame[list("badc")])
    with pytest.raises(ValueError, match="X has 3 features"):
        model_of().fit(X, y).predict(X[:, :3])


@pytest.mark.parametrize("n", [1, 2000])
def test_predictions_that_overflow_are_warned_of(table, n):
    X, y = table
    model = model_of(max_iter=20).fit(X, y)
    far = np.tile(X[:1], (n, 1))
    far[0] = 1e308
    with pytest.warns(
        UserWarning, match="predictions of 1 rows are not finite"
    ) as told:
        y_hat = model.predict(far)
    assert told[0].filename == __file__
    assert not np.isfinite(y_hat[0])
    assert np.isfinite(y_hat[1:]).all()


def test_an_overflow_that_saturates_is_nothing_to_warn_of(rng):
    X = 0.1 * rng.normal(size=(200, 2))
    model = model_of(activation="tanh", max_iter=20).fit(X, X[:, 0])
    y_hat = model.predict([[1.7e308, 0.0]])
    np.testing.assert_allclose(y_hat, model.predict([[1e30, 0.0]]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (lambda X, y: {"X_val": X}, "belong together"),
        (lambda X, y: {"y_val": y}, "belong together"),
        (lambda X, y: {"sample_weight_val": y}, "needs X_val"),
        (
            lambda X, y: {"X_val": X[:, :2], "y_val": y},
            "In the validation rows: X has 2",
        ),
        (lambda X, y: {"X_val": X, "y_val": np.c_[y, y]}, "y_val has 2 columns"),
        (lambda X, y: {"X_val": X, "y_val": y[:3]}, "In the validation rows: Found"),
    ],
)
def test_senseless_validation_rows_are_an_error(table, arguments, message):
    with pytest.raises(ValueError, match=message):
        model_of().fit(*table, **arguments(*table))


def test_two_sources_of_validation_rows_are_an_error(table):
    X, y = table
    with pytest.raises(ValueError, match="both ask"):
        model_of(validation_fraction=0.1).fit(X, y, X_val=X, y_val=y)


def test_validation_rows_that_were_not_preprocessed_are_warned_of(table):
    X, y = table
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    with pytest.warns(UserWarning, match="far from those of X"):
        model_of().fit(Z, y, X_val=X + 100, y_val=y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model_of().fit(Z, y, X_val=Z[::-1], y_val=y)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_tiny_tables_are_fitted(n, rng):
    X, y = rng.normal(size=(n, 10)), rng.normal(size=n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = model_of(max_iter=200).fit(X, y)
    assert np.isfinite(model.predict(X)).all()


# What is not finite, where scikit-learn is told not to look ---------------------------


def on_disk(X, folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


KINDS = {
    "dense": lambda X, folder: X,
    "sparse": lambda X, folder: sparse.csr_array(X),
    "on disk": on_disk,
}
ESTIMATORS = {
    "network": model_of(),
    "lbfgs": model_of(solver="lbfgs"),
    "not standardised": model_of(standardize=False),
    "ensemble": FFNNEnsembleRegressor(model_of(), 2),
    "bayesian": BayesianFFNNRegressor(n_restarts=1, max_iter=3),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_what_is_not_finite_is_named_even_if_it_may_be_assumed(
    table, tmp_path, name, value, kind
):
    X, y = table
    wrong = X.copy()
    wrong[3, 1] = value
    model, said = clone(ESTIMATORS[name]), "NaN" if np.isnan(value) else "infinity"
    gaps = np.isnan(value) and kind != "sparse"
    with config_context(assume_finite=True):
        if gaps:  # where it is no error
            model.fit(KINDS[kind](wrong, tmp_path), y)
            assert np.isfinite(model.predict(KINDS[kind](wrong, tmp_path))).all()
        else:
            with pytest.raises(ValueError, match=f"X contains {said}"):
                model.fit(KINDS[kind](wrong, tmp_path), y)
        with pytest.raises(ValueError, match=f"y contains {said}"):
            model.fit(KINDS[kind](X, tmp_path), np.where(y > y.mean(), y, value))
        with pytest.raises(ValueError, match=f"sample_weight contains {said}"):
            model.fit(X, y, sample_weight=np.where(y > y.mean(), 1, value))
        if name == "network" and not np.isnan(value):
            with pytest.raises(
                ValueError, match=f"validation rows: .*X contains {said}"
            ):
                model.fit(X, y, X_val=wrong, y_val=y)
            with pytest.raises(ValueError, match=f"X contains {said}"):
                model.partial_fit(wrong, y)


def test_predictions_of_what_is_not_finite_are_warned_of(table):
    X, y = table[0].copy(), table[1]
    model = model_of(max_iter=30).fit(X, y)
    X[3, 1] = np.nan
    for rows in (X, sparse.csr_array(X)):
        with (
            config_context(assume_finite=True),
            pytest.warns(UserWarning, match="1 rows are not finite: X has NaN or inf"),
        ):
            model.predict(rows)


def test_what_a_float_cannot_hold_is_an_error_and_no_warning(table):
    X, y = table
    model = model_of(max_iter=30).fit(X.astype(np.float32), y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="too large for dtype"):
            model.predict(X * 1e300)
        both = np.float32(3e38) * np.sign(X).astype(np.float32)
        model.fit(np.c_[X.astype(np.float32), 0 * both[:, :1] + np.float32(3e38)], y)


@pytest.mark.parametrize("kind", ["one", "several"])
def test_missing_targets_are_named(table, kind):
    X, y = table
    wrong = [None, *y[1:]] if kind == "one" else [[None, 1.0]] + [[1.0, 2.0]] * 149
    with pytest.raises(ValueError, match="targets are missing"):
        model_of().fit(X, wrong)


# Warnings that are the same -----------------------------------------------------------


def test_equal_warnings_are_heard_once():
    def warn():
        for number in (1, 1, 2, 1):
            warnings.warn(f"number {number}", UserWarning, stacklevel=1)
        warnings.warn("number 1", ConvergenceWarning, stacklevel=1)

    def heard():
        return [(str(each.message), each.category) for each in told]

    expected = [
        ("number 1", UserWarning),
        ("number 2", UserWarning),
        ("number 1", ConvergenceWarning),
    ]
    show = warnings.showwarning
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with each_once(), each_once():
            warn()
        assert heard() == expected
        with each_once():
            warn()
        assert heard() == 2 * expected
        warn()
        assert len(heard()) == 2 * len(expected) + 5
    assert warnings.showwarning is show


def test_errors_made_of_warnings_are_raised_each_time():
    with warnings.catch_warnings(), each_once():
        warnings.simplefilter("error")
        for _ in range(2):
            with pytest.raises(UserWarning, match="wrong"):
                warnings.warn("wrong", UserWarning, stacklevel=1)


def test_who_holds_on_to_it_hears_everything_afterwards():
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with each_once():
            show = warnings.showwarning
        for _ in range(2):
            show("again", UserWarning, "file", 1)
    assert len(told) == 2
