"""The recipes for developers: each change works, and touches the files it names.

All changes are applied to one copy of the package, which a process of its own imports.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import skffnn

PAGE = Path(__file__).parents[2] / "docs" / "contributing.md"
USED = Path(__file__).parent / "use_recipes.py"
PACKAGE = Path(skffnn.__file__).parent
FEWEST, MOST = 1, 2

git = pytest.mark.skipif(shutil.which("git") is None, reason="git applies the changes")


def recipes():
    """The sections of recipes: what they say, and the changes that they show."""
    text = PAGE.read_text(encoding="utf-8").partition("## Recipes\n")[2]
    sections = re.split(r"^### (.+)\n", text, flags=re.M)[1:]
    for title, section in zip(sections[::2], sections[1::2], strict=True):
        for change in re.findall(r"```diff\n(.*?)```", section, re.S):
            yield title, section, change


RECIPES = {title: (section, change) for title, section, change in recipes()}


def test_there_are_recipes_for_what_is_added_most():
    assert RECIPES.keys() == {
        *("An activation", "A loss with a parameter", "An optimizer"),
        "A saved attribute",
    }


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_touches_the_files_that_it_names(title):
    section, change = RECIPES[title]
    touched = re.findall(r"^\+\+\+ b/(\S+)$", change, re.M)
    introduction = section.strip().partition("\n\n")[0]
    named = re.findall(r"`(skffnn/\S+\.py)`", introduction)
    assert touched == named
    assert FEWEST <= len(touched) <= MOST


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package to which all recipes have been applied."""
    folder = tmp_path_factory.mktemp("recipes")
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, folder / "skffnn", ignore=unwanted)
    for title, (_, change) in RECIPES.items():
        applied = subprocess.run(
            ["git", "apply", "--whitespace=error", "-"],
            input=change, cwd=folder, text=True, capture_output=True,
        )  # fmt: skip
        assert applied.returncode == 0, f"{title}: {applied.stderr}"
    return folder


def changed(folder):
    """The files of the copy that are not as they were."""
    files = (path.relative_to(folder) for path in folder.rglob("*.py"))
    return {
        str(path)
        for path in files
        if not (PACKAGE.parent / path).is_file()
        or (folder / path).read_bytes() != (PACKAGE.parent / path).read_bytes()
    }


@git
def test_what_was_added_trains_saves_loads_resumes_searches_and_exports(package):
    named = re.findall(r"^\+\+\+ b/(\S+)$", PAGE.read_text("utf-8"), re.M)
    assert changed(package) == set(named)
    run = subprocess.run(
        [sys.executable, "-W", "error", str(USED), str(package)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    added = "softplus epsilon_insensitive lion n_parameters_"
    assert run.stdout.split() == added.split()
