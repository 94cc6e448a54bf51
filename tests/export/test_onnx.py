"""An ONNX graph predicts what the model predicts."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
)
from skffnn.preprocessing.parameters import activation_names

onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")
pytest.importorskip("skffnn.onnx")  # registers the estimators


every_dtype = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def network(hidden=(16, 16), **parameters):
    return FFNNRegressor(hidden, **{"max_iter": 20, "random_state": 0, **parameters})


def outputs(model, X):
    """What the graph returns for the rows of X."""
    graph = skl2onnx.to_onnx(model, X[:1])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
    columns = {"X": X}
    if isinstance(X, pd.DataFrame):
        columns = {name: X[[name]].to_numpy() for name in X}
    return session.run(None, columns)


def assert_same(model, X, y):
    """The graph predicts the same, in the dtype of X; y tells what much is."""
    (y_hat,) = outputs(model, X)
    expected = model.predict(X).reshape(len(X), -1)
    assert y_hat.shape == expected.shape
    error = np.abs(y_hat - expected) / np.std(y, axis=0)
    assert error.max() < (1e-4 if y_hat.dtype == np.float32 else 1e-10)


def beyond(X):
    """The rows, and as many that lie outside of their range."""
    return np.concatenate([X, X.mean(axis=0) + 3 * (X - X.mean(axis=0))])


@every_dtype
@pytest.mark.parametrize("output", ["identity", "the same"])
@pytest.mark.parametrize("name", activation_names())
def test_every_activation(table, name, output, dtype):
    X, y = table
    y = 0.1 + 0.8 * (y - y.min()) / np.ptp(y)  # every output reaches this
    output = name if output == "the same" else output
    model = network(activation=name, output_activation=output).fit(X, y)
    assert_same(model, beyond(X).astype(dtype), y)


@every_dtype
def test_poisson(table, dtype):
    X, y = table
    y = np.exp((y - y.mean()) / y.std() / 2)
    model = network(loss="poisson", activation="tanh").fit(X, y)
    assert_same(model, beyond(X).astype(dtype), y)


@every_dtype
def test_the_exponential_stays_finite(table, dtype):
    """Beyond its bound, which float32 reaches sooner."""
    X, y = table
    model = network((), loss="poisson").fit(X, y)
    model.theta_[-1] += 1e3
    (y_hat,) = outputs(model, X.astype(dtype))
    assert np.isfinite(y_hat).all()
    if dtype is np.float64:
        np.testing.assert_allclose(y_hat[:, 0], model.predict(X))


@every_dtype
@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden": ()},
        {"hidden": 5},
        {"hidden": (5, 4, 3), "activation": ["tanh", "selu", "relu"]},
        {"loss": "quantile", "solver": "sgd"},
        {"early_stopping": True},
    ],
)
def test_every_shape(table, parameters, dtype):
    X, y = table
    assert_same(network(**parameters).fit(X, y), beyond(X).astype(dtype), y)


@every_dtype
@pytest.mark.parametrize("shape", [(-1,), (-1, 1), (-1, 3)])
def test_every_shape_of_y(table, shape, dtype):
    X, y = table
    Y = np.column_stack([y, 1e3 * X[:, 0], y * X[:, 3]])
    Y = Y if shape[-1] == 3 else y.reshape(shape)
    assert_same(network().fit(X, Y), beyond(X).astype(dtype), Y)


@every_dtype
def test_without_standardisation(rng, dtype):
    X = rng.normal(size=(150, 3))
    y = X[:, 0] * X[:, 1]
    model = network(standardize=False).fit(X, y)
    assert_same(model, beyond(X).astype(dtype), y)


@every_dtype
def test_columns_with_heavy_tails(rng, dtype):
    X = rng.normal(size=(300, 3))
    X[:, 0] = rng.standard_cauchy(300) ** 3
    X[:2, 2] = 30, -30  # far from the mean, and nothing else
    y = np.sign(X[:, 0]) + X[:, 1]
    model = network().fit(X, y)
    assert list(model.x_heavy_) == [0, 2]
    assert_same(model, beyond(X).astype(dtype), y)


@every_dtype
def test_means_that_are_large_beside_the_scale(rng, dtype):
    X = np.column_stack(
        [rng.uniform(1995, 2005, 300), 1e5 + rng.normal(size=300), rng.normal(size=300)]
    )
    y = np.sin(X[:, 0]) + X[:, 1] - 1e5
    assert_same(network(activation="tanh").fit(X, y), beyond(X).astype(dtype), y)


def test_means_for_which_float32_has_no_digits_left(rng):
    X = np.column_stack([1e6 + rng.normal(size=300), rng.normal(size=300)])
    y = X[:, 0] - 1e6 + X[:, 1] ** 2
    assert_same(network().fit(X, y), beyond(X), y)


@pytest.mark.parametrize("kind", [np.int64, np.int32])
def test_whole_numbers_lose_no_digits(rng, kind):
    """The mean is subtracted before they become float32, which has 24 bits."""
    X = np.column_stack(
        [1_700_000_000 + rng.integers(0, 20, 300), rng.integers(-5, 5, 300)]
    ).astype(kind)
    y = X[:, 0] - 1.7e9 + X[:, 1] ** 2.0
    model = network().fit(X, y)
    assert outputs(model, X)[0].dtype == np.float32
    assert_same(model, X, y)


def test_the_mean_of_timestamps(rng):
    """A column of nanoseconds, as whole numbers or as float64."""
    t = 1_700_000_000_000_000_000 + rng.integers(0, 10**12, (300, 1))
    model = network().fit(t, np.sin((t[:, 0] - 1.7e18) / 2e11))
    for X in (t, t.astype(np.float64)):
        y_hat = outputs(model, X)[0][:, 0]
        assert np.abs(y_hat - model.predict(t)).max() < 1e-4


def test_truth_values(rng):
    X = rng.normal(size=(150, 3)) > 0
    y = X.sum(axis=1) ** 2.0
    assert_same(network().fit(X.astype(float), y), X, y)


@every_dtype
def test_constant_columns(table, dtype):
    X, y = table
    X = np.column_stack([X, np.full(len(X), 7.1), np.zeros(len(X))])
    model = network().fit(X, y)
    X[::2, -2:] += 5
    assert_same(model, X.astype(dtype), y)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_a_network_of_float32(rng, dtype):
    """Rows of any dtype are rounded to float32 first, as by predict."""
    X = np.column_stack([30_000_000 + rng.integers(0, 9, 300), rng.integers(0, 9, 300)])
    y = (X[:, 0] + X[:, 1]).astype(np.float64)
    model = network().fit(X.astype(np.float32), y)
    (y_hat,) = outputs(model, X.astype(dtype))
    error = np.abs(y_hat[:, 0] - model.predict(X.astype(dtype)))
    # Here predict itself is no more than float32, but for the target's units.
    ulp = np.spacing(np.float32(y.max())) if y_hat.dtype == np.float32 else 0
    assert error.max() < 1e-5 * y.std() + ulp


@every_dtype
def test_a_committee(table, dtype):
    X, y = table
    model = BayesianFFNNRegressor(5, n_restarts=3, random_state=0)
    model.fit(X, y)
    assert len(model.theta_) > 1
    assert_same(model, beyond(X).astype(dtype), y)


@every_dtype
@pytest.mark.parametrize("columns", [1, 2])
def test_an_ensemble_whose_networks_have_their_own_scalings(rng, columns, dtype):
    X = rng.normal(size=(300, 3))
    X[0, 0] = 30  # heavy tails, but in the samples without it
    X[:, 2] += 1e4
    Y = np.column_stack([X[:, 1] ** 2, X[:, 2] - 9.9e3])
    Y = Y if columns == 2 else Y[:, 0]
    model = FFNNEnsembleRegressor(network(), 4, bootstrap=True, random_state=1)
    model.fit(X, Y)
    assert {len(each.x_heavy_) for each in model.estimators_} == {0, 1}
    assert_same(model, beyond(X).astype(dtype), Y)


@every_dtype
def test_one_row(table, dtype):
    X, y = table
    assert_same(network().fit(X, y), X[3:4].astype(dtype), y)


@every_dtype
def test_a_pipeline(table, dtype):
    X, y = table
    model = make_pipeline(StandardScaler(), network()).fit(X, y)
    assert_same(model, X.astype(dtype), y)


@pytest.fixture
def frame(rng):
    X = pd.DataFrame(
        {
            "year": rng.integers(1990, 2020, 200),
            "size": rng.normal(100, 20, 200),
            "town": rng.choice(["Aix", "Bath", "Ulm"], 200),
        }
    )
    y = (X["year"] - 2000) / 10 + X["size"] / 20 + (X["town"] == "Ulm")
    return X, y.to_numpy()


@every_dtype
def test_a_pipeline_that_encodes_a_frame(frame, dtype):
    X, y = frame
    X = X.astype({"size": dtype})
    encode = make_column_transformer(
        (OneHotEncoder(), ["town"]),
        (StandardScaler(), ["size"]),
        ("passthrough", ["year"]),
    )
    assert_same(make_pipeline(encode, network()).fit(X, y), X, y)


@every_dtype
def test_a_frame_of_numbers_has_an_input_for_each_column(frame, dtype):
    X, y = frame
    X = X[["year", "size"]].astype({"size": dtype})
    model = network().fit(X.astype(np.float64), y)
    assert outputs(model, X)[0].dtype == dtype
    assert_same(model, X, y)


def search(model, **parameters):
    network = "ffnnregressor__" if isinstance(model, Pipeline) else ""
    grid = {f"{network}learning_rate": [0.01, 0.02]}
    return FFNNGridSearchCV(model, grid, cv=2, **parameters)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "model",
    [
        search(network()),
        search(make_pipeline(StandardScaler(), network())),
        make_pipeline(StandardScaler(), search(network())),
    ],
    ids=["network", "pipeline", "in a pipeline"],
)
def test_a_search_stands_for_its_best_estimator(table, model, dtype):
    X, y = table
    assert_same(model.fit(X, y), X.astype(dtype), y)


def test_a_search_without_a_best_estimator(table):
    X, y = table
    with pytest.raises(ValueError, match=r"set refit=True"):
        skl2onnx.to_onnx(search(network(), refit=False).fit(X, y), X[:1])


@pytest.mark.parametrize(
    "model",
    [
        FFNNRegressor(),
        BayesianFFNNRegressor(),
        FFNNEnsembleRegressor(),
        search(FFNNRegressor()),
    ],
)
def test_a_model_that_is_not_fitted(table, model):
    with pytest.raises(NotFittedError):
        skl2onnx.to_onnx(model, table[0][:1])


def test_columns_in_another_order(frame):
    X, y = frame
    X = X[["year", "size"]].rename(columns={"size": "size in m²"})
    model = network().fit(X, y)
    assert skl2onnx.to_onnx(model, X[:1])
    with pytest.raises(ValueError, match=r"were \['year', 'size in m²'\] at fit"):
        skl2onnx.to_onnx(model, X.iloc[:1, ::-1])


def test_a_column_of_text(frame):
    X, y = frame
    model = network().fit(X[["year", "size"]], y)
    with pytest.raises(ValueError, match="'town' is a StringTensorType, and a network"):
        skl2onnx.to_onnx(model, X[:1])


@pytest.mark.parametrize("scale", [1e-50, 1e50])
@pytest.mark.parametrize("of", ["X", "y"])
def test_scales_that_float32_does_not_reach(table, of, scale):
    X, y = table
    X, y = (X * scale, y) if of == "X" else (X, y * scale)
    model = network().fit(X, y)
    with pytest.raises(ValueError, match="a scale that float32 does not reach"):
        skl2onnx.to_onnx(model, X[:1])


@every_dtype
@pytest.mark.parametrize("scale", [1e-30, 1e-8, 1e30])
@pytest.mark.parametrize("of", ["X", "y"])
def test_scales_that_are_small_or_large(table, of, scale, dtype):
    X, y = table[0][:, 1:2], table[1]
    X, y = (X * scale, y) if of == "X" else (X, y * scale)
    assert_same(network().fit(X, y), beyond(X).astype(dtype), y)
