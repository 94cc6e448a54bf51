"""BLAS threads: the limit holds as long as anybody needs it, and no longer."""

import warnings
from contextlib import ExitStack

from threadpoolctl import threadpool_info, threadpool_limits

from skffnn import FFNNRegressor
from skffnn.core.training import _Loop
from skffnn.fitting.threads import one_blas_thread


def small(**parameters):
    return FFNNRegressor(
        **{"hidden_layer_sizes": 10, "max_iter": 40, "random_state": 0, **parameters}
    )


def blas():
    """Threads of each library of BLAS."""
    return [
        each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"
    ]


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
