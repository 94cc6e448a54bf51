"""
What the hidden units learn
===========================

A network with one hidden layer is a sum: each hidden unit adds one bent line to the
prediction. Where there is one input, the whole network can be drawn.
"""

# %%
# A curve, two hundred noisy points of it, and six hidden units.

import numpy as np

from skffnn import FFNNRegressor

rng = np.random.default_rng(0)
x = np.sort(rng.uniform(-3, 3, 200))
y = 20 + 4 * np.sin(1.5 * x) + x + 0.5 * rng.normal(size=200)
model = FFNNRegressor(6, weight_decay=0.0, max_iter=400, random_state=2)
model = model.fit(x[:, np.newaxis], y)

# %%
# The sum
# -------
#
# The network computes in standardised units, :math:`z = (x - \bar x) / s_x`, and so do
# the weights. `coefs_[0]` and `intercepts_[0]` say what each unit collects from the
# input; relu passes on what is above 0; `coefs_[1]` says with what weight it enters the
# prediction. `y_scale_` and `y_mean_` take that back to the units of the target.

grid = np.linspace(-3, 3, 400)[:, np.newaxis]
standardised = (grid - model.x_mean_) / model.x_scale_
collected = standardised @ model.coefs_[0] + model.intercepts_[0]
passed_on = np.maximum(collected, 0)
parts = passed_on * model.coefs_[1][:, 0] * model.y_scale_
offset = model.intercepts_[1] * model.y_scale_ + model.y_mean_
total = offset + parts.sum(axis=1)
print("parts:", parts.shape)
print("their sum is the prediction:", np.allclose(total, model.predict(grid)))

# %%
# The picture
# -----------
#
# Below, each line is one unit: flat on one side of its kink, straight on the other. The
# kink lies where the unit collects exactly 0. Above is the sum, which bends at every
# kink and nowhere else. Backpropagation has moved the kinks and tilted the lines until
# the sum followed the points.

import matplotlib.pyplot as plt

kinks = -model.intercepts_[0] / model.coefs_[0][0] * model.x_scale_ + model.x_mean_
at_kinks = model.predict(kinks[:, np.newaxis])
figure, (top, bottom) = plt.subplots(2, 1, figsize=(7.2, 6.4), sharex=True)
top.plot(x, y, ".", color="C5", alpha=0.4)
top.plot(grid, total, color="C5", linewidth=3)
for kink, at_kink, part in zip(kinks, at_kinks, parts.T, strict=True):
    (line,) = bottom.plot(grid, part)
    if -3 < kink < 3:
        top.plot(kink, at_kink, "o", color=line.get_color(), markersize=9)
top.set(ylabel="y, and the prediction")
bottom.set(xlabel="x", ylabel="what each unit adds")
plt.show()
