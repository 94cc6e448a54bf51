"""Backpropagation against central differences of the loss that is minimised.

The differences are taken of a second, plain implementation of network and loss. The
check itself is checked: planted errors must make it fail, and name the layer.
"""

from itertools import chain, count, cycle, pairwise, product

import numpy as np
import pytest
from scipy.special import erf

from skffnn.core import activations
from skffnn.core.activations import ACTIVATIONS, Activation
from skffnn.core.backprop import backward, forward, jacobian
from skffnn.core.losses import LOSSES, Loss, over_rows

FORMULAS = {
    "identity": lambda z: z,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": lambda z: 1 - 2 / (np.exp(2 * z) + 1),
    "relu": lambda z: np.where(z > 0, z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(z) - 1),
    "selu": lambda z: (
        1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * (np.exp(z) - 1))
    ),
    "silu": lambda z: z / (1 + np.exp(-z)),
    "gelu": lambda z: z * (1 + erf(z / np.sqrt(2))) / 2,
    "mish": lambda z: z * np.tanh(np.log1p(np.exp(z))),
    "exp": np.exp,
}

# The value for every output, from predictions, targets and shares.
VALUES = {
    "squared_error": lambda f, y, p: (p * (f - y) ** 2).sum(axis=-2) / 2,
    "root_mean_squared_error": lambda f, y, p: np.sqrt((p * (f - y) ** 2).sum(axis=-2)),
    "absolute_error": lambda f, y, p: (p * abs(f - y)).sum(axis=-2),
    "huber": lambda f, y, p: (
        p * np.where(abs(f - y) <= 0.7, (f - y) ** 2 / 2, 0.7 * (abs(f - y) - 0.7 / 2))
    ).sum(axis=-2),
    "quantile": lambda f, y, p: (p * np.where(y > f, 0.3 * (y - f), 0.7 * (f - y))).sum(
        axis=-2
    ),
    "poisson": lambda f, y, p: (
        p * (y * np.log(np.where(y > 0, y, 1) / f) - y + f)
    ).sum(axis=-2),
}

KINKED = {
    "relu": lambda z: abs(z),
    "leaky_relu": lambda z: abs(z),
    "elu": lambda z: abs(z),
    "selu": lambda z: abs(z),
    "absolute_error": lambda e: abs(e),
    "quantile": lambda e: abs(e),
    "huber": lambda e: abs(abs(e) - 0.7),
}


def split(theta, units):
    """W and b cut out of flat parameters with any leading axes."""
    shapes = [*pairwise(units), *((1, n) for n in units[1:])]
    sizes = [m * n for m, n in shapes]
    parts = np.split(theta, np.cumsum(sizes)[:-1], axis=-1)
    blocks = [
        part.reshape(*theta.shape[:-1], *shape)
        for part, shape in zip(parts, shapes, strict=True)
    ]
    return blocks[: len(units) - 1], blocks[len(units) - 1 :]


