"""Nothing is silent and nobody is nagged: errors and warnings that help."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skffnn import FFNNRegressor


def model_of(**parameters):
    return FFNNRegressor(
        **{"hidden_layer_sizes": 10, "max_iter": 5, "random_state": 0, **parameters}
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"learning_rate": "adaptive"}, "put it into learning_rate_schedule"),
        ({"learning_rate": -0.1}, "learning_rate must be a positive number; got -0.1"),
        ({"learning_rate": np.nan}, "learning_rate must be"),
        ({"learning_rate": True}, "learning_rate must be"),
        ({"learning_rate_schedule": "step"}, "one of constant, cosine, invscaling"),
        ({"activation": "swish"}, "activation must be one of identity, logistic"),
        ({"activation": "exp"}, "activation must be one of"),
        ({"activation": None}, "activation must be one of"),
        ({"activation": 3}, "activation must be one of"),
        ({"learning_rate": 10**400}, "learning_rate must be"),
        ({"activation": ["relu", "relu"]}, "2 activations, but there are 1 hidden"),
        ({"activation": ["relu", "tnh"]}, "got 'tnh'"),
        ({"output_activation": None}, "output_activation must be one of"),
        ({"hidden_layer_sizes": (10, 0)}, "hidden_layer_sizes must be a whole number"),
        ({"hidden_layer_sizes": 2.5}, "hidden_layer_sizes must be a whole number"),
        ({"hidden_layer_sizes": "10"}, "hidden_layer_sizes must be a whole number"),
        ({"loss": "mse"}, "loss must be one of squared_error"),
        ({"loss": "poisson", "output_activation": "relu"}, "leave output_activation"),
        ({"solver": "adamw"}, "solver must be one of adam, sgd, lbfgs"),
        ({"momentum": 1.0}, "momentum must be"),
        ({"beta_1": -0.1}, "beta_1 must be"),
        ({"epsilon": 0}, "epsilon must be"),
        ({"quantile": 1}, "quantile must be a number between 0 and 1"),
        ({"huber_delta": 0}, "huber_delta must be"),
        ({"weight_decay": -1}, "weight_decay must be"),
        ({"dropout": 1.0}, "dropout must be"),
        ({"clip_norm": 0}, "clip_norm must be 'auto', None or a positive number"),
        ({"batch_size": 0}, "batch_size must be 'auto' or"),
        ({"batch_size": 3.5}, "batch_size must be 'auto' or"),
        ({"max_iter": "many"}, "max_iter must be 'auto' or"),
        ({"tol": -1}, "tol must be"),
        ({"n_iter_no_change": 0}, "n_iter_no_change must be"),
        ({"early_stopping": "yes"}, "early_stopping must be True or False"),
        ({"validation_fraction": 1.5}, "validation_fraction must be None or a number"),
        ({"solver": "lbfgs", "dropout": 0.1}, "no use for dropout=0.1"),
        ({"solver": "lbfgs", "clip_norm": 1.0}, "no use for clip_norm=1.0"),
        (
            {"solver": "lbfgs", "learning_rate_schedule": "adaptive"},
            "no use for learning_rate_schedule='adaptive'",
        ),
    ],
)
def test_a_senseless_parameter_is_named(table, parameters, message):
    with pytest.raises(ValueError, match="^.*" + message):
        model_of(**parameters).fit(*table)


def test_parameters_are_not_touched_by_init_or_fit(table):
    parameters = {"hidden_layer_sizes": [4, 3], "activation": ("relu", "tanh")}
    model = model_of(**parameters).fit(*table)
    assert model.get_params()["hidden_layer_sizes"] is parameters["hidden_layer_sizes"]
    assert model.get_params()["activation"] is parameters["activation"]


def with_nan(X):
    X = X.copy()
    X[3, 1] = np.nan
    return X


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda X, y: (with_nan(X), y), ValueError, "contains NaN"),
        (lambda X, y: (X, np.where(y > 50, np.inf, y)), ValueError, "infinity"),
        (lambda X, y: (X, y[:-1]), ValueError, "inconsistent numbers of samples"),
        (lambda X, y: (X[:, 0], y), ValueError, "Expected 2D array"),
        (lambda X, y: (X[:0], y[:0]), ValueError, "0 sample"),
        (lambda X, y: (X.astype(str), ["a"] * len(y)), ValueError, "could not convert"),
        (lambda X, y: (pd.DataFrame({"k": ["a"] * len(y)}), y), ValueError, "'a'"),
        (lambda X, y: (X * 1e200, y), ValueError, "too large to be standardised"),
        (lambda X, y: (X, sparse.csr_array(y[:, None])), ValueError, "y.toarray"),
    ],
)
def test_senseless_data_is_an_error(table, change, error, message):
    with pytest.raises(error, match=message):
        model_of().fit(*change(*table))


def test_targets_too_large_for_float32_are_an_error(table):
    X, y = table
    model = model_of(standardize=False)
    with pytest.raises(ValueError, match=r"X is float32.*Pass X as float64"):
        model.fit(X.astype(np.float32), y * 1e40)
    weight, wrong = np.ones(len(y)), y.copy()
    weight[0], wrong[0] = 0, 1e40
    model.set_params(standardize=True)
    model.fit(X.astype(np.float32), wrong, sample_weight=weight)


def test_counts_too_large_for_an_exponential_are_an_error(table):
    X, y = table
    for scale in (1e155, 1e306):
        with pytest.raises(ValueError, match="too large to be standardised"):
            model_of(loss="poisson").fit(X, y * scale)


def test_text_columns_are_told_what_to_do(table):
    frame = pd.DataFrame({"kind": ["a", "b"] * 75})
    with pytest.raises(ValueError, match="could not convert") as error:
        model_of().fit(frame, table[1])
    assert "tabular_pipeline" in "".join(error.value.__notes__)


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


def test_poisson_refuses_negative_targets(table):
    X, y = table
    with pytest.raises(ValueError, match="counts and rates"):
        model_of(loss="poisson").fit(X, y - 60)


def test_rows_of_weight_zero_may_be_anything(table):
    X, y = table
    weight, wrong = np.ones(len(y)), y.copy()
    weight[0], wrong[0] = 0, -1
    model_of(loss="poisson", max_iter=300).fit(X, wrong, sample_weight=weight)


def test_too_few_rows_to_hold_out_are_told_so(table):
    X, y = table
    with pytest.raises(ValueError, match="n_samples=1 is too few to hold out"):
        model_of(early_stopping=True).fit(X[:1], y[:1])


def test_huge_weights_count_by_their_ratios(table):
    X, y = table
    huge = model_of(max_iter=20).fit(X, y, sample_weight=np.full(len(y), 1e308))
    ones = model_of(max_iter=20).fit(X, y, sample_weight=np.ones(len(y)))
    np.testing.assert_array_equal(huge.theta_, ones.theta_)


def test_targets_out_of_the_outputs_reach_are_warned_of(table):
    with (
        pytest.warns(UserWarning, match="reaches only 0 to 1"),
        pytest.warns(ConvergenceWarning),
    ):
        model_of(output_activation="logistic").fit(*table)


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


# Validation rows ---------------------------------------------------------------------


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


# Training that goes wrong ------------------------------------------------------------


def test_divergence_in_the_first_epoch_is_an_error(table):
    model = model_of(solver="sgd", learning_rate=1e6, clip_norm=None)
    with pytest.raises(FloatingPointError, match=r"learning_rate=1e\+06 within.*Try"):
        model.fit(*table)
    assert not hasattr(model, "theta_")


def test_a_loss_that_only_several_outputs_overflow_is_divergence(rng):
    X = rng.normal(size=(20, 2))
    Y = np.column_stack([X[:, 0]] * 3) * 1.2e154  # each has a loss of 1e308
    model = model_of(standardize=False, solver="sgd", learning_rate=1e-300)
    with pytest.raises(FloatingPointError, match="diverged"):
        model.fit(X, Y)


@pytest.mark.parametrize("max_iter", [1, 2])
def test_divergence_in_the_last_step_is_an_error(max_iter, rng):
    X = rng.normal(size=(20, 2)).astype(np.float32)
    model = model_of(learning_rate=1e25, max_iter=max_iter, standardize=False)
    with pytest.raises(FloatingPointError, match=r"diverged at learning_rate=1e\+25"):
        model.fit(X, X[:, 0])
    assert not hasattr(model, "theta_")


@pytest.mark.parametrize("rate", [1e3, 1e10])
def test_absurd_weights_are_never_kept(table, rate):
    with pytest.raises(FloatingPointError, match="learning_rate="):
        model_of(learning_rate=rate, hidden_layer_sizes=(50, 50), max_iter=100).fit(
            *table
        )


def test_later_divergence_goes_back_to_the_best_weights_and_warns(table):
    X, y = table
    model = model_of(
        solver="sgd", learning_rate=0.5, learning_rate_schedule="constant",
        momentum=0.9, clip_norm=None, max_iter=500, weight_decay=0.0,
    )  # fmt: skip
    with pytest.warns(ConvergenceWarning, match=r"diverged at learning_rate=0\.5.*Try"):
        model.fit(X, y)
    assert model.n_iter_ < 500
    assert np.isfinite(model.predict(X)).all()
    assert model.loss_ == np.nanmin(model.loss_curve_)


def test_a_network_that_learns_nothing_is_warned_of(table):
    with pytest.warns(ConvergenceWarning, match="no better than their mean.*higher"):
        model_of(learning_rate=1e-9).fit(*table)


def test_a_constant_target_is_nothing_to_warn_of(table):
    model = model_of(max_iter=300).fit(table[0], np.full(150, 7.0))
    np.testing.assert_allclose(model.predict(table[0]), 7.0, atol=0.1)


@pytest.mark.parametrize("schedule", ["constant", "adaptive"])
def test_max_iter_is_warned_of_while_the_loss_still_falls(table, schedule):
    model = model_of(learning_rate_schedule=schedule)
    with pytest.warns(ConvergenceWarning, match="max_iter=5 was reached"):
        model.fit(*table)


@pytest.mark.parametrize("schedule", ["cosine", "invscaling"])
def test_max_iter_is_normal_under_a_decaying_schedule(table, schedule):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = model_of(learning_rate_schedule=schedule, max_iter=20).fit(*table)
    assert model.n_iter_ == 20


def test_lbfgs_is_warned_of_when_it_has_not_converged(table):
    with pytest.warns(ConvergenceWarning, match="max_iter=2 was reached"):
        model_of(solver="lbfgs", max_iter=2).fit(*table)


def test_lbfgs_ends_quietly_where_the_loss_goes_to_zero(table):
    X, _ = table
    parameters = {"solver": "lbfgs", "weight_decay": 0.0, "max_iter": 300}
    assert model_of(**parameters).fit(X, X @ [1, 2, 3, 4]).n_iter_ < 300
    assert model_of(**parameters).fit(X, np.full(len(X), 7.0)).n_iter_ < 300


def test_numbers_of_numpy_are_numbers(table):
    model = model_of(learning_rate=np.float32(0.01), max_iter=np.int32(20))
    model.fit(*table)
    with pytest.raises(ValueError, match="learning_rate must be"):
        model.set_params(learning_rate=np.float32("inf")).fit(*table)


def test_warnings_point_at_the_users_line(table):
    with pytest.warns(ConvergenceWarning) as record:
        model_of(learning_rate=1e-9).fit(*table)
    assert record[0].filename == __file__


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_tiny_tables_are_fitted(n, rng):
    X, y = rng.normal(size=(n, 10)), rng.normal(size=n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = model_of(max_iter=200).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
