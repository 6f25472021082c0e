"""Fingerprints are the same in every process, and differ wherever values do."""

import ast
import dataclasses
import enum
import functools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import Ridge
from sklearn.metrics import make_scorer
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_hypergrad import Continuous
from sklearn_hypergrad.hypergradients import Implicit
from sklearn_hypergrad.search.data.fingerprint import NoFingerprint, fingerprint


class Color(enum.Enum):
    RED = 1
    BLUE = 2


@dataclasses.dataclass
class Settings:
    names: frozenset = frozenset({"a", "b", "c"})
    more: tuple = ()


class Estimator(BaseEstimator):
    known = {"x", "y", "z"}

    def __init__(self, value=1):
        self.value = value

    @functools.cached_property
    def twice(self):
        return 2 * helper(self.value)


def helper(value):
    return value + len({"u", "v"})


def loss(y, z):
    return helper(y) - z


class Circle:
    def __init__(self, names):
        self.names, self.own = names, self


def frame(**columns):
    return pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "z"], **columns})


# Of each list, all values differ.
DIFFERENT = {
    "numbers": lambda: [1, 1.0, True, "1", b"1", 1j, None, np.float64(1), np.int32(1), -0.0, 0.0],
    "containers": lambda: [
        [1, 2],
        (1, 2),
        [[1], 2],
        [1, [2]],
        {1, 2},
        frozenset({1, 2}),
        {1: 2},
        {"a": 1, "b": 2},
        {"b": 2, "a": 1},
        {"a", "b", "c", "d"},
        slice(1, 2),
    ],
    "arrays": lambda: [
        np.arange(6.0),
        np.arange(6),
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(6.0).astype(">f8"),
        np.arange(12.0)[::2],
        np.arange(6.0, dtype=np.longdouble),
        np.array(["ab", "c"], dtype=object),
        np.array(["a", "bc"], dtype=object),
        np.array(["ab", "c"]),
        np.array([1, "a", None, {"k"}], dtype=object),
        np.zeros(2, dtype=[("a", "i4"), ("b", "O")]),
        np.zeros(2, dtype=[("a", "i4"), ("c", "O")]),
        np.ma.masked_array([1, 2], [0, 1]),
        np.ma.masked_array([1, 2], [1, 0]),
        np.array(["2020-01-01"], dtype="M8[D]"),
        np.empty((0, 2)),
        np.empty((2, 0)),
    ],
    "sparse": lambda: [
        make(matrix)
        for matrix in (np.eye(3), np.diag([1.0, 2.0, 3.0]))
        for make in (sparse.csr_array, sparse.csr_matrix, sparse.csc_array, sparse.dia_matrix)
    ],
    "frames": lambda: [
        frame(),
        frame(a=[1, 2, 4]),
        frame(a=[1.0, 2.0, 3.0]),
        frame(c=[1, 2, 3]),
        frame().rename(columns={"a": "c"}),
        frame().set_index(np.array(["u", "v", "w"])),
        frame().rename_axis("name"),
        frame(b=["x", "y", "z"]),
        frame(b=["x", "z", None]),
        frame(b=pd.Categorical(["x", None, "z"])),
        frame(b=pd.Categorical(["x", None, "z"], ["z", "x"])),
        frame(a=pd.array([1, None, 3], dtype="Int64")),
        frame()["a"],
        frame()["a"].rename("c"),
        frame().columns,
    ],
    "estimators": lambda: [
        Ridge(),
        Ridge(alpha=2),
        make_pipeline(StandardScaler(), Ridge()),
        make_pipeline(StandardScaler(with_mean=False), Ridge()),
        make_pipeline(StandardScaler().set_output(transform="pandas"), Ridge()),
        FrozenEstimator(Ridge().fit(np.eye(3), [1, 2, 3])),
        FrozenEstimator(Ridge().fit(np.eye(3), [1, 2, 4])),
        FunctionTransformer(np.log1p),
        FunctionTransformer(np.exp),
        FunctionTransformer(helper),
        Estimator(),
        Estimator(Estimator()),
        Estimator,
    ],
    "objects": lambda: [
        Color.RED,
        Color.BLUE,
        Settings(),
        Settings(more=(1,)),
        Circle({"a", "b", "c"}),
        Circle({"a", "b", "d"}),
        functools.partial(helper, 1),
        functools.partial(helper, 2),
        make_scorer(loss),
        make_scorer(loss, greater_is_better=False),
        Estimator().get_params,
        Estimator(2).get_params,
        np.random.RandomState(0),
        np.random.RandomState(1),
        np.random.default_rng(0),
        np.random.mtrand._rand,
        KFold(3),
        KFold(4),
        Continuous(1, 2),
        Continuous(1, 3),
        Implicit(),
        Implicit("cg"),
        Path("a"),
        len,
        loss,
        helper,
    ],
}


