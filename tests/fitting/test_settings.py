"""Settings: what the parameters of a model ask of one fit."""

import numpy as np
import pytest

from skffnn import FFNNRegressor


def small(**parameters):
    return FFNNRegressor(
        **{"hidden_layer_sizes": 10, "max_iter": 40, "random_state": 0, **parameters}
    )


@pytest.mark.parametrize(
    ("parameters", "limit"),
    [
        ({"solver": "adam"}, None),
        ({"solver": "sgd", "momentum": 0, "learning_rate": 0.2}, None),
        ({"solver": "sgd"}, 0.25),
        ({"solver": "sgd", "momentum": 0.998}, 0.1),
    ],
)
def test_gradients_are_limited_where_momentum_adds_them_up(table, parameters, limit):
    auto, explicit, other = (
        small(clip_norm=clip_norm, **parameters).fit(*table).theta_
        for clip_norm in ("auto", limit, 0.2)
    )
    np.testing.assert_allclose(auto, explicit, rtol=1e-9)
    assert (auto != other).any()


def test_huber_delta_is_in_standard_deviations_whatever_is_standardised(rng):
    X = rng.normal(size=(200, 1))
    y = (X[:, 0] - X.mean()) / X.std()
    kwargs = {"loss": "huber", "huber_delta": 0.5, "standardize": False}
    model = small(**kwargs).fit(X, y)
    tenfold = small(**kwargs).fit(X, 10 * y)
    assert model._state.keys() == tenfold._state.keys()
    # In the quadratic part a tenfold target has a hundredfold loss; with a delta that
    # did not follow the target, the linear part would make it about tenfold.
    assert tenfold.history_["loss"][0] > 50 * model.history_["loss"][0]
