"""One recorded search: what is fitted, and to which data."""

import dataclasses
import warnings
from collections.abc import Callable

from benchmarks.recorded import results
from sklearn_hypergrad import HypergradSearchCV

PARAMS, SCORES = 1e-6, 1e-9


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """How far results may be from those recorded.

    ``params``: of hyperparameters, relative. ``scores``: of scores, relative or absolute. A case
    that needs more than the defaults says why.
    """

    params: float = PARAMS
    scores: float = SCORES


@dataclasses.dataclass(frozen=True)
class Case:
    """A name, a function without arguments that gives a fitted object, and how to read that."""

    name: str
    fitted: Callable
    read: Callable
    tolerance: Tolerance = Tolerance()

    def run(self):
        """What is recorded of it; warnings do not matter here."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.read(self.fitted())


def search(name, data, estimator, grid, *, fit=None, tolerance=None, **options):
    """Case of a search over ``grid``.

    ``data`` is a function that gives X and y, ``fit`` has more arguments of ``fit``, or is a
    function that makes them from X and y. ``options`` are those of the search.
    """

    def fitted():
        X, y = data()
        extra = fit(X, y) if callable(fit) else fit or {}
        return HypergradSearchCV(estimator, grid, **options).fit(X, y, **extra)

    return Case(name, fitted, results.of_search, tolerance or Tolerance())


def cleaning(name, data, cleaner):
    """Case of a DataCleaner; ``data`` gives all arguments of its ``fit``."""
    return Case(name, lambda: cleaner.fit(*data()), results.of_cleaner)
