"""The value and gradient of the loss of a vector of penalties, next to the fits behind them."""

import time

import numpy as np
from sklearn.base import clone

from benchmarks.speed.contenders import Contender
from benchmarks.speed.searches import HypergradSearchCV
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives
from sklearn_hypergrad.threads import one_blas_thread

TOL = 1e-6
# Standard deviation of the logarithms of penalties: about a step of the optimizer.
STEP = 0.1


def hypergradient(task):
    """One evaluation near the level 1, each time elsewhere; preparations are timed on their own."""
    start = time.perf_counter()
    (objective,) = build_objectives(
        task.search(HypergradSearchCV, search_cv=task.cv), task.X, task.y
    )
    objective.tol = TOL
    (dimension,) = objective.space.dimensions
    level = objective.space.to_theta({dimension.name: np.ones(dimension.shape)})
    objective.record(level)
    preparation = time.perf_counter() - start
    rng = np.random.default_rng(0)

    def move():
        # As a search does, once for all.
        with one_blas_thread():
            return objective.record(level + STEP * rng.normal(size=level.size))

    return Contender(
        "hypergradient",
        move,
        laps=lambda record, whole: {"preparation": preparation},
    )


def fits(task, solver):
    """A fit of scikit-learn on every training part, at the same level."""
    parts = task.parts()[:-1]
    model = clone(task.model.plain).set_params(solver=solver)
    return Contender("K fits", lambda: [clone(model).fit(X, y) for X, y in parts], variant=solver)
