"""A module of PyTorch predicts what the model predicts."""

import doctest
import io
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from skffnn import BayesianFFNNRegressor, FFNNEnsembleRegressor, FFNNRegressor
from skffnn.preprocessing.parameters import activation_names


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def network(hidden=(16, 16), **parameters):
    return FFNNRegressor(hidden, **{"max_iter": 20, "random_state": 0, **parameters})


def output(torch, module, X):
    """What the module returns for the rows of X."""
    with torch.no_grad():
        return module(torch.tensor(X)).numpy()


def assert_same(torch, model, X, rtol=1e-10):
    y_hat, expected = output(torch, model.to_torch(), X), model.predict(X)
    assert y_hat.dtype == model.theta_.dtype
    assert y_hat.shape == expected.shape
    atol = rtol * np.std(expected, axis=0).max()
    np.testing.assert_allclose(y_hat, expected, rtol=rtol, atol=atol)


def beyond(X):
    """The rows, and as many that lie outside of their range."""
    return np.concatenate([X, X.mean(axis=0) + 3 * (X - X.mean(axis=0))])


def assert_scripted(torch, model, X):
    """TorchScript compiles the module, and reads it again, and it is the same."""
    for ensure_2d in (False, True):
        module, file = model.to_torch(ensure_2d=ensure_2d), io.BytesIO()
        torch.jit.save(torch.jit.script(module), file)
        file.seek(0)
        scripted = torch.jit.load(file)
        np.testing.assert_array_equal(
            output(torch, scripted, X), output(torch, module, X)
        )


@pytest.mark.parametrize("output", ["identity", "the same"])
@pytest.mark.parametrize("name", activation_names())
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_every_activation(torch, table, name, output):
    X, y = table
    y = 0.1 + 0.8 * (y - y.min()) / np.ptp(y)  # every output reaches this
    output = name if output == "the same" else output
    model = network(activation=name, output_activation=output).fit(X, y)
    assert_same(torch, model, beyond(X))
    assert_scripted(torch, model, X)


def test_poisson(torch, table):
    X, y = table
    model = network((), loss="poisson").fit(X, y)
    assert_same(torch, model, beyond(X))
    model.theta_[-1] += 1e3  # beyond the bound of the exponential
    assert_same(torch, model, X)


