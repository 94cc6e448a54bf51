"""Values as JSON can hold them, with their arrays aside.

What JSON has no word for is an object with one name that begins with a dollar sign:

============== ========================================================
$array         the name of the array
$strings       an array of strings, its shape and its elements
$masked        a masked array: its elements, which are masked, its dtype
$tuple         its elements
$dict          pairs of name and value, for names that are no strings
$generator     the state of a numpy.random.Generator
$random_state  the state of a numpy.random.RandomState
$estimator     the class of an estimator, with its parameters and state
============== ========================================================
"""

from collections.abc import Callable
from math import isfinite, prod
from typing import Any

import numpy as np
import pandas as pd

from .archive import holds_numbers
from .rules import is_list, is_number, is_whole, need

# The generator of `numpy.random.default_rng`, and that of a RandomState.
GENERATOR, RANDOM_STATE = "PCG64", "MT19937"
# Strings have a hash that nobody can foresee. For other names of a dict, somebody can
# have found thousands that all get in each other's way: with so many names, that costs
# nothing to speak of.
MOST_NAMES = 100
# An empty masked array takes fifty times the memory of its words. So many are more than
# any search has parameters.
MOST_MASKED = 1000
# Axes of an array of NumPy.
MOST_AXES = 64


class Encoder:
    """Turns values into what JSON can hold.

    Parameters
    ----------
    estimator : callable
        Takes an estimator, and gives its class's name, its parameters and its fitted
        attributes; None for what is no estimator that can be kept.

    Attributes
    ----------
    arrays : dict of ndarray
        The arrays that it came across, by where they stand.
    """

    def __init__(self, estimator: Callable[[Any], Any]):
        self.estimator = estimator
        self.arrays: dict[str, np.ndarray] = {}

    def encode(self, value, where):
        """The value for JSON; `where` it stands names its arrays, and errors."""
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, np.ma.MaskedArray):
            return self._masked(value, where)
        if isinstance(value, np.ndarray | pd.Series):
            return self._array(np.asarray(value), where)
        if isinstance(value, list):
            return self._all(value, where)
        if isinstance(value, tuple):
            return {"$tuple": self._all(value, where)}
        if isinstance(value, dict):
            return self._dict(value, where)
        if isinstance(value, np.random.Generator):
            state = value.bit_generator.state
            return self._random("$generator", GENERATOR, state, value, where)
        if isinstance(value, np.random.RandomState):
            state = value.get_state(legacy=False)
            return self._random("$random_state", RANDOM_STATE, state, value, where)
        return self._estimator(value, where)

    def _all(self, values, where):
        return [self.encode(v, _within(where, i)) for i, v in enumerate(values)]

    def _array(self, value, where):
        if value.dtype.kind in "OU" and _are_strings(value.flat):
            return {"$strings": [list(value.shape), value.ravel().tolist()]}
        if not holds_numbers(value.dtype):
            raise _cannot(value, where)
        name = "".join(c if c.isprintable() else "?" for c in where)
        while name in self.arrays:  # a dict may have names with dots
            name += "'"
        self.arrays[name] = value
        return {"$array": name}

    def _masked(self, value, where):
        mask = np.ma.getmaskarray(value).tolist()
        data = self._all(np.asarray(value).tolist(), where)
        return {"$masked": [data, mask, value.dtype.name]}

    def _dict(self, value, where):
        if all(isinstance(name, str) and name[:1] != "$" for name in value):
            return {k: self.encode(v, _within(where, k)) for k, v in value.items()}
        _check_names(value)
        pairs = [list(pair) for pair in value.items()]
        return {"$dict": self.encode(pairs, where)}

    def _random(self, tag, bits, state, value, where):
        if state["bit_generator"] != bits:
            raise _cannot(value, where)
        return {tag: self.encode(state, where)}

    def _estimator(self, value, where):
        described = self.estimator(value)
        if described is None:
            raise _cannot(value, where)
        name, parameters, fitted = described
        values = {
            "parameters": self.encode(parameters, _within(where, "parameters")),
            "fitted": self.encode(fitted, where),
        }
        return {"$estimator": [name, values]}


def _are_strings(values):
    return all(isinstance(each, str) for each in values)


def _is_shape(shape, n):
    """Whether an array of n elements can have that shape, of what files hold."""
    whole = is_list(shape, is_whole) and len(shape) <= MOST_AXES
    return whole and prod(shape) == n


def _check_names(names):
    if sum(not isinstance(name, str) for name in names) > MOST_NAMES:
        raise ValueError(
            f"it has a dict with more than {MOST_NAMES} names that are no strings, "
            "for which there is no place in a file"
        )


def _within(where, name):
    return f"{where}.{name}" if where else str(name)


def _cannot(value, where):
    return ValueError(
        f"{where} cannot be saved without pickle: it is of type "
        f"{type(value).__module__}.{type(value).__qualname__}. Set it to None or to a "
        "plain value, or save with skops.io.dump or joblib.dump."
    )


