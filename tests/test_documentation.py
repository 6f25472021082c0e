"""Everything that is shown to readers is executed, and every docstring is complete."""

import configparser
import dataclasses
import doctest
import functools
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sklearn_hypergrad

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
SETUP = ROOT / "setup.cfg"
PAGES = [page for page in sorted(DOCS.glob("*.rst")) if ">>>" in page.read_text(encoding="utf-8")]
# Pages with many numbers, to be the same on every processor, among those that take seconds.
NUMBERS = {"extending", "getting_started", "many_penalties", "pipelines", "spaces"}
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
# What takes long: these train networks, start workers, or search many times.
LONG = {"own_models", "evaluation", "networks", "pipelines", "data_cleaning", "inspection"}
LONG |= {"migration", "online", "own_losses", "parallel", "jax", "transformers", "kernels"}
# Parts of the package that only the rest of it uses.
INTERNAL = {"by_feature", "demonstration", "exact", "search", "spaces"}
# What short docstrings of building blocks leave out: sections, and the infinitive.
SECTIONS = {"PR01", "PR04", "PR07", "RT01", "SS05", "YD01"}
# Runs an example as a script, which ends by showing a figure.
SHOWN = """
import runpy, sys
import matplotlib.pyplot as plt
shown = []
plt.show = lambda *args, **kwargs: shown.append(plt.get_fignums())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
assert shown and shown[-1], "the example does not end with plt.show() and an open figure"
"""
needs_docs = pytest.mark.skipif(not DOCS.exists(), reason="needs the repository")
needs_readme = pytest.mark.skipif(not README.exists(), reason="needs the repository")
FENCED = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def modules():
    """All modules of the package."""
    prefix = f"{sklearn_hypergrad.__name__}."
    names = [info.name for info in pkgutil.walk_packages(sklearn_hypergrad.__path__, prefix)]
    return [sklearn_hypergrad, *filter(None, map(imported, names))]


