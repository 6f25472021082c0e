"""Sphinx configuration."""

import doctest
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import sklearn_hypergrad  # noqa: E402

project = "sklearn_hypergrad"
version = release = sklearn_hypergrad.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.mathjax",
    "numpydoc",
]
exclude_patterns = ["_build"]
default_role = "literal"

html_theme = "alabaster"
html_theme_options = {
    "description": "Continuous hyperparameters by the gradient of the cross-validation loss.",
    "page_width": "1080px",
    "body_max_width": "860px",
}
html_copy_source = False

numpydoc_show_class_members = False
# Docstrings inherited from scikit-learn refer to its glossary.
suppress_warnings = ["ref.term"]
doctest_default_flags = doctest.ELLIPSIS
