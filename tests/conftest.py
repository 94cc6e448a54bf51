import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="session", autouse=True)
def _one_blas_thread():
    """Several test processes with several BLAS threads each get in each other's way."""
    with threadpool_limits(1, "blas"):
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def table(rng):
    """Columns of very different scales and a smooth target with a little noise."""
    X = rng.normal(size=(150, 4)) * [1, 10, 100, 1e-3] + [0, 5, 1000, 0]
    y = 3 * X[:, 0] + 2 * np.sin(X[:, 1] / 5) + 50 + 0.1 * rng.normal(size=150)
    return X, y


@pytest.fixture(scope="session")
def diabetes():
    return load_diabetes(return_X_y=True)


class Told:
    """A callback of scikit-learn's: the names of the tasks that have come to an end."""

    def __init__(self):
        self.tasks, self.open = [], 0

    def setup(self, estimator, context):
        self.open += 1

    def teardown(self, estimator, context):
        self.open -= 1

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.tasks.append(context.task_name)


@pytest.fixture
def told():
    return Told()
