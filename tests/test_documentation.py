"""What is written is executed: README, documentation, docstrings and examples."""

import configparser
import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_hypergrad

ROOT = Path(__file__).parents[1]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = [
    module.name
    for module in pkgutil.walk_packages(sklearn_hypergrad.__path__, "sklearn_hypergrad.")
    if not module.name.endswith("__main__")
]
PUBLIC = [getattr(sklearn_hypergrad, name) for name in sklearn_hypergrad.__all__]


def documented():
    """Names of the public objects and of the methods they define."""
    for public in PUBLIC:
        name = f"{public.__module__}.{public.__name__}"
        yield name
        if isinstance(public, type):
            yield from (f"{name}.{method}" for method in vars(public) if method == "fit")


def test_the_code_of_the_readme_runs(capsys):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert blocks
    namespace = {}
    for block in blocks:
        exec(block, namespace)
    assert "ridge__alpha" in capsys.readouterr().out


def test_the_readme_has_exactly_the_two_set_up_commands():
    commands = re.findall(r"```\n(.*?)\n```", (ROOT / "README.md").read_text())
    assert commands == [
        "pip install . && python -m sklearn_hypergrad",
        'pip install ".[test]" && pytest',
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.rst")), ids=lambda path: path.name)
def test_documentation(path):
    results = doctest.testfile(str(path), module_relative=False, optionflags=OPTIONS)
    assert results.failed == 0


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    results = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
    assert results.failed == 0


@pytest.mark.parametrize("name", [*documented()])
def test_docstrings_are_complete(name):
    validate = pytest.importorskip("numpydoc.validate").validate
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    exceptions = set(config["tool:numpydoc_validation"]["checks"].split()) - {"all"}
    errors = [error for error in validate(name)["errors"] if error[0] not in exceptions]
    assert errors == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name
)
def test_examples_run(path, tmp_path):
    if "matplotlib" in path.read_text():
        pytest.importorskip("matplotlib")
    # Run as a user would, from a folder of their own; matplotlib needs no screen.
    environment = {**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, path], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout


def test_the_demonstration_compares_both_searches():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-m", "sklearn_hypergrad"], env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    for row in ("best_score_", "held-out score", "scikit-learn fits", "own inner solves"):
        assert len(re.findall(rf"{row} +\S+ +\S+", result.stdout)) == 2
