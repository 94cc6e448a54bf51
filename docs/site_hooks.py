"""What the build of the site does beyond the settings of conf.py."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

STYLE = Path(__file__).with_name("skffnn.mplstyle")
NOT_RUN = """
.. note::

   PyTorch was not installed where this page was built. The code is shown, but it was
   not run.
"""
# Pages link to files, as GitHub needs them: to what they lead on the site.
LINKS = {
    r"gallery/(plot_\w+)\.py": r"\1auto_gallery/\2.rst",
    r"gallery/()": r"\1auto_gallery/index.rst",
    r"README\.md(?:#[\w-]*)?()": r"path:\1README.md",
}


def use_style(gallery_conf, fname):
    """Let every example of the gallery begin with the style of the site."""
    plt.style.use(STYLE)


def redirect_links(app, docname, source):
    """Let links to an example lead to its page, and those to the README to the file."""
    for file, target in LINKS.items():
        source[0] = re.sub(rf"\]\(((?:\.\./)*){file}\)", rf"]({target})", source[0])


def close_doctests(app, docname, source):
    """Drop the empty line that doctest wants at the end of a block."""
    source[0] = source[0].replace("\n\n```\n", "\n```\n")


def say_what_was_not_run(app, docname, source):
    """Put a note below the title of an example that has taken no time."""
    is_example = docname.startswith("auto_gallery/plot_")
    if is_example and "sphx-glr-timing" not in source[0]:
        source[0] = re.sub(r"\n={3,}\n", lambda line: line[0] + NOT_RUN, source[0])


def unlink(app, what, name, obj, options, lines):
    """Take for text what docutils takes for a link.

    That is a name such as n_outputs_ in a shape, and a label of scikit-learn's pages.
    """
    for i, line in enumerate(lines):
        if " : " in line:
            line = re.sub(r"_(?=,?\))", r"\\_", line)
        lines[i] = re.sub(r":ref:`([^`<]+?) <[^`]+>`", r"\1", line)


def unlink_terms(app, what, name, obj, options, lines):
    """The same for scikit-learn's glossary, also in what numpydoc has put in."""
    lines[:] = [re.sub(r":term:`([^`]+)`", r"\1", line) for line in lines]


def setup(app):
    app.connect("source-read", redirect_links)
    app.connect("source-read", close_doctests)
    app.connect("source-read", say_what_was_not_run)
    app.connect("autodoc-process-docstring", unlink, priority=400)
    app.connect("autodoc-process-docstring", unlink_terms, priority=600)
    return {"parallel_read_safe": True}
