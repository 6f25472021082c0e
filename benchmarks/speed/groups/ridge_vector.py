"""One alpha per feature of ridge regression: one hypergradient, and whole fits."""

from benchmarks.speed import contenders, data, peers
from benchmarks.speed.clock import QUICK
from benchmarks.speed.comparison import compare
from benchmarks.speed.hypergradients import fits, hypergradient
from benchmarks.speed.models import RIDGE
from benchmarks.speed.task import Task
from sklearn_hypergrad import Continuous

SIZES = ((1000, 50), (20_000, 200), (5000, 1000), (300, 2000))
WHOLE = ((1000, 50), (20_000, 200))
# himalaya keeps all groups apart, which takes minutes with hundreds of them.
MOST_FEATURES_FOR_HIMALAYA = 50
SMALL = ((200, 10),)
N_NEW = 10_000


def measure(effort):
    for n_samples, n_features in SMALL if effort == QUICK else SIZES:
        task = _task("one hypergradient", n_samples, n_features)
        yield from compare(task, [hypergradient(task), fits(task, "cholesky")], effort)
    for n_samples, n_features in SMALL if effort == QUICK else WHOLE:
        task = _task("per feature", n_samples, n_features)
        others = [contenders.grid_search(task, 20)]
        if n_features <= MOST_FEATURES_FOR_HIMALAYA:
            others.append(peers.himalaya_search(task))
        yield from compare(task, contenders.standard(task) + others, effort)


def _task(what, n_samples, n_features):
    title = f"ridge, {n_samples:,} x {n_features:,}, {what}"
    X, y = data.regression(n_samples + N_NEW, n_features)
    own, new = slice(0, n_samples), slice(n_samples, None)
    vector = Continuous(per="feature")
    return Task(title, RIDGE, X[own], y[own], vector=vector, new=(X[new], y[new]))
