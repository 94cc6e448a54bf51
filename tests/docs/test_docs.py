"""The pages keep their word: quotes, links, and the twin in PyTorch.

What stands behind ``>>>`` is run by ``pytest docs``.
"""

import re
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace

import numpy as np
import pytest

from skffnn import FFNNRegressor
from skffnn.core.losses import squared_error
from skffnn.core.network import Network
from skffnn.core.optimizers import SGD

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BUILT = {"_build", "auto_gallery", "generated"}
PAGES = [p for p in DOCS.rglob("*.md") if not BUILT & set(p.relative_to(DOCS).parts)]
PAGES = sorted([ROOT / "README.md", *PAGES])
EQUATIONS = DOCS / "equations.md"
TWIN = "docs/gallery/plot_pytorch_twin.py"

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


# Quoted code --------------------------------------------------------------------------


def python_blocks(page):
    """The contents of the fenced blocks of Python on a page."""
    return re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def quotes(page):
    """The blocks that quote a file: its name, and the quoted code."""
    found = (re.match(r"# (\S+\.py)\n(.*)", b, re.DOTALL) for b in python_blocks(page))
    return [match.groups() for match in found if match]


def lines(code):
    """The lines that say something, without the indentation they have in common."""
    return [line.rstrip() for line in dedent(code).split("\n") if line.strip()]


def stands_in(quote, source):
    """Whether a quote is in the source: runs of lines, in their order.

    Lines of ``...`` stand for what is left out between the runs.
    """
    code, start = [line for line in source.split("\n") if line.strip()], 0
    for part in re.split(r"^ *\.\.\.$", quote, flags=re.MULTILINE):
        run = lines(part)
        places = range(start, len(code) - len(run) + 1)
        at = [i for i in places if lines("\n".join(code[i : i + len(run)])) == run]
        if not run or not at:
            return False
        start = at[0] + len(run)
    return True


@every_page
def test_python_on_a_page_is_run_or_quoted(page):
    for block in python_blocks(text(page)):
        assert ">>>" in block or quotes(f"```python\n{block}```"), block


@every_page
def test_quoted_code_stands_in_its_file(page):
    for path, code in quotes(text(page)):
        assert stands_in(code, text(path)), f"not in {path}:\n{code}"


def test_the_equations_quote_every_step():
    quoted = {path for path, _ in quotes(text(EQUATIONS))}
    names = "activations", "backprop", "losses", "optimizers", "schedules", "training"
    assert quoted >= {f"skffnn/core/{name}.py" for name in names}


def twin_on_the_page():
    (code,) = [code for path, code in quotes(text(EQUATIONS)) if path == TWIN]
    return code


def test_the_page_includes_the_whole_twin():
    """It is a cell of the example, without its text."""
    cells = [re.sub(r"^#.*\n", "", c, flags=re.M) for c in text(TWIN).split("# %%")]
    (cell,) = [cell for cell in cells if "def train" in cell]
    assert twin_on_the_page().strip() == cell.strip()


SOURCE = "def f(x):\n    y = x + 1\n    if y:\n        y = 2\n    return y\n"


@pytest.mark.parametrize(
    ("quote", "honest"),
    [
        ("    y = x + 1\n    if y:\n        y = 2\n", True),
        ("        y = 2\n", True),
        ("    y = x + 1\n...\n    return y\n", True),
        ("    y = x + 2\n", False),
        ("    y = x\n", False),
        ("    y = x + 1\n    return y\n", False),
        ("    return y\n...\n    y = x + 1\n", False),
        ("    if y:\n    y = 2\n", False),
        ("...\n", False),
    ],
)
def test_the_check_of_quotes_can_fail(quote, honest):
    assert stands_in(quote, SOURCE) == honest


@every_page
def test_no_formula_is_broken_over_two_lines(page):
    """GitHub shows it as it stands, dollar signs and all."""
    without_code = re.sub(r"`[^`\n]*`", "", prose(text(page)))
    assert [line for line in without_code.split("\n") if line.count("$") % 2] == []


# Links --------------------------------------------------------------------------------


def prose(page):
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)


