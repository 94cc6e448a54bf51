"""How Sphinx builds the site; docs/site_hooks.py has what is more than a setting."""

import sys
from importlib.util import find_spec
from pathlib import Path

from sphinx_gallery.sorting import ExplicitOrder

import skffnn

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))

project = "skffnn"
author = copyright = "The skffnn developers"
version = release = skffnn.__version__
extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "site_hooks",
]
exclude_patterns = ["_build", "data", "examples", "gallery"]
templates_path = ["_templates"]
default_role = "py:obj"
smartquotes = False

# Pages: anchors and formulas as GitHub has them.
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
myst_fence_as_directive = ["math"]
mathjax3_config = {"options": {"enableMenu": False}}
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True

# API: the template lists the methods, numpydoc the rest.
autosummary_generate = True
# Some file systems take Trace and trace for the same name.
autosummary_filename_map = {"skffnn.trace": "skffnn.trace-function"}
autodoc_typehints = "none"
numpydoc_show_class_members = False
toc_object_entries_show_parents = "hide"

# Gallery. PyTorch is optional: without it the twin is shown and not run.
sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "filename_pattern": "plot_" if find_spec("torch") else "plot_(?!pytorch)",
    "within_subsection_order": ExplicitOrder(
        [
            "plot_bike_sharing.py",
            "plot_overfitting.py",
            "plot_learning_rate.py",
            "plot_grid_search_heatmap.py",
            "plot_prediction_intervals.py",
            "plot_ensemble_band.py",
            "plot_callbacks.py",
            "plot_hidden_units.py",
            "plot_embeddings.py",
            "plot_pytorch_twin.py",
            "*",
        ]
    ),
    "reset_modules": ("matplotlib", "site_hooks.use_style"),
    "image_srcset": ["2x"],
    "default_thumb_file": str(DOCS / "_static" / "network.svg"),
    "doc_module": "skffnn",
    "capture_repr": ("_repr_html_",),
    "remove_config_comments": True,
    "download_all_examples": False,
    "backreferences_dir": "generated/backreferences",
    "show_signature": False,
    "write_computation_times": False,
}

# The looks.
html_theme = "pydata_sphinx_theme"
html_title = "skffnn"
html_static_path = ["_static"]
html_css_files = ["skffnn.css"]
html_logo = html_favicon = "_static/network.svg"
html_copy_source = html_use_index = False
html_sidebars = {"*": [], "_modules/**": []}  # these pages have no siblings
html_theme_options = {
    "logo": {"text": "skffnn"},
    "header_links_before_dropdown": 6,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}
