"""Floors of the package: a file imports only from floors below its own."""

import ast
from pathlib import Path

import pytest

import sklearn_hypergrad

ROOT = Path(sklearn_hypergrad.__file__).parent
NAME = ROOT.name
FLOORS = {
    "_sklearn": 0,
    "exceptions": 0,
    "losses": 0,
    "exact": 0,
    "spaces": 0,
    "linalg": 0,
    "optimizers": 0,
    "threads": -1,
    "problems": 1,
    "training": 2,
    "hypergradients": 3,
    "differentiable": 4,
    "linear_model": 4,
    "neural_network": 4,
    "adapters": 5,
    "data_cleaning": 6,
    "search": 6,
    "inspection": 7,
}
# The face of the package may import anything.
TOP = {"__init__", "__main__"}
# Folders whose files are alternatives of one another, with ``base`` for what they share.
ALTERNATIVES = {"optimizers", "hypergradients", "adapters"}
PRIVATE_ALLOWED = ("_sklearn",)
FILES = sorted(ROOT.rglob("*.py"))


def parts_of(path):
    """``("problems", "linear")`` for problems/linear.py."""
    return path.relative_to(ROOT).with_suffix("").parts


def imports(source):
    """Every imported name as a path: ``from a.b import c`` is ``("a", "b", "c")``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = ("." * node.level, *(node.module or "").split("."))
            yield from ((*filter(None, start), alias.name) for alias in node.names)


def violation(own, name):
    """Why the file ``own`` must not import ``name``, or None."""
    if name[0].startswith("."):
        return "imports are absolute"
    if name[0] == "sklearn" and own != PRIVATE_ALLOWED:
        private = any(part.startswith("_") for part in name)
        return "private names of scikit-learn belong to _sklearn.py" if private else None
    if name[0] != NAME or own[0] in TOP:
        return None
    other = name[1:]
    if not other or other[0] not in FLOORS:
        return "only the face of the package may use its face"
    if other[0] == own[0]:
        siblings = own[0] in ALTERNATIVES and own[1] != "__init__"
        apart = siblings and other[1:2] not in ((), ("base",), (own[1],))
        return "alternatives do not know each other" if apart else None
    return "a floor uses floors below it" if FLOORS[other[0]] >= FLOORS[own[0]] else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(parts_of(path)))
def test_imports_go_down(path):
    own = parts_of(path)
    found = {".".join(name): violation(own, name) for name in imports(path.read_text("utf-8"))}
    assert {name: reason for name, reason in found.items() if reason} == {}


def test_every_file_has_a_floor():
    assert {parts_of(path)[0] for path in FILES} <= set(FLOORS) | TOP


@pytest.mark.parametrize(
    ("own", "source", "allowed"),
    [
        ("problems/linear", "from sklearn_hypergrad.linalg import Spectral", True),
        ("problems/linear", "from sklearn_hypergrad import losses", True),
        ("problems/linear", "from sklearn_hypergrad.problems.base import Status", True),
        ("problems/linear", "import sklearn_hypergrad.search.candidates.expand", False),
        ("problems/linear", "def f():\n    from sklearn_hypergrad import search", False),
        ("problems/linear", "from sklearn_hypergrad import Continuous", False),
        ("problems/linear", "import sklearn_hypergrad", False),
        ("problems/linear", "from .base import Status", False),
        ("problems/linear", "from . import base", False),
        ("linalg/cg", "from sklearn_hypergrad.spaces import Space", False),
        ("adapters/ridge", "from sklearn_hypergrad.adapters.base import Family", True),
        ("adapters/ridge", "from sklearn_hypergrad.adapters import logistic", False),
        ("adapters/ridge", "from sklearn_hypergrad.adapters.logistic import LogisticFamily", False),
        ("adapters/__init__", "from sklearn_hypergrad.adapters import logistic, ridge", True),
        ("hypergradients/base", "from sklearn_hypergrad.hypergradients import implicit", False),
        ("optimizers/brent", "from sklearn_hypergrad.optimizers.lbfgs import LBFGS", False),
        ("search/grid", "from sklearn.model_selection._search import BaseSearchCV", False),
        ("search/grid", "from sklearn.utils.metaestimators import _safe_split", False),
        ("search/grid", "import sklearn.utils._tags", False),
        ("_sklearn", "from sklearn.utils.metaestimators import _safe_split", True),
        ("search/grid", "from sklearn_hypergrad._sklearn import safe_split", True),
        ("__main__", "from sklearn_hypergrad.search.candidates.expand import expand", True),
        ("__main__", "from sklearn.model_selection._search import BaseSearchCV", False),
        ("__init__", "from .search import HypergradSearchCV", False),
    ],
)
def test_the_rules(own, source, allowed):
    found = [violation(tuple(own.split("/")), name) for name in imports(source)]
    assert (found == [None] * len(found)) == allowed
