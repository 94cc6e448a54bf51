"""BLAS threads: one for small work, the machine's for large."""

from contextlib import contextmanager, nullcontext
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

# Multiply-adds of a product from which a second thread pays for its own coordination.
LARGE = 2**23


def blas_threads(multiply_adds):
    """Limit BLAS to one thread if the products are small; a context manager.

    The decision follows from the size of the work alone, so the same fit takes the
    same number of threads whatever else the process does.
    """
    return nullcontext() if multiply_adds >= LARGE else _one_thread()


@cache
def _controller():
    return ThreadpoolController()


_lock = Lock()
_users = 0
_limiter: Any = None


@contextmanager
def _one_thread():
    # The limit is the process's, not the thread's: the first of several concurrent
    # fits sets it and the last restores it.
    global _users, _limiter
    with _lock:
        if _users == 0:
            _limiter = _controller().limit(limits=1, user_api="blas")
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _limiter.restore_original_limits()
                _limiter = None
