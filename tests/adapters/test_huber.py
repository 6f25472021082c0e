"""HuberRegressor: what the table of families does not ask."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import HuberRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV


@pytest.fixture
def numbers():
    """Data with outliers."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4))
    return X, X @ rng.normal(size=4) + 0.3 * rng.standard_t(1.5, size=120)


def test_no_pair_of_a_grid_scores_better(numbers):
    pipeline = make_pipeline(StandardScaler(), HuberRegressor(max_iter=1000))
    param_grid = {"huberregressor__alpha": np.logspace(-3, 2, 5)}
    param_grid["huberregressor__epsilon"] = [1.2, 1.35, 2.0]
    options = {"scoring": "neg_mean_absolute_error", "cv": 3}
    search = HypergradSearchCV(pipeline, param_grid, **options).fit(*numbers)
    grid = GridSearchCV(pipeline, param_grid, **options).fit(*numbers)
    assert search.best_score_ >= grid.best_score_ - 1e-4
    assert "smooth as long as no row becomes an outlier" in search.hypergradient_


def test_small_values_of_epsilon(numbers):
    span = {"alpha": [0.1, 1.0]}
    search = HypergradSearchCV(HuberRegressor(epsilon=1.0), span, cv=2).fit(*numbers)
    assert "epsilon=1.0 may leave no scale but zero" in search.hypergradient_
    search = HypergradSearchCV(HuberRegressor(), {"epsilon": Continuous(1.05, 3)}, cv=2)
    assert 1.05 <= search.fit(*numbers).best_params_["epsilon"] <= 3
    search = HypergradSearchCV(HuberRegressor(), {"epsilon": [1.0, 1.35, 2.0]}, cv=2).fit(*numbers)
    assert 1.0 in [params["epsilon"] for params in search.cv_results_["params"]]


def test_wide_data_are_written_in_the_basis_of_their_rows(named, tol):
    row = named("huber")
    _, y = row.data()
    X = np.random.default_rng(0).normal(size=(len(y), 90))
    h = {"alpha": 100.0, "epsilon": 2.8}
    (model,) = row.models(X=X, y=y)
    assert model.data.X.shape[1] < len(y)
    fitted = model.fit(h, None, tol)
    block = row.split_data(X, y, row.splits())[0]
    installed = row.family.install_behind(row.estimator, model, fitted, h, block)
    predicted = np.concatenate(
        [own.predict(X[test]) for own, test in zip(installed, block.tests, strict=True)]
    )
    assert_allclose(predicted, fitted.z[:, 0], rtol=1e-9)
    expected = HuberRegressor(**h, max_iter=10**5).fit(X[block.trains[0]], y[block.trains[0]])
    test = block.tests[0]
    assert_allclose(predicted[: len(test)], expected.predict(X[test]), rtol=1e-2)
