"""A search with a checkpoint is killed, started again, and ends as if nothing had happened."""

import contextlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
import warnings

import autograd.numpy as anp
import joblib
import narwhals
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import scale

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model, workers
from sklearn_hypergrad.differentiable import DifferentiableRegressor, Hyperparameter
from sklearn_hypergrad.neural_network import MLPRegressor
from sklearn_hypergrad.search.data.fingerprint import fingerprint
from sklearn_hypergrad.tuning import Objective, TrainedObjective
from sklearn_hypergrad.tuning.journal import Journal

pytestmark = pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="killed processes are forks"
)
N_KILLS = 20
# Searches with warm starts, with new draws at every evaluation, and with several candidates.
QUICK = {"own model"}


class Robust(DifferentiableRegressor):
    """Linear regression with the pseudo-Huber loss."""

    hyperparameters = {"alpha": Hyperparameter(regularizes=1), "width": Hyperparameter()}

    def __init__(self, alpha=0.1, width=1.0):
        self.alpha = alpha
        self.width = width

    def initial(self, X, y, rng):
        return anp.zeros(X.shape[1])

    def forward(self, w, X, h):
        return anp.dot(X, w)

    def loss(self, y, z, h):
        return h["width"] ** 2 * (anp.sqrt(1 + ((z - y) / h["width"]) ** 2) - 1)

    def penalty(self, w, h):
        return 0.5 * h["alpha"] * anp.sum(w**2)


ANY = Continuous()
NETWORK = MLPRegressor(hidden_layer_sizes=4, activation="tanh", n_steps=12)
PIPELINE = Pipeline([("pca", PCA()), ("model", Ridge())])
SETTINGS = {
    "pca__n_components": [2, 3, 4, 5, 7, 9],
    "pca__whiten": [False, True],
    "model__alpha": [1e-3, 1e3],
}
SEARCHES = {
    "ridge vector": HypergradSearchCV(
        linear_model.Ridge(), {"alpha": Continuous(per="feature")}, guard=True, cv=2, max_iter=4
    ),
    "network": HypergradSearchCV(
        NETWORK, {"alpha": ANY, "learning_rate_init": ANY}, cv=2, max_iter=6
    ),
    "drawn anew": HypergradSearchCV(
        NETWORK,
        {"alpha": [1e-3, 1.0]},
        cv=2,
        resample="fresh",
        max_iter=4,
        scoring="neg_median_absolute_error",
    ),
    "own model": HypergradSearchCV(
        Robust(), {"alpha": ANY, "width": Continuous(0.1, 10)}, cv=2, max_iter=2, tol=0.1
    ),
    "grid": HypergradSearchCV(PIPELINE, SETTINGS, cv=2),
    "logistic": HypergradSearchCV(
        linear_model.LogisticRegression(), {"C": [1e-3, 1e3]}, cv=2, scoring="accuracy"
    ),
    "logistic vector": HypergradSearchCV(
        linear_model.LogisticRegression(),
        {"C": Continuous(per="feature")},
        cv=2,
        scoring="accuracy",
        max_iter=3,
    ),
}


def result_of(search):
    """All bits of the result of a search, but how long it took."""
    history = narwhals.from_native(search.history_).drop("seconds").to_native()
    return fingerprint(p=search.best_params_, s=search.best_score_, h=history)


class Case:
    """A search on some data, run in processes of its own that count their evaluations."""

    def __init__(self, name, folder, backend=None):
        X, y = load_diabetes(return_X_y=True)
        X, y = scale(X)[::6], scale(y)[::6]
        self.y = y > 0 if name.startswith("logistic") else y
        self.X, self.name, self.folder, self.backend = X, name, folder, backend

    def run(self, place, *, kill_at=None, after=None):
        """``(result, seconds)``; the result is None if the process was killed.

        It is killed after some seconds, or by itself while it writes a line of that number.
        """
        context = multiprocessing.get_context("fork")
        receive, send = context.Pipe(duplex=False)
        with warnings.catch_warnings():
            # Newer versions of Python warn where threads are running, none of which matters here.
            warnings.simplefilter("ignore")
            process = context.Process(target=self._fit, args=(place, send, kill_at))
            process.start()
        send.close()
        process.join(after)
        process.kill()
        process.join()
        return receive.recv() if process.exitcode == 0 else None

    def _fit(self, place, send, kill_at):
        warnings.simplefilter("ignore")
        # An open file, whose bytes are counted together.
        count = os.open(self.folder / f"{place}.count", os.O_APPEND | os.O_CREAT | os.O_WRONLY)

        def counted(evaluate):
            def evaluate_and_count(self, theta):
                os.write(count, b"1")
                return evaluate(self, theta)

            evaluate_and_count.__name__ = evaluate.__name__
            return evaluate_and_count

        Objective._evaluate = counted(Objective._evaluate)
        TrainedObjective._glanced = counted(TrainedObjective._glanced)
        if kill_at is not None:
            Journal._write = torn(Journal._write, kill_at)
        send.send(result_of(self.fit(place)))

    def fit(self, place):
        """A fitted search; with a backend workers take part from the beginning."""
        search = clone(SEARCHES[self.name]).set_params(checkpoint=self.folder / place)
        if self.backend is None:
            return search.fit(self.X, self.y)
        workers.WORTH = 0.0
        with joblib.parallel_config(backend=self.backend, n_jobs=2):
            return search.fit(self.X, self.y)

    def n_evaluations(self, place):
        """Evaluations of all processes."""
        return (self.folder / f"{place}.count").stat().st_size

    def n_records(self, place):
        """Evaluations that are written down."""
        return self.n_results(place, b'"gradient"')

    def n_results(self, place, name=b'"key"'):
        """Results that are written down: evaluations, and scores of solutions."""
        (path,) = (self.folder / place).glob("*.jsonl")
        return sum(name in line for line in path.read_bytes().split(b"\n")[:-1])


