"""Solvers: what each says of itself is what it is and does."""

import numpy as np
import pytest

from skffnn.core import solvers
from skffnn.core.optimizers import OPTIMIZERS, USES, Optimizer
from skffnn.core.solvers import SOLVERS, solver_of

every_solver = pytest.mark.parametrize("name", [*SOLVERS])
every_optimizer = pytest.mark.parametrize("name", [*OPTIMIZERS])


def test_the_optimizers_are_solvers_and_so_is_lbfgs():
    assert {*SOLVERS} == {*OPTIMIZERS, "lbfgs"}


def test_a_new_optimizer_is_a_solver_at_once(monkeypatch):
    monkeypatch.setitem(OPTIMIZERS, "new", Optimizer)
    assert solver_of("new") is Optimizer


def test_an_unknown_name_is_told_the_right_ones():
    with pytest.raises(ValueError, match=r"no solver 'newton'.*one of adam, sgd, "):
        solver_of("newton")


@every_solver
def test_the_words_that_a_solver_uses_are_those_that_are_asked_for(name):
    kind = SOLVERS[name]
    assert kind.uses <= {*USES}
    assert kind.reasons.keys() <= {*USES} - kind.uses
    assert all(word in solvers.__doc__ for word in USES)


@every_optimizer
@pytest.mark.parametrize("shape", [(5,), (3, 5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_state_is_what_the_optimizer_says(name, shape, dtype):
    optimizer = OPTIMIZERS[name](np.zeros(shape, dtype))
    optimizer.step(np.zeros(shape, dtype), np.ones(shape, dtype), 0.1)
    assert {*optimizer.state} == {*optimizer.arrays, *optimizer.counts}
    for array in optimizer.arrays:
        assert optimizer.state[array].shape == shape
        assert optimizer.state[array].dtype == dtype
    assert all(isinstance(optimizer.state[count], int) for count in optimizer.counts)


@every_optimizer
def test_its_values_make_the_same_optimizer_again(name):
    kind = OPTIMIZERS[name]
    one = kind(np.zeros(4))
    assert {*one.values} == {*kind.hyperparameters}
    again = kind(np.zeros(4), state=None, **one.values)
    assert again.values == one.values


@every_solver
def test_every_default_is_a_value_that_works(name):
    if name in OPTIMIZERS:
        for argument, value in OPTIMIZERS[name](np.zeros(2)).values.items():
            assert SOLVERS[name].hyperparameters[argument].valid(value)


@every_optimizer
def test_what_may_differ_in_a_stack_does(name):
    """The others are those of the first network, so they have to agree."""
    kind = OPTIMIZERS[name]
    singles = [kind(np.zeros(3)) for _ in range(2)]
    for k, single in enumerate(singles):
        single.values.update(dict.fromkeys(kind.differ, 0.1 + 0.2 * k))
    stacked = kind.stack(np.zeros((2, 3)), singles)
    for argument in kind.hyperparameters:
        shape = (2, 1) if argument in kind.differ else ()
        assert np.shape(stacked.values[argument]) == shape


@every_optimizer
def test_a_step_in_place_takes_no_more_arrays_than_it_says(name):
    """Theta-sized arrays that it holds: what it remembers, and its scratch."""
    theta = np.zeros(1000)
    optimizer = OPTIMIZERS[name](theta)
    held = [*vars(optimizer).values(), *optimizer.state.values()]
    large = [a for a in held if isinstance(a, np.ndarray) and a.size == theta.size]
    assert len(large) <= len(optimizer.arrays) + optimizer.scratch
