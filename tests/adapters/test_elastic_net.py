"""Searches of Lasso and elastic nets: their scans, their limits, and what is said of them."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import ElasticNet, Lasso, MultiTaskLasso
from sklearn.model_selection import GridSearchCV, KFold, ParameterGrid, cross_val_score

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.search.data.blocks import one_split

TIGHT = {"tol": 1e-10, "max_iter": 10**6}


@pytest.fixture(scope="module")
def diabetes():
    return load_diabetes(return_X_y=True)


def visited(search, name):
    """The values of a hyperparameter that were tried."""
    values = search.history_["value"]
    return np.array([v[name] if isinstance(v, dict) else v for v in values], dtype=float)


def test_a_scan_has_all_listed_values(diabetes):
    X, y = diabetes
    grid = {"alpha": [1e-3, 2e-2, 0.1, 1.0], "l1_ratio": [0.2, 0.9, 1.0]}
    search = HypergradSearchCV(ElasticNet(**TIGHT), grid, cv=3).fit(X, y)
    points = set(zip(*(np.round(visited(search, name), 12) for name in grid), strict=True))
    listed = {(point["alpha"], point["l1_ratio"]) for point in ParameterGrid(grid)}
    assert listed <= points
    plain = GridSearchCV(ElasticNet(**TIGHT), grid, cv=3).fit(X, y)
    assert search.best_score_ >= plain.best_score_ - 1e-9
    assert "smooth as long as no weight becomes zero" in search.hypergradient_


def test_the_best_of_several_minima_is_found(diabetes):
    """The curve of these data has two, of about the same depth."""
    X, y = diabetes
    search = HypergradSearchCV(Lasso(**TIGHT), {"alpha": Continuous()}).fit(X, y)
    dense = GridSearchCV(
        Lasso(tol=1e-6, max_iter=10**5), {"alpha": np.logspace(-2.7, -2.3, 12)}, refit=False
    ).fit(X, y)
    assert 1 - search.best_score_ <= (1 - dense.best_score_) * (1 + 1e-4)


def test_a_scan_of_wide_data_stops_once_the_loss_has_risen():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 80))
    y = X[:, :3].sum(axis=1) + rng.normal(size=40)
    listed = np.logspace(-5, 0, 15)
    wide = HypergradSearchCV(Lasso(alpha=0.5, **TIGHT), {"alpha": listed}, cv=3).fit(X, y)
    assert visited(wide, "alpha").min() > listed[0]
    plain = GridSearchCV(Lasso(**TIGHT), {"alpha": listed[listed > 0.02]}, cv=3).fit(X, y)
    assert wide.best_score_ >= plain.best_score_ - 1e-9
    narrow = HypergradSearchCV(Lasso(**TIGHT), {"alpha": listed}, cv=3).fit(X[:, :8], y)
    assert visited(narrow, "alpha").min() == pytest.approx(listed[0])


@pytest.mark.parametrize("estimator", [Lasso(), MultiTaskLasso()], ids=["one output", "two tasks"])
def test_exact_solutions_start_at_those_nearby(estimator):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 30))
    y = X[:, :6] @ rng.normal(size=(6, 2)) + rng.normal(size=(60, 2))
    y = y if isinstance(estimator, MultiTaskLasso) else y[:, 0]
    known = family(estimator)
    model = known.model(estimator, one_split(known, estimator, X, y, None), {}, 0)
    near = model.fit({"alpha": 0.06}, None, 1e-6)
    cold, warm = (model.fit({"alpha": 0.05}, start, 1e-6) for start in (None, near.state))
    assert model.uses_starts
    assert warm.n_solves < cold.n_solves
    np.testing.assert_allclose(warm.z, cold.z, rtol=1e-9, atol=1e-12)


def test_limits_of_the_ratio(diabetes):
    X, y = diabetes
    own = ElasticNet(alpha=0.01, l1_ratio=1.0, **TIGHT)
    search = HypergradSearchCV(own, {"l1_ratio": Continuous()}, cv=3).fit(X, y)
    score = cross_val_score(own, X, y, cv=3).mean()
    assert search.best_score_ >= score - 1e-9
    assert search.hyperparameters_["before"][0] == 1.0
    grid = {"alpha": [0.01, 1.0], "l1_ratio": [0.0, 0.5, 1.0]}
    search = HypergradSearchCV(ElasticNet(**TIGHT), grid, cv=3).fit(X, y)
    # Without an L1 penalty it is fitted beside, and alpha is searched.
    assert 0.0 in [params["l1_ratio"] for params in search.cv_results_["params"]]


def test_only_implicit_differentiation(diabetes):
    search = HypergradSearchCV(Lasso(), {"alpha": [0.1, 1.0]}, hypergradient="reverse")
    with pytest.raises(ValueError, match="descent does not arrive at weights that are zero"):
        search.fit(*diabetes)


def test_several_tasks_need_a_matrix(diabetes):
    X, y = diabetes
    with pytest.raises(ValueError, match="fits failed"):
        HypergradSearchCV(MultiTaskLasso(), {"alpha": [0.1, 1.0]}).fit(X, y)
    found = HypergradSearchCV(MultiTaskLasso(), {"alpha": [0.1, 1.0]}, cv=KFold(2))
    found.fit(X[:60], y[:60, None])
    assert found.best_estimator_.coef_.shape == (1, X.shape[1])


def test_levels_follow_the_units_of_the_target(diabetes):
    X, y = diabetes
    for model in (Lasso(), ElasticNet(), MultiTaskLasso()):
        known, labels = family(model), y[:, None] if isinstance(model, MultiTaskLasso) else y
        levels = [
            known.model(model, one_split(known, model, X, factor * labels, None), {}, 0).levels()
            for factor in (1.0, 1000.0)
        ]
        assert levels[1]["alpha"] == pytest.approx(1000 * levels[0]["alpha"])
