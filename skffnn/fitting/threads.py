"""BLAS threads: one for small work, the machine's for large."""

import os
from contextlib import contextmanager, nullcontext
from functools import cache
from threading import RLock, get_ident
from typing import Any
from weakref import WeakSet

from threadpoolctl import ThreadpoolController

# Multiply-adds of a step from which a second thread pays for its own coordination. With
# less to gain it is not worth the risk: on a busy machine threads wait at each product,
# and a table of 4,000 columns took twenty times as long as on one.
LARGE = 2**24


def blas_threads(multiply_adds):
    """Limit BLAS to one thread if the products are small; a context manager.

    The decision follows from the size of the work alone. The limit is the process's:
    while one fit holds it, a large fit in another thread has one BLAS thread too.
    """
    return nullcontext() if multiply_adds >= LARGE else one_blas_thread()


@cache
def _controller():
    return ThreadpoolController()


class _Holder:
    """Stands for a fit that needs the limit; gone with it, whatever happens."""

    def __init__(self):
        self.thread = get_ident()


_lock = RLock()  # whose owner may fork, in the handler of a signal
_holders: WeakSet[_Holder] = WeakSet()
# The libraries and the threads that they had before the first holder.
_before: list[tuple[Any, int]] | None = None


@contextmanager
def one_blas_thread():
    """Limit BLAS to one thread; a context manager.

    LAPACK's factorisations need it whatever their size: they are many products in turn,
    and on a busy machine two threads wait for each other at each.
    """
    # The first of several concurrent fits sets the limit and the last restores it. An
    # interrupt may come between any two lines: what was before is noted before anything
    # is changed, and whoever leaves last puts it right.
    holder = _Holder()
    try:
        try:
            _enter(holder)
            yield
        finally:
            _leave(holder)
    finally:
        _leave(holder)  # once more, if the first time was interrupted


def _enter(holder):
    global _before
    with _lock:
        _holders.add(holder)
        if _before is None:
            blas = _controller().select(user_api="blas").lib_controllers
            _before = [(library, library.num_threads) for library in blas]
        for library, _ in _before:
            _set(library, 1)


def _leave(holder):
    """Let go, and restore if nobody else holds on; doing it again changes nothing."""
    with _lock:
        _holders.discard(holder)
        if not _holders:
            _restore()


def _restore():
    global _before
    if _before is not None:
        for library, n_threads in _before:
            _set(library, n_threads)
        _before = None


def _set(library, n_threads):
    """Set the threads of the process, whichever thread asks for it.

    threadpoolctl, from 3.8 on, lets one thread set them, and ignores the others.
    """
    let_all = getattr(library, "clear_controlling_thread", lambda force: None)
    let_all(force=True)
    library.set_num_threads(n_threads)
    let_all(force=True)


# While a process forks, nobody is between any two lines of the above: what the child
# gets, of threadpoolctl as well, is whole.


def _begin_anew():
    """In a forked child: only the thread that forked is left of its parent's.

    The others would never let go of the limit.
    """
    global _lock, _holders
    mine = [holder for holder in _holders if holder.thread == get_ident()]
    _lock, _holders = RLock(), WeakSet(mine)
    if not mine:
        _restore()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=lambda: _lock.acquire(),
        after_in_parent=lambda: _lock.release(),
        after_in_child=_begin_anew,
    )
