"""BLAS threads: the limit holds as long as anybody needs it, and no longer."""

import os
import signal
import threading
import warnings
from contextlib import ExitStack, contextmanager

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from skffnn import FFNNRegressor
from skffnn.core.training import _Loop
from skffnn.fitting import threads
from skffnn.fitting.threads import one_blas_thread

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here")


def small(**parameters):
    return FFNNRegressor(
        **{"hidden_layer_sizes": 10, "max_iter": 40, "random_state": 0, **parameters}
    )


def blas():
    """Threads of each library of BLAS."""
    return [
        each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"
    ]


@contextmanager
def in_another_thread(context, seconds=None):
    """Let another thread be inside a context, to the end or for some seconds."""
    inside, leave = threading.Event(), threading.Event()

    def hold():
        with context:
            inside.set()
            leave.wait(seconds)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()
    try:
        yield
    finally:
        leave.set()
        thread.join()


def test_the_limit_holds_until_the_last_has_left():
    with threadpool_limits(2, "blas"):
        before, first, second = blas(), ExitStack(), ExitStack()
        first.enter_context(one_blas_thread())
        second.enter_context(one_blas_thread())
        first.close()
        assert set(blas()) == {1}
        second.close()
        assert blas() == before


def test_small_work_takes_one_blas_thread_and_gives_the_others_back(table, monkeypatch):
    def threads():
        blas = (pool for pool in threadpool_info() if pool["user_api"] == "blas")
        return {pool["num_threads"] for pool in blas}

    seen = []

    def run(loop, order, rates):
        seen.append(threads())
        loop.y_hat[...] = 0

    monkeypatch.setattr(_Loop, "run", run)
    with threadpool_limits(2, "blas"):
        before = threads()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nothing is learnt
            small(max_iter=20).fit(*table)
        assert threads() == before == {2}
    assert seen == [{1}] * 30  # the choice of a weight decay, and the fit


def test_whichever_thread_leaves_last_gives_the_threads_back():
    with threadpool_limits(2, "blas"):
        with in_another_thread(one_blas_thread()):
            assert set(blas()) == {1}
            with one_blas_thread():
                assert set(blas()) == {1}
            assert set(blas()) == {1}
        assert set(blas()) == {2}
        with ExitStack() as other, one_blas_thread():
            other.enter_context(in_another_thread(one_blas_thread()))
        assert set(blas()) == {2}


# A fork leaves all threads behind but one ---------------------------------------------


def holds_in_a_child(claims):
    """Whether that returns only what is true, in a forked child."""
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(60)  # ends it, if it waits for what nobody gives back
            os._exit(0 if all(claims()) else 1)
        finally:
            os._exit(2)
    return os.waitpid(child, 0)[1] == 0


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_has_a_lock_of_its_own():
    def claims():
        with one_blas_thread():
            yield set(blas()) == {1}
        yield set(blas()) == {2}

    with threadpool_limits(2, "blas"), in_another_thread(threads._lock, 0.5):
        assert holds_in_a_child(claims)


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_is_not_limited_by_fits_that_it_does_not_have():
    def claims():
        yield set(blas()) == {2}
        with one_blas_thread():
            yield set(blas()) == {1}
        yield set(blas()) == {2}

    with threadpool_limits(2, "blas"):
        with in_another_thread(one_blas_thread()):
            assert holds_in_a_child(claims)
            assert set(blas()) == {1}
        assert set(blas()) == {2}


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_goes_on_with_the_limit_of_the_thread_that_forked():
    with threadpool_limits(2, "blas"):
        limit = ExitStack()
        limit.enter_context(one_blas_thread())

        def claims():
            yield set(blas()) == {1}
            limit.close()
            yield set(blas()) == {2}

        with in_another_thread(one_blas_thread()):
            assert holds_in_a_child(claims)
        limit.close()
