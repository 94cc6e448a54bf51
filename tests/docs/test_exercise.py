"""The exercise of the pages: blank as given, right as solved, graded as shown."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from skffnn import check_gradient

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "exercise.md").read_text(encoding="utf-8")


def load(name):
    path = DOCS / "examples" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name):
    path = DOCS / "examples" / f"{name}.py"
    return subprocess.run(
        [sys.executable, path], capture_output=True, text=True, check=False
    )


def shown(text):
    """The blocks of the page that show what is printed."""
    return re.findall(r"^```text\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def without_rounding(text):
    """Errors of rounding differ between machines."""
    return re.sub(r"\d+e-1\d", "tiny", text)


def test_as_it_is_it_says_what_is_missing():
    done = run("exercise")
    assert done.returncode != 0
    assert done.stderr.rstrip().endswith("forward: z2, a2, z3 and y_hat, one line each")


def test_the_solution_prints_what_the_page_says():
    done = run("exercise_solution")
    assert not done.stderr
    assert without_rounding(done.stdout) == without_rounding(shown(PAGE)[1])


def test_the_solution_is_the_exercise_with_the_blanks_filled():
    blanks = re.compile(r"def (forward|backward)\(.*?(?=\n\n\n)", re.DOTALL)
    given, solved = (
        blanks.sub(r"\1", (DOCS / "examples" / f"{name}.py").read_text()).partition(
            "import numpy"
        )[2]
        for name in ("exercise", "exercise_solution")
    )
    assert given == solved


@pytest.fixture
def solution():
    return load("exercise_solution")


def grade(solution, mistake):
    """The check of a solution whose backward ends with a mistake."""
    right = solution.backward
    solution.backward = lambda *arrays: mistake(right(*arrays), *arrays)
    return check_gradient(solution.value_and_gradient, solution.theta)


def test_the_mistake_of_the_page_is_graded_as_shown(solution):
    def slope_at_a2(gradient, X, y, z2, a2, z3, y_hat, W2):
        delta3 = -(y - y_hat) / len(X) * solution.f_prime(z3)
        delta2 = (delta3 @ W2.T) * solution.f_prime(a2)
        b1 = delta2.sum(axis=0, keepdims=True)
        return {**gradient, "W1": X.T @ delta2, "b1": b1}

    check = grade(solution, slope_at_a2)
    assert without_rounding(f"{check}\n") == without_rounding(shown(PAGE)[0])


@pytest.mark.parametrize("part", ["W1", "b1", "W2", "b2"])
@pytest.mark.parametrize("factor", [-1, 3, 0.999])
def test_every_part_is_graded(solution, part, factor):
    check = grade(solution, lambda g, *_: {**g, part: factor * g[part]})
    assert check.wrong == [part]


def test_the_pictures_show_the_network_of_the_page(tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    pictures = load("equations_pictures")
    pictures.draw(tmp_path)
    page = (DOCS / "equations.md").read_text(encoding="utf-8")
    drawn = {f"images/{path.name}" for path in tmp_path.glob("*.svg")}
    assert drawn == set(re.findall(r"images/equations-\w+\.svg", page))
    numbers = re.search(r">>> theta\narray\(\[(.*?)\]\)", page, re.DOTALL)[1]
    theta = [float(number) for number in numbers.split(",")]
    np.testing.assert_array_equal(pictures.first_theta(), theta)
