"""Rows come in the order in which GridSearchCV has the listed values."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from sklearn_hypergrad import HypergradSearchCV

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 4))
# The asked score is undefined for targets of both signs: every score is nan.
Y = X[:, 0] + 0.1 * rng.normal(size=30)
UNDEFINED = "neg_mean_gamma_deviance"
SILENT = "ignore:Scoring failed", "ignore:One or more of the test scores"


@pytest.mark.filterwarnings(*SILENT)
@pytest.mark.parametrize(
    "grid",
    [
        {"alpha": [0.1, 10.0, 0.0]},
        {"alpha": [0.1, 0.0, 10.0]},
        {"alpha": [10.0, 0.0, 0.1], "fit_intercept": [True, False]},
        {"alpha": np.array([10.0, 0.0, 0.1]), "solver": ["svd", "auto"]},
        [{"alpha": [10.0, 0.0, 0.1]}, {"alpha": [1.0, 0.0, 2.0], "fit_intercept": [False]}],
    ],
)
def test_enumerated_ranges_have_the_rows_of_grid_search(grid):
    found = HypergradSearchCV(Ridge(), grid, scoring=UNDEFINED).fit(X, Y)
    expected = GridSearchCV(Ridge(), grid, scoring=UNDEFINED).fit(X, Y)
    assert found.cv_results_["params"] == expected.cv_results_["params"]
    assert found.best_params_ == expected.best_params_
    assert "was enumerated" in found.hypergradient_


@pytest.mark.parametrize("listed", [[0.0, 0.1, 10.0], [0.1, 0.0, 10.0]])
def test_a_range_stands_where_its_first_value_is_listed(listed):
    grid = {"alpha": listed, "fit_intercept": [True, False]}
    search = HypergradSearchCV(Ridge(), grid).fit(X, Y)
    zeros = [params["alpha"] == 0 for params in search.cv_results_["params"]]
    first = listed[0] == 0
    assert zeros == [first, first, not first, not first]
    assert sorted(set(search.hyperparameters_["candidate"])) == ([2, 3] if first else [0, 1])
