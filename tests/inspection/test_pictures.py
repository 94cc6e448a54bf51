"""The pictures in files: there is something in them, and they leave nothing open."""

import pytest

from skffnn import FFNNRegressor
from skffnn.inspection.pictures import save_loss_curve, save_predicted_vs_actual

matplotlib = pytest.importorskip("matplotlib")


@pytest.fixture
def network(table):
    model = FFNNRegressor(8, max_iter=15, validation_fraction=0.2, random_state=0)
    return model.fit(*table)


def test_saved_pictures(network, table, tmp_path):
    X, y = table
    curve, predicted = tmp_path / "curve.png", tmp_path / "predicted.png"
    save_loss_curve(network, curve, target_name="price")
    save_predicted_vs_actual(y, network.predict(X), predicted, target_name="price")
    for path in (curve, predicted):
        pixels = matplotlib.image.imread(path)
        assert min(pixels.shape[:2]) > 500
        assert pixels[..., :3].std() > 0.01


def test_saving_leaves_no_figure_open(network, tmp_path):
    import matplotlib.pyplot as plt

    save_loss_curve(network, tmp_path / "curve.png")
    assert plt.get_fignums() == []
