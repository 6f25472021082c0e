"""Ctrl-C at any evaluation leaves a fitted search."""

import numpy as np
import pytest
from sklearn.base import is_classifier
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model

NEWTON = linear_model.LogisticRegression(solver="newton-cholesky", tol=1e-8)
TWO = {"alpha": [1e-2, 1e1], "gamma": [1e-3, 1.0]}
VECTOR = {"alpha": Continuous(per="feature")}


class After:
    """A callback that interrupts after so many evaluations."""

    def __init__(self, n):
        self.n = n

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name == "step":
            self.n -= 1
            if self.n == 0:
                raise KeyboardInterrupt

    def teardown(self, estimator, context):
        pass


@pytest.mark.parametrize(
    "search",
    [
        # What these evaluate "one_se" and "guard" evaluate, too.
        pytest.param(
            HypergradSearchCV(Ridge(), {"alpha": [1e-3, 1e3]}, cv=3), marks=pytest.mark.thorough
        ),
        pytest.param(
            HypergradSearchCV(linear_model.Ridge(), VECTOR, cv=3, max_iter=3),
            marks=pytest.mark.thorough,
        ),
        HypergradSearchCV(Ridge(), {"alpha": [1e-3, 1e3]}, cv=3, selection="one_se"),
        HypergradSearchCV(
            LogisticRegression(), {"C": [1e-3, 1e3]}, cv=3, scoring="neg_log_loss", tol=0.1
        ),
        HypergradSearchCV(linear_model.Ridge(), VECTOR, cv=3, max_iter=3, guard=True),
        HypergradSearchCV(
            NEWTON,
            {"C": Continuous(per="feature")},
            cv=2,
            max_iter=1,
            tol=0.1,
            scoring="neg_log_loss",
        ),
        HypergradSearchCV(KernelRidge(kernel="rbf"), TWO, cv=2, selection="one_se", tol=0.1),
        HypergradSearchCV(
            LinearDiscriminantAnalysis(solver="lsqr"), {"shrinkage": [0.0, 1.0]}, cv=3
        ),
    ],
    ids=["ridge", "vector", "one_se", "logistic", "guard", "logistic vector", "product", "path"],
)
@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
def test_after_any_evaluation(data, search):
    X, y = data("diabetes")
    X, y = X[::4], y[::4]
    y = y > 140 if is_classifier(search.estimator) else y
    total = search.set_callbacks().fit(X, y).n_iter_
    # Neighbours are mostly of one kind.
    for n in range(1, total, 3):
        search.set_callbacks(After(n)).fit(X, y)
        assert np.isfinite(search.best_score_), n
        assert "Cost" in str(search.report())
    search.set_callbacks()
