"""
Watching a network learn
========================

A callback is told at the end of every epoch, may look at the model as it is by then,
and may ask to stop. This one films how the curve of a network finds its way to the
points, and ends the run when only noise is left.
"""

# %%
# The points: a wave that gets quicker to the right, and noise with a standard deviation
# of 0.1.

import numpy as np

rng = np.random.default_rng(0)
x = np.sort(rng.uniform(0, 4, 300))
y = np.sin(x**2) + 0.1 * rng.normal(size=300)
grid = np.linspace(0, 4, 400)[:, np.newaxis]

# %%
# The callback
# ------------
#
# scikit-learn 1.9 calls four methods of it, and only the last one has anything to do
# here. The fit is a task, and so is each epoch in it; `context.task_name` tells them
# apart. `fitted_estimator` is the model so far: it predicts, and it has a `history_`. A
# callback that returns True asks to stop.


class Film:
    """Keep the prediction after some epochs; stop once the RMSE is at its goal."""

    def __init__(self, grid, epochs, goal):
        self.grid, self.epochs, self.goal = grid, epochs, goal
        self.frames = {}

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name != "epoch":
            return False
        epoch = fitted_estimator.n_iter_
        done = fitted_estimator.history_["rmse"][-1] <= self.goal
        if done or epoch in self.epochs:
            self.frames[epoch] = fitted_estimator.predict(self.grid)
        return done


# %%
# `set_callbacks` hands it over, and `fit` is as always.

from skffnn import FFNNRegressor

film = Film(grid, epochs=[1, 10, 30, 50, 100], goal=0.1)
model = FFNNRegressor(weight_decay=0.03, max_iter=400, random_state=0)
model.set_callbacks(film).fit(x[:, np.newaxis], y)
print(f"stopped after epoch {model.n_iter_} of {model.max_iter}")

# %%
# The film
# --------
#
# The slow wave on the left comes first, then the quicker ones, one after the other.
# Networks learn what is smooth before what is not, and noise last of all: that is why
# it helps to stop early.

import matplotlib.pyplot as plt

figure, axes = plt.subplots(2, 3, figsize=(9, 5), sharex=True, sharey=True)
for ax, (epoch, frame) in zip(axes.flat, film.frames.items(), strict=False):
    ax.plot(x, y, ".", color="C5", alpha=0.4, markersize=4)
    ax.plot(grid, frame, color="C1")
    ax.set(title=f"epoch {epoch}")
plt.show()
