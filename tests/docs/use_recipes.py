"""Use what the recipes for developers add; started by `tests/docs/test_recipes.py`.

    python tests/docs/use_recipes.py FOLDER

FOLDER has a copy of the package, with the recipes of docs/contributing.md applied.
"""

import pickle
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])

from sklearn.model_selection import GridSearchCV

import skffnn
from skffnn import FFNNEnsembleRegressor, FFNNGridSearchCV, FFNNRegressor

rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, (160, 3))
y = np.sin(2 * X[:, 0]) + X[:, 1] + 0.05 * rng.normal(size=160)
PARAMETERS = {"hidden_layer_sizes": 12, "max_iter": 60, "random_state": 0}


def same(a, b):
    """Fail unless both have learnt the same, to the last bit."""
    np.testing.assert_array_equal(a.theta_, b.theta_)
    assert a.history_["loss"] == b.history_["loss"]


def through_a_file(model):
    """Save and load."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        model.save(path)
        return type(model).load(path)


class Interrupt:
    """A callback that does what Ctrl-C does, after some epochs."""

    epochs = 20

    def setup(self, estimator, context):
        """Do nothing."""

    teardown = on_fit_task_begin = setup

    def on_fit_task_end(self, estimator, context):
        """Interrupt, in time."""
        self.epochs -= context.task_name == "epoch"
        if self.epochs == 0:
            raise KeyboardInterrupt


def resumed(model):
    """The model, fitted with an interrupt, and completed after a trip to the disk."""
    model.set_callbacks(Interrupt())
    with suppress(KeyboardInterrupt):
        model.fit(X, y)
    assert model.n_iter_ == 19
    return through_a_file(model).fit(X, y, resume=True)


def exported(model):
    """Fail unless ONNX and PyTorch predict the same, where they are installed."""
    if find_spec("skl2onnx"):
        import_module("skffnn.onnx")
        from onnxruntime import InferenceSession
        from skl2onnx import to_onnx

        session = InferenceSession(to_onnx(model, X[:1]).SerializeToString())
        (y_hat,) = session.run(None, {"X": X})
        np.testing.assert_allclose(y_hat[:, 0], model.predict(X), rtol=1e-9, atol=1e-9)
    if find_spec("torch"):
        torch = import_module("torch")
        y_hat = model.to_torch()(torch.tensor(X)).detach().numpy()
        np.testing.assert_allclose(y_hat, model.predict(X), rtol=1e-9, atol=1e-9)


def works(grid, **parameters):
    """Train, save, load, go on, resume, search, stack and export a network of these."""

    def network():
        return FFNNRegressor(**{**PARAMETERS, **parameters})

    model = network().fit(X, y)
    assert model.score(X, y) > 0.9, (parameters, model.score(X, y))
    loaded = through_a_file(model)
    same(loaded, model)
    same(loaded.partial_fit(X, y), pickle.loads(pickle.dumps(model)).partial_fit(X, y))
    if hasattr(model, "set_callbacks"):
        same(resumed(network()), network().fit(X, y))
    ours = FFNNGridSearchCV(network(), grid, cv=2).fit(X, y)
    theirs = GridSearchCV(network(), grid, cv=2).fit(X, y)
    scores = [each.cv_results_["split0_test_score"] for each in (ours, theirs)]
    np.testing.assert_array_equal(*scores)
    same(ours.best_estimator_, theirs.best_estimator_)
    ensemble = FFNNEnsembleRegressor(network(), 2, random_state=0).fit(X, y)
    same(through_a_file(ensemble).estimators_[1], ensemble.estimators_[1])
    for each in (model, ensemble, ours):
        exported(each) if hasattr(each, "to_torch") else None


def refused(message, **parameters):
    """Fail unless a parameter that makes no sense is an error that helps."""
    with pytest.raises(ValueError, match=message):
        FFNNRegressor(**parameters).fit(X, y)


def main():
    """Use each of them, and print its name where all is well."""
    assert skffnn.__file__.startswith(sys.argv[1])

    works({"learning_rate": [0.01, 0.02]}, activation="softplus", weight_decay=0.1)
    refused("mish, softplus", activation="soft_plus")
    print("softplus")

    loss = {"loss": "epsilon_insensitive", "weight_decay": 0.1}
    works({"insensitivity": [0.05, 0.5], "learning_rate": [0.01, 0.02]}, **loss)
    refused("epsilon_insensitive", loss="insensitive")
    refused("insensitivity must be a number that is not negative", insensitivity=-1)
    # A loss with another parameter is another loss: what was lowest is nothing to beat.
    model = FFNNRegressor(**PARAMETERS, **loss, insensitivity=1.0, warm_start=True)
    lowest = model.fit(X, y).best_loss_
    model.set_params(insensitivity=0.01).fit(X, y)
    assert model.best_iter_ > 60, model.best_iter_
    assert model.best_loss_ > lowest
    print("epsilon_insensitive")

    lion = {"solver": "lion", "learning_rate": 0.005}
    works({"learning_rate": [0.005, 0.01]}, **lion, weight_decay=0.1)
    works({"beta_1": [0.8, 0.9]}, **lion, weight_decay="auto", dropout=0.05)
    refused("adam, sgd, lion", solver="lyon")
    refused("beta_1 must be", solver="lion", beta_1=1)
    model = FFNNRegressor(**PARAMETERS, **lion).fit(X, y)
    assert model._state["memory"]["lion"].keys() == {"m"}
    print("lion")

    model = through_a_file(FFNNRegressor(**PARAMETERS).fit(X, y))
    assert model.n_parameters_ == model.theta_.size == 3 * 12 + 12 + 12 + 1
    earlier = Path(__file__).parents[1] / "data" / "format-1" / "regressor.npz"
    model = FFNNRegressor.load(earlier)
    assert model.n_parameters_ == model.theta_.size
    model.n_parameters_ += 1
    with pytest.raises(ValueError, match="n_parameters_ is not what it must be"):
        through_a_file(model)
    print("n_parameters_")


if __name__ == "__main__":
    main()
