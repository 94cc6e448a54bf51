"""
What an ensemble does not know
==============================

Eight networks that differ in nothing but their seeds agree where they have seen rows,
and go apart where they have not. Their mean is the prediction, their spread says how
little is known; with rows held out to calibrate it, a band says where targets lie.
"""

# %%
# A function of one variable, with noise, and a gap in the middle where nothing was
# measured.

import numpy as np

rng = np.random.default_rng(0)
x = np.sort(np.r_[rng.uniform(-4, -1, 250), rng.uniform(1, 4, 250)])


def signal(x):
    return np.sin(2 * x) + x / 3


y = signal(x) + 0.15 * rng.normal(size=x.size)
X = x[:, np.newaxis]

# %%
# Two ensembles: one as it is, one that holds out a third of the rows. The networks of
# each are trained side by side.

from skffnn import FFNNEnsembleRegressor

plain = FFNNEnsembleRegressor(random_state=0).fit(X, y)
calibrated = FFNNEnsembleRegressor(calibration_fraction=1 / 3, random_state=0).fit(X, y)

# %%
# How often is the target inside?
# -------------------------------
#
# On new rows from where rows were seen. The spread alone knows nothing of the noise: it
# tells how far the networks are from each other, not how far targets are from them. The
# calibrated intervals come close to what they say; 167 calibration rows leave a few
# hundredths to chance.

import pandas as pd

x_new = np.r_[rng.uniform(-4, -1, 2000), rng.uniform(1, 4, 2000)]
y_new = signal(x_new) + 0.15 * rng.normal(size=x_new.size)
inside = {}
for name, model in {"spread alone": plain, "calibrated": calibrated}.items():
    for coverage in (0.5, 0.8, 0.95):
        low, high = model.predict_interval(x_new[:, np.newaxis], coverage)
        inside[name, f"{coverage:.0%}"] = np.mean((low <= y_new) & (y_new <= high))
pd.Series(inside).unstack(0).round(2)

# %%
# The picture
# -----------
#
# The dark band is one standard deviation of the networks, the light one is to hold 95 %
# of the targets. Both open in the gap: the networks have seen nothing there, and say
# so. Beyond the ends the light one opens, too, and the function leaves it all the same:
# every network goes on in a straight line. Only where rows were seen does the band
# cover what it says. Elsewhere it is a warning, which a single network does not give.

import matplotlib.pyplot as plt

grid = np.linspace(-5, 5, 400)[:, np.newaxis]
mean, std = plain.predict(grid, return_std=True)
low, high = calibrated.predict_interval(grid, 0.95)
figure, ax = plt.subplots()
ax.plot(x, y, ".", color="C5", alpha=0.5, label="rows")
ax.plot(grid, signal(grid), color="C2", linewidth=1, label="the function")
band = {"color": "C0", "linewidth": 0}
ax.fill_between(grid[:, 0], low, high, alpha=0.2, label="95 %", **band)
ax.fill_between(grid[:, 0], mean - std, mean + std, alpha=0.5, label="networks", **band)
ax.plot(grid, mean, color="C1", label="their mean")
ax.set(xlabel="x", ylabel="y", ylim=(-4, 4))
ax.legend(loc="upper left", ncols=2)
plt.show()
