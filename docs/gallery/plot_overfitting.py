"""
Overfitting, made visible and cured
===================================

A network that is large enough learns its training rows by heart, noise and all. Rows
held out of training show when that begins. Four networks learn the same small table
here: one that nothing holds back, and three that are held back in different ways.
"""

# %%
# scikit-learn's diabetes table is small and noisy: ten measurements of 442 patients,
# and the progress of their disease after a year. A quarter of the patients is set aside
# for the last word. Of the others three tenths are validation rows.

from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split

from skffnn import FFNNRegressor

X, y = load_diabetes(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
unchecked = FFNNRegressor(
    (100, 100),
    weight_decay=0.0,
    max_iter=100,
    validation_fraction=0.3,
    random_state=0,
)
networks = {
    "two layers of 100 units": unchecked,
    "early_stopping=True": clone(unchecked).set_params(early_stopping=True),
    "weight_decay=3": clone(unchecked).set_params(weight_decay=3.0),
    "4 units, weight_decay=1": clone(unchecked).set_params(
        hidden_layer_sizes=4, weight_decay=1.0
    ),
}
for network in networks.values():
    network.fit(X_train, y_train)

# %%
# Seeing it
# ---------
#
# Top left: after a few epochs the validation error turns and climbs, while the training
# error goes on to fall. From there on the network learns the noise. Early stopping lets
# that happen, but keeps the weights of the best epoch; the filled dot marks the epoch
# whose weights were kept. Weight decay shrinks the weights at every step, so that only
# what many rows have in common is left. A network of few units has little to remember
# with.

import matplotlib.pyplot as plt

from skffnn import LossCurveDisplay

figure, axes = plt.subplots(2, 2, figsize=(9, 7), sharex=True, sharey=True)
for ax, (name, network) in zip(axes.flat, networks.items(), strict=True):
    LossCurveDisplay.from_estimator(network, ax=ax, target_name="progression")
    ax.set(title=name, ylim=(0, 150))
    ax.label_outer()
plt.show()

# %%
# The last word
# -------------
#
# The validation rows have chosen an epoch and, if one is honest, a network too. So they
# flatter. The test rows have chosen nothing:

import pandas as pd
from sklearn.metrics import root_mean_squared_error

errors = {
    name: {
        "training rows": root_mean_squared_error(y_train, network.predict(X_train)),
        "test rows": root_mean_squared_error(y_test, network.predict(X_test)),
    }
    for name, network in networks.items()
}
pd.DataFrame(errors).T.round(0)
