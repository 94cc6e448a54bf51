"""What a fitted model consists of is enough to predict with."""

import numpy as np
import pytest

from skffnn import BayesianFFNNRegressor, FFNNEnsembleRegressor, FFNNRegressor
from skffnn.core.data import Data
from skffnn.core.network import Network

SMALL = FFNNRegressor((6, 4), activation="tanh", max_iter=20, random_state=0)
MODELS = {
    "network": SMALL,
    "ensemble": FFNNEnsembleRegressor(SMALL, 3, random_state=0),
    "bootstrap": FFNNEnsembleRegressor(SMALL, 3, bootstrap=True, random_state=0),
    "committee": BayesianFFNNRegressor(4, n_restarts=3, random_state=0),
}


def predicted(networks, X):
    """The sum over the networks of what each predicts, in the target's units."""
    K = len(np.atleast_2d(networks.theta))
    x = [
        np.broadcast_to(part, (K, 1, part.shape[-1]))[:, 0]
        for part in (networks.x_mean, networks.x_scale, networks.x_limit)
    ]
    scale = np.broadcast_to(networks.y_scale, (K, 1, networks.units[-1]))[:, 0]
    total = np.tile(networks.y_mean, (len(X), 1)).astype(float)
    for k, theta in enumerate(np.atleast_2d(networks.theta)):
        data = Data(X, None, None, None, *(part[k] for part in x))
        total += (
            Network(networks.units, networks.activations).predict(theta, data)
            * scale[k]
        )
    return total if networks.y_ndim == 2 else total[:, 0]


@pytest.mark.parametrize("name", MODELS)
def test_it_is_enough_to_predict_with(table, name):
    X, y = table
    model = MODELS[name].fit(X, y)
    np.testing.assert_allclose(predicted(model._description(), X), model.predict(X))


def test_infinity_is_the_largest_number_of_the_dtype(table):
    networks = (
        SMALL.fit(*table)._description()._replace(x_limit=np.array([4.0, np.inf]))
    )
    limit = networks.finite_limit(np.float32)
    assert limit.dtype == np.float32
    assert limit.tolist() == [4, np.finfo(np.float32).max]
