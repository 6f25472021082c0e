"""The same bits on all of joblib's backends, clusters included.

Clusters are optional. They are started by the code of docs/parallel.rst, which so is executed.
"""

import contextlib
import functools
import os
import re
import tempfile
import textwrap
import threading
from pathlib import Path

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.neural_network import MLPClassifier

PAGE = Path(__file__).parents[2] / "docs" / "parallel.rst"
BLOCK = re.compile(r"^\.\. code-block:: python\n\n((?: {4}.*\n|\n)+)", re.MULTILINE)
# All columns are compared but those of times and workers.
TABLES = ("cv_results_", "history_", "hyperparameters_")
APART = ("seconds", "time", "process", "thread")


def reporting():
    """A score that tells its worker. Functions of a module would have to be there on workers."""

    def score(estimator, X, y):
        worker = {"process": os.getpid(), "thread": threading.get_ident()}
        return {"r2": estimator.score(X, y), **worker}

    return score


CASES = {
    "ridge": (
        make_pipeline(StandardScaler(), Ridge()),
        {"ridge__alpha": np.logspace(-3, 3, 7)},
        load_diabetes,
        # Its fits say on which worker they run.
        {"scoring": reporting(), "refit": "r2", "error_score": "raise", "judge": "cold"},
    ),
    "logistic": (
        make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky")),
        {"logisticregression__C": Continuous(), "logisticregression__fit_intercept": [True, False]},
        load_breast_cancer,
        {"scoring": "accuracy", "cv": 2},
    ),
    "vector": (
        make_pipeline(StandardScaler(), linear_model.Ridge()),
        {"ridge__alpha": Continuous(per="feature")},
        load_diabetes,
        {"search_cv": 3},
    ),
    "network": (
        MLPClassifier((5,), n_steps=8, random_state=0),
        {"learning_rate_init": Continuous(per=("step", "layer")), "alpha": Continuous()},
        load_wine,
        {"scoring": "neg_log_loss", "cv": 3, "max_iter": 3},
    ),
}
# What the code of the documentation searches, where a cluster is started by it.
SHOWN = "ridge"


def search_of(case, n_jobs):
    estimator, grid, _, settings = CASES[case]
    return HypergradSearchCV(estimator, grid, n_jobs=n_jobs, **settings)


@functools.cache
def data_of(case):
    X, y = CASES[case][2](return_X_y=True)
    return scale(X), y


@functools.cache
def alone(case):
    """The search without any workers."""
    return search_of(case, n_jobs=1).fit(*data_of(case))


def executed(name):
    """What the code for a cluster in the documentation defines: ``search`` fitted, at least."""
    if not PAGE.exists():
        pytest.skip("needs the repository")
    (code,) = [
        textwrap.dedent(block)
        for block in BLOCK.findall(PAGE.read_text(encoding="utf-8"))
        if f'backend="{name}"' in block
    ]
    X, y = data_of(SHOWN)
    namespace = {"search": search_of(SHOWN, n_jobs=2), "X": X, "y": y}
    exec(compile(code, f"{PAGE}: {name}", "exec"), namespace)
    return namespace


@contextlib.contextmanager
def dask_cluster():
    pytest.importorskip("distributed")
    namespace = executed("dask")
    try:
        yield namespace["search"]
    finally:
        namespace["client"].close()


@contextlib.contextmanager
def ray_cluster():
    # Below pytest's own folder the paths of sockets are too long.
    folder = tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True)
    with pytest.MonkeyPatch.context() as patch, folder:
        # Read when ray is imported. The first one keeps it to the loopback device on any system,
        # the others off the network and out of the home folder.
        patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "disabled")
        ray = pytest.importorskip("ray")
        quiet = {"log_to_driver": False, "configure_logging": False}
        small = {"object_store_memory": 80 * 2**20, "_temp_dir": folder.name}
        patch.setattr(ray, "init", functools.partial(ray.init, **quiet, **small))
        # ray's backend changes this class for the whole process.
        pool = joblib.pool.PicklingPool
        bases = pool.__bases__
        try:
            yield executed("ray")["search"]
        finally:
            ray.shutdown()
            pool.__bases__ = bases


# Each gives the search that the code of the documentation has fitted on its cluster.
START = {
    "loky": contextlib.nullcontext,
    "threading": contextlib.nullcontext,
    "dask": dask_cluster,
    "ray": ray_cluster,
}


def searched(backend, case):
    with joblib.parallel_config(backend=backend):
        return search_of(case, n_jobs=2).fit(*data_of(case))


def assert_same(search, other):
    """Equal in all but times and workers, to the last bit."""
    assert search.best_score_ == other.best_score_
    assert search.best_params_.keys() == other.best_params_.keys()
    for name, value in search.best_params_.items():
        assert_array_equal(value, other.best_params_[name])
    for name in TABLES:
        table, reference = getattr(search, name), getattr(other, name)
        assert list(table) == list(reference)
        for column in table:
            if not column.endswith(APART):
                values, expected = (
                    [repr(plain(value)) for value in each[column]] for each in (table, reference)
                )
                assert values == expected, f"{name}: {column}"


def plain(value):
    """Numbers and lists, whose representation has all digits."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    return value.tolist() if hasattr(value, "tolist") else value


# Clusters take seconds to start: ``pytest -m thorough`` has them.
CLUSTER = pytest.mark.thorough


# All cases in one test, so that a cluster is started once on any number of test processes.
@pytest.mark.parametrize(
    "backend",
    [pytest.param(name, marks=CLUSTER if name in ("dask", "ray") else ()) for name in START],
)
def test_the_same_bits(backend):
    with START[backend]() as shown:
        for case in CASES:
            from_page = case == SHOWN and shown is not None
            search = shown if from_page else searched(backend, case)
            assert_same(search, alone(case))
            if case == SHOWN:
                assert_worked(search, backend)


def assert_worked(search, backend):
    """Whether fits have run on workers; else the same was compared with the same."""
    processes, threads = (
        {search.cv_results_[f"split{split}_test_{what}"][0] for split in range(5)}
        for what in ("process", "thread")
    )
    assert (os.getpid() in processes) == (backend == "threading")
    if backend == "threading":
        assert threading.get_ident() not in threads


def test_one_bit_is_a_difference():
    search = search_of("ridge", n_jobs=1).fit(*data_of("ridge"))
    assert_same(search, alone("ridge"))
    scores = search.cv_results_["split0_test_r2"]
    scores[0] = np.nextafter(scores[0], 1)
    with pytest.raises(AssertionError, match="split0_test_r2"):
        assert_same(search, alone("ridge"))
