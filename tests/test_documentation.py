"""Everything that is shown to readers is executed, and every docstring is complete."""

import configparser
import doctest
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_hypergrad

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SETUP = ROOT / "setup.cfg"
PAGES = sorted((ROOT / "docs").glob("*.rst"))
WITHOUT_CODE = {"api", "benchmarks", "papers"}
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
needs_readme = pytest.mark.skipif(not README.exists(), reason="needs the repository")
FENCED = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def modules():
    """All modules of the package."""
    prefix = f"{sklearn_hypergrad.__name__}."
    names = [info.name for info in pkgutil.walk_packages(sklearn_hypergrad.__path__, prefix)]
    return [sklearn_hypergrad, *map(importlib.import_module, names)]


DOCSTRINGS = [
    example
    for module in modules()
    for example in doctest.DocTestFinder(exclude_empty=True).find(module)
    if example.examples
]


def public_names():
    """Dotted names of public objects and of the methods that they define themselves."""
    for name in sklearn_hypergrad.__all__:
        yield name
        found = getattr(sklearn_hypergrad, name)
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


@needs_readme
def test_readme(capsys):
    """Its code blocks, with or without prompts, are one session."""
    text = README.read_text(encoding="utf-8")
    blocks = list(FENCED.finditer(text))
    assert blocks
    namespace = {"__name__": "readme"}
    for block in blocks:
        code, line = block[1], text.count("\n", 0, block.start(1))
        if code.lstrip().startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(code, {}, README.name, str(README), line)
            test.globs = namespace
            run(test, clear_globs=False)
        else:
            # Line numbers of tracebacks are those of the file.
            exec(compile("\n" * line + code, README, "exec"), namespace)
    assert "ridge__alpha" in capsys.readouterr().out


@needs_readme
def test_the_readme_has_exactly_the_two_set_up_commands():
    commands = re.findall(r"```\n(.*?)\n```", README.read_text(encoding="utf-8"))
    assert commands == [
        "pip install . && python -m sklearn_hypergrad",
        'pip install ".[test]" && pytest',
    ]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.stem not in WITHOUT_CODE], ids=lambda p: p.stem
)
def test_page(page):
    text = page.read_text(encoding="utf-8")
    parser = doctest.DocTestParser()
    run(parser.get_doctest(text, {"__name__": page.stem}, page.name, str(page), 0))


def test_examples_of_docstrings_were_found():
    assert DOCSTRINGS


@pytest.mark.parametrize("docstring", DOCSTRINGS, ids=lambda docstring: docstring.name)
def test_docstring(docstring):
    run(docstring, clear_globs=False)


@pytest.mark.skipif(not SETUP.exists(), reason="needs the repository")
@pytest.mark.parametrize("name", list(public_names()))
def test_docstring_is_complete(name):
    """By the rules of numpydoc, without the checks that setup.cfg excepts."""
    validate = pytest.importorskip("numpydoc.validate")
    config = configparser.ConfigParser()
    config.read(SETUP, encoding="utf-8")
    listed = re.findall(r"\w+", config["tool:numpydoc_validation"]["checks"])
    checks = validate.get_validation_checks(set(listed))
    errors = validate.validate(f"{sklearn_hypergrad.__name__}.{name}")["errors"]
    assert [error for error in errors if error[0] in checks] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_example(example, tmp_path):
    """Runs as a script, without warnings; those that plot save a figure."""
    if not example.stem.startswith("plot_"):
        assert script(str(example), cwd=tmp_path)
        return
    pytest.importorskip("matplotlib")
    assert script(str(example), "--output", "figure.png", cwd=tmp_path)
    assert (tmp_path / "figure.png").stat().st_size > 0


def test_the_demonstration_compares_both_searches(tmp_path):
    output = script("-m", "sklearn_hypergrad", cwd=tmp_path)
    for row in ("best_score_", "held-out score", "scikit-learn fits", "own inner solves"):
        assert len(re.findall(rf"{row} +\S+ +\S+", output)) == 2
