"""Rules for what files say: small tests of values, and an error that names the value.

A file can say anything. Each estimator says, beside the code that makes them, which
fitted attributes it has and what each of them is. Here is what such rules are made of.
"""

import numpy as np

FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
DOUBLE = FLOATS[:1]
# Written by scikit-learn's check of the data, if X has names.
COLUMN_NAMES = ("feature_names_in_",)


def need(condition, what):
    """Raise ValueError unless the condition holds."""
    if not condition:
        raise ValueError(f"{what} is not what it must be")


def is_whole(value, low=0):
    """Whether it is a whole number, at least that, that 64 bits can hold."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and low <= value < 2**63


def is_number(value):
    """Whether it is a number, NaN and infinity among them."""
    return isinstance(value, float) or is_whole(value, -(2**63))


def is_bool(value):
    """Whether it is True or False."""
    return isinstance(value, bool)


def is_generator(value):
    """Whether it is a generator of random numbers."""
    return isinstance(value, np.random.Generator)


def is_array(value, shape, dtypes=DOUBLE, finite=True):
    """Whether it is an array, not a masked one, of that shape and of those dtypes."""
    if type(value) is not np.ndarray or value.shape != tuple(shape):
        return False
    return value.dtype in dtypes and not (finite and not np.isfinite(value).all())


def is_list(value, each):
    """Whether it is a list of such values."""
    return isinstance(value, list) and all(map(each, value))


def is_plain(value):
    """Whether it is one of the values that JSON has a word for."""
    return value is None or isinstance(value, bool | int | float | str)


def are_rows(value):
    """Whether these are numbers of rows."""
    if type(value) is not np.ndarray or value.ndim != 1:
        return False
    return value.dtype.kind == "i" and bool((value >= 0).all())


def are_names(value, n):
    """Whether these are names of n columns."""
    good = type(value) is np.ndarray and value.dtype == object
    return good and value.shape == (n,) and all(isinstance(v, str) for v in value)


def check_names(own, required, allowed=()):
    """Raise ValueError unless all required names are there, and no unknown one."""
    missing = set(required) - own.keys()
    unknown = own.keys() - set(required) - set(allowed)
    for what, which in (("lacks", missing), ("has an unknown", unknown)):
        if which:
            raise ValueError(f"it {what} {sorted(map(str, which))[0]!r}")


def check_same(own, name, n):
    """Raise ValueError unless that attribute is this whole number."""
    need(is_whole(own[name]) and own[name] == n, name)


def check_columns(own, n):
    """Raise ValueError unless these are the number, and the names, of n columns."""
    check_same(own, "n_features_in_", n)
    if "feature_names_in_" in own:
        need(are_names(own["feature_names_in_"], n), "feature_names_in_")


def check_history(history, columns, n=None):
    """Raise ValueError unless it has these columns, of n numbers each."""
    need(isinstance(history, dict) and list(history) == list(columns), "history_")
    need(all(is_list(c, is_number) for c in history.values()), "history_")
    lengths = {len(c) for c in history.values()}
    need(len(lengths) == 1 and (n is None or lengths == {n}), "history_")
