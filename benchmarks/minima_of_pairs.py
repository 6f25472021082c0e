"""Whether searches of two values miss a minimum: real losses against 40 x 25 points.

``python -m benchmarks.minima_of_pairs [--data DIR] [--only NAME]``. The regression sets of
``benchmarks.minima`` are taken standardised, with 30, 60, 200 and 800 rows. Both values of a model
are searched over lists, and over ranges without lists, each from the first to the last listed
value. All are judged by the squared error on five folds. Points of the plane are those of the same
solver, from the strongly regularised end on. A point that is lower still is looked for by Nelder
and Mead's simplex from the three lowest of them. Misses are those by more than one in ten thousand.
Prints a line for each, and a line for each model. With ``--data``, ``docs/minima_of_pairs.inc`` has
the table.
"""

import argparse
import dataclasses
import itertools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import ElasticNet, HuberRegressor
from sklearn.preprocessing import scale
from sklearn.svm import LinearSVR

from benchmarks.cases import list_table
from benchmarks.minima import FAMILY_MISSED, SQUARED, bundled, stored
from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives
from sklearn_hypergrad.tuning import FINE

PAGE = Path(__file__).parents[1] / "docs" / "minima_of_pairs.inc"
ROWS = 30, 60, 200, 800
SHAPE = 40, 25
N_REFINED, MOST_REFINED = 3, 60
HEADER = "values", "searches", "missed", "by at most", "missed, refined", "evaluations"


@dataclasses.dataclass(frozen=True)
class Pair:
    """A model, and two hyperparameters with their lists: first the penalty.

    Attributes
    ----------
    estimator : estimator
    lists : dict of str -> ndarray
    strong_first : bool
        Whether the first value of the penalty is the strongest.
    rows_per_feature : float, default=0
        Data with fewer are left out.
    """

    estimator: Any
    lists: dict
    strong_first: bool
    rows_per_feature: float = 0.0

    @property
    def ranges(self):
        """The same without lists."""
        return {key: Continuous(listed[0], listed[-1]) for key, listed in self.lists.items()}


PAIRS = {
    "ElasticNet": Pair(
        ElasticNet(), {"alpha": np.logspace(-4, 1, 10), "l1_ratio": np.linspace(0.1, 1, 5)}, False
    ),
    "LinearSVR": Pair(
        LinearSVR(loss="squared_epsilon_insensitive", dual=False),
        {"C": np.logspace(-3, 3, 7), "epsilon": np.logspace(-3, 0, 4)},
        True,
    ),
    # With more features there is no minimum in much of the plane.
    "HuberRegressor": Pair(
        HuberRegressor(max_iter=1000),
        {"alpha": np.logspace(-4, 3, 8), "epsilon": np.linspace(1.1, 3, 5)},
        False,
        rows_per_feature=4.0,
    ),
}


def parts(sets, rows_per_feature=0.0, seed=0):
    """Yield ``(name, X, y)``: some rows of the sets, standardised."""
    rng = np.random.default_rng(seed)
    for name, key, X, y in sets:
        if key != "alpha":
            continue
        order, done = rng.permutation(len(y)), set()
        for n_rows in (min(n, len(y)) for n in ROWS):
            rows = order[:n_rows]
            columns = np.flatnonzero(X[rows].std(axis=0) > 0)
            enough = n_rows >= rows_per_feature * len(columns) and y[rows].std() > 0
            if enough and n_rows not in done:
                done.add(n_rows)
                kept = X[rows][:, columns].astype(float)
                yield f"{name} {n_rows} rows", scale(kept), scale(y[rows].astype(float))


def lowest_of_plane(objective, pair):
    """``(lowest of the points, lowest from there)``."""
    objective.tol = FINE
    space, places = objective.space, []
    for dimension, n in zip(space.dimensions, SHAPE, strict=True):
        ends = dimension.transform.to_theta(pair.lists[dimension.name][[0, -1]])
        places.append(np.linspace(*np.clip(ends, *space.bounds[len(places)]), n))
    first = places[0] if pair.strong_first else places[0][::-1]
    points = [np.array(point)[::-1] for point in itertools.product(places[1], first)]
    values = [objective.record(point) for point in points]
    values = np.array([record.value if record.usable else np.inf for record in values])

    def value(theta):
        record = objective.record(theta)
        return record.value if record.usable else np.inf

    steps, refined = [np.ptp(own) / (len(own) - 1) for own in places], []
    for start in (points[n] for n in np.argsort(values)[:N_REFINED]):
        simplex = start + np.array([[0, 0], [steps[0], 0], [0, steps[1]]])
        # Towards the middle where the simplex would leave the plane.
        simplex = np.where(simplex > space.bounds.T[1], 2 * start - simplex, simplex)
        settings = {"maxfev": MOST_REFINED, "initial_simplex": simplex}
        bounds = space.bounds.tolist()
        refined.append(
            minimize(value, start, method="Nelder-Mead", bounds=bounds, options=settings).fun
        )
    return values.min(), min(values.min(), *refined)


def compared(pair, X, y):
    """Yield ``(what, excess, excess of the refined, n_evaluations)`` of both searches."""
    lowest = None
    for what, grid in (("lists", pair.lists), ("ranges", pair.ranges)):
        search = HypergradSearchCV(pair.estimator, grid, scoring=SQUARED, refit=False).fit(X, y)
        if search.hyperparameters_.empty:
            continue
        (objective,) = build_objectives(search, X, y)
        objective.tol = FINE
        # The first row is the point found.
        point = {key: search.cv_results_["params"][0][key] for key in grid}
        found = objective.record(objective.space.to_theta(point)).value
        lowest = lowest_of_plane(objective, pair) if lowest is None else lowest
        yield what, found / lowest[0] - 1, found / lowest[1] - 1, search.n_iter_


def row(name, sets):
    """Cells of a model."""
    pair, outcomes = PAIRS[name], []
    for data, X, y in parts(sets, pair.rows_per_feature):
        for what, excess, of_refined, n_evaluations in compared(pair, X, y):
            outcomes.append((excess, of_refined, n_evaluations))
            if not max(excess, of_refined) <= FAMILY_MISSED:
                text = f"{excess:.1e} relative, {of_refined:.1e} above the refined"
                print(f"{name}, {data}, {what}: worse by {text}", flush=True)
    excess, of_refined, n_evaluations = np.array(outcomes).T
    missed, of_missed = (np.sum(~(each <= FAMILY_MISSED)) for each in (excess, of_refined))
    return (
        f"{name} ({', '.join(f'``{key}``' for key in pair.lists)})",
        str(len(outcomes)),
        str(missed),
        f"{max(0.0, *excess):.1e}",
        str(of_missed),
        f"{n_evaluations.mean():.0f}",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with uci/ and binary/")
    parser.add_argument("--only", default="", help="part of the names of models")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    sets = [*bundled(), *(stored(arguments.data) if arguments.data else [])]
    rows = []
    for name in PAIRS:
        if arguments.only in name:
            rows.append(row(name, sets))
            print(*rows[-1], sep=" | ", flush=True)
    if arguments.data and not arguments.only:
        PAGE.write_text(list_table(HEADER, rows))


if __name__ == "__main__":
    main()