class Problem:
    """A loss as a plain function of theta, at a point where it is smooth."""

    def __init__(self, network, loss, weighted, dropout, rng, n=5):
        units = network.layout.units
        self.units, self.names, self.loss = units, network.names, loss
        self.theta = rng.normal(scale=0.7, size=network.layout.size)
        self.X = rng.normal(size=(n, units[0]))
        self.Y = rng.normal(size=(n, units[-1]))
        if loss == "poisson":
            self.Y = rng.poisson(1.5, self.Y.shape).astype(float)
        weight = rng.uniform(0.2, 2, (n, 1)) if weighted else np.ones((n, 1))
        self.share = weight / weight.sum()
        self.mask = [1.0] * (len(units) - 1)
        if dropout:
            self.mask = [rng.choice([0.0, 2.0], (n, m)) for m in units[1:-1]] + [1.0]

    def run(self, theta):
        """The predictions, and how far the nearest kink is."""
        a, margin = self.X, np.inf
        layers = zip(*split(theta, self.units), self.names, self.mask, strict=True)
        for W, b, name, mask in layers:
            z = a @ W + b
            if name in KINKED:
                margin = min(margin, KINKED[name](z).min())
            a = FORMULAS[name](z) * mask
        if self.loss in KINKED:
            margin = min(margin, KINKED[self.loss](a - self.Y).min())
        return a, margin

    def value(self, theta):
        """J, summed over outputs."""
        y_hat, _ = self.run(theta)
        return VALUES[self.loss](y_hat, self.Y, self.share).sum(axis=-1)

    def gradient(self, h=2e-4):
        """Central differences of fourth order, all parameters at once."""
        steps = h * np.eye(self.theta.size)
        near = self.value(self.theta + steps) - self.value(self.theta - steps)
        far = self.value(self.theta + 2 * steps) - self.value(self.theta - 2 * steps)
        return (8 * near - far) / (12 * h)

    def is_fair(self):
        """Whether the differences make sense here and every weight has a say."""
        dW, _ = split(self.gradient(), self.units)
        alive = all(abs(dW_l).max() > 1e-4 for dW_l in dW)
        return self.run(self.theta)[1] > 0.01 and alive


def fair_problem(network, loss, weighted=False, dropout=False, seed=0):
    for attempt in count():
        rng = np.random.default_rng([seed, attempt])
        problem = Problem(network, loss, weighted, dropout, rng)
        if problem.is_fair():
            return problem


def compute(network, theta, X, Y, share, mask=None):
    """J and its gradient, by the code under test."""
    n = X.shape[-2]
    options = {"weighted": share is not None, "dropout": mask is not None}
    batch = network.workspace(theta, n, **options).head(n)
    batch.x[...], batch.y[...] = X, Y
    if share is not None:
        batch.share[...] = share
    if mask is not None:
        for mine, given in zip(batch.mask[1:-1], mask, strict=True):
            mine[...] = given
    grad = np.full_like(theta, np.nan)
    parameters, gradient = network.layout.views(theta), network.layout.views(grad)
    y_hat = forward(parameters, network.activations, batch)
    J = network.loss(y_hat, batch.y, batch.share, batch.delta[-1])
    backward(parameters, gradient, network.activations, batch)
    return J.sum(axis=-1), grad


def check(network, problems, weighted=False, dropout=False):
    """Raise an AssertionError that names the value or the blocks that are wrong.

    One problem is put to a single network, several to a stack.
    """
    joined = [
        np.stack([getattr(p, name) for p in problems])
        for name in ("theta", "X", "Y", "share")
    ]
    mask = None
    if dropout:
        hidden = range(len(network.layout.units) - 2)
        mask = [np.stack([p.mask[l] for p in problems]) for l in hidden]
    if len(problems) == 1:
        joined = [array[0] for array in joined]
        mask = mask and [m[0] for m in mask]
    theta, X, Y, share = joined
    J, grad = compute(network, theta, X, Y, share if weighted else None, mask)
    J, grad = np.atleast_1d(J), np.atleast_2d(grad)
    for k, problem in enumerate(problems):
        wrong = wrong_blocks(grad[k], problem.gradient(), network.layout.units)
        if not np.isclose(J[k], problem.value(problem.theta), rtol=1e-12, atol=1e-14):
            wrong.insert(0, "J")
        assert not wrong, f"network {k}: wrong {', '.join(wrong)}"


def wrong_blocks(grad, expected, units):
    """The names of the parts of a gradient that are not as expected."""
    rounding = 1e-9 * abs(expected).max()
    names = [f"{kind}[{l}]" for kind in ("dW", "db") for l in range(len(units) - 1)]
    pairs = zip(chain(*split(grad, units)), chain(*split(expected, units)), strict=True)
    return [
        name
        for name, (mine, theirs) in zip(names, pairs, strict=True)
        if not np.allclose(mine, theirs, rtol=1e-8, atol=rounding)
    ]


