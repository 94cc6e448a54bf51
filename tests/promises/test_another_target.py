"""A classifier is one target and one class: nothing else of the package is touched.

The target learns classes in place of numbers, the loss is the cross-entropy behind a
softmax, and the estimator brings classes and probabilities back. Fits, curves, going
on, files and searches are those of the regressor.
"""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.base import ClassifierMixin, clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import (
    FFNNGridSearchCV,
    FFNNRegressor,
    LearningRateDisplay,
    LossCurveDisplay,
    check_gradient,
)
from skffnn.base import GradientDescentNetwork
from skffnn.core.losses import LOSSES, Constant, Loss, over_rows
from skffnn.fitting.fitted import rules_for
from skffnn.preprocessing.scaling import unit
from skffnn.preprocessing.target import NumericTarget

# The loss -----------------------------------------------------------------------------


def cross_entropy(y_hat, y, share, dJ):
    """-sum p y log(softmax(y_hat)), of which each class has its part."""
    log_p = log_softmax(y_hat, axis=-1)
    np.subtract(np.exp(log_p), y, out=dJ)
    dJ *= share
    return -over_rows(y * share, log_p)


def log_shares(Y, weight):
    """The constant logits with the lowest cross-entropy."""
    return np.log(np.average(Y, axis=0, weights=weight))


def errors(y_hat, y, share):
    """The share of the rows, class by class, that are taken for another class."""
    wrong = y_hat.argmax(axis=-1) != y.argmax(axis=-1)
    return over_rows(y * share, np.broadcast_to(wrong[..., np.newaxis], y.shape))


