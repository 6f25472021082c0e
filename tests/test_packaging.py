"""What is declared is what is there: lower bounds, public names, versions, types."""

import inspect
import re
import tomllib
from pathlib import Path

import pytest
from test_documentation import USERS

import sklearn_hypergrad

ROOT = Path(__file__).parents[1]
needs_repository = pytest.mark.skipif(not (ROOT / ".ci").exists(), reason="needs the repository")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


@needs_repository
def test_declared_minimum_versions_are_the_tested_ones():
    pinned = dict(re.findall(r"^([\w-]+)==([\d.]+)$", (ROOT / ".ci/minimum.txt").read_text(), re.M))
    required = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["plot"]
    assert dict(requirement.split(">=") for requirement in required) == pinned


@pytest.mark.parametrize("name", sklearn_hypergrad.__all__)
def test_public_names_exist(name):
    assert hasattr(sklearn_hypergrad, name)


@needs_repository
def test_public_names_are_those_of_the_list():
    """A name goes only after one minor version in which its use warns: docs/contributing.rst."""
    listed = (ROOT / "tests/public_names.txt").read_text("utf-8").split()
    assert sorted(USERS) == listed


@needs_repository
def test_the_citation_is_of_this_version():
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.search(r"^version: (.+)$", citation, re.M)[1] == sklearn_hypergrad.__version__


@needs_repository
def test_addresses_stand_in_the_project_table_only():
    """Of the project's own pages; what does not exist yet has no address."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.rst"), *ROOT.rglob("sklearn_hypergrad/**/*.py")]
    own = [url for url in PROJECT["urls"].values()]
    named = {page.name for page in pages for url in own if url in page.read_text("utf-8")}
    assert named == set()


def test_signatures_are_typed():
    assert (Path(sklearn_hypergrad.__file__).parent / "py.typed").exists()
    own = [sklearn_hypergrad.HypergradSearchCV.__init__, sklearn_hypergrad.check_hypergradient]
    for function in own:
        parameters = [*inspect.signature(function).parameters.values()]
        untyped = [each.name for each in parameters if each.annotation is each.empty]
        assert untyped in ([], ["self"])
