"""What a notebook shows of a model, and of what is found out about it."""

import inspect
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator

import skffnn
from skffnn import (
    Evaluation,
    FFNNRegressor,
    LearningRateDisplay,
    LossCurveDisplay,
    check_gradient,
    evaluate,
    trace,
)

HAS_TOOLTIPS = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9)


def described(html):
    """The names that have a description, from its first line, `name: type`."""
    return set(re.findall(r'description"\s+style="[^"]*">\s*(\w+): ', html))


@pytest.mark.skipif(not HAS_TOOLTIPS, reason="scikit-learn shows no descriptions yet")
def test_every_parameter_and_fitted_attribute_has_its_tooltip(table):
    model = FFNNRegressor(4, max_iter=20, validation_fraction=0.2, random_state=0)
    assert described(model._repr_html_()) == set(model.get_params())
    fitted = {
        name
        for name in [*vars(model.fit(*table)), "coefs_", "intercepts_", "loss_curve_"]
        if name.endswith("_") and not name.startswith("_")
    }
    missing = set(model.get_params()) | fitted
    missing -= described(model._repr_html_())
    assert missing == set()


def test_the_link_leads_to_the_page_of_the_class():
    html = FFNNRegressor()._repr_html_()
    assert "/generated/skffnn.FFNNRegressor.html" in html


# Results ------------------------------------------------------------------------------


class Awkward(FFNNRegressor):
    """An estimator whose name is not for HTML."""


Awkward.__name__ = "<b>Bold & Co"


@pytest.fixture
def results(table):
    """One of every kind of result, of more numbers than anybody wants to read."""
    X, y = table
    model = Awkward(max_iter=5, weight_decay=0.1, random_state=0).fit(X, y)
    found = evaluate(Awkward(4, max_iter=20, random_state=0), X, y, random_state=0)
    found = Evaluation(**{**vars(found), "note": "no <i>linear</i> regression & co"})
    theta = {"<W>": np.ones(300), "b": np.zeros(3)}
    return {
        "Evaluation": found,
        "Trace": trace(model, X, y),
        "GradientCheck": check_gradient(
            lambda t: ((t["<W>"] ** 2).sum(), {"<W>": t["<W>"], "b": t["b"]}), theta
        ),
        "LossCurveDisplay": LossCurveDisplay(epoch=range(1, 1001), rmse=[1.0] * 1000),
        "LearningRateDisplay": LearningRateDisplay(
            learning_rates=[1.0] * 1000,
            losses=[1.0] * 1000,
            steepest=0.00123,
            largest_safe=0.1,
        ),
    }


TABLES = ["Evaluation", "Trace", "GradientCheck"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_result_is_one_short_line(results):
    for name, result in results.items():
        assert name in repr(result)
        assert len(repr(result)) < 120
        assert "\n" not in repr(result)
        assert " at 0x" not in repr(result)


def test_every_result_is_among_them(results):
    """Public classes that are neither estimators nor made by users."""
    classes = {
        name
        for name in skffnn.__all__
        if inspect.isclass(getattr(skffnn, name))
        and not issubclass(getattr(skffnn, name), BaseEstimator)
    }
    assert classes - {"ModelCheckpoint"} == set(results)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", TABLES)
def test_a_notebook_shows_a_table_of_it(results, name):
    html = results[name]._repr_html_()
    shown = ElementTree.fromstring(f"<div>{html}</div>")  # it is whole, and escaped
    assert {part.tag for part in shown.iter()} <= {
        *("div", "table", "thead", "tbody", "tr", "th", "td", "p")
    }
    text = "".join(shown.itertext())
    assert len(html) < 20_000
    for line in str(results[name]).split("\n"):
        for word in line.split("  "):
            assert " ".join(word.split()) in " ".join(text.split())


def test_what_is_shown_of_them(results):
    assert repr(results["GradientCheck"]).endswith("Wrong in <W>: <W>.>")
    assert repr(results["LearningRateDisplay"]) == (
        "<LearningRateDisplay: steepest 0.0012, largest safe 0.1>"
    )
    assert "1000 epochs, training rows" in repr(results["LossCurveDisplay"])
    found = results["Evaluation"]
    assert f"test R2 {found.test_r2:.3f}" in repr(found)