# exp is made for the output; layers of it explode.
HIDDEN_ACTIVATIONS = [name for name in ACTIVATIONS if name != "exp"]


# Combinations -------------------------------------------------------------------------

ARCHITECTURES = [("none", ()), *product(HIDDEN_ACTIVATIONS, [(3,), (3, 2), (3, 2, 3)])]
# Outputs, weights, networks.
SIZES = [*product([1, 3], [False, True], [1, 2])]


def chosen():
    """Every loss with every architecture, the sizes in turn.

    With seven sizes to a round, every size meets every loss and every activation.
    """
    pairs = product(LOSSES, ARCHITECTURES)
    return [(*pair, *size) for pair, size in zip(pairs, cycle(SIZES[1:]), strict=False)]


def check_case(make_network, case):
    """Raise an AssertionError if value or gradient of that combination are wrong."""
    loss, (activation, hidden), n_outputs, weighted, n_networks = case
    output = LOSSES[loss].output or "identity"
    network = make_network([2, *hidden, n_outputs], activation, output, loss)
    problems = [
        fair_problem(network, loss, weighted, seed=k) for k in range(n_networks)
    ]
    check(network, problems, weighted)


@pytest.mark.parametrize("case", chosen(), ids=str)
def test_value_and_gradient(make_network, case):
    check_case(make_network, case)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
@pytest.mark.parametrize("loss", [*LOSSES])
def test_value_and_gradient_of_every_combination(
    make_network, loss, architecture, size
):
    check_case(make_network, (loss, architecture, *size))


@pytest.mark.parametrize("n_networks", [1, 2])
@pytest.mark.parametrize("output", [*ACTIVATIONS])
def test_output_activation(make_network, output, n_networks):
    network = make_network([2, 3, 2], "tanh", output)
    problems = [fair_problem(network, "squared_error", seed=k) for k in (0, 1)]
    check(network, problems[:n_networks])


@pytest.mark.parametrize("n_networks", [1, 2])
@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(6,), (6, 5), (6, 5, 4)])
def test_fixed_dropout_masks(make_network, hidden, activation, n_networks):
    network = make_network([2, *hidden, 2], activation)
    problems = [
        fair_problem(network, "squared_error", dropout=True, seed=k)
        for k in range(n_networks)
    ]
    check(network, problems, dropout=True)


@pytest.mark.parametrize("loss", [*LOSSES])
def test_float32_gradient_is_the_float64_one_rounded(make_network, loss):
    output = LOSSES[loss].output or "identity"
    network = make_network([2, 4, 3, 2], "tanh", output, loss)
    problem = fair_problem(network, loss, weighted=True)
    arrays = problem.theta, problem.X, problem.Y, problem.share
    J, grad = compute(network, *arrays)
    J32, grad32 = compute(network, *[array.astype(np.float32) for array in arrays])
    assert J32.dtype == grad32.dtype == np.float32
    np.testing.assert_allclose(J32, J, rtol=1e-5)
    np.testing.assert_allclose(grad32, grad, rtol=1e-4, atol=1e-5)


def test_network_gradient_is_the_same_computation(make_network):
    network = make_network([2, 3, 2])
    problem = fair_problem(network, "squared_error", weighted=True)
    theta, X, Y, share = problem.theta, problem.X, problem.Y, problem.share
    for given in (share, None):
        grad = np.empty_like(theta)
        J = network.gradient(theta, grad, X, Y, given)
        expected = compute(network, theta, X, Y, given)
        assert J.sum() == expected[0]
        np.testing.assert_array_equal(grad, expected[1])


# Row by row ---------------------------------------------------------------------------


