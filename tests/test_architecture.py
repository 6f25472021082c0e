"""Floors of the package: a file imports only from floors below its own."""

import ast
from pathlib import Path

import pytest

import sklearn_hypergrad

ROOT = Path(sklearn_hypergrad.__file__).parent
NAME = ROOT.name
FLOORS = {
    "_sklearn": 0,
    "_autograd": 0,
    "_jax": 0,
    "exceptions": 0,
    "losses": 0,
    "rows": 0,
    "exact": 0,
    "spaces": 0,
    "linalg": 0,
    "optimizers": 0,
    "threads": -1,
    "wording": -1,
    "workers": -1,
    "problems": 1,
    "training": 2,
    "by_feature": 2,
    "hypergradients": 3,
    "tuning": 4,
    "differentiable": 3,
    "transformers": 4,
    "kernel_approximation": 3,
    "kernel_ridge": 4,
    "svm": 4,
    "linear_model": 4,
    "neural_network": 4,
    "adapters": 5,
    "data_cleaning": 6,
    "search": 6,
    "inspection": 7,
    "demonstration": 7,
}
# Rooms of a folder, from the ground up. Files that stand beside them are below all of them, but the
# face of the folder, which is above.
ROOMS = {
    "problems": [
        {"outer", "network", "linear"},
        {"autograd", "ridge", "kernel", "sparse", "piecewise"},
        {"rows"},
    ],
    "search": [
        {"candidates"},
        {"data"},
        {"objective"},
        {"results"},
        {"strategies"},
        {"rows"},
        {"reporting"},
        {"by_blocks"},
        {"search_cv"},
    ],
}
# What rooms on one level may know of each other.
NEIGHBOURS: set = set()
# The face of the package may import anything.
TOP = {"__init__", "__main__"}
# Folders whose files are alternatives of one another, and the files for what these share.
ALTERNATIVES = {"optimizers", "hypergradients", "adapters"}
SHARED = {
    "base",
    "chain_model",
    "model",
    "closed_form",
    "likelihood",
    "piecewise",
    "side_by_side",
    "wrapped",
}
# The one file that may use private names of each of these packages.
PRIVATE = {"sklearn": ("_sklearn",), "autograd": ("_autograd",), "jax": ("_jax",)}
# What autograd documents for users; everything else counts as private.
PUBLIC_AUTOGRAD = {"numpy", "scipy"}
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
    if name[0] in PRIVATE and own != PRIVATE[name[0]]:
        private = any(part.startswith("_") for part in name)
        if name[0] == "autograd":
            private = len(name) > 1 and name[1] not in PUBLIC_AUTOGRAD
        if name[0] == "jax":
            return "JAX is optional: only _jax.py imports it, for those who have chosen it"
        return f"private names of {name[0]} belong to {PRIVATE[name[0]][0]}.py" if private else None
    if name[0] != NAME or own[0] in TOP:
        return None
    other = name[1:]
    if not other or other[0] not in FLOORS:
        return "only the face of the package may use its face"
    if other[0] == own[0]:
        siblings = own[0] in ALTERNATIVES and own[1] != "__init__"
        apart = siblings and other[1:2] not in ((), (own[1],)) and other[1] not in SHARED
        return "alternatives do not know each other" if apart else room_violation(own, other)
    return "a floor uses floors below it" if FLOORS[other[0]] >= FLOORS[own[0]] else None


def level(place, rooms):
    """The level of the room that a file is in: -1 for files beside rooms, None for the face."""
    known = {path.stem for path in (ROOT / place[0]).iterdir()}
    if len(place) < 2 or place[1] == "__init__" or place[1] not in known:
        return None
    return next((n for n, names in enumerate(rooms) if place[1] in names), -1)


def room_violation(own, other):
    """Why a file must not import from a room of the same folder, or None."""
    rooms = ROOMS.get(own[0])
    mine, theirs = (level(place, rooms) for place in (own, other)) if rooms else (None, None)
    if rooms is None or mine is None:
        return None
    if theirs is None:
        return "only others use the face of a folder"
    same = own[1] == other[1] and mine >= 0
    if same or theirs < mine or mine == theirs == -1:
        return None
    return "a room uses rooms below it"


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
        ("adapters/ridge", "from sklearn_hypergrad.adapters.model import LinearModel", True),
        (
            "problems/ridge/gram_ridge",
            "from sklearn_hypergrad.problems.linear.design import Design",
            True,
        ),
        ("problems/linear/newton", "from sklearn_hypergrad.problems.ridge import moments", False),
        ("problems/linear/newton", "from sklearn_hypergrad.problems.network import network", False),
        ("problems/linear/newton", "from sklearn_hypergrad.problems.base import Status", True),
        ("problems/base", "from sklearn_hypergrad.problems.linear.newton import Newton", False),
        ("problems/linear/newton", "from sklearn_hypergrad.problems import Status", False),
        ("search/data/inputs", "import sklearn_hypergrad.search.strategies.scalar", False),
        ("search/strategies/scalar", "import sklearn_hypergrad.search.data.inputs", True),
        ("search/strategies/scalar", "import sklearn_hypergrad.search.strategies.base", True),
        (
            "search/reporting/report",
            "from sklearn_hypergrad.search import HypergradSearchCV",
            False,
        ),
        ("problems/autograd/trace", "from autograd.core import VJPNode", False),
        ("problems/autograd/trace", "import autograd.numpy as np", True),
        ("_autograd", "from autograd.core import VJPNode", True),
        ("problems/autograd/backends", "import jax.numpy as jnp", False),
        ("problems/autograd/backends", "from sklearn_hypergrad import _jax", True),
        ("_jax", "import jax", True),
        ("hypergradients/base", "from sklearn_hypergrad.hypergradients import implicit", False),
        ("optimizers/brent", "from sklearn_hypergrad.optimizers.lbfgs import LBFGS", False),
        (
            "search/candidates/expand",
            "from sklearn.model_selection._search import BaseSearchCV",
            False,
        ),
        ("search/candidates/expand", "from sklearn.utils.metaestimators import _safe_split", False),
        ("search/candidates/expand", "import sklearn.utils._tags", False),
        ("_sklearn", "from sklearn.utils.metaestimators import _safe_split", True),
        ("search/candidates/expand", "from sklearn_hypergrad._sklearn import safe_split", True),
        ("__main__", "from sklearn_hypergrad.search.candidates.expand import expand", True),
        ("__main__", "from sklearn.model_selection._search import BaseSearchCV", False),
        ("__init__", "from .search import HypergradSearchCV", False),
    ],
)
def test_the_rules(own, source, allowed):
    found = [violation(tuple(own.split("/")), name) for name in imports(source)]
    assert (found == [None] * len(found)) == allowed
