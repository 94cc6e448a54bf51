"""The house is in order: tests beside modules, no long modules, nothing forgotten."""

import inspect
import re
from pathlib import Path
from types import FunctionType

import pytest

import skffnn
from skffnn import FFNNRegressor
from skffnn.core.losses import LOSSES
from skffnn.core.schedules import SCHEDULES
from skffnn.core.solvers import SOLVERS
from skffnn.fitting.run import Fit
from skffnn.preprocessing.parameters import RULES, activation_names

PACKAGE, TESTS = Path(skffnn.__file__).parent, Path(__file__).parent
MODULES = [
    path.relative_to(PACKAGE)
    for path in sorted(PACKAGE.rglob("*.py"))
    if not path.name.startswith("__")
]
LONGEST, MOST_METHODS = 450, 20

every_module = pytest.mark.parametrize("module", MODULES, ids=str)


@every_module
def test_a_module_has_tests_of_its_name(module):
    tests = TESTS / module.parent / f"test_{module.name}"
    assert tests.is_file()
    assert "def test_" in tests.read_text(encoding="utf-8")


@every_module
def test_a_module_is_no_longer_than_can_be_read(module):
    lines = (PACKAGE / module).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= LONGEST


@every_module
def test_nothing_is_computed_under_a_lock_of_its_class(module):
    """As `cached_property` does on Python 3.11: a fork would inherit it locked."""
    assert "cached_property" not in (PACKAGE / module).read_text(encoding="utf-8")


def test_a_fit_has_no_more_methods_than_can_be_kept_in_mind():
    kinds = FunctionType, property
    methods = [name for name, value in vars(Fit).items() if isinstance(value, kinds)]
    assert "take" in methods
    assert len(methods) <= MOST_METHODS


# The documented choices are those that there are -------------------------------------


def documented(parameter):
    """What the docstring of FFNNRegressor says of a parameter."""
    lines = inspect.getdoc(FFNNRegressor).split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{parameter} :"))
    text = [lines[start]]
    for line in lines[start + 1 :]:
        if line and not line.startswith(" "):
            break
        text.append(line)
    return "\n".join(text)


@pytest.mark.parametrize(
    ("parameter", "choices"),
    [
        ("activation", activation_names()),
        ("loss", LOSSES),
        ("solver", SOLVERS),
        ("learning_rate_schedule", SCHEDULES),
    ],
)
def test_every_choice_is_documented_and_no_other(parameter, choices):
    quoted = set(re.findall(r'"(\w+)"', documented(parameter)))
    assert quoted == set(choices)


def test_every_rule_is_of_a_parameter_and_every_parameter_has_one():
    parameters = set(FFNNRegressor._get_param_names())
    ruled = {rule.name for rule in RULES}
    for registry in (LOSSES, SOLVERS, SCHEDULES):
        for entry in registry.values():
            ruled |= {rule.name for rule in entry.hyperparameters.values()}
    assert ruled <= parameters
    # These have checks of their own: what they may be depends on others.
    checked = {
        *("hidden_layer_sizes", "activation", "output_activation", "loss", "solver"),
        *("learning_rate_schedule", "random_state"),
    }
    assert parameters - ruled == checked
