"""One penalty of Ridge: scores, splits, ranges and methods."""

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.metrics import make_scorer, max_error
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)

from benchmarks.recorded import data
from benchmarks.recorded.case import search
from benchmarks.recorded.models import scaled
from sklearn_hypergrad import Continuous
from sklearn_hypergrad.hypergradients import Forward, Implicit, Reverse, Truncated
from sklearn_hypergrad.optimizers import LBFGS, Adam

RIDGE = scaled(Ridge())
LIST, RANGE = {"model__alpha": np.logspace(-3, 3, 7)}, {"model__alpha": Continuous()}
SHUFFLED = KFold(4, shuffle=True, random_state=0)
MSE = "neg_mean_squared_error"


def ridge(name, grid=RANGE, points=data.diabetes, model=RIDGE, **options):
    """A search over the penalty of Ridge."""
    return search(f"ridge: {name}", points, model, grid, **options)


SCORES = [
    ridge("its own score, a list", LIST, cv=5),
    ridge("its own score, no range"),
    ridge("r2, repeated folds", scoring="r2", cv=RepeatedKFold(n_splits=3, random_state=0)),
    ridge("mean squared error, shuffled folds", scoring=MSE, cv=SHUFFLED),
    ridge("root mean squared error", LIST, scoring="neg_root_mean_squared_error", cv=3),
    ridge("absolute error", scoring="neg_mean_absolute_error"),
    ridge("absolute error, a list", LIST, scoring="neg_mean_absolute_error", cv=SHUFFLED),
    ridge("poisson deviance", points=data.counts, scoring="neg_mean_poisson_deviance"),
    ridge("gamma deviance", LIST, data.counts, scoring="neg_mean_gamma_deviance"),
    ridge("a score without gradient", LIST, scoring="neg_median_absolute_error", cv=SHUFFLED),
    ridge("a scorer of one's own", LIST, scoring=make_scorer(max_error, greater_is_better=False)),
    ridge("several scores", LIST, scoring=["r2", MSE], refit=MSE, return_train_score=True),
    ridge("several scores, no refit", scoring=["r2", MSE], refit=False),
    ridge("asked for another loss", scoring="r2", validation_loss="absolute_error"),
]

SPLITS = [
    ridge("groups", cv=GroupKFold(4), fit=data.rows_in_groups),
    ridge("time series", points=data.series, cv=TimeSeriesSplit(4)),
    ridge("one split", cv=ShuffleSplit(1, test_size=0.25, random_state=0)),
    ridge("a given split", cv=PredefinedSplit(np.arange(442) % 4 - 1)),
    ridge("leave one out", search_cv="loo", cv=5),
    ridge("leave one out, mean squared error", LIST, search_cv="loo", cv=SHUFFLED, scoring=MSE),
    ridge("other folds to descend", search_cv=3, cv=5),
]

RANGES = [
    ridge("a linear list", {"model__alpha": [10, 20, 40]}),
    ridge("a linear range", {"model__alpha": Continuous(1, 60, scale="linear")}),
    ridge("a bound", {"model__alpha": Continuous(1e3, 1e5)}),
    ridge("an initial value", {"model__alpha": Continuous(init=1e3)}),
    ridge("one bound", {"model__alpha": Continuous(low=1e-2)}, cv=SHUFFLED),
    ridge("a zero beside the range", {"model__alpha": [0, 1e-3, 1e3]}),
    ridge(
        "enumerated beside the range",
        LIST | {"model__fit_intercept": [True, False], "scale__with_std": [True, False]},
    ),
    ridge(
        "a list of dicts",
        [RANGE, {"model__alpha": [1.0, 10.0], "model__positive": [True]}],
        scoring=MSE,
    ),
    ridge("all enumerated", {"model__alpha": [1.0], "model__solver": ["svd", "cholesky"]}),
]

DATA = [
    ridge("raw features", {"alpha": Continuous()}, model=Ridge()),
    ridge("no intercept", {"alpha": [1e-4, 1e2]}, model=Ridge(fit_intercept=False), cv=3),
    ridge("wide", points=data.wide),
    ridge("wide, leave one out", points=data.wide, search_cv="loo", cv=4),
    ridge("constant columns", points=data.constant_columns),
    ridge("two targets", points=data.two_targets),
    ridge("per target", {"model__alpha": Continuous(per="target")}, data.two_targets),
    ridge(
        "per target, leave one out",
        {"model__alpha": Continuous(1e-2, 1e4, per="target")},
        data.two_targets,
        search_cv="loo",
    ),
    ridge(
        "weighted", fit=lambda X, y: {"model__sample_weight": data.weighted(X, y)["sample_weight"]}
    ),
    ridge("weighted score", {"alpha": Continuous()}, model=Ridge(), fit=data.weighted, cv=SHUFFLED),
]

OPTIONS = [
    ridge("one standard error", selection="one_se"),
    ridge("one standard error, shuffled", LIST, selection="one_se", cv=SHUFFLED, scoring=MSE),
    ridge("L-BFGS", optimizer=LBFGS(), cv=SHUFFLED),
    ridge("Adam", LIST, optimizer=Adam(), max_iter=30),
    ridge("a fine tolerance", tol=1e-6, cv=SHUFFLED),
    ridge("conjugate gradients", hypergradient=Implicit(solver="cg")),
    ridge("cholesky", hypergradient=Implicit(solver="cholesky"), cv=SHUFFLED),
    ridge("reverse", points=data.two_targets, hypergradient="reverse", cv=3),
    ridge("reverse, checkpoints", points=data.two_targets, hypergradient=Reverse(20), cv=2),
    ridge(
        "reversible",
        {"model__alpha": [10, 1000]},
        data.few_targets,
        hypergradient="reversible",
        cv=ShuffleSplit(1, random_state=0),
        max_iter=3,
    ),
    ridge("forward", points=data.two_targets, hypergradient=Forward(), cv=3),
    ridge("truncated", points=data.two_targets, hypergradient=Truncated(50), cv=3),
]

CASES = SCORES + SPLITS + RANGES + DATA + OPTIONS
