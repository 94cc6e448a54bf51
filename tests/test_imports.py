"""Imports go one way: a wing reads those that it may read, and there is no circle."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import skffnn
from skffnn.fitting import callbacks

PACKAGE = Path(skffnn.__file__).parent

# Which other wings, and single modules, the modules of a wing may read.
BELOW_BASE = {"core", "saving", "extras", "preprocessing", "fitting", "export"}
SINGLE = BELOW_BASE | {"base", "categories"}
SEVERAL = SINGLE | {"regressor"}
ESTIMATORS = {"regressor", "bayesian", "ensemble", "model_selection", "checkpoint"}
PUBLIC = SINGLE | ESTIMATORS | {"inspection"}
MAY_READ = {
    "core": set(),
    "saving": set(),
    "extras": set(),
    "preprocessing": {"core", "saving"},
    "fitting": {"core", "saving", "preprocessing"},
    "export": {"core", "extras"},
    "categories": {"core", "preprocessing"},
    "base": BELOW_BASE - {"extras"} | {"categories"},
    "regressor": SINGLE,
    "bayesian": SINGLE,
    "checkpoint": SINGLE,
    "ensemble": SEVERAL,
    "model_selection": SINGLE,
    "inspection": SINGLE | ESTIMATORS,
    "onnx": SINGLE | ESTIMATORS,
    "": PUBLIC,  # skffnn/__init__.py: the public names
    "cli": PUBLIC,
    "__main__": {"cli"},
}

OPTIONAL = {
    *("matplotlib", "rich", "skrub", "pyarrow", "polars"),
    *("torch", "onnx", "skl2onnx", "onnxruntime"),
}
CORE_LEAVES = {
    f"core.{name}"
    for name in (
        "hyperparameters",
        "initializers",
        "layout",
        "data",
        "stopping",
        "blas",
    )
}
THIRD_PARTY_OF_THE_CORE = {"numpy", "scipy"}


def module_name(path):
    """core/layout.py is 'core.layout', the package itself is ''."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


class Imports(ast.NodeVisitor):
    """All imports of a source text, as absolute dotted names.

    ``found`` holds every name, ``eager`` those that importing the module imports.
    `from a import b` counts as a.b; so does `require("a.b", ...)`, lazily.
    """

    def __init__(self, source, package):
        self.package, self.depth = package, 0
        self.found, self.eager = set(), set()
        self.visit(ast.parse(source))

    def _add(self, name):
        self.found.add(name)
        if self.depth == 0:
            self.eager.add(name)

    def visit_Import(self, node):
        for alias in node.names:
            self._add(alias.name)

    def visit_ImportFrom(self, node):
        start = node.module or ""
        if node.level:
            above = self.package.split(".")[: 1 - node.level or None]
            start = ".".join([*above, *filter(None, [node.module])])
        for alias in node.names:
            self._add(f"{start}.{alias.name}")

    def visit_FunctionDef(self, node):
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    def visit_Call(self, node):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in ("require", "import_module", "__import__") and node.args:
            target = node.args[0]
            if isinstance(target, ast.Constant) and isinstance(target.value, str):
                self.depth += 1
                self._add(target.value)
                self.depth -= 1
        self.generic_visit(node)


def imports_of(module):
    path = MODULES[module]
    inner = path.parent.relative_to(PACKAGE).parts
    return Imports(path.read_text(encoding="utf-8"), ".".join(["skffnn", *inner]))


def inside(names):
    """The modules of this package among absolute names, as named in MODULES."""
    targets = set()
    for name in names:
        head, _, rest = name.partition(".")
        if head == "skffnn":
            # The last part is a module, or something that is defined in one.
            targets.add(rest if rest in MODULES else rest.rpartition(".")[0])
    return targets


def outside(names):
    return {
        name
        for name in names
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "skffnn"}
    }


every_module = pytest.mark.parametrize("module", [*MODULES])
every_core_module = pytest.mark.parametrize(
    "module", [name for name in MODULES if name.split(".")[0] == "core"]
)


def wing(module):
    """The wing that a module stands in, or the module itself if it stands alone."""
    return module.partition(".")[0]


def against_the_rules(module, names):
    """Which of the names a module may not import."""
    own = wing(module)
    return sorted(
        name for name in inside(names) if wing(name) not in MAY_READ[own] | {own}
    )


@every_module
def test_every_module_stands_in_a_wing_of_known_rules(module):
    assert wing(module) in MAY_READ


def test_the_rules_go_one_way():
    TopologicalSorter(MAY_READ).prepare()


@every_module
def test_a_module_reads_what_its_wing_may_read(module):
    assert against_the_rules(module, imports_of(module).found) == []


