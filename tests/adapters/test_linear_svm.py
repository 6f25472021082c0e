"""Linear support vector machines: what the table of families does not ask."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC, LinearSVR

from sklearn_hypergrad import HypergradSearchCV

SQUARED = {"loss": "squared_epsilon_insensitive", "max_iter": 10**5}


def test_no_pair_of_a_grid_scores_better():
    X, y = load_diabetes(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), LinearSVR(**SQUARED))
    param_grid = {"linearsvr__C": np.logspace(-3, 1, 5), "linearsvr__epsilon": [0, 5, 20, 60]}
    search = HypergradSearchCV(pipeline, param_grid, cv=3).fit(X, y)
    grid = GridSearchCV(clone(pipeline), param_grid, cv=3).fit(X, y)
    assert search.best_score_ >= grid.best_score_ - 1e-6
    # The number 0 has no logarithm, and is a search of C beside.
    assert sorted({p["linearsvr__epsilon"] == 0 for p in search.cv_results_["params"]}) == [0, 1]
    assert "as long as the same rows are beyond the margin" in search.hypergradient_


@pytest.mark.parametrize(
    ("scoring", "loss"), [("accuracy", "margin_log_loss"), ("roc_auc", "platt_log_loss")]
)
def test_no_value_of_a_list_scores_better(scoring, loss):
    X, y = load_breast_cancer(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    param_grid = {"C": np.logspace(-4, 1, 5)}
    search = HypergradSearchCV(LinearSVC(), param_grid, scoring=scoring, cv=3).fit(X, y)
    grid = GridSearchCV(LinearSVC(), param_grid, scoring=scoring, cv=3).fit(X, y)
    assert search.validation_loss_ == loss
    assert search.best_score_ >= grid.best_score_ - 1e-9


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_intercept_is_penalised_as_liblinear_does(named, tol, fit_intercept):
    row = named("linear support vector regression")
    X, y = row.data()
    params = {"fit_intercept": fit_intercept, "intercept_scaling": 3.0, "C": 0.01}
    estimator = clone(row.estimator).set_params(**params)
    data = row.split_data(X, y, row.splits())[0]
    model = row.family.model(estimator, data, {"C": None}, 0)
    fitted = model.fit({"C": 0.01}, None, tol)
    installed = row.family.install(estimator, model, fitted, {"C": 0.01})
    for own, (train, _) in zip(installed, row.splits(), strict=True):
        expected = clone(estimator).fit(X[train], y[train])
        np.testing.assert_allclose(own.coef_, expected.coef_, rtol=1e-6)
        np.testing.assert_allclose(own.intercept_, expected.intercept_, rtol=1e-6)
        assert np.shape(own.intercept_) == np.shape(expected.intercept_)
