"""What users may ask for: what makes no sense is named."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from skffnn import BayesianFFNNRegressor, FFNNEnsembleRegressor, FFNNRegressor
from skffnn.preprocessing.parameters import auto_batch_size, auto_max_iter


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
        ({"learning_rate_schedule": "step"}, "one of constant, cosine"),
        ({"activation": "swish"}, "activation must be one of identity, logistic"),
        ({"activation": "sigmoid"}, "activation must be.* Here that is 'logistic'"),
        ({"activation": ["Tan H"]}, "got 'Tan H'.$"),
        ({"output_activation": "linear"}, "Here that is 'identity'"),
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
        ({"hidden_layer_sizes": b"10"}, "hidden_layer_sizes must be a whole number"),
        ({"hidden_layer_sizes": 10**400}, "hidden_layer_sizes must be a whole number"),
        ({"max_iter": 10**400}, "max_iter must be 'auto' or a whole number"),
        ({"max_iter": np.timedelta64(3, "D")}, "max_iter must be 'auto' or a whole"),
        ({"learning_rate": Fraction(1, 10**400)}, "learning_rate must be a positive"),
        ({"learning_rate": Decimal("sNaN")}, "learning_rate must be a positive"),
        ({"tol": 1}, "tol must be a number from 0 to below 1"),
        ({"solver": "lbfgs", "tol": 1e308}, "tol must be a number from 0 to below 1"),
        ({"loss": "mse"}, "loss must be.* Here that is 'squared_error'"),
        ({"loss": "huber loss"}, "loss must be.* Here that is 'huber'"),
        ({"loss": "poisson", "output_activation": "relu"}, "leave output_activation"),
        ({"solver": "adamw"}, "solver must be one of adam, sgd.* Here that is 'adam'"),
        ({"solver": "newton"}, "got 'newton'.$"),
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
    ],
)
def test_a_senseless_parameter_is_named(table, parameters, message):
    with pytest.raises(ValueError, match="^.*" + message):
        model_of(**parameters).fit(*table)


# What cannot be read twice, or has no order.
@pytest.mark.parametrize(
    "make",
    [
        lambda values: iter(values),
        lambda values: (value for value in values),
        lambda values: map(type(values[0]), values),
        lambda values: set(values),
        lambda values: dict.fromkeys(values),
        lambda values: dict.fromkeys(values).keys(),
        lambda values: dict.fromkeys(values).values(),
    ],
)
@pytest.mark.parametrize("estimator", ["network", "ensemble", "bayesian"])
def test_layers_are_a_sequence(table, make, estimator):
    def fit(**parameters):
        if estimator == "bayesian":
            return BayesianFFNNRegressor(**parameters).fit(*table)
        model = model_of(**parameters)
        if estimator == "ensemble":
            model = FFNNEnsembleRegressor(model, 2)
        return model.fit(*table)

    with pytest.raises(ValueError, match="hidden_layer_sizes must be"):
        fit(hidden_layer_sizes=make([8, 4]))
    with pytest.raises(ValueError, match="activation must be"):
        fit(hidden_layer_sizes=[8, 4], activation=make(["relu", "tanh"]))


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series])
def test_layers_are_a_sequence_of_any_kind(table, kind):
    model = model_of(hidden_layer_sizes=kind([4, 3]), activation=kind(["relu", "tanh"]))
    assert model.fit(*table).units_ == [4, 4, 3, 1]
    assert model.activations_ == ["relu", "tanh", "identity"]


@pytest.mark.parametrize("kind", [Fraction, np.float32, np.float16])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_numbers_may_be_of_any_kind(table, kind, solver):
    model = model_of(
        solver=solver,
        max_iter=30,
        validation_fraction=kind(0.25),
        tol=kind(0.125),
        learning_rate=kind(0.0625),
    )
    assert len(model.fit(*table).validation_indices_) == 38
    ensemble = FFNNEnsembleRegressor(
        model, 2, calibration_fraction=kind(0.25), random_state=0
    )
    assert len(ensemble.fit(*table).calibration_indices_) == 38


def test_a_divergence_is_told_in_numbers_of_any_kind(table):
    model = model_of(solver="sgd", learning_rate=Fraction(10**9), clip_norm=None)
    with pytest.raises(FloatingPointError, match=r"learning_rate=1e\+09 .*1e\+08"):
        model.fit(*table)


def test_parameters_are_not_touched_by_init_or_fit(table):
    parameters = {"hidden_layer_sizes": [4, 3], "activation": ("relu", "tanh")}
    model = model_of(**parameters).fit(*table)
    assert model.get_params()["hidden_layer_sizes"] is parameters["hidden_layer_sizes"]
    assert model.get_params()["activation"] is parameters["activation"]


def test_numbers_of_numpy_are_numbers(table):
    model = model_of(learning_rate=np.float32(0.01), max_iter=np.int32(20))
    model.fit(*table)
    with pytest.raises(ValueError, match="learning_rate must be"):
        model.set_params(learning_rate=np.float32("inf")).fit(*table)


def test_small_tables_have_constant_budgets_and_large_ones_fewer_epochs():
    assert {auto_batch_size(n) for n in range(1, 60)} == {32}
    assert len({auto_max_iter(n) for n in range(1, 201)}) == 1
    assert len({auto_batch_size(n) for n in range(1, 201)}) == 1
    sizes = [auto_batch_size(n) for n in (10**2, 10**4, 10**6)]
    assert sizes == sorted(sizes)
    epochs = [auto_max_iter(n) for n in (10**2, 10**4, 10**6)]
    assert epochs == sorted(epochs, reverse=True)


def test_an_integer_is_one_hidden_layer(table):
    assert model_of(hidden_layer_sizes=7).fit(*table).units_ == [4, 7, 1]


def test_a_number_of_thousands_of_digits_is_an_error_that_names_its_parameter(table):
    for name in ("max_iter", "learning_rate", "hidden_layer_sizes"):
        model = FFNNRegressor(**{name: 10**5000})
        with pytest.raises(ValueError, match=f"^{name} must be .*too large to be writ"):
            model.fit(*table)
