"""Rules for what files say: small tests of values, and an error that names the value.

A file can say anything. Each estimator says, beside the code that makes them, which
fitted attributes it has and what each of them is. Here is what such rules are made of.
"""

import numpy as np

FLOATS = (np.dtype(np.float64), np.dtype(np.float32))
DOUBLE = FLOATS[:1]


def need(condition, what):
    """Raise ValueError unless the condition holds."""
    if not condition:
        raise ValueError(f"{what} is not what it must be")


def is_whole(value, low=0):
    """Whether a value is a whole number, at least that, that 64 bits can hold."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole and low <= value < 2**63


def is_number(value):
    """Whether a value is a number, NaN and infinity among them."""
    return isinstance(value, float) or is_whole(value, -(2**63))


def is_bool(value):
    """Whether a value is True or False."""
    return isinstance(value, bool)


def is_generator(value):
    """Whether a value is a generator of random numbers."""
    return isinstance(value, np.random.Generator)


def is_array(value, shape, dtypes=DOUBLE, finite=True):
    """Whether a value is an array, no masked one, of that shape and of those dtypes."""
    if type(value) is not np.ndarray or value.shape != tuple(shape):
        return False
    return value.dtype in dtypes and not (finite and not np.isfinite(value).all())


def is_list(value, each):
    """Whether a value is a list of such values."""
    return isinstance(value, list) and all(map(each, value))


def is_scalar(value):
    """Whether a value is one of the values that JSON has a word for."""
    return value is None or isinstance(value, bool | int | float | str)


def are_rows(value):
    """Whether a value is an array of row numbers."""
    if type(value) is not np.ndarray or value.ndim != 1:
        return False
    return value.dtype.kind == "i" and bool((value >= 0).all())


def are_names(value, n):
    """Whether a value is an array of n column names."""
    good = type(value) is np.ndarray and value.dtype == object
    return good and value.shape == (n,) and all(isinstance(v, str) for v in value)


def check_names(attributes, required, allowed=()):
    """Raise ValueError unless all required names are there, and no unknown one."""
    missing = set(required) - attributes.keys()
    unknown = attributes.keys() - set(required) - set(allowed)
    for what, which in (("lacks", missing), ("has an unknown", unknown)):
        if which:
            raise ValueError(f"it {what} {sorted(map(str, which))[0]!r}")
