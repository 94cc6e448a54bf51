"""`save` and `load`: an estimator in one file, without pickle."""

import json
import os
import platform
import sys
from typing import Any, Self

import numpy as np
import scipy
import sklearn

from .archive import read, write
from .integrity import names
from .json_values import Decoder, Encoder

# Of the file. A later version reads earlier formats; an earlier one says what it needs.
FORMAT = 1
PACKAGE = "skffnn"

# The estimators of this package, by name: a file can name no other class.
_CLASSES: dict[str, Any] = {}


class PersistenceMixin:
    """Gives an estimator `save` and `load`.

    A class says what a fitted one consists of: ``_fitted``, the names of attributes,
    and ``_check_fitted``, a function that raises ValueError if they do not agree.
    """

    _fitted: tuple[str, ...] = ()
    # What `_complete` makes of the rest.
    _derived: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        public = not cls.__name__.startswith("_")
        if public and cls.__module__.partition(".")[0] == PACKAGE:
            _CLASSES[cls.__name__] = cls

    def save(self, path: str | os.PathLike) -> None:
        """Save to one file, from which `load` makes the same estimator again.

        The file is a ``.npz`` of arrays and a header in JSON: parameters, weights,
        standardisation, curves, and all that it takes to train on as if it had not been
        saved. Callbacks, and which metadata it asks for, are not in it. A file that was
        there is replaced when the new one is complete and on the disk, and not before.

        Parameters
        ----------
        path : str or PathLike
            Taken as it is; ``.npz`` is the usual ending.

        Raises
        ------
        ValueError
            If a parameter is something that only pickle can keep, such as a function,
            or if a fitted attribute was added or made invalid.
        OSError
            If the file cannot be written.

        See Also
        --------
        load : The way back.
        """
        encoder = Encoder(lambda value: _described(value, type(self)))
        model = encoder.encode(self, "")
        header = json.dumps({"format": FORMAT, "versions": _versions(), "model": model})
        # What cannot be loaded must not take the place of what can.
        _model(type(self), json.loads(header), encoder.arrays)
        write(path, header, encoder.arrays)

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """Load what `save` has written.

        No code of the file is run, whoever wrote it, and memory stays in proportion to
        its size.

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
            if what it says does not agree.
        OSError
            If it cannot be read.
        """
        try:
            header, arrays = read(path)
            return _model(cls, header, arrays)
        except (ValueError, RecursionError) as error:
            reason = str(error).rstrip(".")
            raise ValueError(f"Cannot load {os.fspath(path)!r}: {reason}.") from error

    def _complete(self):
        """Make what follows from the rest, after loading."""


def _versions():
    return {
        PACKAGE: sys.modules[PACKAGE].__version__,
        "python": platform.python_version(),
        **{module.__name__: module.__version__ for module in (np, scipy, sklearn)},
    }


def _described(estimator, own_class):
    """Its class, parameters and fitted attributes; None for what is none of ours."""
    cls: Any = type(estimator)
    own = getattr(estimator, "__dict__", {})
    if cls is not own_class and _CLASSES.get(cls.__name__) is not cls:
        return None
    fitted = {name: own[name] for name in cls._fitted if name in own}
    strange = [k for k in own if k.endswith("_") and k not in (*fitted, *cls._derived)]
    if strange:
        raise ValueError(
            f"There is no place for an attribute {strange[0]!r} in a file of a "
            f"{cls.__name__}: delete it, or save with skops.io.dump or joblib.dump."
        )
    return cls.__name__, estimator.get_params(deep=False), fitted


def _model(cls, header, arrays):
    _check_format(header)
    decoder = Decoder(arrays, lambda name, values: _made(name, values, cls))
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


def _check_format(header):
    names(header, ("format", "versions", "model"), ())
    number, versions = header["format"], header["versions"]
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"its format is {number!r}")
    if number > FORMAT:
        written = versions.get(PACKAGE) if isinstance(versions, dict) else None
        raise ValueError(
            f"skffnn {written} has written it in format {number}; this is skffnn "
            f"{_versions()[PACKAGE]}, which reads up to {FORMAT}: upgrade skffnn"
        )


def _made(name, values, own_class):
    """The estimator that a file describes."""
    cls: Any = own_class if name == own_class.__name__ else _CLASSES.get(name)
    if cls is None:
        raise ValueError(f"it holds a {name!r}, which skffnn does not know")
    names(values, ("parameters", "fitted"), ())
    parameters, fitted = values["parameters"], values["fitted"]
    # One that is younger than the file has its default.
    names(parameters, (), cls._get_param_names())
    model = cls(**parameters)
    if fitted:
        cls._check_fitted(fitted)
        vars(model).update(fitted)
        model._complete()
    return model
