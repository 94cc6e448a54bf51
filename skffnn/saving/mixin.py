"""`save` and `load`: an estimator in one file, without pickle."""

import json
import os
import platform
import sys
from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
import scipy
import sklearn

from .archive import check_path, read, write
from .json_values import Decoder, Encoder
from .rules import check_names, need

# Of the file. A later version reads earlier formats; an earlier one says what it needs.
FORMAT = 2
PACKAGE = "skffnn"

# The estimators of this package, by name: a file can name no other class.
_CLASSES: dict[str, Any] = {}


class PersistenceMixin:
    """Gives an estimator `save` and `load`.

    A class says what a fitted one consists of. A public attribute that it does not name
    is an error; a private one is scikit-learn's, or forgotten, and a test fails.

    Attributes
    ----------
    _fitted : dict of str to callable
        The fitted attributes, each with a rule: it takes the value and all values of a
        file, of which those before it in the dict have been checked, and returns
        whether the value is right, or raises ValueError.
    _optional : tuple of str
        Which of them may be missing.
    _derived : tuple of str
        What `_complete` makes of the rest.
    _times : tuple of str
        How long something took: two equal fits differ in it, and it is in memory alone,
        neither pickled nor saved.
    _younger : dict of str to callable
        Which of them a file of this format may be older than, and what makes each of
        the others then.
    _upgrades : dict of int to callable
        Functions that bring the parameters and the fitted attributes of a file of that
        format to the next, in place; there are none of the latter before a fit.
    """

    _fitted: ClassVar[dict[str, Callable[[Any, dict], bool]]] = {}
    _optional: ClassVar[tuple[str, ...]] = ("feature_names_in_",)
    _derived: ClassVar[tuple[str, ...]] = ()
    _times: ClassVar[tuple[str, ...]] = ()
    _younger: ClassVar[dict[str, Callable[[dict], Any]]] = {}
    _upgrades: ClassVar[dict[int, Callable[[dict, dict], None]]] = {}

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        whole = "_fitted" in vars(cls)  # no base of others
        if whole and cls.__module__.partition(".")[0] == PACKAGE:
            _CLASSES[cls.__name__] = cls

    def save(self, path: str | os.PathLike) -> None:
        """Save to one file, from which `load` makes the same estimator again.

        The file is a ``.npz`` of arrays and a header in JSON: parameters, weights,
        standardisation, curves, and all that it takes to train on as if it had not been
        saved. Callbacks, and which metadata it asks for, are not in it. A file that was
        there is replaced when the new one is complete and on the disk, and not before.
        The new one has its mode, owner, group and extended attributes, as far as the
        system allows.

        Parameters
        ----------
        path : str or PathLike
            Taken as it is; ``.npz`` is the usual ending.

        Raises
        ------
        ValueError
            If a parameter is something that only pickle can keep, such as a function,
            or if a fitted attribute was added or made invalid, or if no file can have
            that name.
        TypeError
            If path is no path, such as an open file.
        OSError
            If the file cannot be written.

        See Also
        --------
        load : The way back.
        """
        check_path(path)
        encoder = Encoder(lambda value: _described(value, type(self)))
        model = encoder.encode(self, "")
        header = json.dumps({"format": FORMAT, "versions": _versions(), "model": model})
        # What cannot be loaded must not take the place of what can.
        _model(type(self), json.loads(header), encoder.arrays)
        write(path, header, encoder.arrays)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """Load what `save` has written.

        No code of the file is run, whoever wrote it, and time and memory stay in
        proportion to its size.

        Parameters
        ----------
        path : str or PathLike

        Returns
        -------
        model : estimator of this class

        Raises
        ------
        ValueError
            If the file is damaged, cut short, of a newer version or another class, or
            if what it says does not agree, or if no file can have that name.
        TypeError
            If path is no path, such as an open file.
        OSError
            If it cannot be read.
        """
        check_path(path)
        try:
            header, arrays = read(path)
            return _model(cls, header, arrays)
        except (ValueError, RecursionError) as error:
            reason = str(error).rstrip(".")
            raise ValueError(f"Cannot load {os.fspath(path)!r}: {reason}.") from error

    def _complete(self):
        """Make what follows from the rest, after loading."""

    def __getstate__(self):
        """What a pickle, a copy and a hash are made of."""
        base: Any = super()
        state = self._without_times(base.__getstate__())
        return {name: _as_unpickled(value) for name, value in state.items()}

    @classmethod
    def _without_times(cls, attributes):
        """Attributes as equal fits have them."""
        return {k: value for k, value in attributes.items() if k not in cls._times}


