"""Whether searches of one value miss a minimum: real curves against a dense grid of 200 values.

``python -m benchmarks.minima [--data DIR] [--families]``. Each data set is taken raw, standardised,
with one column in other units, with squares and products, and as two tiny subsets of 20 to 60 rows.
Ridge regression is judged by the squared error, logistic regression by the log loss, on five folds.
``Continuous()`` and a list of 13 values from 1e-6 to 1e6 are searched. The losses of the dense grid
are those of the same solver, from the strongly regularised end on; both ends are further away than
the search went. Prints a line for every miss by more than 1e-6 relative, and the counts, which are
written to ``docs/minima.inc`` if there is ``--data``.

With ``--families`` the other families are searched in place of these two, one hyperparameter at a
time, on some of the sets: standardised, with at most 200 rows, and 60 rows. Misses are those by
more than one in ten thousand, and are counted. ``--only`` names a part of the families.
"""

import argparse
import dataclasses
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
)
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    HuberRegressor,
    Lasso,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
)
from sklearn.preprocessing import PolynomialFeatures, scale
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR

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
SQUARED, LOG_LOSS = "neg_mean_squared_error", "neg_log_loss"


@dataclasses.dataclass(frozen=True)
class Line:
    """A model, and the hyperparameter that is searched.

    Attributes
    ----------
    estimator : estimator
    key : str
    scoring : str
    listed : ndarray
        The list that is searched besides ``Continuous()``.
    positive : bool
        Whether targets are to be positive.
    """

    estimator: Any
    key: str
    scoring: str
    listed: np.ndarray
    positive: bool = False

    @property
    def classifies(self):
        """Whether targets are classes."""
        return self.scoring in (LOG_LOSS, "roc_auc")


