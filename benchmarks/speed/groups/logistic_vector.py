"""One C per feature of logistic regression: one hypergradient, warm-started."""

from benchmarks.speed import data
from benchmarks.speed.clock import QUICK
from benchmarks.speed.comparison import compare
from benchmarks.speed.hypergradients import fits, hypergradient
from benchmarks.speed.models import LOGISTIC
from benchmarks.speed.task import Task
from sklearn_hypergrad import Continuous

SIZES, SPARSE = ((2000, 50), (20_000, 100)), (10_000, 20_000, 0.002)
SMALL, SMALL_SPARSE = ((300, 10),), (300, 500, 0.02)


def measure(effort):
    sizes, sparse = (SMALL, SMALL_SPARSE) if effort == QUICK else (SIZES, SPARSE)
    for size in sizes:
        yield from _one(effort, "correlated", "newton-cholesky", size, *data.classification(*size))
    yield from _one(effort, "sparse", "lbfgs", sparse, *data.sparse_classification(*sparse))


def _one(effort, kind, solver, size, X, y):
    title = f"logistic, {size[0]:,} x {size[1]:,}, {kind}, one hypergradient"
    task = Task(title, LOGISTIC, X, y, vector=Continuous(per="feature"))
    return compare(task, [hypergradient(task), fits(task, solver)], effort)
