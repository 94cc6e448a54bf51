"""What a test suite or a small script feels: the import, and a fit on 100 rows.

    python tests/benchmarks/startup.py [--rounds 9] [--write]

Imports and whole scripts run in fresh processes. The networks have three hidden layers
of 64. At their defaults they do different work: FFNNRegressor 240 epochs of four steps,
after it has chosen a weight decay, MLPRegressor up to 200 of one; "10 epochs" is the
same work, in batches of 32.
"""

from functools import partial

import numpy as np
from common import (
    THREADS,
    blas_threads,
    fresh,
    interleaved,
    optional,
    parser,
    publish,
    ratio,
    table,
)
from sklearn.neural_network import MLPRegressor

from skffnn import FFNNRegressor

IMPORTS = {
    "skffnn": "import skffnn",
    "MLPRegressor": "from sklearn.neural_network import MLPRegressor",
    "LinearRegression": "from sklearn.linear_model import LinearRegression",
    "PyTorch": optional("torch") and "import torch",
    "skorch": optional("skorch") and "import skorch",
}
MODELS = {
    "skffnn": "skffnn.FFNNRegressor(",
    "MLPRegressor": "MLPRegressor(hidden_layer_sizes=(64, 64, 64), ",
}
SCRIPT = """
{imported}
import numpy as np
X = np.random.default_rng(0).normal(size=(100, 5))
{model}random_state=0{more}).fit(X, X[:, 0] * X[:, 1]).predict(X)
"""


def scripts(more):
    """A whole script: import, fit on 100 rows, predict."""
    return {
        name: partial(
            fresh, SCRIPT.format(imported=IMPORTS[name], model=model, more=more)
        )
        for name, model in MODELS.items()
    }


def warm(dtype, **options):
    """A fit in a process where everything is loaded."""
    X = np.random.default_rng(0).normal(size=(100, 5)).astype(dtype)
    y = X[:, 0] * X[:, 1]
    ours = FFNNRegressor(random_state=0, **options)
    mlp = MLPRegressor(hidden_layer_sizes=(64, 64, 64), random_state=0, **options)
    return {"skffnn": partial(ours.fit, X, y), "MLPRegressor": partial(mlp.fit, X, y)}


def row(what, calls, rounds):
    """Milliseconds of each, and ratios."""
    times = interleaved(calls, rounds)
    shown = [f"{1e3 * times[n].min():,.1f}" if n in times else "-" for n in IMPORTS]
    return [what, *shown, *(ratio(times, name) for name in IMPORTS if name != "skffnn")]


def main():
    options = parser(__doc__).parse_args()
    rounds = options.rounds or 9
    imports = {name: code and partial(fresh, code) for name, code in IMPORTS.items()}
    rows = [row("import", imports, rounds)]
    rows.append(row("whole script, defaults", scripts(""), rounds))
    same = scripts(", max_iter=10, batch_size=32")
    rows.append(row("whole script, 10 epochs", same, rounds))
    for threads in THREADS:
        blas = "one BLAS thread" if threads else "BLAS unlimited"
        with blas_threads(threads):
            for dtype in (np.float64, np.float32):
                name = np.dtype(dtype).name
                rows += [
                    row(f"fit, defaults, {name}, {blas}", warm(dtype), rounds),
                    row(
                        f"fit, 10 epochs, {name}, {blas}",
                        warm(dtype, max_iter=10, batch_size=32),
                        rounds,
                    ),
                ]
    header = ["", *(f"{name} ms" for name in IMPORTS)]
    header += [f"{name} / ours" for name in IMPORTS if name != "skffnn"]
    publish("startup", [table(header, rows)], options)


if __name__ == "__main__":
    main()
