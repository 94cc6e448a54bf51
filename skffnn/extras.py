"""Optional packages, and what to install when one is missing."""

from importlib import import_module
from types import ModuleType


class MissingExtraError(ImportError):
    """An optional package is needed and not installed."""


def require(module: str, purpose: str, extra: str | None = "cli") -> ModuleType:
    """Import an optional module, or say in one line how to get it.

    Parameters
    ----------
    module : str
        The module to import.
    purpose : str
        What it is needed for, the first words of the error.
    extra : str or None, default="cli"
        The extra of skffnn that it is a part of; None if it is to be installed by
        itself.

    Examples
    --------
    >>> require("math", "Counting").factorial(3)
    6
    >>> require("no_such_module", "Drawing")
    Traceback (most recent call last):
    skffnn.extras.MissingExtraError: Drawing needs no_such_module: \
pip install 'skffnn[cli]'
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        missing = package if extra is None else f"'skffnn[{extra}]'"
        raise MissingExtraError(
            f"{purpose} needs {package}: pip install {missing}"
        ) from error
