"""Time and memory of fit as the rows grow from 10,000 to 10 million.

    python tests/benchmarks/fit_size.py [--write] [--most 10000000]

20 columns, float32 (and float64 once), one hidden layer of 50, one epoch of batches of
512, on one BLAS thread, once each; from an array, from a DataFrame (Fortran order) and
from a memory map on disk. Each fit has a process of its own. The peak is that of the
process beyond what it held before the fit, X and y included there; "beyond" is the peak
less one standardised copy of X, per row: the order of the rows, the target and the
predictions in the network's dtype. The pages of a memory map that the system keeps in
its cache do not count: it takes them back when it needs them.
"""

import tempfile

import numpy as np
from common import MEMORY, fresh, parser, publish, table

COLUMNS = 20
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
MLP_MOST = 1_000_000

FIT = (
    MEMORY
    + """
import sys, time, numpy as np, pandas as pd
from threadpoolctl import threadpool_limits
name, n, kind, dtype, epochs, folder = sys.argv[1:]
n, epochs, dtype = int(n), int(epochs), np.dtype(dtype)
rng = np.random.default_rng(0)
X = np.empty((n, 20), dtype, order="F" if kind == "DataFrame" else "C")
for start in range(0, n, 100_000):
    X[start : start + 100_000] = rng.normal(size=(min(100_000, n - start), 20))
y = X[:, 0] + X[:, 1] * X[:, 2]
if kind == "memory map":
    np.save(folder + "/X.npy", X)
    del X
    X = np.load(folder + "/X.npy", mmap_mode="r")
elif kind == "DataFrame":
    X = pd.DataFrame(X, copy=False)
common = dict(hidden_layer_sizes=(50,), batch_size=512, max_iter=epochs, random_state=0)
if name == "skffnn":
    from skffnn import FFNNRegressor
    model = FFNNRegressor(**common)
    FFNNRegressor(50, max_iter=1).fit(np.eye(20, dtype=dtype), np.arange(20.0))
else:
    from sklearn.neural_network import MLPRegressor
    model = MLPRegressor(**common)
    MLPRegressor(max_iter=1).fit(np.eye(20, dtype=dtype), np.arange(20.0))

forget_peak()
before, mapped = resident("VmRSS"), resident("RssFile")
with threadpool_limits(1):
    start = time.perf_counter()
    model.fit(X, y)
    elapsed = time.perf_counter() - start
print(elapsed, resident("VmHWM") - before - (resident("RssFile") - mapped))
"""
)


def measure(name, n, kind, dtype, epochs=1):
    """One row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        elapsed, peak = map(
            float, fresh(FIT, name, n, kind, dtype, epochs, folder).split()
        )
    copy = n * COLUMNS * np.dtype(dtype).itemsize / 2**20
    standardised = copy if name == "skffnn" and kind != "memory map" else 0
    beyond = (peak - standardised) * 2**20 / n
    return [
        name,
        f"{n:,}",
        kind,
        dtype,
        epochs,
        f"{elapsed:.2f}",
        f"{1e6 * elapsed / n / epochs:.2f}",
        f"{copy:,.0f}",
        f"{peak:,.0f}",
        f"{beyond:,.0f}",
    ]


def main():
    options = parser(__doc__)
    options.add_argument("--most", type=int, default=SIZES[-1], help="the most rows")
    options = options.parse_args()
    rows = []
    for kind in ("array", "DataFrame", "memory map"):
        for n in SIZES:
            if n <= options.most:
                rows.append(measure("skffnn", n, kind, "float32"))
    n = min(MLP_MOST, options.most)
    rows.append(measure("skffnn", n, "array", "float32", epochs=8))
    rows.append(measure("skffnn", n, "array", "float64"))
    for dtype in ("float32", "float64"):
        rows.append(measure("MLPRegressor", n, "array", dtype))
    header = ["", "rows", "from", "dtype", "epochs", "seconds", "us a row and epoch"]
    header += ["X MiB", "peak MiB", "beyond, bytes a row"]
    publish("fit_size", [table(header, rows)], options)


if __name__ == "__main__":
    main()
