"""Random small searches, each made from its seed alone, and compared with GridSearchCV.

``python tests/search/random_cases.py 17`` shows the case of seed 17 in detail, and ``... 0:2000``
every failure of these seeds in one line. ``... sample 0:2000`` chooses cheap cases that cover what
occurs in all.
"""

import dataclasses

import numpy as np
from random_arguments import Indices, draw_cv, draw_grids, draw_options, draw_scoring
from random_data import Data, chance, draw_data, pick
from random_models import FAMILIES, family_of, wrapped
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from sklearn_hypergrad import Continuous


@dataclasses.dataclass
class Case:
    """One comparison: the same call of both searches, except for values that are a Continuous."""

    seed: int
    family: str
    task: str
    estimator: object
    grid: dict | list
    listed: dict | list
    searched: tuple
    data: Data
    cv: object
    options: dict
    params: dict

    @property
    def grids(self):
        return self.grid if isinstance(self.grid, list) else [self.grid]

    @property
    def ranges(self):
        """The Continuous of all grids."""
        found = []
        for grid in self.grids:
            for values in grid.values():
                value = values[0] if isinstance(values, list) and values else values
                found += [value] * isinstance(value, Continuous)
        return found

    def call(self, search_class):
        """Fit a search of a class, with the grid that is meant for it."""
        ours = search_class.__name__ == "HypergradSearchCV"
        cv = self.cv() if isinstance(self.cv, Indices) else self.cv
        grid = self.grid if ours else self.listed
        # Fits that stop early may score better than minima: both are to stop at the same place.
        more = {"judge": "cold"} if ours else {}
        search = search_class(clone(self.estimator), grid, cv=cv, **self.options, **more)
        return search.fit(self.data.X, self.data.y, **self.params)

    def __str__(self):
        options = {name: getattr(value, "__name__", value) for name, value in self.options.items()}
        parts = [
            f"seed {self.seed}: {self.family}",
            " ".join(repr(self.estimator).split()),
            f"grid {self.grid}",
            "; ".join(self.data.said),
            f"cv {' '.join(repr(self.cv).split())[:120]}",
            f"{options}",
            f"fit parameters {sorted(self.params)}" if self.params else "",
        ]
        return "\n    ".join(part for part in parts if part)


def draw(seed):
    """The Case of a seed. Its parts have draws of their own: to change one spares the others."""
    of_data, of_model, of_grid, of_score, of_rest = (
        np.random.default_rng([seed, part]) for part in range(5)
    )
    family = family_of(seed)
    make, tasks, names = FAMILIES[family]
    task = pick(of_model, tasks)
    data = draw_data(of_data, task, counts=family == "discrete_bayes")
    final = make(of_model)
    estimator, prefix, beside = wrapped(of_model, final, data, task)
    grid, listed = draw_grids(of_grid, final, names, prefix, beside)
    scoring, refit = draw_scoring(of_score, task, final)
    cv, grouped = draw_cv(of_rest, len(data.y), task)
    params = {"groups": data.groups} if grouped and not chance(of_rest, 0.03) else {}
    if data.sample_weight is not None and has_fit_parameter(final, "sample_weight"):
        params[f"{prefix}sample_weight"] = data.sample_weight
    return Case(
        seed=seed,
        family=family,
        task=task,
        estimator=estimator,
        grid=grid,
        listed=listed,
        searched=tuple(prefix + name for name in names),
        data=data,
        cv=cv,
        options={"scoring": scoring, "refit": refit, **draw_options(of_rest)},
        params=params,
    )


if __name__ == "__main__":
    from random_report import main

    main()
