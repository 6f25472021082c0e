"""The searches of ``benchmarks.families``: models, the grids that people give them, and data."""

import dataclasses
from typing import Any

import numpy as np
from sklearn import linear_model, naive_bayes, svm
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.kernel_approximation import Nystroem, RBFSampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.pipeline import make_pipeline

from benchmarks import minima

# Larger sets are left out.
MOST_ROWS = 2000
PENALTIES = np.logspace(-4, 2, 10)
CS = np.logspace(-3, 3, 10)
RATIOS = [0.1, 0.5, 0.7, 0.9, 1.0]
LOG_LOSS = "neg_log_loss"
SAGA = {"solver": "saga", "max_iter": 500}


@dataclasses.dataclass(frozen=True)
class Case:
    """A model and the usual grid.

    Attributes
    ----------
    estimator : estimator
    grid : dict
    kind : {"numbers", "positive", "two classes", "classes", "counts"}
        The data sets that it is tried on.
    scoring : str or None
    """

    estimator: Any
    grid: dict
    kind: str
    scoring: str | None = None


def sets(kind, folder):
    """Yield ``(name, X, y)`` of the data sets of a kind; folder is that of ``--data``, or None."""
    if kind in ("numbers", "positive"):
        for name, X, y in _regressions(folder):
            # Most targets have a mean of zero.
            yield name, X, y if kind == "numbers" else y - y.min() + 0.1 * y.std()
    else:
        if kind == "two classes":
            yield from _two_classes(folder)
        if kind == "classes":
            yield "breast_cancer", *load_breast_cancer(return_X_y=True)
            yield "iris", *load_iris(return_X_y=True)
        if kind in ("classes", "counts"):
            yield "wine", *load_wine(return_X_y=True)
            yield "digits", *load_digits(return_X_y=True)


def _regressions(folder):
    yield "diabetes", *load_diabetes(return_X_y=True, scaled=False)
    for name, key, X, y in minima.stored(folder) if folder else ():
        if key == "alpha" and len(y) <= MOST_ROWS:
            yield name, X, y


def _two_classes(folder):
    yield "breast_cancer", *load_breast_cancer(return_X_y=True)
    X, y = load_digits(return_X_y=True)
    chosen = (y == 3) | (y == 8)
    yield "digits, 3 or 8", X[chosen], (y[chosen] == 8).astype(int)
    for name, key, X, y in minima.stored(folder) if folder else ():
        if key == "C" and len(y) <= MOST_ROWS:
            yield name, X, y


def _svc(**more):
    return {"C": np.logspace(-2, 4, 7), "gamma": np.logspace(-4, 2, 7), **more}


def _features(make, model, name, values):
    """Features of a kernel and a linear model."""
    step = make(n_components=100, random_state=0)
    grid = {f"{make.__name__.lower()}__gamma": np.logspace(-4, 2, 7), name: values}
    return make_pipeline(step, model), grid


CASES = {
    "Lasso": Case(linear_model.Lasso(), {"alpha": PENALTIES}, "numbers"),
    "ElasticNet": Case(
        linear_model.ElasticNet(), {"alpha": PENALTIES, "l1_ratio": RATIOS}, "numbers"
    ),
    "LogisticRegression, L1": Case(
        linear_model.LogisticRegression(l1_ratio=1, **SAGA), {"C": CS}, "two classes", LOG_LOSS
    ),
    "LogisticRegression, elastic net": Case(
        linear_model.LogisticRegression(l1_ratio=0.5, **SAGA),
        {"C": CS, "l1_ratio": RATIOS},
        "two classes",
        LOG_LOSS,
    ),
    "LogisticRegression, L1, several classes": Case(
        linear_model.LogisticRegression(l1_ratio=1, **SAGA), {"C": CS}, "counts", LOG_LOSS
    ),
    "PoissonRegressor": Case(linear_model.PoissonRegressor(), {"alpha": PENALTIES}, "positive"),
    "GammaRegressor": Case(linear_model.GammaRegressor(), {"alpha": PENALTIES}, "positive"),
    "HuberRegressor": Case(
        linear_model.HuberRegressor(max_iter=1000),
        {"alpha": np.logspace(-4, 4, 10), "epsilon": [1.1, 1.35, 1.5, 2.0, 3.0]},
        "numbers",
    ),
    "LinearSVR": Case(
        svm.LinearSVR(loss="squared_epsilon_insensitive", dual=False),
        {"C": CS, "epsilon": [0.0, 0.01, 0.1, 0.5, 1.0]},
        "numbers",
    ),
    "LinearSVC": Case(svm.LinearSVC(), {"C": CS}, "two classes", "accuracy"),
    "LinearSVC, roc_auc": Case(svm.LinearSVC(), {"C": CS}, "two classes", "roc_auc"),
    "KernelRidge": Case(
        KernelRidge(kernel="rbf"),
        {"alpha": np.logspace(-4, 2, 7), "gamma": np.logspace(-4, 2, 7)},
        "numbers",
    ),
    "SVC": Case(svm.SVC(), _svc(), "two classes", "accuracy"),
    "SVC, roc_auc": Case(svm.SVC(), _svc(), "two classes", "roc_auc"),
    "SVR": Case(
        svm.SVR(),
        {
            "C": np.logspace(-2, 2, 5),
            "gamma": np.logspace(-3, 1, 6),
            "epsilon": [0.01, 0.1, 0.5],
        },
        "numbers",
    ),
    "Nystroem, Ridge": Case(
        *_features(Nystroem, linear_model.Ridge(), "ridge__alpha", np.logspace(-4, 2, 7)),
        "numbers",
    ),
    "RBFSampler, Ridge": Case(
        *_features(RBFSampler, linear_model.Ridge(), "ridge__alpha", np.logspace(-4, 2, 7)),
        "numbers",
    ),
    "Nystroem, LogisticRegression": Case(
        *_features(
            Nystroem,
            linear_model.LogisticRegression(max_iter=1000),
            "logisticregression__C",
            np.logspace(-2, 4, 7),
        ),
        "two classes",
        LOG_LOSS,
    ),
    "LinearDiscriminantAnalysis": Case(
        LinearDiscriminantAnalysis(solver="lsqr"),
        {"shrinkage": np.linspace(0.05, 0.95, 10)},
        "classes",
        "accuracy",
    ),
    "QuadraticDiscriminantAnalysis": Case(
        QuadraticDiscriminantAnalysis(),
        {"reg_param": np.linspace(0.05, 0.95, 10)},
        "classes",
        "accuracy",
    ),
    "GaussianNB": Case(
        naive_bayes.GaussianNB(), {"var_smoothing": np.logspace(-9, 0, 10)}, "classes", "accuracy"
    ),
    "MultinomialNB": Case(
        naive_bayes.MultinomialNB(), {"alpha": np.logspace(-3, 2, 10)}, "counts", "accuracy"
    ),
}
