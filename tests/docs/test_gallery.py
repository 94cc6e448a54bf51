"""The examples of the gallery run; here for a few epochs, on the site in full."""

import re
import runpy
import warnings
from pathlib import Path

import pytest
from sklearn.exceptions import ConvergenceWarning

from skffnn import FFNNRegressor
from skffnn.fitting.callbacks import AVAILABLE
from skffnn.fitting.settings import Settings

plt = pytest.importorskip("matplotlib.pyplot")

GALLERY = Path(__file__).parents[2] / "docs" / "gallery"
EXAMPLES = sorted(GALLERY.glob("*.py"))

every_example = pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)


@pytest.fixture
def _short(monkeypatch):
    """Three epochs at most, in the folder of the gallery, without windows."""
    monkeypatch.setattr(Settings, "max_iter_for", lambda self, n: 3)
    assert Settings(FFNNRegressor(), 100).max_iter == 3
    monkeypatch.setattr(plt, "show", lambda: None)
    monkeypatch.chdir(GALLERY)
    plt.switch_backend("agg")
    yield
    plt.close("all")


@every_example
@pytest.mark.usefixtures("_short")
def test_an_example_runs(path):
    if "torch" in path.stem:
        pytest.importorskip("torch")
    if "callbacks" in path.stem and not AVAILABLE:
        pytest.skip("scikit-learn has no callbacks yet")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        runpy.run_path(str(path))
    assert plt.get_fignums()


@every_example
def test_an_example_begins_with_a_title_and_an_introduction(path):
    head = re.match(r'"""\n(.+)\n(=+)\n\n(\S.*?)\n"""\n', path.read_text("utf-8"), re.S)
    title, line, introduction = head.groups()
    assert len(title) == len(line)
    assert len(introduction.split()) > 15
