"""Every public name explains itself, with an example that the tests run."""

import inspect
import re

import pytest

import skffnn

NAMES = sorted(skffnn.__all__)
METHODS = [
    f"{name}.{method}"
    for name in NAMES
    if inspect.isclass(getattr(skffnn, name))
    for cls in getattr(skffnn, name).__mro__
    if cls.__module__.startswith("skffnn.")
    for method, function in vars(cls).items()
    if not method.startswith("_") and callable(getattr(function, "__func__", function))
]


def found(path):
    thing = skffnn
    for name in path.split("."):
        thing = getattr(thing, name)
    return thing


@pytest.mark.parametrize("name", NAMES)
def test_has_a_summary_and_an_example(name):
    doc = inspect.getdoc(found(name))
    summary, blank, *_ = doc.split("\n")
    assert summary.endswith(".")
    assert not blank
    assert "\nExamples\n--------\n" in doc
    assert ">>> " in doc


@pytest.mark.parametrize("path", [*NAMES, *METHODS])
def test_describes_every_parameter(path):
    thing = found(path)
    if path in ("GradientCheck", "Trace", "Evaluation"):
        section, names = "Attributes", vars(thing)["__dataclass_fields__"]
    else:
        section, names = "Parameters", inspect.signature(thing).parameters
    doc = inspect.getdoc(thing)
    described = re.split(r"\n\n[\w ]+\n-+\n", doc.partition(f"\n{section}\n")[2])[0]
    heads = [
        line.partition(" :")[0] for line in described.split("\n") if line[:1] > " "
    ]
    listed = {name.strip(" *") for head in heads for name in head.split(",")}
    assert set(names) - {"self"} <= listed


def test_methods_were_found():
    assert {"FFNNRegressor.fit", "LossCurveDisplay.from_estimator"} <= set(METHODS)