CROSS_ENTROPY = Loss(
    cross_entropy, degree=0, name="cross_entropy", metric=errors,
    constant=Constant("the shares of the classes", log_shares),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _known(monkeypatch):
    monkeypatch.setitem(LOSSES, "cross_entropy", CROSS_ENTROPY)


# The target ---------------------------------------------------------------------------


def are_classes(value, others):
    return len(np.unique(value)) == len(value) == others["units_"][-1]


class Classes(NumericTarget):
    """Labels of any kind, learnt as columns of 0 and 1."""

    numeric, metric, rules = False, "error", {"classes_": are_classes}
    classes = None

    def encode(self, y, weight, owner):
        if self.classes is None:
            self.classes = np.unique(y)
        unknown = np.setdiff1d(y, self.classes)
        if len(unknown):
            raise ValueError(f"{owner} has not seen the class {unknown[0]}")
        return (y[:, np.newaxis] == self.classes).astype(float), 2

    def as_attributes(self):
        return {"classes_": self.classes}

    def statistics(self, Y, rows, weight):
        return unit(Y.shape[1])

    def curves(self, loss, metric, y_scale):
        return float(loss.sum()), float(metric.sum())


# The estimator ------------------------------------------------------------------------


class Classifier(ClassifierMixin, GradientDescentNetwork):
    """A feed-forward network that learns classes."""

    __init__ = FFNNRegressor.__init__
    _target_kind = Classes
    _fitted = rules_for(Classes)

    def _target(self, goes_on):
        target = super()._target(goes_on)
        target.classes = self.classes_ if goes_on else None
        return target

    def predict_proba(self, X):
        return softmax(self._predict(self._checked(X)), axis=1)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def classifier(**parameters):
    defaults = {
        "hidden_layer_sizes": 32, "loss": "cross_entropy", "weight_decay": 0.1,
        "max_iter": 12, "random_state": 0,
    }  # fmt: skip
    return Classifier(**{**defaults, **parameters})


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    names = "zero one two three four five six seven eight nine"
    return train_test_split(X, np.array(names.split())[y], random_state=0, stratify=y)


def test_the_gradient_is_that_of_the_value(rng):
    Y, share = np.eye(3)[[0, 1, 2, 0]], rng.dirichlet(np.ones(4))[:, np.newaxis]

    def value_and_gradient(y_hat):
        dJ = np.empty((4, 3))
        J = CROSS_ENTROPY(y_hat.reshape(4, 3), Y, share, dJ)
        return J.sum(), dJ.ravel()

    assert check_gradient(value_and_gradient, rng.normal(size=12))


def test_it_learns_digits(digits):
    X_train, X_test, y_train, y_test = digits
    model = classifier().fit(X_train, y_train)
    assert model.score(X_test, y_test) > 0.95
    np.testing.assert_allclose(model.predict_proba(X_test).sum(axis=1), 1)
    assert model.classes_.tolist() == sorted(set(y_train))


def test_its_curves_are_cross_entropy_and_error(digits):
    X_train, X_test, y_train, y_test = digits
    model = classifier(early_stopping=True)
    model.fit(X_train, y_train, X_val=X_test, y_val=y_test)
    epoch = model.kept_iter_ - 1
    error = model.history_["validation_error"][epoch]
    assert error == pytest.approx(1 - model.score(X_test, y_test))
    p = model.predict_proba(X_test)[np.arange(len(y_test)), :]
    of_the_truth = p[y_test[:, np.newaxis] == model.classes_]
    loss = model.history_["validation_loss"][epoch]
    assert loss == pytest.approx(-np.log(of_the_truth).mean())
    assert "rmse" not in model.history_


def test_its_curves_are_drawn(digits):
    axes = pytest.importorskip("matplotlib.figure").Figure().subplots()
    model = classifier(max_iter=4).fit(digits[0], digits[2])
    display = LossCurveDisplay.from_estimator(model, ax=axes)
    assert display.rmse == model.history_["error"]
    assert axes.get_ylabel() == "ERROR"
    axes = pytest.importorskip("matplotlib.figure").Figure().subplots()
    display = LearningRateDisplay.from_estimator(model, digits[0], digits[2], ax=axes)
    assert 0 < display.steepest <= display.largest_safe


def test_it_says_when_it_has_learnt_nothing(digits, rng):
    y, model = digits[2], classifier(weight_decay=49.0)
    with pytest.warns(ConvergenceWarning, match="no better than the shares of the cl"):
        model.fit(rng.normal(size=(len(y), 2)), y)


def test_it_chooses_a_weight_decay_and_verbosely(digits, capsys):
    X_train, _, y_train, _ = digits
    classifier(weight_decay="auto", max_iter=30, verbose=True).fit(X_train, y_train)
    printed = capsys.readouterr().out
    assert "weight_decay=" in printed
    assert "training ERROR" in printed


def test_it_goes_on_through_a_file(digits, tmp_path, equal):
    X_train, _, y_train, _ = digits
    model = classifier(warm_start=True).fit(X_train, y_train)
    model.save(tmp_path / "model.npz")
    loaded = Classifier.load(tmp_path / "model.npz")
    np.testing.assert_array_equal(loaded.predict(X_train), model.predict(X_train))
    few = y_train < "one"  # of two classes, of which it has seen more
    model.fit(X_train[few], y_train[few])
    loaded.fit(X_train[few], y_train[few])
    np.testing.assert_array_equal(loaded.theta_, model.theta_)
    assert len(model.classes_) == 10
    with pytest.raises(ValueError, match="has not seen the class ten"):
        model.fit(X_train[:50], np.full(50, "ten"))


def test_a_file_with_other_classes_is_refused(digits, tmp_path, forge):
    X_train, _, y_train, _ = digits
    path = tmp_path / "model.npz"
    model = classifier(max_iter=3).fit(X_train, y_train)
    model.classes_ = model.classes_[:9]
    with pytest.raises(ValueError, match="classes_ is not what it must be"):
        model.save(path)


@pytest.mark.parametrize("wrap", [False, True])
def test_a_search_stacks_it_and_stratifies_its_folds(digits, wrap):
    X_train, _, y_train, _ = digits
    model, name = classifier(max_iter=4), "learning_rate"
    if wrap:
        model, name = make_pipeline(StandardScaler(), model), f"classifier__{name}"
    grid = {name: [0.005, 0.02]}
    ours = FFNNGridSearchCV(clone(model), grid, cv=2).fit(X_train, y_train)
    theirs = GridSearchCV(clone(model), grid, cv=2).fit(X_train, y_train)
    for column in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(
            ours.cv_results_[column], theirs.cv_results_[column]
        )