def _as_unpickled(value):
    """An empty array as pickle gives it back: joblib's hash tells its strides apart."""
    if type(value) is np.ndarray and value.shape == (0,):
        return np.zeros(1, value.dtype)[:0]
    return value


def _versions():
    return {
        PACKAGE: sys.modules[PACKAGE].__version__,
        "python": platform.python_version(),
        **{module.__name__: module.__version__ for module in (np, scipy, sklearn)},
    }


def _described(estimator, own_class):
    """Its class, parameters and fitted attributes; None for what is none of ours."""
    cls: Any = type(estimator)
    attributes = getattr(estimator, "__dict__", {})
    if cls is not own_class and _CLASSES.get(cls.__name__) is not cls:
        return None
    parameters = estimator.get_params(deep=False)
    attributes = cls._without_times(attributes)
    fitted = {name: attributes[name] for name in cls._fitted if name in attributes}
    known = {*parameters, *cls._fitted, *cls._derived}
    strange = [name for name in attributes if name.endswith("_") and name not in known]
    if strange:
        raise ValueError(
            f"There is no place for an attribute {strange[0]!r} in a file of a "
            f"{cls.__name__}: delete it, or save with skops.io.dump or joblib.dump."
        )
    return cls.__name__, parameters, fitted


def _model(cls, header, arrays):
    number = _format(header)
    decoder = Decoder(arrays, lambda name, values: _made(name, values, cls, number))
    model = decoder.decode(header["model"])
    if not isinstance(model, PersistenceMixin):
        raise ValueError("it holds no estimator")
    if type(model) is not cls:
        raise ValueError(
            f"it holds a {type(model).__name__}, and no {cls.__name__}: use "
            f"{type(model).__name__}.load"
        )
    if decoder.arrays:
        raise ValueError(f"nothing needs its array {next(iter(decoder.arrays))!r}")
    return model


def _format(header):
    """The number of the format, if this version reads it."""
    check_names(header, ("format", "versions", "model"))
    number, versions = header["format"], header["versions"]
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"its format is {number!r}")
    if number > FORMAT:
        written = versions.get(PACKAGE) if isinstance(versions, dict) else None
        raise ValueError(
            f"skffnn {written} has written it in format {number}; this is skffnn "
            f"{_versions()[PACKAGE]}, which reads up to {FORMAT}: upgrade skffnn"
        )
    return number


def _made(name, values, own_class, number):
    """The estimator that a file of that format describes."""
    cls: Any = own_class if name == own_class.__name__ else _CLASSES.get(name)
    if cls is None:
        raise ValueError(f"it holds a {name!r}, which skffnn does not know")
    check_names(values, ("parameters", "fitted"))
    parameters, fitted = values["parameters"], values["fitted"]
    # One that is younger than the file has its default.
    check_names(parameters, (), cls._get_param_names())
    _upgrade(cls, parameters, fitted, number)
    model = cls(**parameters)
    if fitted:
        check_fitted(cls, fitted)
        vars(model).update(fitted)
        model._complete()
    return model


def _upgrade(cls, parameters, fitted, number):
    """Bring what a file says of an estimator to what it is now, in place."""
    try:
        for earlier in range(number, FORMAT):
            if earlier in cls._upgrades:
                cls._upgrades[earlier](parameters, fitted)
        for name, made_of in cls._younger.items():
            if fitted and name not in fitted:
                fitted[name] = made_of(fitted)
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        # They have not been checked: their rules are those of the newest format.
        raise ValueError(f"it is no model of format {number}") from error


def check_fitted(cls, attributes):
    """Raise ValueError unless a fitted estimator of that class can have that.

    Parameters
    ----------
    cls : type
        A subclass of `PersistenceMixin`.
    attributes : dict
        Its fitted attributes, as a file says.
    """
    required = [name for name in cls._fitted if name not in cls._optional]
    check_names(attributes, required, cls._optional)
    for name, rule in cls._fitted.items():
        if name in attributes:
            need(rule(attributes[name], attributes), name)
