"""Where searches end, and what they say about it."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV

from sklearn_hypergrad import Continuous, HypergradSearchCV, HypergradWarning
from sklearn_hypergrad.tuning.objective import Objective

NEWTON = LogisticRegression(solver="newton-cholesky", tol=1e-8)


def statuses(search):
    return list(search.hyperparameters_["status"])


def regression(seed=0, n=60, p=5, noise=1.0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X @ rng.normal(size=p) + noise * rng.normal(size=n)


@pytest.mark.parametrize(("model", "key"), [(Ridge(), "alpha"), (NEWTON, "C")])
def test_no_range_is_needed(data, model, key):
    X, y = data("diabetes")
    y = y if key == "alpha" else y > 140
    scoring = None if key == "alpha" else "neg_log_loss"
    wide = {key: np.logspace(-6, 6, 25)}
    options = {"scoring": scoring, "cv": 3}
    best = GridSearchCV(model, wide, **options).fit(X, y).best_score_
    search = HypergradSearchCV(model, {key: Continuous()}, **options).fit(X, y)
    assert search.best_score_ >= best - 1e-9
    assert statuses(search) == ["interior"]


@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_the_level_follows_the_units_of_the_data(factor):
    X, y = regression(noise=3)
    one = HypergradSearchCV(Ridge(), {"alpha": Continuous()}).fit(X, y)
    other = HypergradSearchCV(Ridge(), {"alpha": Continuous()}).fit(factor * X, y)
    ratio = other.best_params_["alpha"] / one.best_params_["alpha"]
    assert ratio == pytest.approx(factor**2, rel=1e-3)


def test_flat_towards_zero_returns_the_regularised_end_of_the_stretch():
    """Without noise every small penalty is as good: the largest of them is returned."""
    X, y = regression(n=200, noise=1e-3)
    search = HypergradSearchCV(Ridge(), {"alpha": Continuous()}).fit(X, y)
    if statuses(search) == ["flat towards zero"]:
        less = HypergradSearchCV(Ridge(), {"alpha": [search.best_params_["alpha"] * 1e-3]})
        assert less.fit(X, y).best_score_ == pytest.approx(search.best_score_, rel=1e-5)
    else:
        assert statuses(search) == ["interior"]


def test_a_feature_that_misleads_ends_flat_towards_infinity():
    """Its slope has the other sign on every held-out part, so no slope is best."""
    X = np.tile([-1.0, 0.0, 1.0], 4)[:, None]
    y = np.repeat([1.0, -1.0], 6) * X[:, 0]
    search = HypergradSearchCV(
        Ridge(), {"alpha": Continuous()}, scoring="neg_mean_squared_error", cv=2
    ).fit(X, y)
    assert statuses(search) == ["flat towards infinity"]
    assert np.abs(search.best_estimator_.coef_).max() < 1e-3


def test_separable_classes_end_somewhere_and_say_where():
    X = np.r_[np.arange(-20, -2), np.arange(3, 21)][:, None].astype(float)
    y = (X[:, 0] > 0).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search = HypergradSearchCV(NEWTON, {"C": Continuous()}, scoring="neg_log_loss").fit(X, y)
    assert statuses(search)[0] in {"flat towards infinity", "limit"}
    assert search.best_score_ > -1e-3


def test_a_list_may_end_on_its_bound_silently(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(Ridge(), {"alpha": [1e3, 1e4]}).fit(X, y)
    assert search.best_params_["alpha"] == 1e3
    assert statuses(search) == ["at bound"]


def test_a_continuous_on_its_bound_warns_once_with_numbers_and_remedy(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(Ridge(), {"alpha": Continuous(1e3, 1e4)})
    with pytest.warns(HypergradWarning, match=r"alpha=1000\.0 .*at bound.*Continuous\(\)") as seen:
        search.fit(X, y)
    assert len(seen) == 1


@pytest.mark.parametrize(("low", "high"), [(None, 1.0), (1e4, None)])
def test_one_bound_may_be_left_out(low, high):
    X, y = regression(noise=5, p=20)
    search = HypergradSearchCV(Ridge(), {"alpha": Continuous(low, high)})
    with pytest.warns(HypergradWarning, match="at bound"):
        search.fit(X, y)
    assert search.best_params_["alpha"] == (high or low)


def test_a_flat_loss_warns_and_regularises_most():
    X, y = regression()
    search = HypergradSearchCV(Ridge(), {"alpha": [0.1, 10]}, scoring="neg_mean_squared_error")
    with pytest.warns(HypergradWarning, match="does not depend on it"):
        search.fit(X, np.zeros(len(X)))
    assert search.best_params_["alpha"] == 10


def test_too_few_iterations_warn(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(Ridge(), {"alpha": [1e-3, 1e3]}, max_iter=1, tol=1e-9)
    with pytest.warns(HypergradWarning, match="not converged. Raise max_iter"):
        search.fit(X, y)
    assert statuses(search) == ["not converged"]


def test_fits_that_did_not_converge_are_noticed(data):
    X, y = data("breast_cancer")
    model = LogisticRegression(tol=0.5)
    search = HypergradSearchCV(model, {"C": [0.1, 1e3]}, scoring="neg_log_loss")
    with pytest.warns(HypergradWarning, match="the converged model .* Raise max_iter or lower tol"):
        search.fit(X, y)


def test_the_best_of_several_minima():
    """Two groups of features of very different scale make two valleys along one penalty."""
    best = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X = np.c_[rng.normal(size=(40, 15)), 1e3 * rng.normal(size=(40, 15))]
        y = X[:, 0] + 1e-3 * X[:, 15] + rng.normal(size=40)
        grid = {"alpha": np.logspace(-4, 10, 57)}
        search = HypergradSearchCV(Ridge(), grid, scoring="neg_mean_squared_error").fit(X, y)
        expected = -ridge_losses(X, y, grid["alpha"]).min()
        best.append(search.best_score_ >= expected * (1 + 1e-6))
    assert all(best)


def ridge_losses(X, y, alphas):
    """The cross-validation loss for each of the values, as GridSearchCV would find it."""
    rows, losses = np.arange(len(X)), 0.0
    for test in np.array_split(rows, 5):
        train = np.setdiff1d(rows, test)
        x_mean, y_mean = X[train].mean(axis=0), y[train].mean()
        U, s, V = np.linalg.svd(X[train] - x_mean, full_matrices=False)
        shares = (s / (s**2 + alphas[:, None])) * (U.T @ (y[train] - y_mean))
        predictions = y_mean + (shares @ V) @ (X[test] - x_mean).T
        losses = losses + np.mean((predictions - y[test]) ** 2, axis=1) / 5
    return losses


def test_ridge_losses_are_those_of_grid_search():
    X, y = regression(noise=5, p=20)
    alphas = np.logspace(-2, 6, 5)
    scores = GridSearchCV(Ridge(), {"alpha": alphas}, scoring="neg_mean_squared_error").fit(X, y)
    expected = -scores.cv_results_["mean_test_score"]
    np.testing.assert_allclose(ridge_losses(X, y, alphas), expected, rtol=1e-9)


def test_an_interrupt_keeps_the_best_so_far(data, monkeypatch):
    X, y = data("diabetes")
    evaluate, calls = Objective._evaluate, []

    def interrupted(self, theta):
        calls.append(theta)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return evaluate(self, theta)

    monkeypatch.setattr(Objective, "_evaluate", interrupted)
    search = HypergradSearchCV(Ridge(), {"alpha": np.logspace(-3, 3, 7)})
    with pytest.warns(HypergradWarning, match="The search was stopped"):
        search.fit(X, y)
    assert search.stopping_reason_ == "interrupted after 5 of at most 50 evaluations"
    assert search.best_params_["alpha"] in search.history_["value"].tolist()
    assert search.n_iter_ == 5


def test_history_and_table(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(Ridge(), {"alpha": [1e-3, 1e3]}).fit(X, y)
    assert search.n_iter_ == len(search.history_["loss"])
    splits = np.column_stack([search.history_[f"split{k}_loss"] for k in range(5)])
    assert np.allclose(splits.mean(axis=1), search.history_["loss"], rtol=1e-12)
    (name,), (value,) = (list(search.hyperparameters_[c]) for c in ("name", "value"))
    assert name == "alpha"
    assert value == search.best_params_["alpha"]
    assert abs(search.hyperparameters_["gradient"][0]) < 1e-5


def test_tables_without_data_frame_libraries(data, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    X, y = data("diabetes")
    search = HypergradSearchCV(Ridge(), {"alpha": [1e-3, 1e3]}).fit(X, y)
    assert search.hyperparameters_["status"] == ["interior"]
    assert isinstance(search.history_, dict)


def test_one_penalty_per_target():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 20))
    Y = X @ rng.normal(size=(20, 2)) * [1, 0.2] + rng.normal(size=(60, 2))
    options = {"scoring": "neg_mean_squared_error", "tol": 1e-5}
    plain = {"shrinkage": 0, "search_cv": 5}
    grid = {"alpha": Continuous(per="target")}
    search = HypergradSearchCV(Ridge(), grid, **plain, **options).fit(X, Y)
    alone = [HypergradSearchCV(Ridge(), {"alpha": Continuous()}, **options).fit(X, y) for y in Y.T]
    # The mean squared error is a sum over targets, so each has the optimum it has alone.
    assert search.best_params_["alpha"] == pytest.approx(
        [one.best_params_["alpha"] for one in alone], rel=1e-2
    )
    assert search.best_score_ == pytest.approx(np.mean([one.best_score_ for one in alone]))
    assert len(search.cv_results_["params"]) == 2
    assert search.best_index_ == 0
    assert list(search.hyperparameters_["name"]) == ["alpha[0]", "alpha[1]"]
    assert list(search.hyperparameters_["status"]) == ["interior", "interior"]
    with pytest.raises(ValueError, match="needs y of shape"):
        search.fit(X, Y[:, 0])


@pytest.mark.parametrize(
    "grid", [[10000, 50000], [1000, 5000], Continuous(1e-3, 1e3, scale="linear")]
)
def test_a_linear_scale_takes_no_more_evaluations(data, grid):
    """Its values are looked at by the decade, not by a step of their own unit."""
    X, y = data("diabetes")
    search = HypergradSearchCV(Ridge(), {"alpha": grid}, cv=3).fit(X, y)
    assert search.n_iter_ < 20
    values = grid if isinstance(grid, list) else np.logspace(-3, 3, 31)
    best = GridSearchCV(Ridge(), {"alpha": values}, cv=3).fit(X, y)
    assert search.best_score_ >= best.best_score_ - 1e-9
    if isinstance(grid, list):
        assert search.best_params_["alpha"] == grid[0]
        assert statuses(search) == ["at bound"]