def anchors(page):
    """The anchors that GitHub gives to the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", title.strip().lower()) for title in titles)
    return {title.replace(" ", "-") for title in kept}


def broken_links(page):
    """The relative links of a page that lead nowhere."""
    broken = []
    for link in re.findall(r"\]\(([^()\s]+)\)", prose(text(page))):
        name, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", name):
            continue
        target = page.parent / name if name else page
        missing = not target.exists()
        if missing or (anchor and anchor not in anchors(text(target))):
            broken.append(link)
    return broken


@every_page
def test_relative_links_resolve(page):
    assert broken_links(page) == []


def test_the_check_of_links_can_fail(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One: two\n[a](#one-two) [b](#two) [c](no.md) [d](https://e.org)")
    assert broken_links(page) == ["#two", "no.md"]


def test_every_table_of_the_benchmarks_comes_from_a_script():
    page = text("docs/benchmarks.md")
    names = re.findall(r"<!-- (\w+) -->(.+?)<!-- end of (\w+) -->", page, re.DOTALL)
    assert len(names) == page.count("<!-- end of") == page.count("<!--") / 2 > 0
    for name, table, end in names:
        assert name == end
        assert (ROOT / "tests" / "benchmarks" / f"{name}.py").exists()
        assert table.count("|") > 10


def linked(index):
    """The pages that a page links to."""
    names = re.findall(r"\]\(([\w./-]+\.md)\)", text(index))
    return {(index.parent / name).resolve() for name in names}


def test_every_page_is_reached_from_the_index():
    index, guide = DOCS / "index.md", DOCS / "guide" / "index.md"
    assert linked(index) >= {*DOCS.glob("*.md"), guide} - {index}
    assert linked(guide) >= {*guide.parent.glob("*.md")} - {guide}


# The twin -----------------------------------------------------------------------------

X = np.array([[0.2, 0.9], [0.6, 0.5], [0.9, 0.1]])
Y = np.array([[0.3], [0.6], [0.9]])


@pytest.fixture
def twin():
    pytest.importorskip("torch")
    names = {}
    exec(twin_on_the_page(), names)
    return SimpleNamespace(**names)


@pytest.mark.parametrize("hidden", [(3,), (4, 3)])
def test_the_twin_has_the_gradients_and_weights_of_the_core(twin, hidden):
    network = Network([2, *hidden, 1], ["logistic"] * (len(hidden) + 1), squared_error)
    theta = np.random.default_rng(0).normal(size=network.layout.size)
    W, b = network.layout.views(theta)
    for steps in (1, 200):
        theirs = twin.train(W, b, X, Y, learning_rate=0.5, steps=steps)[::2]
        optimizer, grad = SGD(theta), np.empty_like(theta)
        for _ in range(steps):
            network.gradient(theta, grad, X, Y)
            dW, db = network.layout.views(grad.copy())
            optimizer.step(theta, grad, 0.5)
        for l, layer in enumerate(theirs):
            close = {"rtol": 1e-9, "atol": 1e-14}
            np.testing.assert_allclose(layer.weight.grad.numpy().T, dW[l], **close)
            np.testing.assert_allclose(layer.bias.grad.numpy(), db[l][0], **close)
            np.testing.assert_allclose(layer.weight.detach().numpy().T, W[l], **close)
            np.testing.assert_allclose(layer.bias.detach().numpy(), b[l][0], **close)


def test_the_twin_has_the_weights_of_the_regressor(twin):
    model = FFNNRegressor(
        hidden_layer_sizes=3,
        activation="logistic",
        output_activation="logistic",
        solver="sgd",
        learning_rate=0.5,
        momentum=0,
        weight_decay=0,
        batch_size=len(X),
        shuffle=False,
        standardize=False,
        random_state=0,
    )
    model.partial_fit(X, Y)
    start = [p.copy() for p in model.coefs_], [p.copy() for p in model.intercepts_]
    for _ in range(200):
        model.partial_fit(X, Y)
    layers = twin.train(*start, X, Y, learning_rate=0.5, steps=200)[::2]
    for layer, W, b in zip(layers, model.coefs_, model.intercepts_, strict=True):
        np.testing.assert_allclose(layer.weight.detach().numpy().T, W, rtol=1e-9)
        np.testing.assert_allclose(layer.bias.detach().numpy(), b, rtol=1e-9)
