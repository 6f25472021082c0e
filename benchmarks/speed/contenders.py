"""Our search, and what scikit-learn itself offers to compare it with."""

import dataclasses
from collections.abc import Callable

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from benchmarks.speed.task import HIGH, LOW


@dataclasses.dataclass(frozen=True)
class Contender:
    """Something whose time counts.

    Attributes
    ----------
    name : str
    run : callable
        Does it once; what it returns goes to the next two. None if the contender is not here.
    chosen : callable, default=None
        The hyperparameter that was found.
    laps : callable, default=None
        ``{name: seconds}`` of parts, from what was returned and the seconds of all.
    variant : str
        Contenders of one name differ by it; the fastest counts.
    note : str
    """

    name: str
    run: Callable | None
    chosen: Callable | None = None
    laps: Callable | None = None
    variant: str = ""
    note: str = ""


def ours(task):
    """The whole fit, and what it consists of."""

    def laps(search, whole):
        # The bookkeeping is what is left: splitting, scoring, cloning, reporting.
        fits = search.rows_seconds_ + search.refit_time_
        rest = whole - search.search_seconds_ - fits
        return {"search": search.search_seconds_, "fits": fits, "bookkeeping": rest}

    return Contender(
        "whole fit",
        lambda: task.search().fit(task.X, task.y),
        chosen=lambda search: search.best_params_[task.model.key],
        laps=laps,
    )


def one_fit(task):
    """One fit of the model on all data."""
    return Contender("one fit", lambda: clone(task.at_level).fit(task.X, task.y))


def plain_fits(task):
    """A fit on every training part and one on all data: the least a search with one value fits."""
    parts = task.parts()
    return Contender("K+1 fits", lambda: [clone(task.at_level).fit(X, y) for X, y in parts])


def grid_of_one(task):
    """GridSearchCV that has nothing to choose from."""
    return _grid_search("GridSearchCV, 1 value", task, [task.level])


def grid_search(task, n_values):
    """GridSearchCV with values that are equally far from each other on a logarithmic scale."""
    values = np.geomspace(LOW, HIGH, n_values)
    return _grid_search(f"GridSearchCV, {n_values} values", task, values)


def standard(task):
    """The contenders of every task."""
    return [ours(task), one_fit(task), plain_fits(task), grid_of_one(task)]


def _grid_search(name, task, values):
    model = task.model
    search = GridSearchCV(model.plain, {model.key: values}, scoring=model.scoring, cv=task.cv)
    return Contender(
        name,
        lambda: clone(search).fit(task.X, task.y),
        chosen=lambda search: search.best_params_[model.key],
    )
