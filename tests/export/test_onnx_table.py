"""Graphs of models with categories and gaps: one input a column, or one for all."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from skffnn import (
    BayesianFFNNRegressor,
    FFNNEnsembleRegressor,
    FFNNGridSearchCV,
    FFNNRegressor,
)

onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")
pytest.importorskip("skffnn.onnx")  # registers the estimators
types = skl2onnx.common.data_types

pytestmark = pytest.mark.filterwarnings("ignore:X has gaps")
every_dtype = pytest.mark.parametrize("dtype", [np.float64, np.float32])

SMALL = FFNNRegressor((6, 4), activation="tanh", max_iter=20, random_state=0)
MODELS = {
    "network": SMALL,
    "in double precision": clone(SMALL).set_params(
        solver="lbfgs", tol=0.1, max_iter=500
    ),
    "no hidden layer": clone(SMALL).set_params(hidden_layer_sizes=()),
    "ensemble": FFNNEnsembleRegressor(SMALL, 3, random_state=0),
    "bootstrap": FFNNEnsembleRegressor(SMALL, 3, bootstrap=True, random_state=0),
    "committee": BayesianFFNNRegressor(4, n_restarts=2, random_state=0),
    "search": FFNNGridSearchCV(SMALL, {"learning_rate": [0.01, 0.02]}, cv=2),
    "scikit-learn's search": GridSearchCV(SMALL, {"learning_rate": [0.01]}, cv=2),
    "pipeline": make_pipeline(SMALL),
}


def as_type(values, dtype):
    """The type of the input for a column."""
    if isinstance(values.iloc[0], str) or values.dtype == object:
        return types.StringTensorType([None, 1])
    wide = dtype == np.float64
    return (types.DoubleTensorType if wide else types.FloatTensorType)([None, 1])


def as_input(values, dtype):
    """A column as the graph gets it."""
    if values.dtype == object:
        return values.fillna("").to_numpy()[:, np.newaxis]
    return values.to_numpy(dtype)[:, np.newaxis]


def plain(X):
    """Columns of floats, and of text as objects."""
    kinds = X.dtypes.map(lambda d: getattr(d, "categories", pd.Index([])).dtype)
    numbers = {c: float for c in X if kinds[c].kind in "if"}
    texts = {c: object for c in X if c not in numbers and X.dtypes[c].kind not in "if"}
    return X.astype({**numbers, **texts})


def outputs(graph, columns):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options)
    return session.run(None, columns)[0]


def graph_of(model, X, dtype=np.float64, **options):
    inputs = [(name, as_type(X[name], dtype)) for name in X]
    return skl2onnx.to_onnx(model, initial_types=inputs, **options)


def assert_same(model, X, y, dtype=np.float64, **options):
    """The graph of the model predicts the same for the rows of X."""
    columns = plain(X)
    graph = graph_of(model, columns, dtype, **options)
    y_hat = outputs(graph, {name: as_input(columns[name], dtype) for name in X})
    assert y_hat.dtype == (dtype if "float" in str(columns.dtypes.values) else "f4")
    error = np.abs(y_hat[:, 0] - model.predict(X)) / y.std()
    assert error.max() < tolerance(model, y_hat)


def tolerance(model, *arrays):
    """What rounding may make of a prediction, in deviations of y."""
    fitted = getattr(model, "best_estimator_", model)
    fitted = getattr(fitted, "steps", [(None, fitted)])[-1][1]
    if np.float32 in [array.dtype for array in arrays]:
        return 1e-4
    return 1e-10 if fitted._description().theta.dtype == np.float64 else 1e-5


@every_dtype
@pytest.mark.parametrize("name", MODELS)
def test_one_input_a_column(mixed, strange, name, dtype):
    X, y = mixed
    model = clone(MODELS[name]).fit(X, y)
    assert_same(model, X, y, dtype)
    assert_same(model, strange, y, dtype)
    assert_same(model, X[:1], y, dtype)


@every_dtype
def test_without_standardisation(mixed, dtype):
    X, y = mixed
    X = X.assign(size=X["size"] / 20 - 5, year=(X["year"] - 2005) / 9)
    assert_same(clone(SMALL).set_params(standardize=False).fit(X, y), X, y, dtype)


@every_dtype
def test_categories_alone(mixed, strange, dtype):
    X, y = mixed
    for columns in (["town", "shop", "zone"], ["town"], ["shop", "town"]):
        model = clone(SMALL).fit(X[columns], y)
        assert_same(model, strange[columns], y, dtype)


@every_dtype
def test_gaps_alone(mixed, dtype):
    X, y = mixed
    X = X[["size", "year"]].copy()
    model = clone(SMALL).fit(X, y)
    X.loc[5, "year"] = np.nan
    assert_same(model, X, y, dtype)


@every_dtype
def test_gaps_that_there_were_none_of_at_fit(table, dtype):
    X, y = table
    model = clone(SMALL).fit(X, y)
    X = X.astype(dtype)
    X[::3, 1] = np.nan
    y_hat = outputs(skl2onnx.to_onnx(model, X[:1]), {"X": X})[:, 0]
    error = np.abs(y_hat - model.predict(X)) / y.std()
    assert error.max() < (1e-4 if dtype is np.float32 else tolerance(model))


def test_gaps_and_heavy_tails(rng):
    X = rng.standard_cauchy((300, 2)) ** 3
    X[::7, 0] = np.nan
    y = np.sign(np.nan_to_num(X[:, 0])) + np.tanh(X[:, 1])
    model = clone(SMALL).fit(X, y)
    assert len(model.x_heavy_)
    y_hat = outputs(skl2onnx.to_onnx(model, X[:1]), {"X": X})[:, 0]
    np.testing.assert_allclose(y_hat, model.predict(X), atol=1e-10 * y.std())


@pytest.mark.parametrize(
    "opset", range(9, skl2onnx.get_latest_tested_opset_version() + 1)
)
def test_every_opset(mixed, strange, opset):
    X, y = mixed
    assert_same(clone(SMALL).fit(X, y), strange, y, target_opset=opset)


@pytest.mark.parametrize("opset", [7, 8])
def test_numbers_alone_need_no_operator_for_gaps(table, opset):
    X, y = table
    model = clone(SMALL).fit(X, y)
    graph = skl2onnx.to_onnx(model, X[:1], target_opset=opset)
    np.testing.assert_allclose(outputs(graph, {"X": X})[:, 0], model.predict(X))


def test_a_frame_tells_the_types_by_itself(mixed):
    X = mixed[0].dropna()
    X = X.assign(flag=X["year"] > 2000, rooms=np.arange(len(X)) % 5)
    X["zone"] = pd.Categorical(X["zone"].astype(float).astype(int))
    model = clone(SMALL).fit(X, X["year"])
    graph = skl2onnx.to_onnx(model, X[:1])
    kinds = {each.name: each.type.tensor_type.elem_type for each in graph.graph.input}
    double, text, whole, truth = 11, 8, 7, 9
    assert kinds == {
        "size": double, "town": text, "year": double, "shop": text, "zone": whole,
        "flag": truth, "rooms": whole,
    }  # fmt: skip
    X = X.astype({"shop": object, "zone": int})
    y_hat = outputs(graph, {name: X[[name]].to_numpy() for name in X})
    X["zone"] = pd.Categorical(X["zone"])
    np.testing.assert_allclose(y_hat[:, 0], model.predict(X))


# Categories that are numbers ----------------------------------------------------------


def codes_table(rng, levels, n=200):
    X = np.column_stack([rng.choice(levels, n), rng.normal(size=n)])
    y = np.asarray(pd.factorize(X[:, 0])[0] % 3 + X[:, 1])
    X[::10, 0] = np.nan
    return X, y


@every_dtype
@pytest.mark.parametrize("n_levels", [1, 2, 3, 8, 9, 33])
def test_one_tensor_of_numbers_and_codes(rng, n_levels, dtype):
    levels = rng.choice(1000, n_levels, replace=False) / 4 - 50
    X, y = codes_table(rng, levels)
    model = clone(SMALL).set_params(categorical_features=[0]).fit(X, y)
    others = [-1e30, 1e30, levels.min() - 1, levels.max() + 1, levels[0] + 1e-3, 0]
    X = np.concatenate([X, np.column_stack([others, np.ones(6)])])
    X[3, 1] = np.nan
    X = X.astype(dtype)
    y_hat = outputs(skl2onnx.to_onnx(model, X[:1]), {"X": X})[:, 0]
    error = np.abs(y_hat - model.predict(X)) / y.std()
    assert error.max() < (1e-4 if dtype is np.float32 else tolerance(model))


def test_levels_are_told_apart_in_double_precision(rng):
    """Large ones that differ by 1, and a number that float32 rounds to a level."""
    X, y = codes_table(rng, 2**40 + np.arange(20.0))
    model = (
        clone(MODELS["in double precision"])
        .set_params(categorical_features=[0])
        .fit(X, y)
    )
    y_hat = outputs(skl2onnx.to_onnx(model, X[:1]), {"X": X})[:, 0]
    np.testing.assert_allclose(y_hat, model.predict(X))
    X, y = codes_table(rng, np.arange(20.0))
    model = (
        clone(MODELS["in double precision"])
        .set_params(categorical_features=[0])
        .fit(X, y)
    )
    X[:20, 0] += 1e-12
    y_hat = outputs(skl2onnx.to_onnx(model, X[:1]), {"X": X})[:, 0]
    np.testing.assert_allclose(y_hat, model.predict(X))


def test_levels_that_float32_cannot_tell_apart(rng):
    X, y = codes_table(rng, 2**40 + np.arange(20.0))
    model = clone(SMALL).set_params(categorical_features=[0]).fit(X, y)
    with pytest.raises(ValueError, match="Column 0 is a FloatTensorType, and has leve"):
        skl2onnx.to_onnx(model, X[:1].astype(np.float32))


def test_a_column_of_float32_has_the_levels_in_float32(rng):
    """0.1 is not the same number there, and the level of fit all the same."""
    X, y = codes_table(rng, [0.1, 0.2, 0.7])
    model = clone(SMALL).set_params(categorical_features=[0]).fit(X, y)
    single = X.astype(np.float32)
    y_hat = outputs(skl2onnx.to_onnx(model, single[:1]), {"X": single})[:, 0]
    np.testing.assert_allclose(y_hat, model.predict(X), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [np.int64, np.int32, bool])
def test_whole_numbers_and_truth_values_as_categories(rng, kind):
    X = rng.integers(0, 2 if kind is bool else 30, (200, 2)).astype(kind)
    y = X.sum(axis=1) % 4 + 0.0
    model = clone(SMALL).set_params(categorical_features=[True, False])
    model.fit(X.astype(float), y)
    y_hat = outputs(skl2onnx.to_onnx(model, X[:1]), {"X": X})[:, 0]
    assert y_hat.dtype == np.float32
    np.testing.assert_allclose(y_hat, model.predict(X.astype(float)), atol=1e-4)


@every_dtype
def test_a_pipeline_that_encodes_as_numbers(mixed, dtype):
    X, y = mixed
    X = X[["size", "town"]].fillna({"town": "?"})
    encode = make_column_transformer(
        (OrdinalEncoder(), ["town"]), ("passthrough", ["size"])
    )
    network = clone(SMALL).set_params(categorical_features=[0])
    assert_same(make_pipeline(encode, network).fit(X, y), X, y, dtype)


def test_a_tensor_of_text(rng):
    X = rng.choice(["a", "b", "c", ""], (200, 3)).astype(object)
    y = (X == "b").sum(axis=1) + (X[:, 0] == "") + 0.0
    model = clone(SMALL).set_params(categorical_features=[0, 1, 2]).fit(X, y)
    inputs = [("X", types.StringTensorType([None, 3]))]
    graph = skl2onnx.to_onnx(model, initial_types=inputs)
    y_hat = outputs(graph, {"X": X})[:, 0]
    np.testing.assert_allclose(y_hat, model.predict(X), atol=1e-5)


# Missing ones -------------------------------------------------------------------------


def test_no_text_is_a_missing_category_unless_it_is_a_level(mixed):
    X, y = mixed
    X = plain(X[["town", "size"]])
    for town in (X["town"], X["town"].fillna("")):
        model = clone(SMALL).fit(X.assign(town=town), y)
        graph = graph_of(model, X)
        columns = {c: as_input(X[c], np.float64) for c in X}
        np.testing.assert_allclose(
            outputs(graph, columns)[:, 0], model.predict(X.assign(town=town))
        )


def test_a_column_of_missing_categories(mixed):
    X, y = mixed
    X = X[["size", "town"]].assign(town=pd.Categorical([None] * len(X)))
    with pytest.warns(UserWarning, match=r"nothing but gaps .* 'town'"):
        model = clone(SMALL).fit(X, y)
    assert model.categories_ == {"town": []}
    X["town"] = X["town"].astype(object)
    X.loc[:5, "town"] = "Ulm"
    columns = {c: as_input(X[c], np.float64) for c in X}
    y_hat = outputs(graph_of(model, X), columns)[:, 0]
    np.testing.assert_allclose(y_hat, model.predict(X))


# Wrong inputs -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "kind", "message"),
    [
        ("town", "FloatTensorType", "'town' is a FloatTensorType, .* were text at fit"),
        ("zone", "StringTensorType", "'zone' is a StringTensorType, .* numbers at fit"),
        ("size", "StringTensorType", "'size' is a StringTensorType, and a network nee"),
    ],
)
def test_text_in_place_of_numbers_and_the_reverse(mixed, column, kind, message):
    X, y = mixed
    model = clone(SMALL).fit(X, y)
    inputs = {name: as_type(plain(X)[name], np.float64) for name in X}
    inputs[column] = getattr(types, kind)([None, 1])
    with pytest.raises(ValueError, match=message):
        skl2onnx.to_onnx(model, initial_types=list(inputs.items()))


def test_other_columns_and_another_order(mixed):
    X, y = mixed
    model = clone(SMALL).fit(X, y)
    columns = plain(X)
    for names in (["size", "town"], [*X, "size"]):
        inputs = [
            (f"{name} {k}", as_type(columns[name], np.float64))
            for k, name in enumerate(names)
        ]
        with pytest.raises(ValueError, match=rf"have {len(names)} columns, .* had 5"):
            skl2onnx.to_onnx(model, initial_types=inputs)
    with pytest.raises(ValueError, match="keep their order"):
        graph_of(model, columns[["year", "town", "size", "shop", "zone"]])