def test_no_two_modules_read_each_other():
    TopologicalSorter({m: inside(imports_of(m).found) - {m} for m in MODULES}).prepare()


@every_core_module
def test_the_core_needs_numpy_scipy_and_itself(module):
    found = imports_of(module).found
    assert {name.partition(".")[0] for name in outside(found)} <= (
        THIRD_PARTY_OF_THE_CORE
    )
    assert all(name.split(".")[0] == "core" for name in inside(found))


@pytest.mark.parametrize("module", sorted(CORE_LEAVES))
def test_leaves_import_nothing_of_the_package(module):
    assert inside(imports_of(module).found) == set()


def test_backprop_knows_leaves_only():
    assert inside(imports_of("core.backprop").found) <= CORE_LEAVES


@every_module
def test_one_module_touches_the_experimental_callbacks(module):
    touches = any(
        name.startswith("sklearn.callback") for name in imports_of(module).found
    )
    assert touches == (module == "fitting.callbacks")


@every_module
def test_one_wing_draws_and_loads_matplotlib_when_it_draws(module):
    imports = imports_of(module)
    drawing = {name for name in imports.found if name.startswith("matplotlib.")}
    assert not drawing or module.startswith("inspection.")
    assert not any(name.startswith("matplotlib") for name in imports.eager)


@every_module
def test_extras_are_imported_when_they_are_used(module):
    eager = {name.partition(".")[0] for name in imports_of(module).eager}
    assert eager & OPTIONAL == set()


@every_module
def test_what_needs_an_optional_package_is_imported_when_it_is_used(module):
    eager = inside(imports_of(module).eager)
    assert not eager & {"export.torch", "export.onnx"} or module == "onnx"


@every_module
def test_no_private_names_of_others_are_imported(module):
    private = {
        name
        for name in outside(imports_of(module).found)
        if any(part.startswith("_") for part in name.split("."))
    }
    assert private == set()


def run(code, *arguments):
    """The words that a fresh interpreter prints; an error there is one here."""
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


LOADED = "; print(*{name.split('.')[0] for name in sys.modules})"


def test_importing_skffnn_loads_no_optional_package():
    """None of its own accord: scikit-learn's callbacks load rich if they find it."""
    module = "sklearn.callback" if callbacks.AVAILABLE else "sklearn.base"
    base = run(f"import sys, {module}" + LOADED)
    loaded = run("import sys, skffnn" + LOADED)
    assert {"skffnn", "numpy"} <= loaded
    assert not loaded & (OPTIONAL - {"rich", "pyarrow", "polars"})
    assert not (loaded - base) & OPTIONAL


def test_skffnn_can_be_imported_without_any_optional_package():
    code = """
import sys

class Missing:
    def find_spec(self, name, *args):
        if name in sys.argv[1:]:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
import skffnn
print("imported")
"""
    assert run(code, *OPTIONAL) == {"imported"}


def test_the_core_alone_loads_no_scikit_learn():
    code = """
import sys, types
package = types.ModuleType("skffnn")
package.__path__ = [sys.argv[1]]
sys.modules["skffnn"] = package
import skffnn.core.training, skffnn.core.lbfgs, skffnn.core.initializers
"""
    loaded = run(code + LOADED.removeprefix("; "), str(PACKAGE))
    assert {"skffnn", "numpy", "scipy"} <= loaded
    assert not loaded & {"sklearn", "pandas"}


# The reader itself --------------------------------------------------------------------

SOURCE = """
import numpy as np
from sklearn.neural_network._base import ACTIVATIONS
from . import schedules
from .losses import LOSSES
from ..regressor import FFNNRegressor
try:
    import rich
except ImportError:
    pass

def draw():
    import matplotlib.pyplot as plt
    return require("skrub", "Reading")
"""


def test_the_reader_finds_every_kind_of_import():
    imports = Imports(SOURCE, "skffnn.core")
    lazy = {"matplotlib.pyplot", "skrub"}
    assert imports.found - imports.eager == lazy
    assert imports.eager == {
        "numpy",
        "sklearn.neural_network._base.ACTIVATIONS",
        "skffnn.core.schedules",
        "skffnn.core.losses.LOSSES",
        "skffnn.regressor.FFNNRegressor",
        "rich",
    }
    assert inside(imports.found) == {"core.schedules", "core.losses", "regressor"}


def test_the_rules_catch_an_import_against_the_stream():
    names = Imports(SOURCE, "skffnn.core").found
    assert against_the_rules("core.training", names) == ["regressor"]
    assert against_the_rules("ensemble", names) == []


def test_a_circle_is_caught():
    with pytest.raises(CycleError):
        TopologicalSorter({**MAY_READ, "core": {"cli"}}).prepare()
