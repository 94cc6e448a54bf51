"""
Learning rate and weight decay as a heat map
============================================

`GridSearchCV` over two parameters gives a table of errors. Drawn as a map, it shows at
a glance what a list of best parameters hides: how wide the valley is, and whether the
best value lies at the edge of the grid.
"""

# %%
# Four hundred rows with a good deal of noise, six rates, five strengths of weight
# decay, three folds: ninety fits of a small network.

import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.model_selection import GridSearchCV

from skffnn import FFNNRegressor

X, y = make_friedman1(n_samples=400, noise=2.0, random_state=0)
grid = {
    "learning_rate": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3],
    "weight_decay": [0.01, 0.1, 0.3, 1.0, 3.0],
}
search = GridSearchCV(
    FFNNRegressor((32, 32), max_iter=60, random_state=0),
    grid,
    scoring="neg_root_mean_squared_error",
    cv=3,
)
search.fit(X, y)
print(search.best_params_)

# %%
# The map
# -------
#
# Each cell is the mean RMSE over the three folds. The noise alone has a standard
# deviation of 2, so none can be much lower. The framed cell is the best one. What
# counts more is that it lies inside of the map, and that a neighbour would do as well:
# to the left the rate is too low for sixty epochs, below the network learns the noise,
# above it is held back too much. Differences of a few hundredths are chance.

import matplotlib.pyplot as plt

shape = [len(values) for values in grid.values()]
rmse = -search.cv_results_["mean_test_score"].reshape(shape)
figure, ax = plt.subplots()
ax.grid(False)
image = ax.imshow(rmse.T, origin="lower", aspect="auto")
for (i, j), value in np.ndenumerate(rmse):
    dark = image.norm(value) < 0.6
    ax.text(i, j, f"{value:.2f}", ha="center", va="center", color="w" if dark else "k")
best = np.unravel_index(rmse.argmin(), rmse.shape)
ax.plot(*best, "s", markersize=44, markerfacecolor="none", markeredgecolor="C1")
ax.set_xticks(range(shape[0]), grid["learning_rate"])
ax.set_yticks(range(shape[1]), grid["weight_decay"])
ax.set(xlabel="learning_rate", ylabel="weight_decay")
figure.colorbar(image, label="RMSE on validation folds")
plt.show()
