"""What a whole search costs: in plain fits of the estimator, and against what people use instead.

``python -m benchmarks.price [--data DIR] [--only NAMES] [--rounds N]``. Every contender has one
BLAS thread, all of them run round by round, and medians of their CPU times are compared. A plain
fit is one from the beginning, on all data, with the value that our search finds. What each search
finds is judged by fits that have converged: the last column is the relative difference of our
cross-validated loss to the lowest of the others (negative: ours is lower). With ``--data`` there
are reviews and a census, too, and ``docs/price.inc`` is written.
"""

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, Ridge, RidgeCV
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.cases import film_reviews, list_table, measured_cases
from benchmarks.speed import data
from sklearn_hypergrad import Continuous, HypergradSearchCV

PAGE = Path(__file__).parents[1] / "docs" / "price.inc"
ALPHAS, CS = np.geomspace(1e-3, 1e5, 20), np.geomspace(1e-4, 1e4, 10)
# Seconds after which a contender runs only once more.
PATIENCE = 8.0
TIGHT = {"tol": 1e-9, "max_iter": 10_000}
COLUMNS = "whole fit, in plain fits", "others over ours", "loss"


@dataclasses.dataclass(frozen=True)
class Case:
    """Data, a model and its penalty.

    Attributes
    ----------
    data : callable
        Returns X and y.
    estimator : estimator
    key : str
        The hyperparameter.
    scoring : str or None
    peers : dict
        Unfitted searches of others, by name.
    values : array or None
        The list that is searched; None is ``Continuous()``.
    """

    data: Callable
    estimator: Any
    key: str
    scoring: str | None
    peers: dict
    values: Any = None

    def search(self):
        grid = {self.key: Continuous() if self.values is None else self.values}
        return HypergradSearchCV(self.estimator, grid, scoring=self.scoring, cv=5)

    def found(self, search):
        """The value that a search has found."""
        if hasattr(search, "best_params_"):
            return search.best_params_[self.key]
        return float(search.alpha_ if hasattr(search, "alpha_") else np.ravel(search.C_)[0])

    def tight(self, value, X, y):
        """The cross-validated loss of fits that have converged."""
        final = self.key.rpartition("__")[0]
        place = f"{final}__" if final else ""
        settings = {self.key: value}
        if self.scoring == "neg_log_loss":
            settings |= {place + name: setting for name, setting in TIGHT.items()}
        model = clone(self.estimator).set_params(**settings)
        return -cross_val_score(model, X, y, scoring=self.scoring, cv=5).mean()


def grid(estimator, key, values, scoring):
    return GridSearchCV(estimator, {key: values}, scoring=scoring, cv=5)


def ridge(make, *size):
    model = Ridge()
    peers = {
        "RidgeCV, 20": RidgeCV(ALPHAS),
        "GridSearchCV, 1": grid(model, "alpha", [1.0], None),
    }
    return Case(lambda: make(*size), model, "alpha", None, peers)


def logistic(make, *size, solvers=("lbfgs", "newton-cholesky")):
    options = {"Cs": CS, "cv": 5, "scoring": "neg_log_loss"}
    options |= {"l1_ratios": (0,), "use_legacy_attributes": False}
    peers = {
        f"LogisticRegressionCV, 10 ({solver})": LogisticRegressionCV(solver=solver, **options)
        for solver in solvers
    }
    return Case(lambda: make(*size), LogisticRegression(), "C", "neg_log_loss", peers)


def scaled_logistic(*size):
    model, key = make_pipeline(StandardScaler(), LogisticRegression()), "logisticregression__C"
    peers = {"GridSearchCV, 10": grid(model, key, CS, "neg_log_loss")}
    make = data.factor_classification
    return Case(lambda: make(*size), model, key, "neg_log_loss", peers)


def digits():
    model = LogisticRegression(max_iter=200)
    peers = {"GridSearchCV, 10": grid(model, "C", CS, "accuracy")}
    return Case(lambda: load_digits(return_X_y=True), model, "C", "accuracy", peers, CS)


def sparse_accuracy():
    model, values = LogisticRegression(), np.geomspace(1e-2, 1e2, 5)
    peers = {"GridSearchCV, 5": grid(model, "C", values, "accuracy")}
    return Case(lambda: data.words(200, 500, 20), model, "C", "accuracy", peers, values)


