"""Whether searches of one value miss a minimum: real curves against a dense grid of 200 values.

``python -m benchmarks.minima [--data DIR]``. Each data set is taken raw, standardised, with one
column in other units, with squares and products, and as two tiny subsets of 20 to 60 rows. Ridge
regression is judged by the squared error, logistic regression by the log loss, on five folds.
``Continuous()`` and a list of 13 values from 1e-6 to 1e6 are searched. The losses of the dense grid
are those of the same solver, from the strongly regularised end on; both ends are further away than
the search went. Prints a line for every miss by more than 1e-6 relative, and the counts, which are
written to ``docs/minima.inc`` if there is ``--data``.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import PolynomialFeatures, scale

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.search.strategies.build_objectives import build_objectives
from sklearn_hypergrad.tuning import FINE

N_DENSE = 200
MISSED = 1e-6
PAGE = Path(__file__).parents[1] / "docs" / "minima.inc"
TEXT = """\
On {n_sets} data sets, each raw, standardised, with a column in other units, with squares and
products of its columns, and as subsets of 20 and 60 rows, {n_searches} searches with and without
bounds were compared with 200 values over their ranges (``python -m benchmarks.minima``): {n_missed}
were worse by more than one in a million. They took {ridge:.1f} evaluations of ridge and
{logistic:.1f} of logistic regression on average, the estimator's own value included.
"""
MOST_ROWS = {"alpha": 1000, "C": 400}
MOST_FEATURES = 60
LIST = np.logspace(-6, 6, 13)
MODELS = {
    "alpha": (Ridge(), "neg_mean_squared_error"),
    "C": (LogisticRegression(), "neg_log_loss"),
}


def bundled():
    """Yield ``(name, key, X, y)`` of the sets of scikit-learn."""
    yield "diabetes", "alpha", *load_diabetes(return_X_y=True, scaled=False)
    for loader in (load_breast_cancer, load_wine, load_iris, load_digits):
        X, y = loader(return_X_y=True)
        name = loader.__name__.removeprefix("load_")
        yield name, "C", X, (y == 0).astype(int) if name == "digits" else y
        yield name, "alpha", np.delete(X, 2, axis=1), X[:, 2]


def stored(folder):
    """Yield ``(name, key, X, y)`` of the UCI sets and the binary ones."""
    for path in sorted((folder / "uci").glob("*/data.csv.gz")):
        table = pd.read_csv(path, header=None).to_numpy(float)
        yield path.parent.name, "alpha", table[:, :-1], table[:, -1]
    for path in sorted((folder / "binary").glob("*.csv.gz")):
        table = pd.read_csv(path, header=None)
        X = pd.get_dummies(table.iloc[:, :-1]).to_numpy(float)
        yield path.name.removesuffix(".csv.gz"), "C", X, pd.factorize(table.iloc[:, -1])[0]


def variants(key, X, y, seed=0):
    """Yield ``(variant, X, y)``."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(y))[: MOST_ROWS[key]]
    columns = np.flatnonzero(X[rows].std(axis=0) > 0)[:MOST_FEATURES]
    X, y = X[rows][:, columns], y[rows]
    yield "raw", X, y
    yield "standardised", scale(X), y
    other = scale(X)
    other[:, 0] *= 1e4
    yield "one column x 1e4", other, y
    few = scale(X)[:200, :6]
    yield "squares", PolynomialFeatures(2, include_bias=False).fit_transform(few), y[:200]
    for n_rows in (20, 60):
        yield f"{n_rows} rows", scale(X)[:n_rows], y[:n_rows]


def lowest_of_dense(objective, low, high, regularizes):
    """The smallest loss of the dense grid."""
    objective.tol = FINE
    places = np.linspace(low, high, N_DENSE)
    return min(objective.record(np.array([z])).value for z in places[::-regularizes])


def compared(name, key, X, y):
    """Yield ``(what, excess, n_evaluations)`` of both searches of one data set."""
    model, scoring = MODELS[key]
    for values in (Continuous(), LIST):
        search = HypergradSearchCV(model, {key: values}, scoring=scoring, refit=False)
        search.fit(X, y)
        (objective,) = build_objectives(search, X, y)
        visited = np.log(search.history_["value"])
        ends = np.log(LIST[[0, -1]])
        if isinstance(values, Continuous):
            low, high = (float(search.hyperparameters_[name].iloc[0]) for name in ("low", "high"))
            ends = visited.min() - np.log(100), visited.max() + np.log(100)
            ends = np.clip(ends, np.log(low), np.log(high))
        lowest = lowest_of_dense(objective, *ends, 1 if key == "alpha" else -1)
        found = objective.record(np.log([search.best_params_[key]])).value
        what = f"{name}, {'Continuous()' if isinstance(values, Continuous) else 'list'}"
        yield what, found / lowest - 1, search.n_iter_


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with uci/ and binary/")
    folder = parser.parse_args().data
    warnings.simplefilter("ignore")
    excesses, counts = [], {}
    sets = [*bundled(), *(stored(folder) if folder else [])]
    for name, key, X, y in sets:
        for variant, X_, y_ in variants(key, X, y):
            if key == "C" and np.unique(y_, return_counts=True)[1].min() < 5 or len(set(y_)) < 2:
                continue
            for what, excess, n_evaluations in compared(f"{name} {variant}", key, X_, y_):
                excesses.append(excess)
                counts.setdefault(key, []).append(n_evaluations)
                if not excess <= MISSED:
                    print(f"{what}: worse by {excess:.2e} relative", flush=True)
    worst = max(excesses)
    print(f"{len(excesses)} searches, {np.sum(~(np.array(excesses) <= MISSED))} of them missed")
    print(f"the worst is {worst:.1e} relative above the dense grid")
    for key, n in counts.items():
        print(f"{key}: {np.mean(n):.1f} evaluations, at most {max(n)}")
    if folder:
        PAGE.write_text(
            TEXT.format(
                n_sets=len(sets),
                n_searches=len(excesses),
                n_missed=np.sum(~(np.array(excesses) <= MISSED)) or "none",
                ridge=np.mean(counts["alpha"]),
                logistic=np.mean(counts["C"]),
            )
        )


if __name__ == "__main__":
    main()
