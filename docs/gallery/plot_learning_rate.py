"""
The learning rate: too low, right, too high
===========================================

If one parameter of a network is tuned, it is the learning rate: how far each step goes
along the gradient. Here is what a wrong one looks like, and how to tell in which way it
is wrong.
"""

# %%
# The table has a smooth target, five columns that matter and five that do not, and
# noise with a standard deviation of 1. No model can get far below 1 on new rows.

from sklearn.datasets import make_friedman1

X, y = make_friedman1(n_samples=1000, noise=1.0, random_state=0)

# %%
# Three networks, three rates. Nothing else differs, not even the first weights and the
# order of the rows.

from skffnn import FFNNRegressor

networks = {
    name: FFNNRegressor(
        32,
        learning_rate=rate,
        weight_decay=0.1,
        max_iter=60,
        validation_fraction=0.3,
        random_state=0,
    ).fit(X, y)
    for name, rate in {"too low": 0.0005, "right": 0.02, "too high": 1.0}.items()
}

# %%
# Three curves
# ------------
#
# Too low: a smooth curve that is still on its way when the epochs are used up. Right:
# steep at first, some unrest, and a calm end near the noise. Too high: each step
# overshoots and undoes what the last one has learnt, until the schedule has lowered the
# rate; by then few epochs are left.

import matplotlib.pyplot as plt

figure, ax = plt.subplots()
for name, network in networks.items():
    epoch, rmse = network.history_["epoch"], network.history_["validation_rmse"]
    (line,) = ax.plot(epoch, rmse)
    ax.annotate(
        f"{network.learning_rate:g}: {name}",
        (epoch[-1], rmse[-1]),
        xytext=(8, 0),
        textcoords="offset points",
        color=line.get_color(),
        va="center",
    )
ax.axhline(1, color="C5", linewidth=1, linestyle=":")
ax.annotate("the noise", (1, 1), xytext=(0, 5), textcoords="offset points")
ax.set(xlabel="Epoch", ylabel="RMSE on validation rows", ylim=0)
plt.show()

# %%
# Where to look for it
# --------------------
#
# The range test tells before any network has been trained: one short run in which the
# rate grows from step to step. The loss falls once the rate is large enough to learn,
# and rises when the steps overshoot. The shaded range is where to search.

from skffnn import LearningRateDisplay

network = FFNNRegressor(32, weight_decay=0.1, random_state=0)
display = LearningRateDisplay.from_estimator(network, X, y)
plt.show()

# %%
# The two ends are numbers, for a grid between them:

import numpy as np

print(np.geomspace(display.steepest, display.largest_safe, 5).round(4))
