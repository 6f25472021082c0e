"""What the Sphinx configuration needs to be told by functions."""

import builtins
import dataclasses
import inspect
import re
import sys
import tomllib
import warnings
from importlib.util import find_spec
from pathlib import Path

import coverage_table
from sphinx_gallery.sorting import FileNameSortKey

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"
PROJECT = CHANGELOG.parent / "pyproject.toml"
PACKAGE = "sklearn_hypergrad"
# Of Font Awesome, which the theme has.
ICONS = {"Repository": "fa-brands fa-github", "Issues": "fa-solid fa-circle-question"}
ADAPTERS = CHANGELOG.parent / PACKAGE / "adapters"
# From the simple to the special; others follow by name.
FIRST_EXAMPLES = [
    "plot_penalty_per_feature.py",
    "plot_replace_grid_search.py",
    "plot_validation_loss.py",
    "plot_penalty_per_block.py",
    "plot_text_classification.py",
    "plot_image_penalties.py",
    "plot_overfitting.py",
    "plot_one_standard_error.py",
    "plot_nested_score.py",
    "plot_schedules.py",
    "plot_online.py",
    "plot_own_robust_regression.py",
    "plot_own_factorisation.py",
    "plot_own_recurrent_network.py",
    "plot_data_cleaning.py",
]


class ExampleOrder(FileNameSortKey):
    """The order of the gallery."""

    def __call__(self, filename):
        listed = filename in FIRST_EXAMPLES
        place = FIRST_EXAMPLES.index(filename) if listed else len(FIRST_EXAMPLES)
        return f"{place:03d} {filename}"


def project_urls():
    """The addresses that pyproject.toml has."""
    return tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["urls"]


def icon_links():
    """Links of the head of pages to the places that exist."""
    urls = project_urls()
    return [
        {"name": name, "url": urls[name], "icon": icon}
        for name, icon in ICONS.items()
        if name in urls
    ]


def warnings_are_errors(gallery_conf, fname):
    """Make an example that warns fail, before each of them."""
    warnings.filterwarnings("error", category=UserWarning)
    # Figures are saved, not shown.
    warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")


def dataclass_fields():
    """Fields that are None by default, which pass for properties, by the name of a dataclass."""
    return {
        f"{module}.{name}": [f.name for f in dataclasses.fields(value) if f.default is None]
        for module, loaded in list(sys.modules.items())
        if module.partition(".")[0] == PACKAGE
        for name, value in vars(loaded).items()
        if inspect.isclass(value) and dataclasses.is_dataclass(value)
    }


def foreign_reference(app, env, node, contnode):
    """The text of a reference that another package documents; None where ours is missing.

    Docstrings that are inherited from scikit-learn refer to its user guide and glossary.
    """
    if node.get("refdomain") == "py":
        return contnode if is_foreign(node["reftarget"]) else None
    inherited = node["refdoc"].startswith("generated/")
    return contnode if inherited and node["reftype"] in {"ref", "term"} else None


def is_foreign(target):
    """Whether the first part of a dotted name is a builtin or another package."""
    first = target.partition(".")[0]
    return first != PACKAGE and (hasattr(builtins, first) or find_spec(first) is not None)


def changelog(app, docname, source):
    """Append CHANGELOG.md, of which headings, lists and code are used, to the page changelog."""
    if docname != "changelog":
        return
    app.env.note_dependency(str(CHANGELOG), docname=docname)
    text = CHANGELOG.read_text(encoding="utf-8").partition("\n")[2]
    text = re.sub(
        r"^## (.*)$", lambda found: f"{found[1]}\n{'-' * len(found[1])}", text, flags=re.M
    )
    source[0] += re.sub(r"`([^`]+)`", r"``\1``", text)


def coverage(app, docname, source):
    """Put the tables of what is searched, and what is not, into pages that name them."""
    filled = coverage_table.filled(source[0])
    if filled != source[0]:
        for path in (coverage_table.__file__, *ADAPTERS.glob("*.py")):
            app.env.note_dependency(str(path), docname=docname)
        source[0] = filled
