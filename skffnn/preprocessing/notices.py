"""Warnings to users: where they point at, and that each is heard once."""

import sys
import warnings
from contextlib import contextmanager

# Letters of a value that a message shows.
SHOWN = 40
_OURS = ("skffnn.", "sklearn.", "joblib.", "contextlib")


def warn_user(message, category=UserWarning):
    """Warn, and point at the line that called this package or scikit-learn."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(_OURS):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def each_once():
    """Let each distinct warning be heard once, whoever gives it, and how often.

    A search transforms the same rows for each of its candidates, and the networks of
    an ensemble end alike: what is said about them is the same.
    """
    heard, show = set(), warnings.showwarning
    over = False

    def show_once(message, category, *where, **more):
        said = category, str(message)
        if over or said not in heard:
            heard.add(said)
            show(message, category, *where, **more)

    warnings.showwarning = show_once
    try:
        yield
    finally:
        over = True  # another thread may still hold on to it
        if warnings.showwarning is show_once:
            warnings.showwarning = show


def shortened(value):
    """What a message shows of a value: its repr, if that is short."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