@pytest.mark.parametrize(
    "parameters",
    [
        {"hidden": ()},
        {"hidden": 5},
        {"hidden": (5, 4, 3), "activation": ["tanh", "selu", "relu"]},
        {"standardize": False, "learning_rate": 1e-9, "momentum": 0, "solver": "sgd"},
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_shape(torch, table, parameters):
    X, y = table
    assert_same(torch, network(**parameters).fit(X, y), beyond(X))


@pytest.mark.parametrize("shape", [(-1,), (-1, 1), (-1, 3)])
def test_every_shape_of_y(torch, table, shape):
    X, y = table
    Y = np.column_stack([y, 1e3 * X[:, 0], y * X[:, 3] + 1e3])
    Y = Y if shape[-1] == 3 else y.reshape(shape)
    assert_same(torch, network().fit(X, Y), beyond(X))


def test_columns_with_heavy_tails(torch, rng):
    X = rng.normal(size=(300, 3))
    X[:, 0] = rng.standard_cauchy(300) ** 3
    X[:2, 2] = 30, -30  # far from the mean, and nothing else
    model = network().fit(X, np.sign(X[:, 0]) + X[:, 1])
    assert list(model.x_heavy_) == [0, 2]
    assert_same(torch, model, beyond(X))


@pytest.mark.parametrize("n", [300, 3000])  # in one piece, and in chunks
def test_a_network_of_float32_with_means_that_are_large_beside_the_scale(torch, rng, n):
    X = np.column_stack([1e5 + rng.normal(size=n), rng.normal(size=n)])
    X = X.astype(np.float32)
    y = X[:, 0] - 1e5 + X[:, 1]
    model = network(activation="tanh").fit(X, y)
    assert_same(torch, model, X, rtol=1e-5)


def test_constant_columns(torch, table):
    X, y = table
    X = np.column_stack([X, np.full(len(X), 7.1), np.zeros(len(X))])
    model = network().fit(X, y)
    X[::2, -2:] += 5
    assert_same(torch, model, X)


def test_a_committee(torch, table):
    X, y = table
    model = BayesianFFNNRegressor(5, n_restarts=3, random_state=0).fit(X, y)
    assert len(model.theta_) > 1
    assert_same(torch, model, beyond(X))


# What others make of a module --------------------------------------------------------


def ensemble(**parameters):
    return FFNNEnsembleRegressor(network(5), n_estimators=2, **parameters)


# A model of every kind; each has modules that others do not have.
KINDS = {
    "one": network(),
    "two outputs": network(),
    "counts": network(5, loss="poisson"),
    "committee": BayesianFFNNRegressor(5, n_restarts=3, random_state=0),
    "seeds": ensemble(random_state=0),
    "samples": ensemble(random_state=0, bootstrap=True),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def fitted(kind, table):
    X, y = table
    y = np.column_stack([y, y**2]) if kind == "two outputs" else abs(y)
    return clone(KINDS[kind]).fit(X, y)


@every_kind
def test_a_column_for_each_output_if_asked_for(torch, table, fitted, kind):
    X, _ = table
    as_predicted = output(torch, fitted.to_torch(), X)
    columns = output(torch, fitted.to_torch(ensure_2d=True), X)
    assert as_predicted.shape == fitted.predict(X).shape
    assert columns.shape == (len(X), 2 if kind == "two outputs" else 1)
    np.testing.assert_array_equal(columns.reshape(as_predicted.shape), as_predicted)


@every_kind
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_it_can_be_compiled_by_torchscript(torch, table, fitted):
    assert_scripted(torch, fitted, table[0])


@every_kind
def test_it_can_be_exported_for_any_number_of_rows(torch, table, fitted):
    (X, _), module = table, fitted.to_torch()
    rows = {0: torch.export.Dim("rows")}
    exported = torch.export.export(
        module, (torch.tensor(X[:7]),), dynamic_shapes=(rows,)
    )
    np.testing.assert_array_equal(
        output(torch, exported.module(), X), output(torch, module, X)
    )


# What SHAP says of modules that it takes as they are, and what NumPy says of SHAP.
of_shap = pytest.mark.filterwarnings(
    "ignore:unrecognized nn.Module", "ignore::DeprecationWarning"
)


def explained(model, X):
    """What SHAP values add up to: predictions without those of the background."""
    y_hat = model.predict(X).reshape(len(X), -1)
    return (y_hat[:20] - y_hat[:100].mean(axis=0)) / y_hat.std()


@of_shap
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "counts"])
def test_the_deep_explainer_of_shap(torch, table, fitted):
    shap, (X, _) = pytest.importorskip("shap"), table
    module, rows = fitted.to_torch(ensure_2d=True), torch.tensor(X)
    explainer = shap.DeepExplainer(module, rows[:100])
    shap_values = explainer.shap_values(rows[:20])
    sums = shap_values.sum(axis=1) / fitted.predict(X).std()
    np.testing.assert_allclose(sums, explained(fitted, X), atol=1e-8)


@of_shap
@every_kind
def test_the_gradient_explainer_of_shap(torch, table, fitted):
    shap, (X, _) = pytest.importorskip("shap"), table
    module, rows = fitted.to_torch(ensure_2d=True), torch.tensor(X)
    explainer = shap.GradientExplainer(module, rows[:100])
    shap_values = explainer.shap_values(rows[:20], nsamples=200, rseed=0)
    sums = shap_values.sum(axis=1) / fitted.predict(X).std()
    assert np.abs(sums - explained(fitted, X)).mean() < 0.1  # it draws samples


@of_shap
def test_heavy_columns_are_explained_behind_the_standardisation(torch, rng):
    shap = pytest.importorskip("shap")
    X = rng.normal(size=(300, 3))
    X[:, 0] = rng.standard_cauchy(300) ** 3
    model = network().fit(X, np.sign(X[:, 0]) + X[:, 1])
    assert list(model.x_heavy_) == [0]
    standardise, *rest = model.to_torch(ensure_2d=True)
    rows = standardise(torch.tensor(X))
    explainer = shap.DeepExplainer(torch.nn.Sequential(*rest), rows[:100])
    shap_values = explainer.shap_values(rows[:20])
    sums = shap_values.sum(axis=1) / model.predict(X).std()
    np.testing.assert_allclose(sums, explained(model, X), atol=1e-8)


def test_its_gradient_is_the_input_gradient(torch, rng):
    X = rng.standard_cauchy((300, 2))
    model = network(activation="tanh").fit(X, np.tanh(X[:, 0]) + np.tanh(X[:, 1]))
    assert len(model.x_heavy_)
    rows = torch.tensor(X, requires_grad=True)
    model.to_torch()(rows).sum().backward()
    np.testing.assert_allclose(rows.grad.numpy(), model.input_gradient(X), rtol=1e-8)


def test_a_number_that_overflows_is_as_far_away_as_can_be(torch, table):
    X, y = table[0].astype(np.float32), table[1]
    model = network(activation="tanh").fit(X, y)
    X[:, X.std(axis=0).argmin()] = np.finfo(np.float32).max
    assert_same(torch, model, X, rtol=1e-5)


def test_it_can_be_trained_and_leaves_the_model_alone(torch, table):
    X, y = table
    model = network().fit(X, y)
    before, module = model.predict(X), model.to_torch()
    rows, targets = torch.tensor(X), torch.tensor(y)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(module(rows), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    np.testing.assert_array_equal(model.predict(X), before)


def test_the_model_may_go_on_and_leaves_the_module_alone(torch, table):
    X, y = table
    model = network().fit(X, y)
    before, module = model.predict(X), model.to_torch()
    for state in (model.theta_, model.x_mean_, model.x_scale_, model.y_scale_):
        state += 1
    np.testing.assert_allclose(output(torch, module, X), before)


def test_state_and_copies(torch, table, tmp_path):
    X, y = table
    module = network().fit(X, y).to_torch()
    expected = output(torch, module, X)
    other = network(random_state=1).fit(X + 1, 2 * y).to_torch()
    other.load_state_dict(module.state_dict())
    torch.save(module, tmp_path / "module.pt")
    saved = torch.load(tmp_path / "module.pt", weights_only=False)
    for copy in (other, saved, pickle.loads(pickle.dumps(module))):
        np.testing.assert_array_equal(output(torch, copy, X), expected)


def test_the_linear_layers_are_those_of_the_model(torch, table):
    model = network().fit(*table)
    layers = [m for m in model.to_torch() if isinstance(m, torch.nn.Linear)]
    for layer, W, b in zip(layers, model.coefs_, model.intercepts_, strict=True):
        np.testing.assert_array_equal(layer.weight.detach().numpy(), W.T)
        np.testing.assert_array_equal(layer.bias.detach().numpy(), b)


def test_no_random_number_is_drawn(torch, table):
    model = network().fit(*table)
    before = torch.get_rng_state()
    model.to_torch()
    assert torch.equal(torch.get_rng_state(), before)


# Categories and gaps ------------------------------------------------------------------


def coded(model, X, dtype=np.float64):
    """The rows as the module takes them: codes in place of categories."""
    X = X.copy()
    for name, levels in model.categories_.items():
        values = X[name].astype(object)
        codes = pd.Index(levels, dtype=object).get_indexer(values)
        known = (codes >= 0) | values.isna()
        X[name] = np.where(known, codes, len(levels) + 1)
    return X.to_numpy(dtype)


MIXED = {
    "one": network(),
    "no hidden layer": network(()),
    "committee": BayesianFFNNRegressor(4, n_restarts=2, random_state=0),
    "seeds": ensemble(random_state=0),
    "samples": ensemble(random_state=0, bootstrap=True),
}
every_mixed = pytest.mark.parametrize("kind", MIXED)
with_gaps = pytest.mark.filterwarnings("ignore:X has gaps")


@with_gaps
@every_mixed
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_categories_are_codes_and_gaps_are_no_numbers(torch, mixed, strange, kind):
    X, y = mixed
    model = clone(MIXED[kind]).fit(X, y)
    for rows in (X, strange):
        y_hat = output(torch, model.to_torch(), coded(model, rows))
        np.testing.assert_allclose(y_hat, model.predict(rows))
    assert_scripted(torch, model, coded(model, strange))


@with_gaps
@every_mixed
def test_mixed_rows_can_be_exported_for_any_number_of_them(torch, mixed, strange, kind):
    model = clone(MIXED[kind]).fit(*mixed)
    X, module = coded(model, strange), model.to_torch()
    rows = {0: torch.export.Dim("rows")}
    exported = torch.export.export(
        module, (torch.tensor(X[:7]),), dynamic_shapes=(rows,)
    )
    np.testing.assert_array_equal(
        output(torch, exported.module(), X), output(torch, module, X)
    )


def test_codes_of_missing_and_of_unknown_levels(torch, mixed):
    """What pandas and an OrdinalEncoder may make of them."""
    X, y = mixed
    model = network().fit(X[["town", "year"]], y)
    module, n = model.to_torch(), len(model.categories_["town"])

    def predicted(code):
        return output(torch, module, np.array([[code, 2000.0]])).item()

    rows = pd.DataFrame({"town": [None, "Rome", "Ulm"], "year": 2000.0})
    missing, unknown, ulm = model.predict(rows)
    for code in (-1.0, np.nan, n, -np.inf):
        assert predicted(code) == pytest.approx(missing)
    for code in (n + 1.0, n + 2, 1e30, np.inf):
        assert predicted(code) == pytest.approx(unknown)
    assert predicted(n - 1) == pytest.approx(ulm)


@every_mixed
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_categories_alone(torch, mixed, kind):
    (X, y), columns = mixed, ["shop", "town"]
    model = clone(MIXED[kind]).fit(X[columns], y)
    rows = coded(model, X[columns])
    np.testing.assert_allclose(
        output(torch, model.to_torch(), rows), model.predict(X[columns])
    )
    assert_scripted(torch, model, rows)


@with_gaps
@every_mixed
def test_gaps_alone(torch, mixed, kind):
    X, y = mixed
    X = X[["size", "year"]].to_numpy().copy()
    model = clone(MIXED[kind]).fit(X, y)
    X[::9, 1] = np.nan
    y_hat = output(torch, model.to_torch(), X)
    np.testing.assert_allclose(y_hat, model.predict(X))


@with_gaps
def test_gaps_that_there_were_none_of_at_fit(torch, table):
    X, y = table
    model = network().fit(X, y)
    X[::3, 1] = np.nan
    assert_same(torch, model, X)


def test_a_mixed_network_of_float32(torch, mixed):
    X, y = mixed
    X = X.astype({"size": np.float32, "year": np.float32})
    model = network().fit(X, y)
    y_hat = output(torch, model.to_torch(), coded(model, X, np.float32))
    assert y_hat.dtype == np.float32
    np.testing.assert_allclose(y_hat, model.predict(X), rtol=1e-4)


def test_a_mixed_module_moves_between_dtypes(torch, mixed):
    X, y = mixed
    model = network().fit(X, y)
    module = model.to_torch().float()
    y_hat = output(torch, module, coded(model, X, np.float32))
    assert y_hat.dtype == np.float32
    np.testing.assert_allclose(y_hat, model.predict(X), rtol=1e-3)
    y_hat = output(torch, module.double(), coded(model, X))
    np.testing.assert_allclose(y_hat, model.predict(X), rtol=1e-3)


def test_a_mixed_module_can_be_trained(torch, mixed):
    X, y = mixed
    model = network().fit(X, y)
    before, module = model.predict(X), model.to_torch()
    tables = [m for m in module.modules() if isinstance(m, torch.nn.Embedding)]
    started = [table.weight.detach().clone() for table in tables]
    assert [len(table) for table in started] == [5, 32, 5]
    rows, targets = torch.tensor(coded(model, X)), torch.tensor(y)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-2)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(module(rows), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    for table, first in zip(tables, started, strict=True):
        assert not torch.equal(table.weight, first)
    np.testing.assert_array_equal(model.predict(X), before)


def test_state_and_copies_of_a_mixed_module(torch, mixed):
    X, y = mixed
    model = network().fit(X, y)
    module = model.to_torch()
    rows = coded(model, X)
    expected = output(torch, module, rows)
    other = network(random_state=1).fit(X, 2 * y).to_torch()
    other.load_state_dict(module.state_dict())
    for copy in (other, pickle.loads(pickle.dumps(module))):
        np.testing.assert_array_equal(output(torch, copy, rows), expected)


def test_no_random_number_is_drawn_for_tables(torch, mixed):
    model = network().fit(*mixed)
    before = torch.get_rng_state()
    model.to_torch()
    assert torch.equal(torch.get_rng_state(), before)


def test_the_examples_of_the_module(torch):
    import skffnn.export.torch

    failed, attempted = doctest.testmod(
        skffnn.export.torch, optionflags=doctest.NORMALIZE_WHITESPACE
    )
    assert attempted > 5
    assert failed == 0
