"""The bounds of a Continuous hold, whatever the data and however the search ends."""

import numpy as np
import pytest
from sklearn import linear_model as plain
from sklearn.kernel_ridge import KernelRidge

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.linear_model import LogisticRegression, Ridge

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
Y = X @ [1.0, 2.0, 3.0] + rng.normal(size=40)
UNDEFINED = "neg_mean_gamma_deviance"
ENUMERATED = (
    "ignore:.*enumerated",
    "ignore:Scoring failed",
    "ignore:One or more of the test scores",
)


@pytest.mark.filterwarnings("ignore::sklearn_hypergrad.HypergradWarning")
@pytest.mark.parametrize(
    ("per", "shrinkage"), [(None, "auto"), ("feature", "auto"), ("feature", 0)]
)
@pytest.mark.parametrize(
    ("scale", "bounds"), [(1e8, {"high": 100.0}), (1e-8, {"low": 100.0}), (1e8, {"low": 1e-20})]
)
def test_bounds_hold_far_from_the_level_of_the_data(scale, bounds, per, shrinkage):
    grid = {"alpha": Continuous(**bounds, per=per)}
    search = HypergradSearchCV(Ridge(), grid, shrinkage=shrinkage, max_iter=5).fit(scale * X, Y)
    values, rounding = np.ravel(search.best_params_["alpha"]), 1e-12 * (per is not None)
    assert np.all(values >= bounds.get("low", 0) * (1 - rounding))
    assert np.all(values <= bounds.get("high", np.inf) * (1 + rounding))


@pytest.mark.filterwarnings(*ENUMERATED)
@pytest.mark.parametrize(
    ("model", "name", "bounds", "expected"),
    [
        (Ridge(1.0), "alpha", (10, 1000), 10),
        (Ridge(5000.0), "alpha", (10, 1000), 1000),
        (Ridge(50.0), "alpha", (10, 1000), 50),
        (Ridge(50.0), "alpha", (None, 10), 10),
        (KernelRidge(kernel="rbf"), "gamma", (10, None), 10),
        (Ridge([1.0, 20.0, 3000.0]), "alpha", (10, 1000), [10, 20, 1000]),
        (Ridge([1.0, 20.0, 3000.0]), "alpha", (None, None), [1, 20, 3000]),
    ],
)
def test_a_range_that_is_not_searched_is_tried_inside_its_bounds(model, name, bounds, expected):
    search = HypergradSearchCV(model, {name: Continuous(*bounds)}, scoring=UNDEFINED).fit(X, Y)
    assert np.array_equal(search.best_params_[name], expected)
    assert "was enumerated" in search.remarks_[0]


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(
    ("model", "grid", "y"),
    [
        (plain.LogisticRegression(C=np.inf), {"C": [0.1, 10.0, np.inf]}, Y > 0),
        (plain.LogisticRegression(C=np.inf), {"C": Continuous()}, Y > 0),
        (LogisticRegression(C=[np.inf, 1.0, 1.0]), {"C": Continuous(per="feature")}, Y > 0),
        (Ridge(np.inf), {"alpha": Continuous(per="feature")}, Y),
    ],
)
def test_an_own_value_may_be_infinite(model, grid, y):
    search = HypergradSearchCV(model, grid, max_iter=5).fit(X, y)
    assert np.isinf(search.hyperparameters_["before"].iloc[0])
    assert "inf" in str(search.report())
