"""
Learning rate and weight decay as a heat map
============================================

A search over two parameters gives a table of errors. Drawn as a map, it shows at a
glance what a list of best parameters hides: how wide the valley is, and whether the
best value lies at the edge of the grid. `FFNNGridSearchCV` trains all networks of the
map side by side.
"""

# %%
# Four hundred rows with a good deal of noise, six rates, five strengths of weight
# decay, three folds: ninety fits of a small network. They have one shape, and folds of
# two sizes, so they are trained as stacks: each step is taken by many networks at once.

from time import perf_counter

import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.model_selection import GridSearchCV

from skffnn import FFNNGridSearchCV, FFNNRegressor

X, y = make_friedman1(n_samples=400, noise=2.0, random_state=0)
grid = {
    "learning_rate": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3],
    "weight_decay": [0.01, 0.1, 0.3, 1.0, 3.0],
}
network = FFNNRegressor((32, 32), max_iter=60, random_state=0)
options = {"scoring": "neg_root_mean_squared_error", "cv": 3}

start = perf_counter()
search = FFNNGridSearchCV(network, grid, **options).fit(X, y)
together = perf_counter() - start
print(search.best_params_)

# %%
# scikit-learn's own search trains one network after the other. The errors are the same
# to the last digit; what differs is the time.

start = perf_counter()
alone = GridSearchCV(network, grid, **options).fit(X, y)
one_by_one = perf_counter() - start
scores = [each.cv_results_["mean_test_score"] for each in (search, alone)]
print(f"side by side {together:.1f} s, one by one {one_by_one:.1f} s")
print(f"same scores: {np.array_equal(*scores)}")

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
ax.set(
    xlabel="learning_rate",
    ylabel="weight_decay",
    title=f"90 fits: {together:.1f} s side by side, {one_by_one:.1f} s one by one",
)
figure.colorbar(image, label="RMSE on validation folds")
plt.show()
