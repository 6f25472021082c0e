"""One penalty of RidgeClassifier and LogisticRegression."""

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import (
    GroupKFold,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
)

from benchmarks.recorded import data
from benchmarks.recorded.case import search
from benchmarks.recorded.models import scaled
from sklearn_hypergrad import Continuous
from sklearn_hypergrad.hypergradients import Implicit
from sklearn_hypergrad.optimizers import LBFGS, Adam

# Fits that have converged: what else they do is not what is searched.
SOLVER = {"solver": "newton-cholesky", "tol": 1e-10, "max_iter": 200}
LOG_LOSS, BRIER = "neg_log_loss", "neg_brier_score"
STRATIFIED = StratifiedKFold(4, shuffle=True, random_state=0)


def logistic(name, grid=None, points=data.cancer, model=None, **options):
    """A search over C behind a scaler; ``model`` has settings of LogisticRegression."""
    grid = {"model__C": Continuous()} if grid is None else grid
    estimator = scaled(LogisticRegression(**SOLVER | (model or {})))
    return search(f"logistic: {name}", points, estimator, grid, **options)


def ridge(name, grid=None, points=data.cancer, model=None, **options):
    """A search over alpha behind a scaler; ``model`` has settings of RidgeClassifier."""
    grid = {"model__alpha": np.logspace(-3, 3, 7)} if grid is None else grid
    estimator = scaled(RidgeClassifier(**(model or {})))
    return search(f"ridge classifier: {name}", points, estimator, grid, **options)


LIST, PENALTY = {"model__C": np.logspace(-3, 3, 7)}, {"model__alpha": Continuous()}

LOGISTIC = [
    logistic("its own score, a list", LIST),
    logistic("log loss", scoring=LOG_LOSS),
    logistic("log loss, a list", LIST, scoring=LOG_LOSS, cv=STRATIFIED),
    logistic("brier score", points=data.two_classes, scoring=BRIER, cv=3),
    logistic("accuracy, descending brier", LIST, scoring="accuracy", validation_loss="brier_score"),
    logistic("balanced accuracy", LIST, data.unbalanced, scoring="balanced_accuracy"),
    logistic("f1", LIST, data.unbalanced, scoring="f1", cv=STRATIFIED),
    logistic("several scores", scoring=["accuracy", LOG_LOSS, "roc_auc"], refit=LOG_LOSS),
    logistic("three classes", points=data.overlapping, scoring=LOG_LOSS),
    logistic("three classes, accuracy", LIST, data.iris),
    logistic("three classes, brier score", points=data.overlapping, scoring=BRIER),
    logistic("names of classes", points=data.named_wine, scoring=LOG_LOSS, cv=STRATIFIED),
    logistic("ten classes", points=data.digits, scoring=LOG_LOSS, cv=2),
    logistic(
        "balanced classes",
        points=data.unbalanced,
        model={"class_weight": "balanced"},
        scoring=LOG_LOSS,
    ),
    logistic(
        "weights of three classes",
        points=data.overlapping,
        model={"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}},
        scoring=LOG_LOSS,
        cv=STRATIFIED,
    ),
    logistic(
        "no intercept", points=data.two_classes, model={"fit_intercept": False}, scoring=LOG_LOSS
    ),
    logistic(
        "another solver",
        points=data.overlapping,
        model={"solver": "lbfgs", "tol": 1e-10, "max_iter": 2000},
        scoring=LOG_LOSS,
        cv=STRATIFIED,
    ),
    logistic("wide", points=data.wide_classes, scoring=LOG_LOSS, cv=4),
    logistic(
        "weighted",
        points=data.two_classes,
        fit=lambda X, y: {"model__sample_weight": data.weighted(X, y)["sample_weight"]},
        scoring=LOG_LOSS,
    ),
    logistic(
        "groups",
        points=data.two_classes,
        cv=GroupKFold(4),
        fit=data.rows_in_groups,
        scoring=LOG_LOSS,
    ),
    logistic(
        "one split", points=data.two_classes, cv=ShuffleSplit(1, random_state=0), scoring=LOG_LOSS
    ),
    logistic(
        "a given split",
        points=data.two_classes,
        cv=PredefinedSplit(np.arange(200) % 3 - 1),
        scoring=LOG_LOSS,
    ),
    logistic(
        "repeated folds",
        LIST,
        data.two_classes,
        scoring=LOG_LOSS,
        cv=RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
    ),
    logistic("a bound", {"model__C": Continuous(1e-6, 1e-4)}, scoring=LOG_LOSS, cv=3),
    logistic("a linear list", {"model__C": [0.01, 0.03, 0.05]}, data.two_classes, scoring=LOG_LOSS),
    logistic(
        "penalties that are enumerated",
        [LIST, {"model__C": [0.1, 1.0], "model__l1_ratio": [1.0], "model__solver": ["liblinear"]}],
        data.two_classes,
        model={"random_state": 0},
        scoring=LOG_LOSS,
        cv=3,
    ),
    logistic(
        "enumerated beside the range",
        LIST | {"model__class_weight": [None, "balanced"]},
        data.unbalanced,
        scoring="balanced_accuracy",
        cv=3,
    ),
    logistic("one standard error", points=data.two_classes, selection="one_se", scoring=LOG_LOSS),
    logistic("L-BFGS", points=data.two_classes, optimizer=LBFGS(), scoring=LOG_LOSS),
    logistic("Adam", LIST, data.two_classes, optimizer=Adam(), scoring=LOG_LOSS, cv=3, max_iter=20),
    logistic(
        "conjugate gradients",
        points=data.two_classes,
        hypergradient=Implicit(solver="cg"),
        scoring=LOG_LOSS,
    ),
    logistic(
        "reverse",
        {"model__C": [0.03, 3.0]},
        data.few_classes,
        hypergradient="reverse",
        scoring=LOG_LOSS,
        cv=ShuffleSplit(1, random_state=0),
    ),
]

RIDGE = [
    ridge("its own score"),
    ridge("three classes", PENALTY, data.overlapping, cv=STRATIFIED),
    ridge("balanced accuracy", points=data.unbalanced, scoring="balanced_accuracy"),
    ridge("f1", points=data.unbalanced, scoring="f1", cv=STRATIFIED),
    ridge("class weights", PENALTY, data.unbalanced, {"class_weight": "balanced"}, scoring="f1"),
    ridge("leave one out", PENALTY, data.overlapping, search_cv="loo", cv=4),
    ridge("one standard error", PENALTY, data.two_classes, selection="one_se"),
    ridge("wide", PENALTY, data.wide_classes, scoring="accuracy"),
    ridge("names of classes", points=data.named_wine, scoring="accuracy"),
]

CASES = LOGISTIC + RIDGE