def imported(name):
    """A module; None if it is one of those for JAX, and JAX is not there."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != "jax":
            raise
        return None


DOCSTRINGS = [
    example
    for module in modules()
    for example in doctest.DocTestFinder(exclude_empty=True).find(module)
    if example.examples
]


def reference(page):
    """Dotted names that the tables of an API page list."""
    module, listing = None, False
    for line in (DOCS / f"{page}.rst").read_text(encoding="utf-8").splitlines():
        if line.startswith(".. currentmodule::"):
            module = line.split()[-1]
        if line and not line.startswith(" "):
            listing = line == ".. autosummary::"
        elif listing and line.strip() and not line.strip().startswith(":"):
            yield f"{module}.{line.strip()}"


USERS, BLOCKS = ([*reference(page)] if DOCS.exists() else [] for page in ("api", "building_blocks"))


def named(name):
    """The object of a dotted name, or None."""
    parts = name.split(".")[1:]
    return functools.reduce(
        lambda found, part: getattr(found, part, None), parts, sklearn_hypergrad
    )


def exported(module):
    """Classes and functions that a module gives away."""
    own = [name for name, value in vars(module).items() if is_own(value, module)]
    return [
        value
        for name in getattr(module, "__all__", own)
        if callable(value := getattr(module, name))
    ]


def is_own(value, module):
    return inspect.isclass(value) and value.__module__ == module.__name__


def with_members(names):
    """Dotted names, and those of the methods and properties that classes among them define."""
    for name in names:
        yield name
        found = named(name)
        if inspect.isclass(found):
            for member, value in vars(found).items():
                if not member.startswith("_") and (callable(value) or isinstance(value, property)):
                    yield f"{name}.{member}"


def run(test, **options):
    """Run a doctest; its report is the message of the failure."""
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    failed, attempted = runner.run(test, out=report.append, **options)
    assert attempted
    assert not failed, "".join(report)


def script(*arguments, cwd):
    """What a script prints, run from another folder, with matplotlib but without a screen."""
    package = str(Path(sklearn_hypergrad.__file__).parents[1])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", *arguments],
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": path},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def marked(page):
    marks = [pytest.mark.portable] if page.stem in NUMBERS else []
    marks += [pytest.mark.thorough] * (page.stem in LONG)
    return pytest.param(page, id=page.stem, marks=marks)


@pytest.fixture
def readme(monkeypatch):
    """What writes the README."""
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.readme")


@pytest.mark.portable
@needs_readme
def test_readme(readme):
    """Each block runs alone and prints what is shown; its tables are those of today."""
    text = README.read_text(encoding="utf-8")
    assert len(FENCED.findall(text)) == len(readme.SHOWN.findall(text)) == 2
    assert readme.filled(text) == text


@needs_readme
def test_the_readme_has_exactly_the_two_set_up_commands():
    commands = re.findall(r"\n\n```\n(.*?)\n```\n", README.read_text(encoding="utf-8"))
    assert commands == [
        "pip install . && python -m sklearn_hypergrad",
        'pip install ".[test]" && pytest',
    ]


@needs_docs
def test_pages_with_code_were_found():
    assert {page.stem for page in PAGES} >= NUMBERS


@pytest.mark.parametrize("page", [*map(marked, PAGES)])
def test_page(page):
    text = page.read_text(encoding="utf-8")
    if ">>> import jax" in text:
        pytest.importorskip("jax")
    parser = doctest.DocTestParser()
    run(parser.get_doctest(text, {"__name__": page.stem}, page.name, str(page), 0))


def test_examples_of_docstrings_were_found():
    assert DOCSTRINGS


@pytest.mark.parametrize("docstring", DOCSTRINGS, ids=lambda docstring: docstring.name)
def test_docstring(docstring):
    run(docstring, clear_globs=False)


@needs_docs
def test_the_names_of_the_reference_exist():
    assert USERS
    assert BLOCKS
    assert [name for name in USERS + BLOCKS if named(name) is None] == []


@needs_docs
def test_the_reference_lists_every_public_object_once():
    """Under whichever of its names; of all parts of the package but the internal ones."""
    modules = {name.rpartition(".")[0] for name in USERS + BLOCKS}
    listed = [named(name) for name in USERS + BLOCKS]
    public = [value for name in modules for value in exported(importlib.import_module(name))]
    assert {value for value in public if listed.count(value) != 1} == set()
    assert {value for value in listed if value not in public} == set()


@needs_docs
def test_the_reference_covers_every_part_of_the_package():
    folders = {info.name for info in pkgutil.iter_modules(sklearn_hypergrad.__path__) if info.ispkg}
    listed = {name.split(".")[1] for name in USERS + BLOCKS if name.count(".") == 2}
    assert folders - listed == INTERNAL


@needs_docs
def test_links_of_diagrams_open_pages_of_the_reference():
    classes = {name: named(name) for name in USERS if inspect.isclass(named(name))}
    links = {
        name: found.__new__(found)._get_doc_link()
        for name, found in classes.items()
        if hasattr(found, "_get_doc_link") and not inspect.isabstract(found)
    }
    assert "sklearn_hypergrad.HypergradSearchCV" in links
    assert "sklearn_hypergrad.linear_model.Ridge" in links
    for name, link in links.items():
        assert link.endswith(f"/generated/{name}.html")


def docstring_errors(name):
    """``(code, message)`` by the rules of numpydoc, without those that setup.cfg excepts.

    Fields of a dataclass that others make for its readers are attributes, not parameters.
    """
    validate = pytest.importorskip("numpydoc.validate")
    config = configparser.ConfigParser()
    config.read(SETUP, encoding="utf-8")
    listed = re.findall(r"\w+", config["tool:numpydoc_validation"]["checks"])
    checks = validate.get_validation_checks(set(listed))
    checks -= {"PR01"} if has_fields_as_attributes(name) else set()
    return [error for error in validate.validate(name)["errors"] if error[0] in checks]


def has_fields_as_attributes(name):
    """Whether it is a dataclass whose docstring lists all fields as attributes."""
    found = named(name)
    if not (inspect.isclass(found) and dataclasses.is_dataclass(found)):
        return False
    docscrape = pytest.importorskip("numpydoc.docscrape")
    sections = docscrape.ClassDoc(found, config={"show_class_members": False})
    listed = {name for row in sections["Attributes"] for name in row.name.split(", ")}
    return {field.name for field in dataclasses.fields(found)} <= listed


@needs_docs
@pytest.mark.parametrize("name", [*with_members(USERS)])
def test_docstring_is_complete(name):
    assert docstring_errors(name) == []


@needs_docs
@pytest.mark.parametrize("name", [*with_members(BLOCKS)])
def test_docstring_of_a_building_block_is_in_order(name):
    assert [error for error in docstring_errors(name) if error[0] not in SECTIONS] == []


@pytest.mark.example
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_example(example, tmp_path):
    """Runs as a script, without warnings; those of the gallery end with a figure."""
    if not example.stem.startswith("plot_"):
        assert script(str(example), cwd=tmp_path)
        return
    pytest.importorskip("matplotlib")
    script("-c", SHOWN, str(example), cwd=tmp_path)


def test_an_example_without_a_figure_is_noticed(tmp_path):
    pytest.importorskip("matplotlib")
    empty = tmp_path / "plot_nothing.py"
    empty.write_text("import matplotlib.pyplot as plt\nplt.show()\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="does not end with plt.show"):
        script("-c", SHOWN, str(empty), cwd=tmp_path)


@pytest.mark.thorough
@needs_docs
def test_a_thumbnail_is_a_square_and_leaves_its_figure_as_it_was(monkeypatch):
    pytest.importorskip("sphinx_gallery")
    plt = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.syspath_prepend(str(DOCS))
    thumbnails = importlib.import_module("thumbnails")
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3), layout="constrained")
    left.plot([0, 1], label="a line")
    left.legend()
    left.set(title="a title", xlabel="a label that is longer than a thumbnail is wide")
    square = thumbnails.square_of(figure, 0)
    assert square.size == (thumbnails.SIDE, thumbnails.SIDE)
    hidden = [left.title, left.get_legend(), left.xaxis.label, right]
    assert all(artist.get_visible() for artist in hidden)
    assert figure.get_size_inches().tolist() == [10, 3]
    # Most of it is the panel: ink is near all four sides.
    rows, columns = (np.asarray(square.convert("L")) < 128).nonzero()
    for places in (rows, columns):
        assert places.min() < 0.2 * thumbnails.SIDE
        assert places.max() > 0.8 * thumbnails.SIDE
    plt.close(figure)
