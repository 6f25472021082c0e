"""Sphinx configuration: ``sphinx-build -W docs docs/_build``.

``-D plot_gallery=0`` leaves the examples unexecuted, ``-t online`` links to the documentation of
other packages, whose inventories it downloads.
"""

import os
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE)]
# Examples may run in other processes, which must find this package and this folder too.
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(HERE.parent), str(HERE), os.environ.get("PYTHONPATH")])
)

import sphinx_hooks  # noqa: E402

import sklearn_hypergrad  # noqa: E402

project = "sklearn_hypergrad"
author = "the sklearn_hypergrad developers"
version = release = sklearn_hypergrad.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
if "online" in tags:  # noqa: F821
    extensions.append("sphinx.ext.intersphinx")
intersphinx_mapping = {
    "python": ("https://docs.python.org/3", None),
    "numpy": ("https://numpy.org/doc/stable", None),
    "scipy": ("https://docs.scipy.org/doc/scipy", None),
    "sklearn": ("https://scikit-learn.org/stable", None),
}

templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
default_role = "literal"
smartquotes = False  # "auto" is code
toc_object_entries_show_parents = "hide"
nitpicky = True  # with an exception for what other packages document, see sphinx_hooks.py

# -- API reference

autosummary_generate = True
# Names that differ in case only are one file on some systems.
autosummary_filename_map = {
    "sklearn_hypergrad.adapters.family": "sklearn_hypergrad.adapters.family-function",
    "sklearn_hypergrad.hypergradients.hypergradient": (
        "sklearn_hypergrad.hypergradients.hypergradient-function"
    ),
}
# Fields of dataclasses stand in their docstrings.
autosummary_context = {"fields": sphinx_hooks.dataclass_fields()}
autodoc_typehints = "none"
numpydoc_class_members_toctree = False
numpydoc_show_inherited_class_members = {"sklearn_hypergrad.HypergradWarning": False}

# -- Gallery

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "ignore_pattern": r"(^|/)(?!plot_)[^/]*\.py$",
    "within_subsection_order": "sphinx_hooks.ExampleOrder",
    "abort_on_example_error": True,
    "image_scrapers": ("thumbnails.figures",),
    "thumbnail_size": (440, 440),
    "reset_modules": ("matplotlib", "sphinx_hooks.warnings_are_errors"),
    # One that measures seconds opts out: # sphinx_gallery_parallel = False
    "parallel": 2,
    "remove_config_comments": True,
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sklearn_hypergrad",),
    "reference_url": {"sklearn_hypergrad": None},
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
}

# -- Copying code

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# -- Pictures of pages

plot_formats = [("png", 110)]
plot_html_show_formats = False
plot_html_show_source_link = False

# -- HTML

LOGO = "_static/logo.svg"
html_favicon = LOGO
html_theme = "pydata_sphinx_theme"
html_title = "sklearn_hypergrad"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_js_files = ["pages.js"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {name: [] for name in ("index", "getting_started", "contributing", "changelog")}
html_theme_options = {
    "logo": {"text": "sklearn_hypergrad", "image_light": LOGO, "image_dark": LOGO},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_nav_level": 1,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "icon_links": sphinx_hooks.icon_links(),
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
}
if "online" in tags:  # noqa: F821
    pages = sphinx_hooks.project_urls()["Documentation"]
    html_theme_options["switcher"] = {
        "json_url": f"{pages}/en/latest/_static/switcher.json",
        "version_match": version,
    }
    html_theme_options["navbar_end"] = ["version-switcher", "theme-switcher", "navbar-icon-links"]
project_copyright = f"{author}, BSD-3-Clause licence"


def setup(app):
    app.connect("missing-reference", sphinx_hooks.foreign_reference)
    app.connect("source-read", sphinx_hooks.changelog)
    app.connect("source-read", sphinx_hooks.coverage)
