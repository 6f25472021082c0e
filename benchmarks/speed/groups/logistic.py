"""One C of logistic regression."""

from benchmarks.speed import contenders, data, peers
from benchmarks.speed.clock import QUICK
from benchmarks.speed.comparison import compare
from benchmarks.speed.models import LOGISTIC, SPARSE_LOGISTIC
from benchmarks.speed.task import Task

SIZES = ((2000, 50), (20_000, 100))
SPARSE = (10_000, 20_000, 0.002)
SMALL, SMALL_SPARSE = ((300, 10),), (300, 500, 0.02)


def measure(effort):
    for task, solvers in _tasks(SMALL, SMALL_SPARSE) if effort == QUICK else _tasks(SIZES, SPARSE):
        others = [peers.logistic_cv(task, solver) for solver in solvers]
        others += [contenders.grid_search(task, 10), peers.optuna_search(task, 30)]
        yield from compare(task, contenders.standard(task) + others, effort)


def _tasks(sizes, sparse):
    """With the solvers of LogisticRegressionCV that suit them."""
    for n_samples, n_features in sizes:
        for correlated in (True, False):
            kind = "correlated" if correlated else "independent"
            title = f"logistic, {n_samples:,} x {n_features:,}, {kind}"
            X, y = data.classification(n_samples, n_features, correlated=correlated)
            yield Task(title, LOGISTIC, X, y), ("lbfgs", "newton-cholesky")
    title = f"logistic, {sparse[0]:,} x {sparse[1]:,}, sparse"
    yield Task(title, SPARSE_LOGISTIC, *data.sparse_classification(*sparse)), ("lbfgs", "newton-cg")
