"""How the time of a search grows with the data, the splits and the number of penalties."""

import numpy as np

from benchmarks.speed import data
from benchmarks.speed.clock import QUICK, compete
from benchmarks.speed.contenders import Contender
from benchmarks.speed.hypergradients import hypergradient
from benchmarks.speed.models import LOGISTIC, RIDGE
from benchmarks.speed.searches import SearchOnly
from benchmarks.speed.task import Task
from sklearn_hypergrad import Continuous

N_SAMPLES, N_FEATURES, N_SPLITS, MOST_PENALTIES = 4000, 50, 5, 256
AXES = {
    "samples": 2 ** np.arange(10, 17),
    "features": 2 ** np.arange(3, 10),
    "splits": 2 ** np.arange(1, 7),
    "penalties": 2 ** np.arange(9),
}
MODELS = {"ridge": (RIDGE, data.regression), "logistic": (LOGISTIC, data.classification)}


def measure(effort):
    for name in MODELS:
        for against, sizes in AXES.items():
            print(f"{name}, growth with {against}", flush=True)
            chosen = [int(size) for size in (sizes[:3] if effort == QUICK else sizes)]
            measured = "hypergradient" if against == "penalties" else "search"
            make = {"hypergradient": _one_hypergradient, "search": _one_search}[measured]
            runs = {make(name, against, size): size for size in chosen}
            # The search itself is on one thread, whatever the number given.
            times = compete(runs, effort, threads=(1,))
            for (contender, _), of_one in times.items():
                seconds, n_runs = of_one.medians()[measured]
                yield {
                    "model": name,
                    "against": against,
                    "size": runs[contender],
                    "seconds": seconds,
                    "runs": n_runs,
                }


def _one_search(name, against, size):
    model, make = MODELS[name]
    n_samples = size if against == "samples" else N_SAMPLES
    n_features = size if against == "features" else N_FEATURES
    cv = size if against == "splits" else N_SPLITS
    task = Task("", model, *make(n_samples, n_features), cv=cv)
    return Contender(
        "search and its checks",
        lambda: task.search(SearchOnly).fit(task.X, task.y),
        laps=lambda search, whole: {"search": search.search_seconds_},
    )


def _one_hypergradient(name, against, size):
    model, make = MODELS[name]
    groups = np.arange(MOST_PENALTIES) * size // MOST_PENALTIES
    X, y = make(N_SAMPLES, MOST_PENALTIES)
    task = Task("", model, X, y, vector=Continuous(per="group", groups=groups), cv=N_SPLITS)
    return hypergradient(task)
