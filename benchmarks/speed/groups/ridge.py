"""One alpha of ridge regression."""

from benchmarks.speed import contenders, data, peers
from benchmarks.speed.clock import QUICK
from benchmarks.speed.comparison import compare
from benchmarks.speed.models import RIDGE
from benchmarks.speed.task import Task

SIZES = ((500, 20), (1000, 50), (20_000, 200), (500, 5000), (100_000, 300))
SMALL = ((200, 10), (100, 200))
# Entries of X beyond which optuna is left out: minutes for a ratio in the hundreds.
MOST_FOR_OPTUNA = 50_000


def measure(effort):
    for n_samples, n_features in SMALL if effort == QUICK else SIZES:
        X, y = data.regression(n_samples, n_features)
        task = Task(f"ridge, {n_samples:,} x {n_features:,}", RIDGE, X, y)
        others = [contenders.grid_search(task, 20), peers.ridge_cv(task)]
        if X.size <= MOST_FOR_OPTUNA:
            others.append(peers.optuna_search(task, 50))
        yield from compare(task, contenders.standard(task) + others, effort)