def check_rows(network, problems):
    """The same for the gradient of v y_hat' of each row, with v at random."""
    X = np.stack([problem.X for problem in problems])
    theta = np.stack([problem.theta for problem in problems])
    v = np.random.default_rng(1).normal(size=(*X.shape[:2], network.layout.units[-1]))
    if len(problems) == 1:
        X, theta = X[0], theta[0]
    batch = network.workspace(theta, X.shape[-2]).head(X.shape[-2])
    batch.x[...] = X
    parameters = network.layout.views(theta)
    forward(parameters, network.activations, batch)
    batch.delta[-1][...] = v.reshape(batch.delta[-1].shape)
    J = np.full((*X.shape[:-1], network.layout.size), np.nan)
    jacobian(parameters, network.layout.views(J), network.activations, batch)
    for k, problem in enumerate(problems):
        rows = J.reshape(len(problems), *J.shape[-2:])[k]
        for i, expected in enumerate(row_gradients(problem, v[k])):
            wrong = wrong_blocks(rows[i], expected, problem.units)
            assert not wrong, f"network {k}, row {i}: wrong {', '.join(wrong)}"


def row_gradients(problem, v, h=2e-4):
    """Central differences of v y_hat' of each row, (n, P)."""
    steps = h * np.eye(problem.theta.size)

    def at(distance):
        y_hat, _ = problem.run(problem.theta + distance * steps)  # (P, n, n_outputs)
        return (y_hat * v).sum(axis=-1).T

    return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h)


@pytest.mark.parametrize("n_networks", [1, 2])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize(("activation", "hidden"), ARCHITECTURES)
def test_gradient_of_each_row(make_network, activation, hidden, n_outputs, n_networks):
    network = make_network([2, *hidden, n_outputs], activation)
    check_rows(network, [fair_problem(network, "squared_error", seed=k)
                         for k in range(n_networks)])  # fmt: skip


@pytest.mark.parametrize("output", [*ACTIVATIONS])
def test_gradient_of_each_row_through_the_output(make_network, output):
    network = make_network([2, 3, 2], "tanh", output)
    check_rows(network, [fair_problem(network, "squared_error")])


# The check can fail -------------------------------------------------------------------


def logistic_prime_of_z(a, z, delta, work):
    """The classic mistake: f' at a where f' at z is due, s(a) (1 - s(a))."""
    a = activations.logistic(a, work)
    return activations.logistic_prime(a, z, delta, work)


@pytest.mark.parametrize("n_networks", [1, 2])
@pytest.mark.parametrize(
    ("layer", "wrong"),
    [
        (0, "dW[0], db[0]"),
        (1, "dW[0], dW[1], db[0], db[1]"),
        (2, "dW[0], dW[1], dW[2], db[0], db[1], db[2]"),
    ],
)
def test_wrong_derivative_is_caught_and_named(make_network, layer, wrong, n_networks):
    network = make_network([2, 3, 3, 1], "logistic", "logistic")
    problems = [fair_problem(network, "squared_error", seed=k) for k in (0, 1)]
    check(network, problems[:n_networks])
    network.activations[layer] = Activation(activations.logistic, logistic_prime_of_z)
    with pytest.raises(AssertionError) as error:
        check(network, problems[:n_networks])
    assert str(error.value).splitlines()[0] == f"network 0: wrong {wrong}"


@pytest.mark.parametrize("name", [*ACTIVATIONS])
def test_forgotten_derivative_is_caught(make_network, name):
    network = make_network([2, 3, 1], name)
    problem = fair_problem(network, "squared_error")
    forgetful = network.activations[0]._replace(f_prime=activations.identity_prime)
    network.activations[0] = forgetful
    if name == "identity":
        check(network, [problem])
    else:
        with pytest.raises(AssertionError, match=r"wrong dW\[0\], db\[0\]"):
            check(network, [problem])
        with pytest.raises(AssertionError, match=r"row 0: wrong dW\[0\], db\[0\]"):
            check_rows(network, [problem])


