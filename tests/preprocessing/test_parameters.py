"""What users may ask for: what makes no sense is named."""

import numpy as np
import pytest

from skffnn import FFNNRegressor
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
        ({"solver": "adamw"}, "solver must be one of adam, sgd"),
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
