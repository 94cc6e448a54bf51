"""What BLAS needs before it is fast."""

from functools import cache

import numpy as np


@cache
def touch_packing_memory():
    """Let BLAS write once to all of the memory that it packs matrices into.

    OpenBLAS prefetches from there, and a prefetch from a page that was never written
    costs a walk through the page tables, each time. Until larger products have written
    them all, products took two to four times as long (float32, 256 x 256; float64, 1024
    x 13 x 100; OpenBLAS 0.3 on an AMD EPYC). A large matrix on either side writes them,
    a thin one on the other keeps it short and on one thread: half a millisecond, once
    in a process.
    """
    thin, square = np.ones((2, 256)), np.ones((256, 256))
    np.dot(thin, square)
    np.dot(square, thin.T)
