"""
A map of the hours: what an embedding has learnt
================================================

A category has no order: hour 8 is a name like hour 20. An embedding gives each of them
a place, and hours that act alike become neighbours. A tree, which splits hours into
groups, has no such places to show. Here is the map that a network draws of a day of
hire bikes.
"""

# %%
# The table
# ---------
#
# Two years of a city's hire bikes, hour by hour (Fanaee-T and Gama, 2013; CC BY 4.0).
# In a clone of skffnn the table lies in ``docs/data/bike-sharing``. Hour and kind of
# day become one column of text, with 48 levels: nothing says that "working day, 8" has
# to do with "working day, 9", or with "day off, 8".

import pandas as pd

rides = pd.read_csv("../data/bike-sharing/hour.csv.gz")
kinds = rides["workingday"].map({1: "working day", 0: "day off"})
X = rides[["yr", "mnth", "holiday", "weathersit", "temp", "hum", "windspeed"]]
X = X.assign(hour=kinds + ", " + rides["hr"].astype(str))
X.head()

# %%
# The network takes the table as it is. 48 levels are many, so the column is embedded:
# each level has a vector of some numbers, which learn as all weights do.

from skffnn import FFNNRegressor

model = FFNNRegressor(weight_decay=0.1, max_iter=15, random_state=0)
model.fit(X, rides["cnt"])
vectors = model.embeddings_["hour"]
vectors.head().round(2)

# %%
# From some numbers to two
# ------------------------
#
# A picture has two. Principal components turn the vectors so that the first two numbers
# hold as much as possible of the distances between them.

from sklearn.decomposition import PCA

levels = model.categories_["hour"]
pca = PCA(2).fit(vectors.loc[levels])
places = pd.DataFrame(pca.transform(vectors.loc[levels]), index=levels)
share = pca.explained_variance_ratio_.sum()
print(f"{share:.0%} of the distances, squared, are in the picture")

# %%
# The map
# -------
#
# Each point is an hour, and lines join those that follow each other. The network was
# never told which do: it has found the order of the hours by itself. The small hours of
# both kinds of days lie together, on the right. A day off makes one round from there,
# with its afternoon on the left. A working day makes two: out to the rush at 8 and back
# to noon, out to the rush at 17 and 18, and back to the night.

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(7.2, 6))
for kind, colour in {"working day": "C0", "day off": "C1"}.items():
    day = places.loc[[f"{kind}, {hour}" for hour in [*range(24), 0]]]
    ax.plot(day[0], day[1], "o-", color=colour, alpha=0.55, label=kind)
    for hour, (x, y) in enumerate(day.to_numpy()[:24]):
        ax.annotate(
            hour, (x, y), (4, 4), textcoords="offset points", color=colour, fontsize=10
        )
ax.set(xlabel="first principal component", ylabel="second", aspect="equal")
ax.legend()
plt.show()

# %%
# What each hour does
# -------------------
#
# `level_effects` gives all rows one hour after the other, and says how the mean
# prediction moves. The first component of the map is much the same: what matters most
# has become the direction in which the hours differ most. The second tells mornings
# from evenings with as many rides. All else that the network is given is holiday,
# month, year and weather: these must act differently on the two.

effects = model.level_effects(X)["hour"].loc[levels, 0]
print(f"correlation with the first component: {abs(effects.corr(places[0])):.2f}")
effects.sort_values().round().iloc[[0, 1, -2, -1]]