@pytest.mark.parametrize("name", [n for n, f in ACTIVATIONS.items() if f.needs_z])
def test_a_derivative_that_is_not_given_z_is_caught(make_network, name):
    network = make_network([2, 3, 1], name)
    problem = fair_problem(network, "squared_error")
    network.activations[0] = ACTIVATIONS[name]._replace(needs_z=False)
    with pytest.raises(AssertionError, match=r"wrong dW\[0\], db\[0\]"):
        check(network, [problem])


def forgets_weights_in_gradient(y_hat, y, share, dJ):
    e = np.subtract(y_hat, y, out=y)
    dJ[...] = e / len(e)
    return over_rows(e * share, e) / 2


def forgets_weights_in_value(y_hat, y, share, dJ):
    e = np.subtract(y_hat, y, out=y)
    np.multiply(e, share, out=dJ)
    return over_rows(e / len(e), e) / 2


def mean_over_outputs_in_value(y_hat, y, share, dJ):
    e = np.subtract(y_hat, y, out=y)
    np.multiply(e, share, out=dJ)
    return over_rows(dJ, e) / 2 / e.shape[-1]


def mean_over_outputs_in_gradient(y_hat, y, share, dJ):
    J = LOSSES["squared_error"].function(y_hat, y, share, dJ)
    dJ /= dJ.shape[-1]
    return J


@pytest.mark.parametrize(
    ("planted", "seen_with", "wrong"),
    [
        (forgets_weights_in_gradient, {"weighted": True}, r"wrong dW\[0\], dW\[1\]"),
        (forgets_weights_in_value, {"weighted": True}, r"wrong J\b"),
        (mean_over_outputs_in_value, {"n_outputs": 3}, r"wrong J\b"),
        (mean_over_outputs_in_gradient, {"n_outputs": 3}, r"wrong dW\[0\], dW\[1\]"),
    ],
)
def test_wrong_loss_is_caught(make_network, planted, seen_with, wrong):
    def check_planted(n_outputs=1, weighted=False):
        network = make_network([2, 3, n_outputs])
        problem = fair_problem(network, "squared_error", weighted)
        network.loss = Loss(planted, degree=2)
        check(network, [problem], weighted)

    check_planted()  # without weights, with one output, the error does not show
    with pytest.raises(AssertionError, match=wrong):
        check_planted(**seen_with)


def test_wrong_quantile_is_caught(make_network):
    network = make_network([2, 3, 1], loss="quantile")
    problem = fair_problem(network, "quantile")
    network.loss = LOSSES["quantile"].filled_in(q=0.7)
    with pytest.raises(AssertionError, match=r"wrong J, dW\[0\]"):
        check(network, [problem])


def test_forgotten_mask_in_backward_is_caught(make_network, monkeypatch):
    honest = backward

    def forgetful(parameters, gradient, activations, batch):
        batch.mask = None
        honest(parameters, gradient, activations, batch)

    network = make_network([2, 6, 5, 1])
    problem = fair_problem(network, "squared_error", dropout=True)
    monkeypatch.setitem(globals(), "backward", forgetful)
    with pytest.raises(AssertionError, match=r"wrong dW\[0\], dW\[1\], db\[0\]"):
        check(network, [problem], dropout=True)


def test_derivative_of_the_masked_activation_is_caught(make_network):
    def from_masked(a, z, delta, work):
        return activations.tanh_prime(a * (a > 0), z, delta, work)

    network = make_network([2, 6, 1])
    problem = fair_problem(network, "squared_error", dropout=True)
    network.activations[0] = Activation(activations.tanh, from_masked)
    with pytest.raises(AssertionError, match=r"wrong dW\[0\], db\[0\]"):
        check(network, [problem], dropout=True)


# The chosen combinations catch what all of them catch ---------------------------------

PLANTED = {}


def wrong_derivative(name, change):
    """Plant an error into the derivative of an activation, through its delta."""
    honest = ACTIVATIONS[name].f_prime

    def f_prime(a, z, delta, work):
        kept = delta.copy(), a.copy(), z.copy()
        honest(a, z, delta, work)
        delta[...] = change(delta, *kept)
        return delta

    def plant(monkeypatch):
        wrong = ACTIVATIONS[name]._replace(f_prime=f_prime)
        monkeypatch.setitem(ACTIVATIONS, name, wrong)

    return plant


