"""The gather: the same rows from every kind of table."""

import numpy as np
import pytest
import scipy.sparse

from skffnn.core.data import Data, standardize
from skffnn.core.layout import Layout, Workspace
from skffnn.core.prediction import chunk_rows

N, UNITS = 50, (4, 3, 2)
CHUNK = chunk_rows(UNITS)

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
every_kind = pytest.mark.parametrize(
    "kind", ["dense", "fortran", "strided", "memmap", "csr", "csr_array", "read_only"]
)
every_choice_of_rows = pytest.mark.parametrize(
    "rows",
    [
        np.arange(N),
        np.array([7, 3, 3, 49, 0]),
        np.array([[7, 3, 3], [49, 0, 1]]),
    ],
    ids=["all", "some", "per network"],
)


@pytest.fixture
def table(tmp_path):
    """Return the same numbers, many of them 0, as a table of the kind asked for."""

    def make(kind, dtype=np.float64):
        rng = np.random.default_rng(0)
        X = rng.normal(size=(N, UNITS[0])) * (rng.random((N, UNITS[0])) < 0.4)
        X = X.astype(dtype)
        if kind == "fortran":
            return np.asfortranarray(X)
        if kind == "strided":
            return np.repeat(X, 2, axis=0)[::2]
        if kind == "csr":
            return scipy.sparse.csr_matrix(X)
        if kind == "csr_array":
            return scipy.sparse.csr_array(X)
        if kind == "memmap":
            np.save(tmp_path / "X.npy", X)
            return np.load(tmp_path / "X.npy", mmap_mode="r")
        X.flags.writeable = kind != "read_only"
        return X

    return make


def gather(data, rows, weighted=False):
    """The batch after a gather into memory full of rubbish."""
    stack = rows.shape[:-1]
    space = Workspace(Layout(UNITS), N, data.X.dtype, stack, weighted=weighted)
    for block in space.blocks["a"]:
        block[...] = np.nan
    batch = space.head(rows.shape[-1])
    data.gather(rows, batch)
    return batch


@every_kind
@every_choice_of_rows
@both_dtypes
def test_every_kind_of_table_gives_the_same_batch(table, kind, rows, dtype):
    Y = np.random.default_rng(1).normal(size=(N, UNITS[-1])).astype(dtype)
    batch = gather(Data(table(kind, dtype), Y), rows)
    np.testing.assert_array_equal(batch.a[0], table("dense", dtype)[rows])
    np.testing.assert_array_equal(batch.y, Y[rows])
    assert batch.share == 1 / rows.shape[-1]


@every_kind
@every_choice_of_rows
@both_dtypes
def test_inputs_are_standardised_on_the_way(table, kind, rows, dtype):
    mean, scale = np.array([1.0, 0, -2, 0.1]), np.array([1.0, 3, 0.2, 7])
    data = Data(table(kind, dtype), np.zeros((N, 2), dtype), None, rows, mean, scale)
    expected = (table("dense", dtype)[rows] - mean) / scale
    batch = gather(data, rows)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(batch.a[0], expected, rtol=4 * eps, atol=20 * eps)
    assert batch.a[0].dtype == dtype


@every_kind
def test_all_kinds_are_standardised_to_the_same_bits(table, kind):
    mean, scale = np.array([1.0, 0, -2, 0.1]), np.array([1.0, 3, 0.2, 7])
    rows = np.array([7, 3, 49, 0])
    batches = [
        gather(
            Data(table(k, np.float32), np.zeros((N, 2), "f"), None, rows, mean, scale),
            rows,
        )
        for k in ("dense", kind)
    ]
    np.testing.assert_array_equal(batches[0].a[0], batches[1].a[0])


@every_kind
def test_the_table_is_left_as_it_is(table, kind):
    X = table(kind)
    Y, mean, scale = np.ones((N, 2)), np.ones(4), np.full(4, 3.0)
    batch = gather(Data(X, Y, mean=mean, scale=scale), np.arange(N))
    batch.y[...] = batch.a[0][...] = 7
    kept = X.toarray() if scipy.sparse.issparse(X) else X
    np.testing.assert_array_equal(kept, table("dense"))
    assert (Y == 1).all()