def all_fingerprints():
    return {name: [fingerprint(v=v) for v in make()] for name, make in DIFFERENT.items()}


@pytest.mark.parametrize("name", DIFFERENT)
def test_values_differ(name):
    found = [fingerprint(value=value) for value in DIFFERENT[name]()]
    assert len(set(found)) == len(found)
    assert found == [fingerprint(value=value) for value in DIFFERENT[name]()]


@pytest.mark.thorough
def test_another_process_agrees():
    code = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location({__name__!r}, {__file__!r})\n"
        f"module = sys.modules[{__name__!r}] = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(module)\n"
        "print(module.all_fingerprints())"
    )
    # Sets of text are in another order.
    environment = {**os.environ, "PYTHONHASHSEED": "17"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert ast.literal_eval(run.stdout) == all_fingerprints()


def test_polars():
    pl = pytest.importorskip("polars")
    columns = {"a": [1, None, 3], "b": ["x", None, "z"], "c": [[1], [2, 3], None]}
    found = [
        fingerprint(v=v)
        for v in (
            pl.DataFrame(columns),
            pl.DataFrame({**columns, "a": [1, 2, 3]}),
            pl.DataFrame({**columns, "c": [[1], [2, 4], None]}),
            pl.DataFrame(columns).with_columns(pl.col("a").cast(pl.Int32)),
            pl.DataFrame(columns).with_columns(pl.col("b").cast(pl.Categorical)),
            pl.DataFrame(columns).rename({"a": "d"}),
            pl.Series("a", [1, None, 3]),
        )
    ]
    assert len(set(found)) == len(found)
    assert fingerprint(v=pl.DataFrame(columns)) == found[0]


def defined(code):
    """A class of a module that is not installed."""
    names = {"__name__": "not_installed"}
    exec(code, names)
    return names["Model"]


def test_the_code_of_own_classes_counts():
    code = "def f(x):\n    return {}\nclass Model:\n    rate = {}\n    def loss(self): return {}"
    versions = [("x", 1, "f(1)"), ("-x", 1, "f(1)"), ("x", 2, "f(1)"), ("x", 1, "f(2)")]
    found = [fingerprint(v=defined(code.format(*version))) for version in versions]
    assert len(set(found)) == len(found)
    assert fingerprint(v=defined(code.format(*versions[0]))) == found[0]


class ByIdentity:
    def __getstate__(self):
        return {"id": id(self)}


def refused():
    def local():
        return 1

    class Local:
        pass

    generator, file = (x for x in [1]), open(os.devnull)
    yield "a lambda", FunctionTransformer(lambda x: x), "value.func"
    yield "a lambda", {"a": [1, {"b": lambda: 0}]}, r"value\['a'\]\[1\]\['b'\]"
    yield "a lambda", functools.partial(lambda x: x), "value"
    yield "a lambda", np.array([lambda: 0, 1], dtype=object), r"value\[0\]"
    yield "a local function", local, "value"
    yield "a local class", Local(), "value"
    yield "an object of builtins.generator", [generator], r"value\[0\]"
    yield "an object of _io.TextIOWrapper", {"file": file}, r"value\['file'\]"
    yield "whose pickle is not the same as that of its copy", [ByIdentity()], r"value\[0\]"
    file.close()


def test_what_another_process_would_not_know_is_refused_by_name():
    names = []
    for what, value, path in refused():
        with pytest.raises(NoFingerprint, match=rf"{path}.* is .*{what}"):
            fingerprint(value=value)
        names.append(what)
    assert len(names) == 9
