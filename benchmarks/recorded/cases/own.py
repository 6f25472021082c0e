"""Models of one's own, minimised and trained, and cleaning of labels."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, PredefinedSplit

from benchmarks.recorded import data
from benchmarks.recorded.case import cleaning, search
from benchmarks.recorded.models import Robust, Softmax, Towards, TwoLayers, WithAdam, scaled
from sklearn_hypergrad import Continuous
from sklearn_hypergrad.data_cleaning import DataCleaner
from sklearn_hypergrad.hypergradients import Implicit, Online, Reverse
from sklearn_hypergrad.optimizers import LBFGS, Adam

ANY, LOG_LOSS = Continuous(), "neg_log_loss"
TWO = {"alpha": ANY, "width": Continuous(0.1, 10)}
FOLDS = KFold(3, shuffle=True, random_state=0)


def own(name, estimator, grid, points, **options):
    """A search over a model of one's own."""
    return search(f"own: {name}", points, estimator, grid, **{"cv": 3, **options})


MINIMISED = [
    own(
        "robust, absolute error",
        Robust(),
        TWO,
        data.outliers,
        scoring="neg_mean_absolute_error",
        cv=FOLDS,
        max_iter=12,
    ),
    own("robust, its own score", Robust(), TWO, data.scaled_regression),
    own(
        "robust, lists",
        Robust(),
        {"alpha": [1e-3, 1.0], "width": [0.3, 3.0]},
        data.outliers,
        cv=FOLDS,
    ),
    own(
        "robust, per feature",
        Robust(),
        {"alpha": Continuous(per="feature")},
        data.scaled_regression,
        max_iter=15,
    ),
    own(
        "robust, an array",
        Robust(np.full(10, 0.1)),
        {"alpha": ANY},
        data.scaled_regression,
        max_iter=15,
    ),
    own("robust, L-BFGS", Robust(), TWO, data.scaled_regression, optimizer=LBFGS()),
    own("robust, Adam", Robust(), TWO, data.scaled_regression, optimizer=Adam(0.1), max_iter=15),
    own(
        "robust, behind a scaler",
        scaled(Robust(width=50.0)),
        {"model__alpha": ANY, "model__width": Continuous(1, 500)},
        data.diabetes,
        scoring="neg_mean_squared_error",
    ),
    own("any sign", Towards(), {"alpha": ANY, "centre": Continuous()}, data.scaled_regression),
    own(
        "any sign, two targets",
        Towards(),
        {"alpha": ANY, "centre": Continuous(-1, 1, scale="linear")},
        data.scaled_targets,
    ),
    own(
        "a weight per sample",
        Towards(sample_weight=0.5),
        {"sample_weight": Continuous(1e-3, 1, per="sample")},
        data.outliers,
        cv=[(np.arange(60), np.arange(60, 100))],
        refit=False,
        max_iter=15,
    ),
    own("softmax", Softmax(), {"alpha": ANY}, data.overlapping, scoring=LOG_LOSS),
    own("softmax, accuracy", Softmax(), {"alpha": [1e-3, 1.0]}, data.overlapping),
    own(
        "softmax, two classes",
        Softmax(),
        {"alpha": ANY},
        data.two_classes,
        scoring="neg_brier_score",
    ),
    own(
        "softmax, weighted",
        Softmax(),
        {"alpha": ANY},
        data.overlapping,
        fit=data.weighted,
        scoring=LOG_LOSS,
    ),
    own(
        "softmax, one standard error",
        Softmax(),
        {"alpha": ANY},
        data.overlapping,
        scoring=LOG_LOSS,
        selection="one_se",
    ),
    own(
        "softmax, conjugate gradients",
        Softmax(),
        {"alpha": ANY},
        data.overlapping,
        scoring=LOG_LOSS,
        hypergradient=Implicit("cg", gauss_newton=True),
    ),
    own(
        "softmax, Neumann series",
        Softmax(0.5),
        {"alpha": Continuous(0.1, 10)},
        data.overlapping,
        scoring=LOG_LOSS,
        hypergradient=Implicit("neumann"),
        max_iter=4,
    ),
]

TRAINED = [
    own(
        "trained",
        TwoLayers(),
        {"alpha": ANY, "learning_rate_init": ANY},
        data.wine,
        scoring=LOG_LOSS,
        max_iter=8,
    ),
    own(
        "trained, per layer",
        TwoLayers(),
        {"learning_rate_init": Continuous(per="layer"), "momentum": ANY},
        data.wine,
        max_iter=8,
    ),
    own(
        "trained, a schedule",
        TwoLayers(),
        {"learning_rate_init": Continuous(per="step")},
        data.two_classes,
        scoring=LOG_LOSS,
        max_iter=6,
    ),
    own(
        "trained, reversible",
        TwoLayers(momentum=0.9),
        {"learning_rate_init": ANY},
        data.wine,
        hypergradient="reversible",
        max_iter=5,
    ),
    own(
        "trained by Adam",
        WithAdam(),
        {"learning_rate_init": ANY, "beta_1": ANY},
        data.wine,
        scoring=LOG_LOSS,
        max_iter=6,
    ),
    own(
        "trained by Adam, forward",
        WithAdam(),
        {"learning_rate_init": ANY},
        data.wine,
        hypergradient="forward",
        max_iter=5,
    ),
    own(
        "trained, online",
        TwoLayers(n_steps=60),
        {"alpha": Continuous(1e-5, 1)},
        data.wine,
        scoring=LOG_LOSS,
        hypergradient=Online("identity", 6),
        max_iter=10,
    ),
]

CLEANING = [
    cleaning(
        "cleaning: rows given apart", data.mislabelled, DataCleaner(learning_rate=0.1, max_iter=12)
    ),
    cleaning(
        "cleaning: a split, a budget, another model",
        data.mislabelled_rows,
        DataCleaner(
            final_estimator=LogisticRegression(),
            budget=80,
            learning_rate=0.1,
            max_iter=10,
            cv=PredefinedSplit(np.repeat([-1, 0], 150)),
            hypergradient=Reverse(n_checkpoints=10),
        ),
    ),
]

CASES = MINIMISED + TRAINED + CLEANING
