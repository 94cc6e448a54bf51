"""BLAS's memory is touched once in a process, and nothing is left behind."""

from skffnn.core.blas import touch_packing_memory


def test_the_second_time_does_nothing():
    touch_packing_memory()
    hits = touch_packing_memory.cache_info().hits
    touch_packing_memory()
    assert touch_packing_memory.cache_info().hits == hits + 1
