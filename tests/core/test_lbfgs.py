"""L-BFGS: known minima, one record an iteration, and who may stop it."""

import numpy as np
import pytest

from skffnn.core.data import Data
from skffnn.core.lbfgs import lbfgs
from skffnn.core.stopping import Patience
from skffnn.core.training import evaluate


@pytest.fixture
def minimise():
    """Run L-BFGS to the end, unless told otherwise; return the records."""

    def run(network, theta, data, stop=lambda record: False, **options):
        records = []

        def consume(record):
            records.append(record)
            return stop(record)

        options = {
            "max_iter": 500,
            "tol": 1e-15,
            "weight_decay": 0.0,
            "validation": None,
            **options,
        }
        converged = lbfgs(network, theta, data, consume, **options)
        return converged, records

    return run


def ridge(data, alpha):
    """The minimum of 1/(2 sum w) sum w |X W + b - Y|^2 + alpha/2 |W|^2."""
    n, m = data.X[data.rows].shape
    weight = np.ones((n, 1)) if data.weight is None else data.weight[data.rows]
    X = np.hstack([data.X[data.rows], np.ones((n, 1))])
    penalty = alpha * weight.sum() * np.diag([1.0] * m + [0.0])
    return np.linalg.solve(
        X.T @ (weight * X) + penalty, X.T @ (weight * data.Y[data.rows])
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_without_hidden_layers_it_is_least_squares_or_ridge(
    make_network, make_theta, make_data, minimise, weighted, weight_decay, n_outputs
):
    units = [4, n_outputs]
    network, data = make_network(units), make_data(40, units, weighted=weighted)
    theta = make_theta(network)
    converged, _ = minimise(network, theta, data, weight_decay=weight_decay)
    assert converged
    W, b = network.layout.views(theta)
    expected = ridge(data, weight_decay)
    np.testing.assert_allclose(np.vstack([W[0], b[0]]), expected, atol=1e-6)


def test_only_the_rows_of_the_data_count(make_network, make_theta, make_data, minimise):
    network, data = make_network([3, 1]), make_data(40, [3, 1])
    data = Data(data.X, data.Y, rows=np.arange(5, 25))
    theta = make_theta(network)
    minimise(network, theta, data)
    np.testing.assert_allclose(theta, ridge(data, 0).ravel(), atol=1e-6)


def test_a_hidden_layer_ends_where_the_gradient_is_zero(
    make_network, make_theta, make_data, minimise
):
    units, decay = [3, 4, 2], 0.1
    network, data = make_network(units), make_data(40, units)
    theta = make_theta(network)
    minimise(network, theta, data, weight_decay=decay)
    grad, n = np.empty_like(theta), network.layout.n_weights
    network.gradient(theta, grad, data.X, data.Y)
    grad[:n] += decay * theta[:n]
    assert abs(theta).max() > 0.1
    np.testing.assert_allclose(grad, 0, atol=1e-6)


def test_one_record_an_iteration_with_the_loss_without_the_penalty(
    make_network, make_theta, make_data, minimise
):
    units = [3, 4, 1]
    network, data = make_network(units), make_data(40, units)
    theta, seen = make_theta(network), []

    def stop(record):
        seen.append(evaluate(network, theta, data))

    _, records = minimise(network, theta, data, stop, weight_decay=0.05)
    assert [record.epoch for record in records] == list(range(1, len(records) + 1))
    assert len(records) > 5
    assert np.isnan(records[0].learning_rate)
    for record, (loss, mse) in zip(records, seen, strict=True):
        np.testing.assert_array_equal(record.loss, loss)
        np.testing.assert_array_equal(record.metric, mse)
        assert record.validation_loss is None


def test_the_objective_falls_at_every_iteration(
    make_network, make_theta, make_data, minimise
):
    units = [3, 4, 1]
    network, data = make_network(units), make_data(40, units)
    _, records = minimise(network, make_theta(network), data, tol=1e-6)
    curve = [record.loss.item() for record in records]
    assert (np.diff(curve) < 0).all()


def test_validation_rows_are_recorded_and_change_nothing(
    make_network, make_theta, make_data, minimise
):
    units = [3, 4, 1]
    network, data = make_network(units), make_data(40, units)
    validation, results = Data(data.X, data.Y, rows=np.arange(9)), []
    for given in (None, validation):
        theta = make_theta(network)
        _, records = minimise(network, theta, data, validation=given, max_iter=20)
        results.append(theta)
    np.testing.assert_array_equal(*results)
    loss, mse = evaluate(network, theta, validation)
    np.testing.assert_array_equal(records[-1].validation_loss, loss)
    np.testing.assert_array_equal(records[-1].validation_metric, mse)


@pytest.mark.parametrize("last", [1, 4])
def test_it_stops_when_the_consumer_says_so(
    make_network, make_theta, make_data, minimise, last
):
    units = [3, 4, 1]
    network, data = make_network(units), make_data(40, units)
    theta, at_stop = make_theta(network), []

    def stop(record):
        at_stop[:] = theta
        return record.epoch == last

    converged, records = minimise(network, theta, data, stop)
    assert len(records) == last
    assert converged  # it was not max_iter that ended the run
    np.testing.assert_array_equal(theta, at_stop)


def test_patience_can_be_the_consumer(make_network, make_theta, make_data, minimise):
    units = [3, 4, 1]
    network, data = make_network(units), make_data(40, units)
    patience = Patience(1, 0.2)
    _, records = minimise(
        network, make_theta(network), data, lambda r: patience(r.loss.sum())
    )
    assert 1 < len(records) < 100


def test_max_iter_ends_the_run_and_is_reported(
    make_network, make_theta, make_data, minimise
):
    units = [3, 4, 1]
    network, data = make_network(units), make_data(40, units)
    converged, records = minimise(network, make_theta(network), data, max_iter=7)
    assert not converged
    assert len(records) == 7


def test_a_start_at_the_minimum_is_recorded_all_the_same(
    make_network, make_data, minimise
):
    network, data = make_network([2, 1]), make_data(10, [2, 1])
    data.Y[...] = 0
    for answer in (False, True):
        theta = np.zeros(network.layout.size)
        _, [record] = minimise(network, theta, data, lambda _, answer=answer: answer)
        assert record.loss == 0
        assert not theta.any()


def test_theta_stays_float32_and_in_its_place(
    make_network, make_theta, make_data, minimise
):
    units = [4, 2]
    network, data = make_network(units), make_data(40, units, np.float32)
    theta = make_theta(network, 0, np.float32)
    view = theta[...]
    _, records = minimise(network, theta, data, tol=1e-9)
    assert theta.dtype == np.float32
    W, b = network.layout.views(view)
    np.testing.assert_allclose(np.vstack([W[0], b[0]]), ridge(data, 0), atol=1e-3)
    assert records[-1].loss.dtype == np.float64


def test_targets_to_compute_with_leave_the_records_what_they_are(
    make_network, make_theta, make_data, minimise
):
    units = [3, 4, 1]
    network, data = make_network(units), make_data(40, units)
    within = Data(data.X, np.clip(data.Y, -1, 1))
    assert (within.Y != data.Y).any()
    clipped, told = make_theta(network), make_theta(network)
    minimise(network, clipped, within, max_iter=30)
    _, records = minimise(network, told, data, max_iter=30, within=within)
    np.testing.assert_array_equal(told, clipped)
    loss, mse = evaluate(network, told, data)
    np.testing.assert_array_equal(records[-1].loss, loss)
    np.testing.assert_array_equal(records[-1].metric, mse)


def test_what_can_be_learnt_tells_when_it_has_settled(
    make_network, make_theta, make_data, minimise
):
    units = [3, 4, 1]
    network, data = make_network(units), make_data(40, units)
    lasted = []
    for most in (np.inf, 1e-2, 1e-4):
        options = {"tol": 0.02, "max_iter": 300, "most": most}
        _, records = minimise(network, make_theta(network), data, **options)
        lasted.append(len(records))
    assert lasted == sorted(lasted)
    assert lasted[0] < lasted[1] < lasted[2]


def test_overflow_is_silent(make_network, make_theta, make_data, minimise):
    network, data = make_network([3, 4, 1], "relu"), make_data(20, [3, 4, 1])
    data.Y[...] *= 1e160
    with np.errstate(all="raise"):
        before = np.geterr()
        minimise(network, make_theta(network), data, max_iter=3)
        assert np.geterr() == before
