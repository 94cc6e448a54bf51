"""The same start, the same steps: scikit-learn's MLPRegressor and PyTorch."""

from itertools import pairwise

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor

from skffnn.core.optimizers import SGD, Adam

N, BATCH, RATE = 50, 16, 0.01  # the last batch of an epoch has 2 rows
SOLVERS = ["sgd", "momentum", "nesterov", "adam"]

# Adam is written with epsilon in two places; this small, it makes no difference.
TINY = 1e-200


# scikit-learn -------------------------------------------------------------------------


def mlp_after_one_epoch(X, Y, solver, hidden, activation):
    """An MLPRegressor whose next fit starts from known weights, with a new optimizer.

    With warm_start, fit goes on from ``coefs_`` and forgets momentum and moments.
    """
    options = {"solver": "adam", "epsilon": TINY}
    if solver != "adam":
        options = {
            "solver": "sgd",
            "momentum": 0.9 if solver in ("momentum", "nesterov") else 0.0,
            "nesterovs_momentum": solver == "nesterov",
        }
    mlp = MLPRegressor(
        hidden_layer_sizes=hidden,
        activation=activation,
        learning_rate_init=RATE,
        alpha=0,
        batch_size=BATCH,
        shuffle=False,
        warm_start=True,
        max_iter=1,
        n_iter_no_change=1000,
        random_state=0,
        **options,
    )
    with pytest.warns(match="hasn't converged"):
        mlp.fit(X, Y if Y.shape[1] > 1 else Y.ravel())
    return mlp


def flat(mlp):
    return np.concatenate([p.ravel() for p in (*mlp.coefs_, *mlp.intercepts_)])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("activation", ["tanh", "logistic", "relu"])
@pytest.mark.parametrize(("hidden", "n_outputs"), [((7,), 1), ((6, 5), 3)])
def test_mlp_regressor(
    make_network,
    make_data,
    make_optimizer,
    train,
    solver,
    activation,
    hidden,
    n_outputs,
):
    units = [4, *hidden, n_outputs]
    data = make_data(N, units)
    mlp = mlp_after_one_epoch(data.X, data.Y, solver, hidden, activation)
    theta, epochs = flat(mlp), 15
    with pytest.warns(match="hasn't converged"):
        mlp.set_params(max_iter=epochs).fit(
            data.X, data.Y if n_outputs > 1 else data.Y.ravel()
        )

    options = {"epsilon": TINY} if solver == "adam" else {}
    start = theta.copy()
    records = train(
        make_network(units, activation),
        theta,
        data,
        optimizer=make_optimizer(solver, theta, **options),
        learning_rate=RATE,
        batch_size=BATCH,
        max_iter=epochs,
        shuffle=False,
    )
    assert abs(theta - start).max() > 0.01
    np.testing.assert_allclose(theta, flat(mlp), rtol=1e-9, atol=1e-11)
    if n_outputs == 1:  # with more, scikit-learn's value is a mean over outputs
        curve = [record.loss.item() for record in records]
        np.testing.assert_allclose(curve, mlp.loss_curve_[-epochs:], rtol=1e-11)


def test_mlp_regressor_with_sample_weights(make_network, make_data, train):
    """One batch, where shares of the batch and of the table are the same."""
    units = [4, 5, 2]
    data = make_data(BATCH, units, weighted=True)
    mlp = mlp_after_one_epoch(data.X, data.Y, "sgd", (5,), "tanh")
    theta = flat(mlp)
    with pytest.warns(match="hasn't converged"):
        mlp.set_params(max_iter=10).fit(data.X, data.Y, data.weight.ravel())
    train(
        make_network(units),
        theta,
        data,
        learning_rate=RATE,
        batch_size=BATCH,
        max_iter=10,
        shuffle=False,
    )
    np.testing.assert_allclose(theta, flat(mlp), rtol=1e-11, atol=1e-13)


# PyTorch ------------------------------------------------------------------------------


@pytest.fixture
def torch():
    """PyTorch, if it is installed."""
    return pytest.importorskip("torch")


def twin(torch, units, theta, layout):
    """The same network in PyTorch, with the same weights."""
    layers = []
    for m, n in pairwise(units):
        layers += [torch.nn.Linear(m, n, dtype=torch.float64), torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers[:-1])
    for linear, W_l, b_l in zip(model[::2], *layout.views(theta), strict=True):
        linear.weight.data = torch.tensor(W_l.T.copy())
        linear.bias.data = torch.tensor(b_l[0].copy())
    return model


def from_torch(model, attribute="data"):
    """Weights or gradients of the twin in the order of theta."""
    parts = [getattr(linear.weight, attribute).numpy().T for linear in model[::2]]
    parts += [getattr(linear.bias, attribute).numpy() for linear in model[::2]]
    return np.concatenate([part.ravel() for part in parts])


def torch_loss(torch, model, data, rows):
    e = model(torch.tensor(data.X[rows])) - torch.tensor(data.Y[rows])
    return (e**2).sum() / (2 * len(e))


def test_pytorch_has_the_same_gradient(torch, make_network, make_theta, make_data):
    units = [4, 6, 5, 3]
    network, data = make_network(units), make_data(N, units)
    theta = make_theta(network)
    model = twin(torch, units, theta, network.layout)
    loss = torch_loss(torch, model, data, data.rows)
    loss.backward()
    grad = np.empty_like(theta)
    J = network.gradient(theta, grad, data.X, data.Y)
    assert J.sum() == pytest.approx(loss.item(), rel=1e-13)
    np.testing.assert_allclose(grad, from_torch(model, "grad"), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("rule", "mine", "weight_decay"),
    [
        (("SGD", {}), (SGD, {}), 0.0),
        (("SGD", {"momentum": 0.9}), (SGD, {"momentum": 0.9}), 0.0),
        (
            ("SGD", {"momentum": 0.9, "nesterov": True}),
            (SGD, {"momentum": 0.9, "nesterov": True}),
            0.0,
        ),
        (("Adam", {}), (Adam, {}), 0.0),
        (("Adam", {"betas": (0.8, 0.95)}), (Adam, {"beta_1": 0.8, "beta_2": 0.95}), 0),
        (("AdamW", {}), (Adam, {}), 0.5),
    ],
    ids=["sgd", "momentum", "nesterov", "adam", "adam betas", "adamw"],
)
def test_pytorch_takes_the_same_fifty_steps(
    torch, make_network, make_theta, make_data, train, rule, mine, weight_decay
):
    units = [4, 6, 5, 2]
    network, data = make_network(units), make_data(40, units)
    theta = make_theta(network)
    model = twin(torch, units, theta, network.layout)
    groups = [
        {"params": [linear.weight for linear in model[::2]]},
        {"params": [linear.bias for linear in model[::2]]},
    ]
    if weight_decay:
        groups[0]["weight_decay"], groups[1]["weight_decay"] = weight_decay, 0.0
    optimizer = getattr(torch.optim, rule[0])(groups, lr=RATE, **rule[1])
    for _ in range(10):
        for start in range(0, 40, 9):  # five steps, the last one with 4 rows
            optimizer.zero_grad()
            torch_loss(torch, model, data, slice(start, start + 9)).backward()
            optimizer.step()

    start = theta.copy()
    train(
        network,
        theta,
        data,
        optimizer=mine[0](theta, **mine[1]),
        learning_rate=RATE,
        weight_decay=weight_decay,
        batch_size=9,
        max_iter=10,
        shuffle=False,
    )
    assert abs(theta - start).max() > 0.05
    np.testing.assert_allclose(theta, from_torch(model), rtol=1e-12, atol=1e-12)