@every_choice_of_rows
def test_shares_are_the_weights_over_the_rows_of_the_batch(table, rows):
    weight = np.random.default_rng(2).uniform(0.5, 2, (N, 1))
    batch = gather(Data(table("dense"), np.zeros((N, 2)), weight), rows, weighted=True)
    expected = weight[rows] / rows.shape[-1] / weight.mean()
    np.testing.assert_allclose(batch.share, expected, rtol=1e-14)
    data = Data(table("dense"), np.zeros((N, 2)), weight)
    np.testing.assert_allclose(data.shares(rows, rows.shape[-1]), expected, rtol=1e-14)


def test_weights_are_measured_by_the_mean_of_the_networks_own_rows(table):
    weight = np.random.default_rng(2).uniform(0.5, 2, (N, 1))
    rows = np.array([[0, 1, 2], [3, 4, 5]])
    data = Data(table("dense"), np.zeros((N, 2)), weight, rows)
    np.testing.assert_allclose(
        data.shares(rows, rows.shape[-1]).sum(axis=(1, 2)), [1, 1], rtol=1e-14
    )


def test_shares_of_a_whole_pass_add_up_to_the_number_of_batches(table):
    weight = np.random.default_rng(2).uniform(0.5, 2, (N, 1))
    data = Data(table("dense"), np.zeros((N, 2)), weight)
    parts = np.array_split(np.arange(N), 5)
    total = sum(gather(data, rows, weighted=True).share.sum() for rows in parts)
    assert total == pytest.approx(5, rel=1e-14)


def test_all_rows_belong_to_the_network_by_default(table):
    np.testing.assert_array_equal(Data(table("csr"), None).rows, np.arange(N))


@every_kind
@both_dtypes
@pytest.mark.parametrize("scaled", [False, True])
def test_a_slice_is_as_good_as_the_numbers_of_its_rows(table, kind, dtype, scaled):
    mean, scale = np.array([1.0, 0, -2, 0.1]), np.array([1.0, 3, 0.2, 7])
    scaling = {"mean": mean, "scale": scale} if scaled else {}
    data = Data(table(kind, dtype), np.zeros((N, 2), dtype), **scaling)
    by_slice, by_number = np.full((2, 9, UNITS[0]), np.nan, dtype)
    data.gather_inputs(slice(7, 16), by_slice)
    data.gather_inputs(np.arange(7, 16), by_number)
    np.testing.assert_array_equal(by_slice, by_number)


@pytest.mark.parametrize("own", [None, np.array([7, 3, 3, 49]), np.eye(3, dtype=int)])
def test_positions_are_turned_into_rows(table, own):
    Y = np.arange(2.0 * N).reshape(N, 2)
    data = Data(table("dense"), Y, rows=own)
    part = slice(1, 3)
    np.testing.assert_array_equal(data.targets(data.at(part)), Y[data.rows[..., part]])
    assert len(data) == data.rows.shape[-1]


@pytest.mark.parametrize("own", [None, np.array([7, 3, 3, 49])])
def test_an_order_is_an_array_of_its_own(table, own):
    data = Data(table("dense"), None, rows=own)
    before, order = data.rows.copy(), data.order()
    np.testing.assert_array_equal(order, before)
    order[...] = 0
    np.testing.assert_array_equal(data.rows, before)
    np.testing.assert_array_equal(data.order(), before)


def test_standardize_computes_in_float64_and_rounds_to_the_dtype_of_out():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 2)).astype(np.float32)
    out, mean, scale = np.empty_like(X), np.array([0.1, 0.2]), np.array([3.1, 0.7])
    assert standardize(X, mean, scale, out) is out
    expected = ((X - mean).astype(np.float32) / scale).astype(np.float32)
    np.testing.assert_array_equal(out, expected)


@every_kind
@pytest.mark.parametrize("n", [1, 7, CHUNK, CHUNK + 1, 2 * CHUNK + 5])
def test_predictions_are_made_in_chunks_from_every_kind(
    table, make_network, make_theta, kind, n
):
    network = make_network(UNITS)
    theta = make_theta(network)
    rows = np.random.default_rng(3).integers(N, size=n)
    y_hat = network.predict(theta, Data(table(kind), None, rows=rows), np.empty((n, 2)))
    (W, b), X = network.layout.views(theta), table("dense")[rows]
    expected = np.tanh(X @ W[0] + b[0]) @ W[1] + b[1]
    np.testing.assert_allclose(y_hat, expected, rtol=1e-12, atol=1e-14)


