"""What a notebook shows of a model."""

import re

import pytest
import sklearn

from skffnn import FFNNRegressor

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
