"""
Bike sharing: from a CSV to a tuned pipeline
============================================

Two years of a city's hire bikes, hour by hour. How many will be out at five next
Tuesday, if it rains? This example reads the table, splits it by time, puts an encoder
and a network into a pipeline, searches the learning rate, and looks at a week that the
network has not seen.
"""

# %%
# The table
# ---------
#
# One row for each hour. `cnt`, the rentals, is the target. `casual` and `registered`
# add up to it: they would give it away, and nobody knows them in advance. `instant`
# counts the rows. The date goes too, but for the test weeks at the end; year, month,
# weekday and hour stay.
#
# The table is the Bike Sharing data set of the UCI repository (Fanaee-T and Gama, 2013;
# CC BY 4.0). In a clone of skffnn it lies in ``docs/data/bike-sharing``, beside the
# folder of this example.

import pandas as pd

hours = pd.read_csv("../data/bike-sharing/hour.csv.gz", parse_dates=["dteday"])
y = hours["cnt"]
X = hours.drop(columns=["cnt", "casual", "registered", "instant", "dteday"])
X.head()

# %%
# Five of the columns are codes, whatever their numbers look like: hour 23 lies beside
# hour 0, and weather 4 is not twice as bad as weather 2. They become a column of zeros
# and ones for each value.

from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skffnn import FFNNRegressor

codes = ["season", "mnth", "hr", "weekday", "weathersit"]
encoder = make_column_transformer(
    (OneHotEncoder(handle_unknown="ignore", sparse_output=False), codes),
    remainder="passthrough",
)
pipeline = make_pipeline(encoder, FFNNRegressor(random_state=0))

# %%
# Test rows, and a first result
# -----------------------------
#
# The model is meant for days to come, so the last eight weeks are the test rows. Rows
# drawn at random would flatter it: an hour between two known hours of the same day is
# easy. `evaluate` fits on the other rows, with linear regression beside it, behind the
# same encoder.

from skffnn import evaluate

last_weeks = 8 * 7 * 24
first = evaluate(pipeline, X, y, test_size=last_weeks, shuffle=False)
print(first)

# %%
# Rentals depend on the hour in one way on working days and in another on Sundays.
# Linear regression adds the two up and cannot know that; the network finds out. Its
# training error is far lower than its test error all the same: it knows the days it has
# seen, with their weather and whatever else happened, and the weeks of the test are
# other days.
#
# The learning rate
# -----------------
#
# The search sees the training rows only. Each of its folds predicts the months after
# those that it has learnt from, as the test does. A fixed weight decay and thirty
# epochs keep it short.

from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

short = {"ffnnregressor__max_iter": 30, "ffnnregressor__weight_decay": 0.4}
rates = [0.0005, 0.002, 0.005, 0.02, 0.1]
search = GridSearchCV(
    clone(pipeline).set_params(**short),
    {"ffnnregressor__learning_rate": rates},
    scoring="neg_root_mean_squared_error",
    cv=TimeSeriesSplit(4),
)
search.fit(X[:-last_weeks], y[:-last_weeks])
errors = -search.cv_results_["mean_test_score"]
pd.DataFrame({"learning_rate": rates, "validation RMSE": errors.round(1)})

# %%
# 0.0005 is too low. Above it the choice makes little difference, and the default, 0.02,
# is among the best.
#
# The curve
# ---------
#
# The network once more, at the best rate. This time a tenth of the training rows, drawn
# at random, is held out to watch it learn.

from skffnn import LossCurveDisplay

tuned = clone(pipeline).set_params(
    **search.best_params_, ffnnregressor__validation_fraction=0.1
)
tuned.fit(X[:-last_weeks], y[:-last_weeks])
LossCurveDisplay.from_estimator(tuned, target_name="rentals an hour")

# %%
# And here is why the test rows are weeks. The validation rows are hours between hours
# that the network has learnt from, and on these it looks much better than it is on the
# weeks ahead:

from sklearn.metrics import r2_score, root_mean_squared_error

X_test, y_test = X[-last_weeks:], y[-last_weeks:]
predicted = tuned.predict(X_test)
among = tuned[-1].history_["validation_rmse"][-1]
ahead = root_mean_squared_error(y_test, predicted)
print(f"RMSE among known hours {among:.0f}, eight weeks ahead {ahead:.0f}")
print(f"R2 eight weeks ahead {r2_score(y_test, predicted):.2f}")

# %%
# Two of the test weeks
# ---------------------
#
# An ordinary week, and the one with Thanksgiving, Thursday 22 November. The network
# knew that the Thursday was a holiday. That people travel on the day before and stay at
# home on the day after it could not know.

# sphinx_gallery_thumbnail_number = -1
import matplotlib.pyplot as plt
from matplotlib.dates import DateFormatter

dates = hours["dteday"][-last_weeks:]
figure, axes = plt.subplots(2, 1, figsize=(8, 5.5), sharey=True)
for ax, monday in zip(axes, ["2012-12-03", "2012-11-19"], strict=True):
    week = dates.between(monday, pd.Timestamp(monday) + pd.Timedelta(days=6)).to_numpy()
    time = dates[week] + pd.to_timedelta(X_test["hr"][week], unit="h")
    ax.plot(time, y_test[week], label="actual")
    ax.plot(time, predicted[week], label="predicted", linewidth=1.5)
    ax.set(ylabel="rentals an hour")
    ax.xaxis.set_major_formatter(DateFormatter("%a"))
axes[0].set_title("3 to 9 December")
axes[1].set_title("19 to 25 November, with Thanksgiving")
axes[0].legend(ncols=2, loc="upper right")
plt.show()
