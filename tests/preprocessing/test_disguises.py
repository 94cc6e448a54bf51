"""Text that is something else: numbers and dates."""

import numpy as np
import pandas as pd
import pytest

from skffnn.preprocessing.columns import columns_of
from skffnn.preprocessing.disguises import disguise_of

WHOLE = [str(k) for k in range(20)]
DISGUISED = {
    "decimals": ([f"{k / 7:.3f}" for k in range(20)], "numbers, such as"),
    "many whole numbers": ([str(k) for k in range(99)], "numbers, such as"),
    "words among them": ([*WHOLE, "?", "n/a"], "words among them, '?', 'n/a'"),
    "thousands": ([*WHOLE, *(f"{k},{k}00" for k in range(1, 9))], "signs or units"),
    "money": ([f"${k},123" for k in range(1, 20)], "signs or units"),
    "percent": ([f"{k}%" for k in range(20)], "signs or units"),
    "units": ([f"{k} kg" for k in range(20)], "signs or units"),
    "dates": ([f"2020-01-{k:02}" for k in range(1, 20)], "dates, such as"),
    "dates of Europe": ([f"{k}.1.2020" for k in range(1, 20)], "dates, such as"),
}
NAMES = {
    "few": ["1.5", "2.5", "?"],
    "some whole numbers": WHOLE,
    "words": [f"street {k}" for k in range(20)],
    "letters before": [f"A{k}" for k in range(20)],
    "ranges": [f"{k}-{k + 9}" for k in range(0, 200, 10)],
    "numbers": [float(k) for k in range(20)],
    "nothing": [],
}


@pytest.mark.parametrize(("levels", "told"), DISGUISED.values(), ids=list(DISGUISED))
def test_numbers_and_dates_are_told(levels, told):
    assert told in disguise_of(levels, "k")


@pytest.mark.parametrize("levels", NAMES.values(), ids=list(NAMES))
def test_names_are_not(levels):
    assert disguise_of(levels, "k") is None


def frame_of(levels):
    return pd.DataFrame({"k": np.repeat(levels, 3)})


def test_the_warning_says_what_to_do_and_how_to_end_it():
    frame = frame_of([*WHOLE, "?"])
    with pytest.warns(UserWarning, match="words among them") as record:
        columns_of(frame, "from_dtype", ["k"])
    message = str(record[0].message)
    for cure in ("pd.to_numeric(X['k'], errors='coerce')", "X['k'].astype('category')"):
        assert cure in message
        cured = eval(cure, {"pd": pd, "X": frame})
        columns, _ = columns_of(cured.to_frame("k"), "from_dtype", ["k"])
        assert (columns is None) == ("numeric" in cure)


def test_signs_come_off_as_advised():
    X = frame_of([*WHOLE, "1,200", "1,300"])
    with pytest.warns(UserWarning, match="signs or units") as record:
        columns_of(X, "from_dtype", ["k"])
    assert "errors='coerce'" not in str(record[0].message)
    assert pd.to_numeric(X["k"].str.replace(",", "")).max() == 1300
