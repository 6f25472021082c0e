"""Models that the command line offers: what is tuned, the grid beside it, and the score."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    Lasso,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
)
from sklearn.svm import SVC, SVR

# Whole numbers of fewer different values are labels.
N_LABELS = 11
PENALTIES = np.logspace(-4, 4, 20)
WIDTHS = np.logspace(-4, 0, 7)


@dataclass(frozen=True)
class Model:
    """An estimator, the grid that people take for it, and the score that is asked for."""

    estimator: BaseEstimator
    grid: dict
    scoring: str


MODELS = {
    "ridge": Model(Ridge(), {"alpha": PENALTIES}, "r2"),
    "lasso": Model(Lasso(max_iter=10_000), {"alpha": np.logspace(-4, 1, 20)}, "r2"),
    "elastic-net": Model(
        ElasticNet(max_iter=10_000),
        {"alpha": np.logspace(-4, 1, 10), "l1_ratio": np.array([0.1, 0.3, 0.5, 0.7, 0.9])},
        "r2",
    ),
    "huber": Model(HuberRegressor(max_iter=1000), {"alpha": PENALTIES}, "r2"),
    "poisson": Model(
        PoissonRegressor(max_iter=1000), {"alpha": PENALTIES}, "neg_mean_poisson_deviance"
    ),
    "kernel-ridge": Model(
        KernelRidge(kernel="rbf"), {"alpha": np.logspace(-3, 2, 7), "gamma": WIDTHS}, "r2"
    ),
    "svr": Model(SVR(), {"C": np.logspace(-1, 3, 7), "gamma": WIDTHS}, "r2"),
    "logistic": Model(
        LogisticRegression(solver="newton-cholesky"), {"C": PENALTIES}, "neg_log_loss"
    ),
    "ridge-classifier": Model(RidgeClassifier(), {"alpha": PENALTIES}, "accuracy"),
    "svc": Model(SVC(), {"C": np.logspace(-1, 3, 7), "gamma": WIDTHS}, "accuracy"),
}


def default_model(y):
    """``"ridge"`` for measured numbers, ``"logistic"`` for labels.

    Labels are strings, and whole numbers of at most ten different values.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Target.
    """
    if y.dtype.kind not in "fiu":
        return "logistic"
    values = np.unique(y)
    return "logistic" if len(values) < N_LABELS and np.all(values % 1 == 0) else "ridge"
