"""Words of other libraries are answered with those of this one."""

import inspect
import pickle
from copy import deepcopy

import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
)
from skffnn.core.losses import LOSSES
from skffnn.core.schedules import SCHEDULES
from skffnn.core.solvers import SOLVERS
from skffnn.preprocessing.parameters import activation_names
from skffnn.preprocessing.words import PARAMETERS, VALUES, our_word

ESTIMATORS = FFNNRegressor, BayesianFFNNRegressor, FFNNEnsembleRegressor
CHOICES = {
    "activation": activation_names(),
    "output_activation": activation_names(),
    "loss": LOSSES,
    "solver": SOLVERS,
    "learning_rate_schedule": SCHEDULES,
}
every_estimator = pytest.mark.parametrize("kind", ESTIMATORS)


def test_every_answer_is_a_word_of_ours_and_no_question_is():
    for parameter, words in VALUES.items():
        choices = CHOICES[parameter]
        assert set(words.values()) <= set(choices)
        assert not set(words) & set(choices)
    ours = {name for kind in ESTIMATORS for name in kind._get_param_names()}
    assert set(PARAMETERS.values()) <= ours
    assert not set(PARAMETERS) & ours


@pytest.mark.parametrize(
    ("parameter", "value", "ours"),
    [
        ("activation", "Sigmoid", "logistic"),
        ("activation", "Leaky-ReLU", "leaky_relu"),
        ("activation", "ReLU", "relu"),
        ("loss", " MSE ", "squared_error"),
        ("loss", "Mean Squared Error", "squared_error"),
        ("solver", "L-BFGS-B", "lbfgs"),
        ("learning_rate_schedule", "OneCycle", "cosine"),
        ("loss", "adamw", None),
        ("loss", None, None),
        ("solver", 3, None),
    ],
)
def test_words_are_found_however_they_are_written(parameter, value, ours):
    assert our_word(parameter, value, CHOICES[parameter]) == ours


# Parameters ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "word", "ours"),
    [
        (FFNNRegressor, "alpha", "weight_decay"),
        (FFNNRegressor, "learning_rate_init", "learning_rate"),
        (FFNNRegressor, "epochs", "max_iter"),
        (BayesianFFNNRegressor, "n_iter", "max_iter"),
        (FFNNEnsembleRegressor, "base_estimator", "estimator"),
    ],
)
def test_a_parameter_of_another_library_is_answered(kind, word, ours):
    message = f"^{kind.__name__} has no parameter {word}: use {ours},"
    with pytest.raises(TypeError, match=message):
        kind(**{word: 1})
    with pytest.raises(ValueError, match=message):
        kind().set_params(**{word: 1})


@pytest.mark.parametrize(
    ("make", "word", "value", "told"),
    [
        (FFNNEnsembleRegressor, "alpha", 1, r"\(FFNNRegressor\(weight_decay=...\)\)"),
        (FFNNEnsembleRegressor, "loss", "mse", "loss='squared_error'"),
        (FFNNEnsembleRegressor, "activation", "sigmoid", "activation='logistic'"),
        (FFNNEnsembleRegressor, "early_stopping", True, "early_stopping=..."),
        (BayesianFFNNRegressor, "alpha", 1, "follows from the rows"),
        (BayesianFFNNRegressor, "lr", 1, "find their own length"),
        (BayesianFFNNRegressor, "loss", "mae", "loss='absolute_error'"),
        (BayesianFFNNRegressor, "optimizer", "adamw", "solver='adam'"),
    ],
)
def test_who_does_without_a_parameter_says_where_it_is(make, word, value, told):
    message = rf"^{make.__name__} has no parameter {word}: .*{told}"
    with pytest.raises(TypeError, match=message):
        make(**{word: value})
    with pytest.raises(ValueError, match=message):
        make().set_params(**{word: value})


def test_several_are_answered_at_once():
    message = "no parameter alpha, lr: use weight_decay, learning_rate,"
    with pytest.raises(TypeError, match=message):
        FFNNRegressor(8, lr=0.1, alpha=0.1)


@every_estimator
def test_a_word_that_says_nothing_is_an_error_as_ever(kind):
    for word in ("nonsense", "alpha" if "alpha" not in PARAMETERS else "gamma"):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{word}'"):
            kind(**{word: 1})
        with pytest.raises(ValueError, match=f"Invalid parameter '{word}'"):
            kind().set_params(**{word: 1})
    with pytest.raises(TypeError, match="unexpected keyword"):
        BayesianFFNNRegressor(dropout_rate=0.1)  # it has no dropout


def test_parts_of_an_estimator_are_answered_too(table):
    message = "FFNNRegressor has no parameter alpha: use weight_decay"
    with pytest.raises(ValueError, match=message):
        FFNNEnsembleRegressor(FFNNRegressor()).set_params(estimator__alpha=1)
    steps = make_pipeline(StandardScaler(), FFNNRegressor())
    with pytest.raises(ValueError, match=message):
        steps.set_params(ffnnregressor__alpha=1)
    with pytest.raises(ValueError, match=message):
        FFNNGridSearchCV(FFNNRegressor(), {"alpha": [1]}).fit(*table)


@every_estimator
def test_nothing_else_about_the_constructor_has_changed(kind):
    assert (
        list(inspect.signature(kind).parameters)
        == list(inspect.signature(kind.__init__).parameters)[1:]
    )
    assert "params" not in inspect.signature(kind).parameters
    model = kind(random_state=3)
    for other in (clone(model), deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.get_params() == model.get_params()
    assert model.set_params(random_state=4) is model
    assert model.random_state == 4


def test_a_subclass_may_have_such_a_parameter():
    class Own(FFNNRegressor):
        def __init__(self, alpha=1.0, **parameters):
            super().__init__(**parameters)
            self.alpha = alpha

    class Other(FFNNRegressor):
        def __init__(self, epochs=3, random_state=None):
            super().__init__(max_iter=epochs, random_state=random_state)
            self.epochs = epochs

    assert Own(alpha=2.0, max_iter=3).alpha == 2.0
    assert Other(epochs=5).set_params(epochs=6).epochs == 6
    with pytest.raises(TypeError, match="Other has no parameter seed: use random_stat"):
        Other(seed=1)