MODELS = {
    "alpha": Line(Ridge(), "alpha", SQUARED, LIST),
    "C": Line(LogisticRegression(), "C", LOG_LOSS, LIST),
}
FAMILY_MISSED = 1e-4
FAMILY_ROWS = 200, 60
FAMILY_SETS = (
    *("diabetes", "autompg", "housing", "machine", "servo", "stock"),
    *("breast_cancer", "haberman", "ionosphere", "pima-indians-diabetes", "sonar"),
)
PENALTIES, CS, GAMMAS = np.logspace(-4, 2, 7), np.logspace(-3, 3, 7), np.logspace(-4, 2, 7)
WIDTHS = np.logspace(-3, 0, 4)
SAGA = LogisticRegression(l1_ratio=1, solver="saga", max_iter=500)
SQUARED_SVR = LinearSVR(loss="squared_epsilon_insensitive", dual=False)
FAMILIES = {
    "Lasso": Line(Lasso(), "alpha", SQUARED, PENALTIES),
    "ElasticNet": Line(ElasticNet(), "alpha", SQUARED, PENALTIES),
    "ElasticNet, ratio": Line(ElasticNet(alpha=0.1), "l1_ratio", SQUARED, np.linspace(0.1, 1, 5)),
    "LogisticRegression, L1": Line(SAGA, "C", LOG_LOSS, CS),
    "PoissonRegressor": Line(
        PoissonRegressor(), "alpha", "neg_mean_poisson_deviance", PENALTIES, True
    ),
    "GammaRegressor": Line(GammaRegressor(), "alpha", "neg_mean_gamma_deviance", PENALTIES, True),
    "HuberRegressor": Line(HuberRegressor(max_iter=1000), "alpha", SQUARED, PENALTIES),
    "HuberRegressor, width": Line(
        HuberRegressor(max_iter=1000), "epsilon", SQUARED, np.linspace(1.1, 3, 5)
    ),
    "LinearSVC": Line(LinearSVC(), "C", "roc_auc", CS),
    "LinearSVR": Line(SQUARED_SVR, "C", SQUARED, CS),
    "LinearSVR, width": Line(SQUARED_SVR, "epsilon", SQUARED, WIDTHS),
    "KernelRidge": Line(KernelRidge(kernel="rbf"), "alpha", SQUARED, PENALTIES),
    "KernelRidge, gamma": Line(KernelRidge(kernel="rbf", alpha=0.1), "gamma", SQUARED, GAMMAS),
    "SVC": Line(SVC(), "C", "roc_auc", CS),
    "SVC, gamma": Line(SVC(), "gamma", "roc_auc", GAMMAS),
    "SVR": Line(SVR(), "C", SQUARED, CS),
    "SVR, gamma": Line(SVR(), "gamma", SQUARED, GAMMAS),
    "SVR, width": Line(SVR(), "epsilon", SQUARED, WIDTHS),
    "NuSVC": Line(NuSVC(), "nu", "roc_auc", np.linspace(0.1, 0.6, 6)),
    "NuSVR": Line(NuSVR(), "nu", SQUARED, np.linspace(0.1, 0.9, 5)),
    "NuSVR, C": Line(NuSVR(), "C", SQUARED, CS),
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


def lowest_of_dense(objective, key, ends):
    """The smallest loss of the dense grid."""
    objective.tol = FINE
    values = np.geomspace(*ends, N_DENSE)
    values = values if key == "C" else values[::-1]
    to_theta = objective.space.dimensions[0].transform.to_theta
    # Rounding may lead over the ends of a range.
    places = np.clip(to_theta(values), *objective.space.bounds[0])
    records = [objective.record(np.array([place])) for place in places]
    return min(record.value for record in records if record.usable)


def compared(line, name, X, y):
    """Yield ``(what, excess, n_evaluations)`` of both searches of one data set."""
    for values in (Continuous(), line.listed):
        search = HypergradSearchCV(
            line.estimator, {line.key: values}, scoring=line.scoring, refit=False
        )
        search.fit(X, y)
        if search.hyperparameters_.empty:
            continue
        (objective,) = build_objectives(search, X, y)
        visited, ends = search.history_["value"], line.listed[[0, -1]]
        if isinstance(values, Continuous):
            low, high = (float(search.hyperparameters_[name].iloc[0]) for name in ("low", "high"))
            ends = np.clip([visited.min() / 100, visited.max() * 100], low, high)
        lowest = lowest_of_dense(objective, line.key, ends)
        # The first row is the point found.
        point = {line.key: search.cv_results_["params"][0][line.key]}
        found = objective.record(objective.space.to_theta(point)).value
        what = f"{name}, {'Continuous()' if isinstance(values, Continuous) else 'list'}"
        yield what, found / lowest - 1, search.n_iter_


def is_usable(classes, y):
    """Whether targets have two values, and five folds have all classes."""
    counts = np.unique(y, return_counts=True)[1]
    return len(counts) > 1 and not (classes and counts.min() < 5)


def told(line, name, X, y, missed):
    """The outcomes of ``compared``, in a list, with a line of text for every miss."""
    outcomes = list(compared(line, name, X, y))
    for what, excess, _ in outcomes:
        if not excess <= missed:
            print(f"{what}: worse by {excess:.2e} relative", flush=True)
    return outcomes


def penalties(sets, folder):
    """Ridge and logistic regression."""
    outcomes = {key: [] for key in MODELS}
    for name, key, X, y in sets:
        for variant, X_, y_ in variants(key, X, y):
            if is_usable(key == "C", y_):
                outcomes[key] += told(MODELS[key], f"{name} {variant}", X_, y_, MISSED)
    excesses = np.array([excess for each in outcomes.values() for _, excess, _ in each])
    n_missed = np.sum(~(excesses <= MISSED))
    print(f"{len(excesses)} searches, {n_missed} of them missed")
    print(f"the worst is {max(excesses):.1e} relative above the dense grid")
    counts = {key: [n for *_, n in each] for key, each in outcomes.items()}
    for key, n in counts.items():
        print(f"{key}: {np.mean(n):.1f} evaluations, at most {max(n)}")
    if folder:
        PAGE.write_text(
            TEXT.format(
                n_sets=len(sets),
                n_searches=len(excesses),
                n_missed=n_missed or "none",
                ridge=np.mean(counts["alpha"]),
                logistic=np.mean(counts["C"]),
            )
        )


def small(line, sets, seed=0):
    """Yield ``(name, X, y)`` of the sets that a family is tried on."""
    rng = np.random.default_rng(seed)
    for name, key, X, y in sets:
        if name not in FAMILY_SETS or (key == "C") != line.classifies:
            continue
        rows = rng.permutation(len(y))
        for n_rows in FAMILY_ROWS:
            X_, y_ = X[rows[:n_rows]].astype(float), y[rows[:n_rows]]
            X_ = scale(X_[:, X_.std(axis=0) > 0])
            if not line.classifies:
                y_ = y_ - y_.min() + 0.1 * y_.std() if line.positive else scale(y_.astype(float))
            if is_usable(line.classifies, y_):
                yield f"{name} {n_rows} rows", X_, y_


def families(sets, only):
    """The other families: prints searches, misses, the worst excess and mean evaluations."""
    for name, line in FAMILIES.items():
        if only not in name:
            continue
        outcomes = [
            outcome
            for data, X, y in small(line, sets)
            for outcome in told(line, f"{name}, {data}", X, y, FAMILY_MISSED)
        ]
        excesses = np.array([excess for _, excess, _ in outcomes])
        n_missed = np.sum(~(excesses <= FAMILY_MISSED))
        worst, n_evaluations = max(0.0, *excesses), np.mean([n for *_, n in outcomes])
        cells = name.split(",")[0], line.key, str(len(outcomes)), str(n_missed)
        print(*cells, f"{worst:.0e}", f"{n_evaluations:.0f}", sep=" | ", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with uci/ and binary/")
    parser.add_argument("--families", action="store_true", help="all other families")
    parser.add_argument("--only", default="", help="with --families: part of their names")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    sets = [*bundled(), *(stored(arguments.data) if arguments.data else [])]
    if arguments.families:
        families(sets, arguments.only)
    else:
        penalties(sets, arguments.data)


if __name__ == "__main__":
    main()
