"""
Prediction intervals with the quantile loss
===========================================

A prediction says where a target will be on average. Often one wants to know how far off
it may be, and that may differ from row to row. Two networks that learn quantiles make
an interval, without any assumption about the noise.
"""

# %%
# Waiting times at a counter, say: little is certain at the busy end. The noise grows
# with x and is not symmetric.

import numpy as np
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(0)
x = rng.uniform(0, 10, 3000)
y = 5 + 3 * np.sin(x / 2) + 0.3 * x * rng.exponential(size=3000)
X_train, X_test, y_train, y_test = train_test_split(
    x[:, np.newaxis], y, test_size=1000, random_state=0
)

# %%
# One network for each quantile. The 0.05 and the 0.95 quantile have nine of ten targets
# between them, the 0.5 quantile is the median.

from skffnn import FFNNRegressor

networks = {
    quantile: FFNNRegressor(
        (32, 32), loss="quantile", quantile=quantile, weight_decay=0.1, random_state=0
    ).fit(X_train, y_train)
    for quantile in (0.05, 0.5, 0.95)
}
low, median, high = (network.predict(X_test) for network in networks.values())

# %%
# Does the interval keep its promise?
# -----------------------------------
#
# On test rows, nine of ten targets should lie inside: over all, and in each part of the
# table. Beside it stands an interval of one width for all rows, made of the errors of
# the median on the training rows. A part of the table has some 330 test rows, so two or
# three hundredths are chance.

import pandas as pd

errors = y_train - networks[0.5].predict(X_train)
lower, upper = np.quantile(errors, [0.05, 0.95])
inside = pd.DataFrame(
    {
        "two quantiles": (low <= y_test) & (y_test <= high),
        "one width": (median + lower <= y_test) & (y_test <= median + upper),
    }
)
part = np.digitize(X_test[:, 0], [10 / 3, 20 / 3])
coverage = inside.groupby(np.array(["x below 3.3", "x in between", "x over 6.7"])[part])
pd.concat([coverage.mean(), inside.mean().to_frame("all test rows").T]).round(2)

# %%
# Over all both keep the promise. The one width is far too wide where little is
# uncertain and too narrow where much is.
#
# The picture
# -----------

import matplotlib.pyplot as plt

grid = np.linspace(0, 10, 300)[:, np.newaxis]
figure, ax = plt.subplots()
ax.plot(X_test, y_test, ".", color="C5", alpha=0.5, label="test rows")
ax.fill_between(
    grid[:, 0],
    networks[0.05].predict(grid),
    networks[0.95].predict(grid),
    color="C0",
    alpha=0.35,
    linewidth=0,
    label="nine of ten",
)
ax.plot(grid, networks[0.5].predict(grid), color="C1", label="median")
ax.set(xlabel="x", ylabel="y")
ax.legend(loc="upper left")
plt.show()
