"""Microseconds per gradient step, beside the peers and the products alone.

    python tests/benchmarks/step.py [--rounds 7] [--write] [tiny bike mid big]

Adam at a constant rate, squared error, relu; everyone trains on the same standardised
table in the same dtype with the same batches and number of epochs, and keeps the
training loss of every epoch. A fit is timed as a whole, checks and preparation
included, and divided by its steps (skorch, whose steps take long, trains a tenth of the
epochs). "products" are the matrix products of the equations alone, on memory that is
there already: what no network of NumPy can beat. Ratios are the medians over the
rounds.
"""

from itertools import pairwise

import numpy as np
from common import (
    THREADS,
    blas_threads,
    interleaved,
    optional,
    parser,
    publish,
    ratio,
    table,
)
from sklearn.neural_network import MLPRegressor

from skffnn import FFNNRegressor

torch, skorch = optional("torch"), optional("skorch")

# rows, columns, hidden, batch; epochs enough for preparation to matter little
WORKLOADS = {
    "tiny": (455, 13, (50,), 32, 200),
    "bike": (15_000, 56, (100,), 200, 40),
    "mid": (20_000, 8, (64, 64), 256, 40),
    "big": (40_000, 90, (256, 256), 256, 5),
}
RATE = 1e-3


def make_table(n, d, dtype):
    """A standardised table with a target that can be learnt."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, d))
    y = X[:, 0] + X[:, 1] * X[:, 2] + np.sin(2 * X[:, 3])
    y = (y - y.mean()) / y.std()
    return X.astype(dtype), y.astype(dtype)


def ours(X, y, hidden, batch, epochs):
    FFNNRegressor(
        hidden,
        learning_rate=RATE,
        learning_rate_schedule="constant",
        weight_decay=0.0,
        batch_size=batch,
        max_iter=epochs,
        n_iter_no_change=epochs,
        random_state=0,
    ).fit(X, y)


def mlp(X, y, hidden, batch, epochs):
    MLPRegressor(
        hidden_layer_sizes=hidden,
        learning_rate_init=RATE,
        alpha=0.0,
        batch_size=batch,
        max_iter=epochs,
        n_iter_no_change=epochs,
        tol=0.0,
        random_state=0,
    ).fit(X, y)


def torch_network(d, hidden, dtype):
    units, layers = [d, *hidden, 1], []
    for m, n in pairwise(units):
        layers += [torch.nn.Linear(m, n, dtype=dtype), torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def by_torch(X, y, hidden, batch, epochs):
    X, y = torch.from_numpy(X), torch.from_numpy(y[:, np.newaxis])
    network = torch_network(X.shape[1], hidden, X.dtype)
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE, fused=True)
    loss, curve = torch.nn.MSELoss(), []
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(X)).split(batch):
            optimizer.zero_grad()
            J = loss(network(X[rows]), y[rows])
            J.backward()
            optimizer.step()
            total += J.item() * len(rows)
        curve.append(total / len(X))


def tenth(epochs):
    return max(1, epochs // 10)


def skorch_model(X, hidden, batch, epochs):
    return skorch.NeuralNetRegressor(
        torch_network(X.shape[1], hidden, torch.from_numpy(X[:0]).dtype),
        optimizer=torch.optim.Adam,
        optimizer__fused=True,
        lr=RATE,
        batch_size=batch,
        max_epochs=epochs,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    )


def by_skorch(X, y, hidden, batch, epochs):
    skorch_model(X, hidden, batch, tenth(epochs)).fit(X, y[:, np.newaxis])


def products(X, y, hidden, batch, epochs):
    n, units, dtype = len(X), [X.shape[1], *hidden, 1], X.dtype
    W = [np.full((m, k), 1 / m, dtype) for m, k in pairwise(units)]
    dW = [np.empty_like(W_l) for W_l in W]
    sizes = [min(batch, n - start) for start in range(0, n, batch)]
    a = {size: [np.ones((size, m), dtype) for m in units] for size in sizes}
    delta = {size: [np.ones((size, m), dtype) for m in units] for size in sizes}
    for size in epochs * sizes:
        a_b, delta_b = a[size], delta[size]
        for l, W_l in enumerate(W):
            a_b[l].dot(W_l, out=a_b[l + 1])
        for l in reversed(range(len(W))):
            a_b[l].T.dot(delta_b[l + 1], out=dW[l])
            if l > 0:
                delta_b[l + 1].dot(W[l].T, out=delta_b[l])


PEERS = {
    "skffnn": ours,
    "MLPRegressor": mlp,
    "PyTorch": torch and by_torch,
    "skorch": skorch and by_skorch,
    "products": products,
}


def measure(name, dtype, rounds):
    """One row of the table."""
    n, d, hidden, batch, epochs = WORKLOADS[name]
    X, y = make_table(n, d, dtype)
    calls = {
        peer: run and (lambda run=run: run(X, y, hidden, batch, epochs))
        for peer, run in PEERS.items()
    }
    times = interleaved(calls, rounds)
    for peer in times:
        trained = tenth(epochs) if peer == "skorch" else epochs
        times[peer] /= trained * -(-n // batch)
    best = [f"{1e6 * times[p].min():,.0f}" if p in times else "-" for p in PEERS]
    ratios = [ratio(times, peer) for peer in PEERS if peer != "skffnn"]
    return [name, dtype.name, *best, *ratios]


def main():
    options = parser(__doc__)
    options.add_argument("workloads", nargs="*", help=", ".join(WORKLOADS))
    options.add_argument("--without", nargs="*", default=[], help="peers to leave out")
    options = options.parse_args()
    PEERS.update(dict.fromkeys(options.without))
    header = ["", "dtype", *(f"{peer} us" for peer in PEERS)]
    header += [f"{peer} / ours" for peer in PEERS if peer != "skffnn"]
    tables = []
    for threads, what in THREADS.items():
        with blas_threads(threads):
            rows = [
                measure(name, np.dtype(dtype), options.rounds or 7)
                for dtype in (np.float64, np.float32)
                for name in options.workloads or WORKLOADS
            ]
        tables += [f"{what}:", table(header, rows)]
    publish("step", tables, options)


if __name__ == "__main__":
    main()