@every_kind
@both_dtypes
@pytest.mark.parametrize("n", [1, N, CHUNK, 2 * CHUNK + 5])
def test_predictions_standardise_on_the_way(
    table, make_network, make_theta, kind, dtype, n
):
    network, rows = make_network(UNITS), np.random.default_rng(3).integers(N, size=n)
    mean, scale = np.array([1.0, 0, -2, 0.1]), np.array([1.0, 3, 0.2, 7])
    theta = make_theta(network, dtype=dtype)
    for own in (rows, None):
        data = Data(table(kind, dtype), None, None, own, mean, scale)
        X = (table("dense", dtype)[data.rows] - mean) / scale
        W, b = network.layout.views(theta.astype(float))
        expected = np.tanh(X @ W[0] + b[0]) @ W[1] + b[1]
        y_hat = network.predict(theta, data)
        assert y_hat.dtype == dtype
        eps = np.finfo(dtype).eps
        np.testing.assert_allclose(y_hat, expected, rtol=50 * eps, atol=50 * eps)


def test_a_far_mean_costs_float32_no_digits(make_network, make_theta):
    """A year, say: its mean is thousands of standard deviations from 0."""
    network = make_network([1, 8, 1])
    theta = make_theta(network, dtype=np.float32)
    X = 2011 + np.random.default_rng(0).random((3 * CHUNK, 1), dtype=np.float32)
    mean, scale = X.mean(axis=0, dtype=float), X.std(axis=0, dtype=float)

    def formula(X):
        W, b = network.layout.views(theta.astype(float))
        return np.tanh(X @ W[0] + b[0]) @ W[1] + b[1]

    expected = formula((X - mean) / scale)
    rounded = formula((X - mean.astype(np.float32)) / scale)
    y_hat = network.predict(theta, Data(X, None, mean=mean, scale=scale))
    np.testing.assert_allclose(y_hat, expected, atol=1e-6)
    assert np.abs(rounded - expected).max() > 1e-5  # what a rounded mean alone does


def test_predictions_of_a_stack_in_chunks_and_scaled(make_network, make_theta, table):
    network = make_network(UNITS)
    theta = make_theta(network, [0, 1])
    rows = np.random.default_rng(0).integers(N, size=(2, CHUNK + 7))
    scaling = {"mean": np.arange(4.0), "scale": np.arange(1.0, 5)}
    X = table("dense")
    together = network.predict(theta, Data(X, None, rows=rows, **scaling))
    for k in range(2):
        alone = network.predict(theta[k], Data(X, None, rows=rows[k], **scaling))
        np.testing.assert_array_equal(together[k], alone)


def test_predictions_of_a_stack_on_rows_of_their_own(make_network, make_theta, table):
    network = make_network(UNITS)
    theta, rows = make_theta(network, [0, 1]), np.array([[1, 2, 3], [9, 8, 9]])
    X = table("dense")
    together = network.predict(theta, Data(X, None, rows=rows), np.empty((2, 3, 2)))
    for k in range(2):
        alone = network.predict(theta[k], Data(X, None, rows=rows[k]), np.empty((3, 2)))
        np.testing.assert_array_equal(together[k], alone)


def test_constant_inputs_of_one_network_and_of_a_stack(monkeypatch):
    monkeypatch.setattr("skffnn.core.data.BLOCK", 4)  # two rows at once
    X = np.zeros((6, 3))
    X[4, 0], X[:, 1] = 1, 1e-9
    Y = np.zeros((6, 1))
    assert Data(X, Y).constant_inputs().tolist() == [False, True, True]
    rows = np.array([[0, 1, 2, 3], [2, 3, 4, 5]])
    stack = Data(X, Y, rows=rows).constant_inputs()
    assert stack.tolist() == [[True, True, True], [False, True, True]]


def test_small_inputs_that_differ_are_not_constant():
    X = np.full((6, 2), 1e-9)
    X[5, 0] = 2e-9
    assert Data(X, np.zeros((6, 1))).constant_inputs().tolist() == [False, True]