def reviews(folder):
    """Film reviews."""
    model, key = make_pipeline(TfidfVectorizer(), LogisticRegression()), "logisticregression__C"
    peers = {"GridSearchCV, 1": grid(model, key, [1.0], "neg_log_loss")}
    return Case(lambda: film_reviews(folder), model, key, "neg_log_loss", peers)


def census(folder):
    """UCI Adult: numbers and categories."""
    import pandas as pd

    def read():
        table = pd.read_csv(folder / "adult-train.csv.gz", header=None, skipinitialspace=True)
        return table.iloc[:, :-1], (table.iloc[:, -1] == ">50K").astype(int).to_numpy()

    X, _ = read()
    words = [name for name in X if X[name].dtype.kind not in "if"]
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), words),
        (StandardScaler(), [name for name in X if name not in words]),
    )
    model, key = make_pipeline(columns, LogisticRegression(max_iter=300)), "logisticregression__C"
    peers = {"GridSearchCV, 1": grid(model, key, [1.0], "neg_log_loss")}
    return Case(read, model, key, "neg_log_loss", peers)


def cases(folder):
    """``{name: function that makes the Case}``."""
    regression, classes = data.factor_regression, data.factor_classification
    made = {
        "ridge 20,000 x 200": lambda: ridge(regression, 20_000, 200),
        "ridge 100,000 x 300": lambda: ridge(regression, 100_000, 300),
        "ridge 500 x 5,000": lambda: ridge(regression, 500, 5000),
        "ridge 1,000 x 50": lambda: ridge(regression, 1000, 50),
        "ridge 500 x 20": lambda: ridge(regression, 500, 20),
        "logistic 2,000 x 50": lambda: logistic(classes, 2000, 50),
        "logistic 20,000 x 100": lambda: logistic(classes, 20_000, 100),
        "logistic 10,000 x 20,000 sparse": lambda: logistic(
            data.words, 10_000, 20_000, 40, solvers=("lbfgs",)
        ),
        "scaler + logistic 20,000 x 100": lambda: scaled_logistic(20_000, 100),
        "digits, accuracy, list of 10": digits,
        "200 x 500 sparse, accuracy, list of 5": sparse_accuracy,
    }
    if folder is not None:
        made["2,000 reviews: TfidfVectorizer + logistic"] = lambda: reviews(folder)
        made["census: columns + logistic"] = lambda: census(folder)
    return made


def measured(case, rounds):
    """``(medians of CPU seconds by contender, fitted searches by contender)``."""
    X, y = case.data()
    ours = case.search().fit(X, y)
    plain = clone(case.estimator).set_params(**{case.key: case.found(ours)})
    contenders = {"ours": case.search(), "plain": plain, **case.peers}
    seconds, fitted = {name: [] for name in contenders}, {}
    for _ in range(rounds):
        for name, contender in contenders.items():
            if sum(seconds[name]) < PATIENCE:
                fresh, began = clone(contender), time.process_time()
                fitted[name] = fresh.fit(X, y)
                seconds[name].append(time.process_time() - began)
    return {name: float(np.median(times)) for name, times in seconds.items()}, fitted, X, y


def row(name, make, rounds):
    """The row of a case: name and columns, as text."""
    case = make()
    seconds, fitted, X, y = measured(case, rounds)
    ours = seconds["ours"]
    others = [f"{peer} {seconds[peer] / ours:.2f}" for peer in case.peers]
    loss = case.tight(case.found(fitted["ours"]), X, y)
    chosen = [peer for peer in case.peers if not peer.endswith(", 1")]
    # RidgeCV minimises another loss, the leave-one-out error.
    gaps = [loss - case.tight(case.found(fitted[peer]), X, y) for peer in chosen]
    gap = f"{max(gaps) / abs(loss):+.1e}" if gaps else ""
    return name, f"{ours / seconds['plain']:.2f}", "; ".join(others), gap


def main():
    rows, complete = measured_cases(__doc__, cases, row, rounds=9)
    print(markdown(rows))
    if complete:
        page = list_table(("", *COLUMNS), rows, widths="34 14 40 12")
        PAGE.write_text(page, encoding="utf-8")


def markdown(rows):
    """The rows as a table of the README."""
    lines = [("", *COLUMNS[:2]), ("---",) * 3, *(cells[:3] for cells in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


if __name__ == "__main__":
    main()