for _name in HIDDEN_ACTIVATIONS:
    PLANTED[f"{_name}: 1 % too steep"] = wrong_derivative(
        _name, lambda new, old, a, z: 1.01 * new
    )
    PLANTED[f"{_name}: f' left out where the output is small"] = wrong_derivative(
        _name, lambda new, old, a, z: np.where(a < 0.5, old + 1e-3, new)
    )


def wrong_loss(name, change_value=None, change_gradient=None):
    """Plant an error into the value or the gradient of a loss."""
    honest = LOSSES[name].function

    def function(y_hat, y, share, dJ, **values):
        kept = y_hat - y
        J = honest(y_hat, y, share, dJ, **values)
        if change_gradient is not None:
            dJ[...] = change_gradient(dJ, kept, share)
        return J if change_value is None else change_value(J, kept, share)

    def plant(monkeypatch):
        planted = Loss(**{**vars(LOSSES[name]), "function": function})
        monkeypatch.setitem(LOSSES, name, planted)

    return plant


for _name in LOSSES:
    for _what, _error in {
        "value 1 % too large": {"change_value": lambda J, e, p: 1.01 * J},
        "gradient 1 % too large": {"change_gradient": lambda dJ, e, p: 1.01 * dJ},
        "gradient without weights": {
            "change_gradient": lambda dJ, e, p: dJ / p / e.shape[-2]
        },
        "gradient of the mean over outputs": {
            "change_gradient": lambda dJ, e, p: dJ / e.shape[-1]
        },
        "gradient of one network for all": {
            "change_gradient": lambda dJ, e, p: dJ[:1] if dJ.ndim == 3 else dJ
        },
        "sign wrong where y_hat is too small": {
            "change_gradient": lambda dJ, e, p: np.where(e < 0, -dJ, dJ)
        },
    }.items():
        PLANTED[f"{_name}: {_what}"] = wrong_loss(_name, **_error)


def wrong_backward(change):
    """Plant an error into what `backward` leaves behind."""
    honest = backward

    def backward_with_an_error(parameters, gradient, activations, batch):
        honest(parameters, gradient, activations, batch)
        change(gradient, batch)

    def plant(monkeypatch):
        monkeypatch.setitem(globals(), "backward", backward_with_an_error)

    return plant


def scale(array, factor):
    array *= factor


for _what, _change in {
    "db is a mean over rows": lambda g, batch: scale(g.b[-1], 1 / len(batch.ones[0])),
    "first db 0.1 % off": lambda g, batch: scale(g.b[0], 1.001),
    "last dW 0.1 % off": lambda g, batch: scale(g.W[-1], 1.001),
    "a middle layer's dW 0.1 % off": lambda g, batch: [
        scale(dW, 1.001) for dW in g.W[1:-1]
    ],
    "the last input's weights forgotten": lambda g, batch: scale(g.W[0][..., -1, :], 0),
    "the second output's bias forgotten": lambda g, batch: scale(g.b[-1][..., 1:], 0),
    "the second network's gradient off": lambda g, batch: scale(
        g.W[0][1:] if g.W[0].ndim == 3 else g.W[0][:0], 1.001
    ),
}.items():
    PLANTED[f"backward: {_what}"] = wrong_backward(_change)


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_error_is_caught_by_the_chosen_combinations(
    make_network, monkeypatch, what
):
    PLANTED[what](monkeypatch)

    def passes(case):
        try:
            check_case(make_network, case)
        except AssertionError:
            return False
        return True

    name, _, _ = what.partition(":")
    first_of_that_name = sorted(chosen(), key=lambda case: name not in case)
    assert not all(map(passes, first_of_that_name))
