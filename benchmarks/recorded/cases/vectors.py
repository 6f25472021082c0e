"""Many penalties: per feature, group, coefficient and target."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.recorded import data
from benchmarks.recorded.case import search
from benchmarks.recorded.cases.classifiers import LOG_LOSS, SOLVER
from benchmarks.recorded.models import behind, scaled
from sklearn_hypergrad import Continuous
from sklearn_hypergrad.hypergradients import Implicit
from sklearn_hypergrad.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn_hypergrad.optimizers import LBFGS

SERUM = {f"s{number}": "serum" for number in range(1, 7)}
GROUPS = tuple(["measured"] * 10 + ["noise"] * 30)
MEASURED = ["age", "bmi", "bp", *SERUM]


def named_columns():
    """Names reach the model, and the levels of the clinic may differ from split to split."""
    clinic = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    steps = [("measured", StandardScaler(), MEASURED), ("clinic", clinic, ["clinic"])]
    return ColumnTransformer(steps, verbose_feature_names_out=False)


def ridge(name, per="feature", points=data.noisy, bounds=(), **options):
    """A search over penalties of Ridge behind a scaler; ``per`` may be a Continuous."""
    values = per if isinstance(per, Continuous) else Continuous(*bounds, per=per)
    return search(
        f"many, ridge: {name}", points, scaled(Ridge()), {"model__alpha": values}, **options
    )


def classifier(name, per="feature", points=data.unbalanced, **options):
    """The same of RidgeClassifier."""
    grid = {"model__alpha": Continuous(per=per)}
    return search(
        f"many, ridge classifier: {name}", points, scaled(RidgeClassifier()), grid, **options
    )


def logistic(name, per="feature", points=data.two_classes, **options):
    """The same of LogisticRegression and C, by log loss."""
    values = per if isinstance(per, Continuous) else Continuous(per=per)
    options = {"scoring": LOG_LOSS, **options}
    model = scaled(LogisticRegression(**SOLVER))
    return search(f"many, logistic: {name}", points, model, {"model__C": values}, **options)


RIDGE = [
    ridge("per feature"),
    ridge("per feature, no noise", points=data.diabetes),
    ridge("per feature, mean squared error", scoring="neg_mean_squared_error", cv=3),
    ridge("per feature, absolute error", scoring="neg_mean_absolute_error", cv=3),
    ridge("per feature, bounds", bounds=(10.0, 1e4), cv=3),
    ridge("per feature, no shrinkage", shrinkage=0, points=data.diabetes, max_iter=20),
    ridge("per feature, half the shrinkage", shrinkage=0.5),
    ridge("per feature, guard", guard=True, cv=3),
    ridge("per feature, guard that drops", guard=True, points=data.diabetes, cv=3),
    ridge("per feature, one standard error", selection="one_se"),
    ridge("per feature, leave one out", search_cv="loo", cv=4),
    ridge("per feature, other folds", search_cv=3, cv=5),
    ridge("per feature, given folds", search_cv=KFold(4, shuffle=True, random_state=1)),
    ridge("per feature, seed", random_state=7, cv=3),
    ridge("per feature, L-BFGS", optimizer=LBFGS(), cv=3),
    ridge(
        "per feature, conjugate gradients", hypergradient=Implicit(solver="cg"), cv=3, max_iter=15
    ),
    ridge("per feature, groups of rows", cv=GroupKFold(4), fit=data.rows_in_groups),
    ridge("per feature, time series", points=data.series, cv=TimeSeriesSplit(4)),
    ridge("per feature, wide", points=data.wide, cv=3),
    ridge("per feature, constant columns", points=data.constant_columns),
    ridge("per feature, two targets", points=data.two_targets, cv=3),
    ridge(
        "per feature, weighted",
        fit=lambda X, y: {"model__sample_weight": data.weighted(X, y)["sample_weight"]},
        cv=3,
    ),
    ridge("per group", Continuous(per="group", groups=GROUPS)),
    ridge("per group, guard", Continuous(per="group", groups=GROUPS), guard=True, cv=3),
    ridge("per group, names", Continuous(per="group", groups=SERUM), data.diabetes_names),
    ridge("per coefficient", "coefficient", points=data.two_targets, cv=3),
    ridge("per target", "target", points=data.two_targets),
    search(
        "many, ridge: per group, features that come and go",
        data.diabetes_frame,
        behind(named_columns(), Ridge()).set_output(transform="pandas"),
        {"model__alpha": Continuous(per="group", groups=dict.fromkeys(MEASURED, "measured"))},
    ),
    search(
        "many, ridge: enumerated beside the vector",
        data.noisy,
        scaled(Ridge()),
        {"model__alpha": Continuous(per="feature"), "model__fit_intercept": [True, False]},
        cv=3,
    ),
    search(
        "many, ridge: an array that is not searched",
        data.diabetes,
        Ridge(),
        {"alpha": [np.full(10, 0.1), np.linspace(0.01, 1, 10)]},
        cv=3,
    ),
]

CLASSIFIERS = [
    classifier("per feature"),
    classifier("per feature, balanced", scoring="balanced_accuracy", cv=3),
    classifier("per feature, leave one out", search_cv="loo", cv=3),
    classifier("per coefficient", "coefficient", data.overlapping),
    logistic("per feature"),
    logistic("per feature, accuracy", scoring="accuracy", cv=3),
    logistic("per feature, brier score", scoring="neg_brier_score", cv=3),
    logistic("per feature, guard", guard=True, cv=3),
    logistic("per feature, no shrinkage", shrinkage=0, points=data.overlapping, max_iter=20),
    logistic("per feature, one standard error", selection="one_se", cv=3),
    logistic("per feature, three classes", points=data.overlapping),
    logistic("per coefficient, three classes", "coefficient", data.overlapping, cv=3),
    logistic("per group", Continuous(per="group", groups=tuple([0] * 10 + [1] * 10))),
    logistic(
        "per feature, conjugate gradients",
        hypergradient=Implicit(solver="cg"),
        points=data.overlapping,
        cv=3,
    ),
]

CASES = RIDGE + CLASSIFIERS
