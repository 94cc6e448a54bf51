"""The pictures: what is in them, and that they ask for what they need."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skffnn import FFNNEnsembleRegressor, FFNNRegressor, LossCurveDisplay

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture(autouse=True)
def _agg():
    import matplotlib.pyplot as plt

    plt.switch_backend("agg")
    yield
    plt.close("all")


@pytest.fixture
def network(table):
    model = FFNNRegressor(8, max_iter=15, validation_fraction=0.2, random_state=0)
    return model.fit(*table)


def test_curves_are_the_history(network):
    display = LossCurveDisplay.from_estimator(network, target_name="price")
    training, validation = display.lines_
    np.testing.assert_array_equal(training.get_xdata(), np.arange(1, 16))
    np.testing.assert_array_equal(training.get_ydata(), network.history_["rmse"])
    np.testing.assert_array_equal(
        validation.get_ydata(), network.history_["validation_rmse"]
    )
    assert display.ax_.get_ylabel() == "RMSE of price"
    assert display.ax_.figure is display.figure_


def marks(display):
    """The marked epochs: their value, and whether the mark is filled."""
    return {
        line.get_xdata()[0]: (line.get_ydata()[0], line.get_markerfacecolor() != "none")
        for line in display.ax_.lines
        if line.get_marker() == "o"
    }


def labels(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


@pytest.fixture
def noise(rng):
    """A table that can only be learnt by heart."""
    return rng.normal(size=(60, 4)), rng.normal(size=60)


def test_kept_and_best_epochs_are_marked(noise):
    model = FFNNRegressor(
        30, max_iter=40, weight_decay=0.0, validation_fraction=0.2, random_state=0
    ).fit(*noise)
    best, curve = model.best_iter_, model.history_["validation_rmse"]
    assert best < 40  # else there is nothing to tell apart
    display = LossCurveDisplay.from_estimator(model)
    assert marks(display) == {
        best: (curve[best - 1], False),
        40: (curve[39], True),
    }
    assert labels(display)[-2:] == [
        f"epoch {best}, lowest validation loss: {curve[best - 1]:,.4g}",
        f"epoch 40, kept: {curve[39]:,.4g}",
    ]


def test_with_early_stopping_the_best_epoch_is_the_kept_one(noise):
    model = FFNNRegressor(
        30, max_iter=40, weight_decay=0.0, early_stopping=True, random_state=0
    ).fit(*noise)
    best = model.best_iter_
    assert model.kept_iter_ == best < 40
    value = model.history_["validation_rmse"][best - 1]
    assert marks(LossCurveDisplay.from_estimator(model)) == {best: (value, True)}


def test_without_validation_rows_the_kept_epoch_is_on_the_training_curve(table):
    model = FFNNRegressor(8, max_iter=15, random_state=0).fit(*table)
    display = LossCurveDisplay.from_estimator(model)
    assert marks(display) == {15: (model.history_["rmse"][-1], True)}


@pytest.mark.parametrize("missing", [None, [np.nan] * 3])
def test_either_curve_may_be_missing(missing):
    for curves in ({"rmse": missing}, {"validation_rmse": missing}, {}):
        curves = {"rmse": [3, 2, 1], "validation_rmse": [4, 3, 3], **curves}
        display = LossCurveDisplay(epoch=[1, 2, 3], kept_epoch=2, **curves).plot()
        drawn = [curve for curve in curves.values() if curve is not missing]
        assert len(display.lines_) == len(drawn)
        assert marks(display) == {2: (drawn[-1][1], True)}


def test_no_curve_at_all_is_an_empty_picture():
    assert LossCurveDisplay(epoch=[1, 2], rmse=None).plot().lines_ == []


def test_learning_rate_on_a_second_axis(network):
    display = LossCurveDisplay.from_estimator(network, learning_rate=True)
    rate = display.lines_[-1]
    assert rate.axes is display.learning_rate_ax_ is not display.ax_
    np.testing.assert_array_equal(rate.get_ydata(), network.history_["learning_rate"])
    assert "learning rate" in display.learning_rate_ax_.get_ylabel()
    assert LossCurveDisplay.from_estimator(network).learning_rate_ax_ is None


def test_lbfgs_has_no_learning_rate_to_draw(table):
    model = FFNNRegressor(4, solver="lbfgs", random_state=0).fit(*table)
    with pytest.raises(ValueError, match="no learning rate to draw"):
        LossCurveDisplay.from_estimator(model, learning_rate=True)


@pytest.mark.parametrize("yscale", ["log", "linear"])
def test_scale_as_asked(network, yscale):
    display = LossCurveDisplay.from_estimator(network, yscale=yscale)
    assert display.ax_.get_yscale() == yscale


def test_scale_that_does_not_exist(network):
    with pytest.raises(ValueError, match="yscale must be 'linear', 'log' or None"):
        LossCurveDisplay.from_estimator(network, yscale="cubic")


def test_without_validation_rows_there_is_one_curve(table):
    model = FFNNRegressor(8, max_iter=30, random_state=0).fit(*table)
    assert len(LossCurveDisplay.from_estimator(model).lines_) == 1


@pytest.mark.parametrize("wrap", ["pipeline", "search"])
def test_finds_the_network(wrap, table):
    network = FFNNRegressor(8, max_iter=30, random_state=0)
    model = make_pipeline(StandardScaler(), network)
    if wrap == "search":
        model = GridSearchCV(model, {"ffnnregressor__learning_rate": [0.01]}, cv=2)
    model.fit(*table)
    network = getattr(model, "best_estimator_", model)[-1]
    display = LossCurveDisplay.from_estimator(model)
    np.testing.assert_array_equal(
        display.lines_[0].get_ydata(), network.history_["rmse"]
    )


@pytest.mark.parametrize("model", [Ridge(), FFNNRegressor(), make_pipeline(Ridge())])
def test_no_curve_to_draw(model):
    with pytest.raises(ValueError, match="pass a fitted FFNNRegressor"):
        LossCurveDisplay.from_estimator(model)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_advice_reaches_the_user(table):
    model = FFNNEnsembleRegressor(FFNNRegressor(4, max_iter=5), n_estimators=2)
    model = make_pipeline(StandardScaler(), model).fit(*table)
    with pytest.raises(ValueError, match=r"model\[-1\].estimators_\[0\]"):
        LossCurveDisplay.from_estimator(model)
    assert LossCurveDisplay.from_estimator(model[-1].estimators_[0]).lines_


def test_draws_on_given_axes(network):
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    display = LossCurveDisplay.from_estimator(network, ax=ax)
    assert display.ax_ is ax
    again = display.plot(ax=Figure().subplots())
    assert again is display
    assert display.ax_ is not ax


@pytest.mark.parametrize(
    ("rmse", "scale"),
    [([100, 60, 50, 45], "linear"), ([500, 9, 3, 1, 0.5, 0.4], "log")],
)
def test_logarithmic_where_it_helps(rmse, scale):
    display = LossCurveDisplay(epoch=range(1, len(rmse) + 1), rmse=rmse).plot()
    assert display.ax_.get_yscale() == scale


WITHOUT_MATPLOTLIB = """
import sys
sys.modules["matplotlib"] = sys.modules["matplotlib.pyplot"] = None
from skffnn import LossCurveDisplay
try:
    LossCurveDisplay(epoch=[1], rmse=[1]).plot()
except ImportError as error:
    print(error)
"""


def test_says_what_to_install():
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT_MATPLOTLIB],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == "Drawing needs matplotlib: pip install 'skffnn[cli]'\n"