def torn(write, number):
    """A ``Journal._write`` that writes half of a line, and kills its process."""
    n_written = 0

    def write_half(self, line):
        nonlocal n_written
        n_written += 1
        if n_written == number:
            self._file.seek(self._end)
            self._file.write(line[: len(line) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        write(self, line)

    return write_half


@pytest.mark.parametrize(
    "name",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.thorough)
        for name in SEARCHES
    ],
)
def test_killed_while_it_writes(name, tmp_path):
    case = Case(name, tmp_path)
    expected = case.run("whole")
    n_records, n_results = case.n_records("whole"), case.n_results("whole")
    assert case.n_evaluations("whole") == n_records > 2
    # In the first, a middle and the last result, after a line for the process and one for the file.
    n_known, n_before = 0, 2
    for number in (1, n_results // 2, n_results):
        assert case.run("killed", kill_at=n_before + number - n_known) is None
        n_known, n_before = number - 1, 1
    assert case.run("killed") == expected
    assert n_records == case.n_records("killed")
    assert n_records <= case.n_evaluations("killed") <= n_records + 3
    n_evaluations = case.n_evaluations("killed")
    assert case.run("killed") == expected
    assert case.n_evaluations("killed") == n_evaluations


@pytest.mark.parametrize("name", ["grid", pytest.param("ridge vector", marks=pytest.mark.thorough)])
@pytest.mark.thorough
def test_killed_with_workers(name, tmp_path):
    """At most one evaluation of each worker is lost, also if the next fit has none."""
    alone, shared = Case(name, tmp_path), Case(name, tmp_path, "threading")
    expected = alone.run("whole")
    n_records = alone.n_records("whole")
    for number in (5, 3 + n_records // 3, 3):
        assert shared.run("killed", kill_at=number) is None
    assert alone.run("killed") == expected
    assert alone.n_records("killed") == n_records
    assert alone.n_evaluations("killed") <= n_records + 3 * 2
    assert shared.run("killed") == expected


PROGRAM = """
import sys
from pathlib import Path
sys.path[:0] = {paths!r}
from test_killed import Case
Case("grid", Path({folder!r}), "loky").fit("killed")
"""


@pytest.mark.thorough
def test_processes_that_outlive_their_caller(tmp_path):
    """Workers write on after their caller was killed, and the next fit takes that over."""
    alone = Case("grid", tmp_path)
    expected = alone.run("whole")
    program = PROGRAM.format(paths=sys.path, folder=str(tmp_path))
    for seconds in (3.0, 4.0, 5.0):
        process = subprocess.Popen([sys.executable, "-c", program])
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.kill()
        process.wait()
    assert alone.run("killed") == expected


@pytest.mark.thorough
@pytest.mark.parametrize("name", SEARCHES)
def test_killed_at_random_moments(name, tmp_path):
    case, rng = Case(name, tmp_path), np.random.default_rng(0)
    began = time.perf_counter()
    expected = case.run("whole")
    seconds = time.perf_counter() - began
    n_records, n_kills, n_rounds = case.n_records("whole"), 0, 0
    while n_kills < N_KILLS:
        place, n_before = f"round {n_rounds}", n_kills
        while (found := case.run(place, after=rng.uniform(0, seconds))) is None:
            n_kills += 1
        assert found == expected
        assert n_records == case.n_records(place)
        assert case.n_evaluations(place) <= n_records + n_kills - n_before
        n_rounds += 1
