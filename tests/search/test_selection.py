"""The most regularised model within one standard error."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV

from sklearn_hypergrad import Continuous, HypergradSearchCV, HypergradWarning, linear_model
from sklearn_hypergrad.neural_network import MLPRegressor

NEWTON = LogisticRegression(solver="newton-cholesky", tol=1e-8)


def one_se(model, grid, **options):
    return HypergradSearchCV(model, grid, selection="one_se", **options)


def losses(search):
    """One row of losses of splits per evaluation."""
    columns = [f"split{split}_loss" for split in range(search.n_splits_)]
    return np.array(search.history_[columns])


def limit_of(search):
    """The best loss plus its standard error."""
    values = losses(search)
    best = values[values.mean(axis=1).argmin()]
    return best.mean() + best.std(ddof=1) / np.sqrt(len(best))


@pytest.mark.parametrize(
    ("model", "key", "scoring", "sign", "weakest"),
    [(Ridge(), "alpha", "neg_mean_squared_error", 1, 0.9), (NEWTON, "C", "neg_log_loss", -1, 0.1)],
)
def test_the_rule_of_a_fine_grid(data, model, key, scoring, sign, weakest):
    """As by the textbook: the strongest of many values whose mean score is within the error."""
    X, y = data("diabetes")
    X, y = X[::3], y[::3] if key == "alpha" else y[::3] > 140
    search = one_se(model, {key: Continuous()}, scoring=scoring, cv=4).fit(X, y)
    values = 10 ** (weakest + sign * 0.06 * np.arange(24))
    grid = GridSearchCV(model, {key: values}, scoring=scoring, cv=4).fit(X, y)
    assert 0 < grid.best_index_ < 23
    results = grid.cv_results_
    scores = np.array([results[f"split{split}_test_score"] for split in range(4)])
    best = scores[:, grid.best_index_]
    within = scores.mean(axis=0) >= best.mean() - best.std(ddof=1) / 2
    values = np.asarray(results[f"param_{key}"], dtype=float)[within]
    strongest = values.max() if sign > 0 else values.min()
    # Neighbours on the grid differ by a factor of 10 ** 0.06, and the search stops at tol.
    assert abs(np.log10(search.best_params_[key] / strongest)) < 0.061
    assert list(search.hyperparameters_["status"]) == ["one standard error"]


def test_the_optimum_stays_in_the_history(data):
    X, y = data("diabetes")
    best = HypergradSearchCV(Ridge(), {"alpha": [1e-3, 1e3]}).fit(X, y)
    search = one_se(Ridge(), {"alpha": [1e-3, 1e3]}).fit(X, y)
    assert min(search.history_["loss"]) == min(best.history_["loss"])
    assert search.best_params_["alpha"] > 10 * best.best_params_["alpha"]
    assert len(search.cv_results_["params"]) == 1
    assert 1 - search.best_score_ <= limit_of(search) + 1e-9
    assert 1 - search.best_score_ == pytest.approx(limit_of(search), rel=1e-3)
    assert "one standard error" in search.stopping_reason_


def test_a_vector_keeps_its_ratios(data):
    X, y = data("diabetes")
    X = np.column_stack([X, np.random.default_rng(0).normal(size=(len(X), 20))])
    model, grid = linear_model.Ridge(), {"alpha": Continuous(per="feature")}
    best = HypergradSearchCV(model, grid).fit(X, y)
    search = one_se(model, grid).fit(X, y)
    vectors = [params["alpha"] for params in search.cv_results_["params"]]
    ratios = vectors[0] / best.cv_results_["params"][0]["alpha"]
    assert ratios.min() > 1.5
    assert_allclose(ratios, ratios[0], rtol=1e-9)
    # The best value for all is moved by the same rule, and is a row.
    assert np.ptp(vectors[1]) == 0
    assert vectors[1][0] > 1.5 * best.cv_results_["params"][1]["alpha"][0]
    assert set(search.hyperparameters_["status"]) <= {"pooled", "below pool", "above pool"}


def test_only_what_regularises_moves(data):
    X, y = data("diabetes")
    network = MLPRegressor((3,), n_steps=20, learning_rate_init=0.05, random_state=0)
    grid = {"alpha": Continuous(1e-4, 10), "learning_rate_init": Continuous()}
    options = {"cv": 3, "max_iter": 5}
    best = HypergradSearchCV(network, grid, **options).fit(X, (y - y.mean()) / y.std())
    search = one_se(network, grid, **options).fit(X, (y - y.mean()) / y.std())
    before, after = (
        dict(zip(s.hyperparameters_["name"], s.hyperparameters_["value"], strict=True))
        for s in (best, search)
    )
    assert after["alpha"] > 2 * before["alpha"]
    assert after["learning_rate_init"] == before["learning_rate_init"]
    assert list(search.hyperparameters_["status"])[0] == "one standard error"


def test_what_is_equally_good_without_end_ends_where_nothing_changes():
    """Features that do not help: the model predicts the mean, and no penalty is infinite."""
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(100, 3)), rng.normal(size=100)
    search = one_se(Ridge(), {"alpha": Continuous()}).fit(X, y)
    alpha = search.best_params_["alpha"]
    assert 1e4 < alpha < 1e10
    stronger = Ridge(alpha=1e12).fit(X, y)
    assert_allclose(search.best_estimator_.predict(X), stronger.predict(X), atol=1e-4)


def test_bounds_hold(data):
    X, y = data("diabetes")
    search = one_se(Ridge(), {"alpha": [1e-3, 20]}).fit(X, y)
    assert search.best_params_["alpha"] == pytest.approx(20, rel=1e-12)


def test_other_rows_do_not_undo_it(data):
    X, y = data("breast_cancer")
    search = one_se(NEWTON, {"C": np.logspace(-4, 4, 9)}, scoring="accuracy").fit(X, y)
    assert len(search.cv_results_["params"]) == 1


def test_refit_callable(data):
    X, y = data("diabetes")
    search = one_se(Ridge(), {"alpha": [1e-3, 1e3]}, refit=lambda results: 0).fit(X, y)
    assert search.best_index_ == 0
    assert search.best_estimator_.alpha == search.cv_results_["params"][0]["alpha"]


def test_an_interrupt_keeps_what_is_known(data, monkeypatch):
    from sklearn_hypergrad.search.strategies import one_se as selection

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(selection, "_walk", interrupted)
    X, y = data("diabetes")
    with pytest.warns(HypergradWarning, match="The search was stopped"):
        search = one_se(Ridge(), {"alpha": [1e-3, 1e3]}).fit(X, y)
    assert search.stopping_reason_.startswith("interrupted after ")
    assert len(search.cv_results_["params"]) == 1
    assert 1 - search.best_score_ == pytest.approx(min(search.history_["loss"]), rel=1e-6)


NETWORK = MLPRegressor((3,), n_steps=4, random_state=0)


@pytest.mark.parametrize(
    ("model", "grid", "options", "message"),
    [
        (Ridge(), {"alpha": [0.1, 10]}, {"search_cv": "loo"}, "needs at least two splits"),
        (
            Ridge(),
            {"alpha": [0.1, 10]},
            {"cv": [(np.arange(50), np.arange(50, 100))]},
            "needs at least two splits",
        ),
        (NETWORK, {"learning_rate_init": Continuous()}, {}, "none is searched"),
        (NETWORK, {"alpha": Continuous()}, {"hypergradient": "online"}, "goes on"),
        (NETWORK, {"alpha": Continuous()}, {"resample": "fresh"}, "noisy"),
        (Ridge(), {"alpha": [0.1, 10]}, {"selection": "one-se"}, "selection"),
    ],
)
def test_refused(data, model, grid, options, message):
    X, y = data("diabetes")
    search = one_se(model, grid).set_params(**options)
    with pytest.raises(ValueError, match=message):
        search.fit(X[:100], y[:100])


def test_a_vector_stays_within_the_bounds_of_its_level(data):
    X, y = data("diabetes")
    search = one_se(linear_model.Ridge(), {"alpha": Continuous(1e-4, 30, per="feature")})
    with pytest.warns(HypergradWarning, match="at bound"):
        search.fit(X, y)
    pooled = search.hyperparameters_["status"] == "at bound"
    assert pooled.any()
    assert_allclose(search.hyperparameters_["value"][pooled], 30, rtol=1e-6)


def test_a_bound_that_holds_it_is_told(data):
    X, y = data("diabetes")
    search = one_se(Ridge(), {"alpha": Continuous(1e-3, 20)})
    with pytest.warns(HypergradWarning, match="at bound"):
        search.fit(X, y)
    assert list(search.hyperparameters_["status"]) == ["at bound"]
    # Already the optimum was there.
    search.set_params(param_grid={"alpha": Continuous(1e-2, 0.1)})
    with pytest.warns(HypergradWarning, match="at bound"):
        search.fit(X, y)
    assert list(search.hyperparameters_["status"]) == ["at bound"]


def test_values_enumerated_beside_the_range_do_not_undo_it(data):
    X, y = data("diabetes")
    search = one_se(Ridge(), {"alpha": [0, 1e-3, 1e3]}).fit(X, y)
    assert [params["alpha"] > 1 for params in search.cv_results_["params"]] == [True]


def test_scales_may_differ_and_the_penalty_be_one():
    """The logarithm of one is no step to begin with."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 3))
    y = X @ [1, 2, 3.0]
    network = MLPRegressor((3,), n_steps=20, learning_rate_init=0.1, random_state=0)
    grid = {"alpha": Continuous(1.0, 100, init=1.0), "momentum": Continuous()}
    search = one_se(network, grid, cv=3, max_iter=2).fit(X, y / y.std())
    assert search.n_iter_ < 30


def test_one_split_of_either_kind_is_refused(data):
    X, y = data("diabetes")
    one = [(np.arange(300), np.arange(300, 442))]
    grid = {"alpha": Continuous(per="feature")}
    for options in ({"cv": one, "search_cv": 5}, {"cv": 5, "search_cv": one}):
        with pytest.raises(ValueError, match="at least two splits"):
            one_se(linear_model.Ridge(), grid, **options).fit(X, y)


def test_the_guard_judges_what_is_proposed(data):
    X, y = data("diabetes")
    options = {"cv": 3, "guard": True, "search_cv": "halves"}
    model, grid = linear_model.Ridge(), {"alpha": Continuous(per="feature")}
    best = HypergradSearchCV(model, grid, **options).fit(X, y).guard_
    simple = one_se(model, grid, **options).fit(X, y).guard_
    assert simple.common_loss > best.common_loss
    assert simple.vector_loss != best.vector_loss
