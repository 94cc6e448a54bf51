"""BLAS threads: one for small work, the machine's for large."""

from contextlib import contextmanager, nullcontext
from functools import cache
from threading import Lock
from typing import Any
from weakref import WeakSet

from threadpoolctl import ThreadpoolController

# Multiply-adds of a product from which a second thread pays for its own coordination.
LARGE = 2**23


def blas_threads(multiply_adds):
    """Limit BLAS to one thread if the products are small; a context manager.

    The decision follows from the size of the work alone. The limit is the process's:
    while one fit holds it, a large fit in another thread has one BLAS thread too.
    """
    return nullcontext() if multiply_adds >= LARGE else _one_thread()


@cache
def _controller():
    return ThreadpoolController()


class _Holder:
    """Stands for a fit that needs the limit; gone with it, whatever happens."""


_lock = Lock()
_holders: WeakSet[_Holder] = WeakSet()
_limiter: Any = None


@contextmanager
def _one_thread():
    # The first of several concurrent fits sets the limit and the last restores it. An
    # interrupt may come between any two lines, so nothing is counted.
    global _limiter
    holder = _Holder()
    try:
        with _lock:
            _holders.add(holder)
            if _limiter is None:
                _limiter = _controller().limit(limits=1, user_api="blas")
        yield
    finally:
        with _lock:
            _holders.discard(holder)
            if not _holders and _limiter is not None:
                _limiter.restore_original_limits()
                _limiter = None
