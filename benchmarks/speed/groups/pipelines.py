"""The same behind a StandardScaler, with one penalty and with one per feature."""

from benchmarks.speed import contenders, data
from benchmarks.speed.clock import QUICK
from benchmarks.speed.comparison import compare
from benchmarks.speed.models import LOGISTIC, RIDGE
from benchmarks.speed.task import Task
from sklearn_hypergrad import Continuous

JOBS = (
    (RIDGE.scaled(), data.regression, (20_000, 200), (200, 10)),
    (LOGISTIC.scaled(), data.classification, (20_000, 100), (300, 10)),
)


def measure(effort):
    for model, make, size, small in JOBS:
        n_samples, n_features = small if effort == QUICK else size
        X, y = make(n_samples, n_features)
        for what, vector in (("one value", None), ("per feature", Continuous(per="feature"))):
            title = f"{model.name}, {n_samples:,} x {n_features:,}, {what}"
            task = Task(title, model, X, y, vector=vector)
            others = [contenders.grid_search(task, 20)]
            yield from compare(task, contenders.standard(task) + others, effort)
