"""Draw the picture of the README: a network that overfits, and one that does not.

Run as ``python docs/examples/overfitting_picture.py docs/images/overfitting.png``.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_diabetes

from skffnn import FFNNRegressor, LossCurveDisplay

NETWORKS = {
    "Two layers of 100 units": FFNNRegressor(
        (100, 100),
        weight_decay=0.0,
        max_iter=100,
        validation_fraction=0.3,
        random_state=0,
    ),
    "16 units, weight_decay=1": FFNNRegressor(
        16, weight_decay=1.0, max_iter=100, validation_fraction=0.3, random_state=0
    ),
}


STYLE = Path(__file__).parents[1] / "skffnn.mplstyle"


def draw(path):
    plt.style.use(STYLE)
    X, y = load_diabetes(return_X_y=True)
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True)
    for ax, (title, network) in zip(axes, NETWORKS.items(), strict=True):
        LossCurveDisplay.from_estimator(
            network.fit(X, y), ax=ax, target_name="progression"
        )
        ax.set_title(title)
    axes[1].set_ylabel("")
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    draw(sys.argv[1])
