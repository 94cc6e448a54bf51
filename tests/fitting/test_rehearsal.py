"""A rehearsal: fits are made before they are asked for, and recalled in that order."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_friedman1
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import FFNNGridSearchCV, FFNNRegressor
from skffnn.fitting.callbacks import FitTask
from skffnn.fitting.rehearsal import Rehearsal

X, y = make_friedman1(n_samples=90, noise=1, random_state=0)
RATES = [0.02, 0.05]


def network():
    return FFNNRegressor(6, max_iter=15, weight_decay=0.1, random_state=0)


def rehearsal_of(estimator, grid):
    search = FFNNGridSearchCV(estimator, grid, cv=3)
    return Rehearsal(search, X, y, {})


@pytest.fixture
def rehearsal():
    made = rehearsal_of(network(), {"learning_rate": RATES})
    assert made.plan()
    made.fit(FitTask(None, None))
    return made


def test_the_clone_of_a_template_recalls_what_was_learnt(rehearsal):
    template = rehearsal.template()
    assert type(clone(clone(template))) is FFNNRegressor
    with rehearsal.asked_for():
        for rate in RATES:
            for learnt, _ in rehearsal.split():
                asked = clone(template).set_params(learning_rate=rate)
                asked.fit(X[learnt], y[learnt])
                alone = network().set_params(learning_rate=rate)
                alone.fit(X[learnt], y[learnt])
                np.testing.assert_array_equal(asked.theta_, alone.theta_)
                assert "fit" not in vars(asked)


def test_afterwards_a_clone_is_a_clone(rehearsal):
    template = rehearsal.template()
    with rehearsal.asked_for():
        pass
    assert not vars(clone(template)).keys() & {"fit", "__sklearn_clone__"}


def test_another_order_is_an_error_and_no_wrong_result(rehearsal):
    with rehearsal.asked_for():
        asked = clone(rehearsal.template()).set_params(learning_rate=RATES[1])
        with pytest.raises(RuntimeError, match="searches in another order"):
            asked.fit(X, y)


@pytest.mark.parametrize(
    ("estimator", "grid"),
    [
        (make_pipeline(StandardScaler(), network()), {"standardscaler__with_std": [0]}),
        (network(), {"no_such_parameter": [1]}),
        (network().set_params(solver="lbfgs"), {"tol": [0.1, 0.01]}),
    ],
)
def test_what_cannot_be_stacked_is_left_to_grid_search(estimator, grid):
    assert not rehearsal_of(estimator, grid).plan()