class Decoder:
    """Turns what an `Encoder` has made back into values; all else is a ValueError.

    Parameters
    ----------
    arrays : dict of ndarray
        Each is given away once.
    estimator : callable
        Takes the name of a class, and a dict of values.
    """

    def __init__(self, arrays: dict[str, np.ndarray], estimator: Callable):
        self.arrays, self.estimator = dict(arrays), estimator
        self.n_masked = 0

    def decode(self, value):
        """The value that was encoded; what is given is used up, to save memory."""
        if isinstance(value, list):
            value[:] = map(self.decode, value)
        if not isinstance(value, dict):
            return value
        (tag,) = value if len(value) == 1 else ("",)
        if not tag.startswith("$"):
            value.update((name, self.decode(each)) for name, each in value.items())
            return value
        if tag not in _DECODERS:
            raise ValueError(f"it has a {tag!r}, which does not exist")
        try:
            return _DECODERS[tag](self, self.decode(value[tag]))
        except (ValueError, RecursionError, MemoryError):
            raise
        except Exception as error:  # NumPy has its own for some of them
            raise ValueError(f"its {tag!r} is none ({error})") from error

    def _array(self, name):
        if name not in self.arrays:
            raise ValueError(f"its header names an array that is not there: {name!r}")
        return self.arrays.pop(name)

    def _strings(self, content):
        shape, strings = content
        if not isinstance(strings, list) or not _are_strings(strings):
            raise ValueError("among its strings is something else")
        need(_is_shape(shape, len(strings)), "the shape of its strings")
        array = np.empty(len(strings), dtype=object)
        array[:] = strings
        return array.reshape(shape)

    def _masked(self, content):
        values, mask, name = content
        self.n_masked += 1
        if self.n_masked > MOST_MASKED:
            raise ValueError(f"it has more than {MOST_MASKED} masked arrays")
        if name not in _DTYPES:
            raise ValueError(f"it has a masked array of {name!r}")
        if len(values) != len(mask):
            raise ValueError("a mask is longer or shorter than what it masks")
        data = np.empty(len(values), name)
        for i, each in enumerate(values):  # each may be a list
            data[i] = each
        return np.ma.MaskedArray(data, np.array([each is True for each in mask]))

    def _tuple(self, content):
        return tuple(content)

    def _dict(self, content):
        _check_names(name for name, _ in content)
        return dict(content)

    def _generator(self, state):
        _check_generator(state)
        bits = np.random.PCG64(0)
        bits.state = state
        return np.random.Generator(bits)

    def _random_state(self, state):
        _check_random_state(state)
        random_state = np.random.RandomState(0)
        random_state.set_state(state)
        return random_state

    def _estimator(self, content):
        name, values = content
        return self.estimator(name, values)


# States of generators -----------------------------------------------------------------
#
# NumPy believes them. From a state that no generator gets into, draws may never end, in
# C, where no Ctrl-C is heard; or they read beyond the end of an array.


def _check_generator(state):
    """Raise ValueError unless that is a state of a PCG64."""
    need(state["bit_generator"] == GENERATOR, "the kind of a generator")
    numbers = state["state"]
    need(all(_is_below(2**128, numbers[n]) for n in ("state", "inc")), "a generator")
    # With an even increment it may return to one number for ever.
    need(numbers["inc"] % 2, "the increment of a generator")
    need(_is_below(2, state["has_uint32"]), "a generator")
    need(_is_below(2**32, state["uinteger"]), "a generator")


def _check_random_state(state):
    """Raise ValueError unless that is a state of a RandomState."""
    need(state["bit_generator"] == RANDOM_STATE, "the kind of a RandomState")
    key, position = state["state"]["key"], state["state"]["pos"]
    whole = type(key) is np.ndarray and key.dtype == np.uint32
    need(whole and key.shape == (624,), "the key of a RandomState")
    # Of the first number only the first bit counts. Nothing comes of zeros but zeros.
    need(key[0] >= 2**31 or key[1:].any(), "the key of a RandomState")
    need(_is_below(625, position), "the position of a RandomState")
    need(_is_below(2, state["has_gauss"]), "a RandomState")
    need(is_number(state["gauss"]) and isfinite(state["gauss"]), "a RandomState")


def _is_below(end, value):
    return type(value) is int and 0 <= value < end


_DTYPES = {np.dtype(code).name for code in "?bhilqBHILQefdO"}
_DECODERS = {
    "$array": Decoder._array,
    "$strings": Decoder._strings,
    "$masked": Decoder._masked,
    "$tuple": Decoder._tuple,
    "$dict": Decoder._dict,
    "$generator": Decoder._generator,
    "$random_state": Decoder._random_state,
    "$estimator": Decoder._estimator,
}
