"""Scores without gradient: what a scorer gets, which points become rows, and what if it fails."""

import gc
import pickle
import weakref

import autograd.numpy as anp
import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge, RidgeClassifier
from sklearn.metrics import make_scorer, mean_pinball_loss
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, linear_model
from sklearn_hypergrad.adapters import family
from sklearn_hypergrad.adapters.ridge import RidgeFamily
from sklearn_hypergrad.differentiable import DifferentiableRegressor, Hyperparameter
from sklearn_hypergrad.search.data.fitted_steps import FittedSteps
from sklearn_hypergrad.search.strategies import listed

VALUES = [1e-2, 1.0, 100.0]
EXACT = {"tol": 1e-9, "max_iter": 2000}
NEWTON = LogisticRegression(solver="newton-cholesky", **EXACT)
PINBALL = make_scorer(mean_pinball_loss, alpha=0.9, greater_is_better=False)


def named(X, y):
    """A data frame and a Series whose index numbers no rows."""
    X = pd.DataFrame(X, columns=[f"x{i}" for i in range(np.shape(X)[1])])
    X.index = np.random.default_rng(0).permutation(len(X)) + 1000
    return X, pd.Series(y, index=X.index)


def narrow(data, n_rows=90, n_features=4):
    X, y = data("diabetes")
    return named(X[:n_rows, :n_features], y[:n_rows] / y.mean())


def wide(data):
    X, y = narrow(data, 30)
    more = np.random.default_rng(0).normal(2, 3, (30, 45))
    return named(np.hstack([X, more]), y.to_numpy())


def classes(load, n_classes=2):
    X, y = load
    y = pd.cut(pd.qcut(y, n_classes, labels=False), n_classes, labels=list("abc")[:n_classes])
    return X, pd.Series(y.to_numpy().astype(object), index=X.index)


def last(estimator):
    while isinstance(estimator, Pipeline):
        estimator = estimator[-1]
    return estimator


def failures(search):
    """Remarks on scores that could not judge."""
    return [remark for remark in search.remarks_ if "asked score" in remark]


class Refit:
    """A scorer that compares what it gets with a fit on all other rows, as in a grid search.

    It does so for the first points, which are listed ones if there are any.
    """

    def __init__(self, X, y):
        self.X, self.y, self.seen = X, y, []

    def __call__(self, estimator, X, y):
        self.seen.append(type(estimator))
        if len(self.seen) <= 4:
            self.compare(estimator, X, y)
        return -float(np.mean(np.abs(X["x0"] * (y != estimator.predict(X)))))

    def compare(self, estimator, X, y):
        assert y.index.equals(X.index)
        pd.testing.assert_frame_equal(X, self.X.loc[X.index])
        train = ~self.X.index.isin(X.index)
        expected = clone(estimator).fit(self.X[train], self.y[train])
        method = "decision_function" if hasattr(expected, "decision_function") else "predict"
        found, fitted = getattr(estimator, method)(X), last(expected)
        np.testing.assert_allclose(found, getattr(expected, method)(X), rtol=1e-4, atol=1e-5)
        for name in ("coef_", "intercept_"):
            if hasattr(fitted, name):
                own = getattr(last(estimator), name)
                np.testing.assert_allclose(own, getattr(fitted, name), rtol=1e-3, atol=1e-5)
        assert last(estimator).n_features_in_ == fitted.n_features_in_
        names = [getattr(last(e), "feature_names_in_", None) for e in (estimator, expected)]
        np.testing.assert_array_equal(*names)


def piped(*steps, **output):
    return make_pipeline(*steps).set_output(**output) if output else make_pipeline(*steps)


SCALER = StandardScaler()
SCALED = make_pipeline(SCALER, NEWTON)
SEEN = {
    "plain": (Ridge(), "alpha", narrow),
    "no intercept": (piped(SCALER, Ridge(fit_intercept=False)), "ridge__alpha", narrow),
    "shared": (piped(SCALER, Ridge()), "ridge__alpha", narrow),
    "nested": (piped(MinMaxScaler(), piped(SCALER, Ridge())), "pipeline__ridge__alpha", narrow),
    "kernel": (piped(SCALER, Ridge()), "ridge__alpha", wide),
    "shared classes": (
        SCALED,
        "logisticregression__C",
        lambda d: classes(narrow(d)),
    ),
    "frames": (
        piped(SCALER, NEWTON, transform="pandas"),
        "logisticregression__C",
        lambda d: classes(narrow(d), 3),
    ),
    "row space": (SCALED, "logisticregression__C", lambda d: classes(wide(d), 3)),
    "raw row space": (NEWTON, "C", lambda d: classes(wide(d))),
    "codes": (RidgeClassifier(), "alpha", lambda d: classes(narrow(d), 3)),
    "means": (piped(SCALER, PoissonRegressor(**EXACT)), "poissonregressor__alpha", narrow),
    "path": (
        piped(SCALER, LinearDiscriminantAnalysis(solver="lsqr")),
        "lineardiscriminantanalysis__shrinkage",
        lambda d: classes(narrow(d), 3),
    ),
    "product": (piped(SCALER, KernelRidge(kernel="rbf")), "kernelridge__alpha", narrow),
    "vector": (piped(SCALER, linear_model.Ridge()), "ridge__alpha", narrow),
}
# Their parts are also those of others.
OF_OTHERS = {"no intercept", "shared", "shared classes", "row space", "codes"}


@pytest.mark.filterwarnings("ignore:.*not converged:sklearn_hypergrad.HypergradWarning")
@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.thorough) if n in OF_OTHERS else n for n in SEEN],
)
@pytest.mark.thorough
def test_a_scorer_gets_what_a_grid_search_gives_it(data, name):
    model, key, load = SEEN[name]
    X, y = load(data)
    scorer, grid = Refit(X, y), {key: [0.1, 0.5, 1.0] if name == "path" else VALUES}
    if name == "product":
        grid["kernelridge__gamma"] = [0.01, 0.1]
    if name == "vector":
        grid = {key: Continuous(per="feature")}
    # Free entries leave the level that they share at once.
    options = {"shrinkage": 0.0} if name == "vector" else {}
    search = HypergradSearchCV(model, grid, scoring=scorer, cv=2, max_iter=3, **options)
    search.fit(X, y)
    # Judged by solutions, not by fits: with the rows of the result alone it would be called less.
    assert failures(search) == []
    assert len(scorer.seen) > 2 * len(search.cv_results_["params"])
    assert set(scorer.seen) == {type(model)}
    assert not hasattr(search, "_results")


@pytest.mark.parametrize("whole", [False, True], ids=["predictions", "pipeline"])
def test_costs_of_rows_by_the_index_of_y(data, whole):
    X, y = classes(narrow(data))
    amount = pd.Series(np.random.default_rng(1).lognormal(3, 1, len(X)), index=X.index)

    def cost(y_true, y_pred):
        wrong = np.where(y_true == "b", 5, 1) * (y_true != y_pred)
        return float(np.mean(amount[y_true.index] * wrong))

    def negative_cost(estimator, X, y):
        return -cost(y, estimator.predict(X))

    scoring = negative_cost if whole else make_scorer(cost, greater_is_better=False)
    model, grid = make_pipeline(StandardScaler(), NEWTON), {"logisticregression__C": VALUES}
    search = HypergradSearchCV(model, grid, scoring=scoring, cv=2).fit(X, y)
    best = GridSearchCV(model, grid, scoring=scoring, cv=2).fit(X, y).best_score_
    assert search.best_score_ >= best - 1e-9
    assert failures(search) == []


@pytest.mark.parametrize("several", [False, True])
def test_metadata_of_a_score_reach_the_scorer(data, several):
    X, y = narrow(data)
    prices = np.random.default_rng(2).uniform(1, 9, len(X))

    def loss(y_true, y_pred, price):
        assert len(price) == len(y_true)
        return float(np.max(price * np.abs(y_true - y_pred)))

    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(loss, greater_is_better=False).set_score_request(price="price_paid")
        options = {"scoring": scorer}
        if several:
            options = {"scoring": {"r2": "r2", "paid": scorer}, "refit": "paid"}
        fits = [
            search(Ridge(), {"alpha": VALUES}, **options).fit(X, y, price_paid=prices)
            for search in (GridSearchCV, HypergradSearchCV)
        ]
    grid, search = fits
    assert search.best_score_ >= grid.best_score_ - 1e-9
    assert "Implicit()" in search.hypergradient_
    assert failures(search) == []


def test_a_metric_with_metadata_is_not_the_loss_that_it_is_without(data):
    X, y = narrow(data)
    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(mean_pinball_loss, greater_is_better=False)
        scorer.set_score_request(alpha=True)
        search = HypergradSearchCV(Ridge(), {"alpha": VALUES}, scoring=scorer)
        search.fit(X, y, alpha=0.9)
    # A surrogate was descended, and points were judged: the found one is not the only row.
    assert len(search.cv_results_["params"]) > 1


def counts_iterations(estimator, X, y):
    return float(np.mean(estimator.predict(X) == y)) - 1e-4 * estimator.n_iter_[0]


def undefined(estimator, X, y):
    return np.nan


def test_a_scorer_that_fails_leaves_listed_values_to_fits(data):
    X, y = classes(narrow(data))
    listed_values = [10.0, 0.1, 1.0]
    search = HypergradSearchCV(NEWTON, {"C": listed_values}, scoring=counts_iterations).fit(X, y)
    assert [row["C"] for row in search.cv_results_["params"]][1:] == listed_values
    (remark,) = failures(search)
    assert "no attribute 'n_iter_'" in remark
    assert "All listed values were fitted and judged by scikit-learn" in remark
    grid = GridSearchCV(NEWTON, {"C": listed_values}, scoring=counts_iterations).fit(X, y)
    assert search.best_score_ >= grid.best_score_


def test_a_scorer_that_fails_without_listed_values_is_warned_about(data):
    X, y = classes(narrow(data))
    search = HypergradSearchCV(NEWTON, {"C": Continuous()}, scoring=counts_iterations)
    with pytest.warns(match="no attribute 'n_iter_'.*smallest validation loss is proposed"):
        search.fit(X, y)
    assert len(search.cv_results_["params"]) == 1


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_a_score_that_is_never_a_number_is_remarked(data):
    X, y = narrow(data)
    search = HypergradSearchCV(Ridge(), {"alpha": [10.0, 0.1]}, scoring=undefined)
    search.fit(X, y)
    assert "it is nan for every one of them" in failures(search)[0]
    # The point found is the first row, and one of the listed values here.
    assert [row["alpha"] for row in search.cv_results_["params"]] == [10.0, 0.1]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_networks_too_fall_back_on_fits(data):
    X, y = narrow(data, 40)
    model = MLPRegressor(hidden_layer_sizes=(2,), random_state=0, max_iter=3)

    def failing(estimator, X, y):
        return float(-estimator.n_iter_)

    search = HypergradSearchCV(model, {"alpha": [1.0, 0.1]}, scoring=failing, cv=2, max_iter=2)
    search.fit(X, y)
    assert [row["alpha"] for row in search.cv_results_["params"]][-2:] == [1.0, 0.1]
    assert "All listed values" in failures(search)[0]


def test_a_family_without_installed_solutions_falls_back_on_fits(data):
    class Uninstalled(RidgeFamily):
        def install(self, estimator, model, fitted, h):
            return None

    family.register(Ridge, lambda estimator: Uninstalled())
    X, y = narrow(data)
    search = HypergradSearchCV(Ridge(), {"alpha": VALUES}, scoring="neg_median_absolute_error")
    search.fit(X, y)
    assert "Uninstalled.install makes no fitted estimators" in failures(search)[0]
    assert [row["alpha"] for row in search.cv_results_["params"]][1:] == VALUES


class Quantile(DifferentiableRegressor):
    """A smooth pinball loss."""

    hyperparameters = {"alpha": Hyperparameter(regularizes=1), "width": Hyperparameter()}

    def __init__(self, alpha=1.0, width=0.05):
        self.alpha = alpha
        self.width = width

    def initial(self, X, y, rng):
        return {"coef": np.zeros(X.shape[1]), "intercept": np.quantile(y, 0.9)}

    def forward(self, w, X, h):
        return X @ w["coef"] + w["intercept"]

    def loss(self, y, z, h):
        return 0.4 * (y - z) + 0.5 * anp.sqrt((y - z) ** 2 + h["width"] ** 2)

    def penalty(self, w, h):
        return 0.5 * h["alpha"] * anp.sum(w["coef"] ** 2)


OWN_GRIDS = {"one": {"alpha": [1.0, 1e-3, 0.1]}, "two": {"width": [0.3, 0.1], "alpha": [0.1, 1e-2]}}


@pytest.mark.parametrize(
    ("name", "search_cv"), [("one", KFold(2, shuffle=True, random_state=0)), ("two", "auto")]
)
def test_models_of_ones_own_are_not_below_a_grid(data, name, search_cv):
    X, y = data("diabetes")
    X, y, grid = X[:40, :3], (y[:40] - 150) / 77, OWN_GRIDS[name]
    options = {"scoring": PINBALL, "cv": 2}
    best = GridSearchCV(Quantile(), grid, **options).fit(X, y).best_score_
    search = HypergradSearchCV(Quantile(), grid, search_cv=search_cv, tol=0.1, **options)
    search.fit(X, y)
    assert search.best_score_ >= best - 1e-7
    own = {"alpha": 1.0, "width": 0.05}
    rows = [{**own, **row} for row in search.cv_results_["params"]]
    # Its own values are a row if they are in the lists' ranges.
    assert (own in rows) == (len(grid) == 1)
    assert search.validation_loss_ == "squared_error"


PRODUCT = {"alpha": [1e-3, 0.1, 10.0], "gamma": [1e-3, 0.1, 0.3]}


@pytest.mark.parametrize("most", [9, 8], ids=["all", "too many"])
def test_products_of_lists(data, monkeypatch, most):
    monkeypatch.setattr(listed, "MOST_COMBINATIONS", most)
    X, y = narrow(data, 60)
    model, options = KernelRidge(kernel="rbf", gamma=0.05), {"scoring": PINBALL, "cv": 2}
    search = HypergradSearchCV(model, PRODUCT, **options).fit(X, y)
    rows = search.cv_results_["params"]
    assert {"alpha": 1.0, "gamma": 0.05} in rows
    on_lists = [row for row in rows if all(row[name] in PRODUCT[name] for name in PRODUCT)]
    best = GridSearchCV(model, PRODUCT, **options).fit(X, y)
    if most == 9:
        assert best.best_params_ in on_lists
        assert search.best_score_ >= best.best_score_ - 1e-9
    else:
        # The best one by the loss that was descended.
        loss = GridSearchCV(model, PRODUCT, cv=2, scoring="neg_mean_squared_error").fit(X, y)
        assert on_lists == [loss.best_params_]


def test_several_scores_without_a_name_judge_nothing(data):
    X, y = narrow(data)

    def several(estimator, X, y):
        return {"one": estimator.score(X, y), "other": 0.0}

    search = HypergradSearchCV(Ridge(), {"alpha": VALUES}, scoring=several, refit=False, cv=2)
    search.fit(X, y)
    assert len(search.cv_results_["params"]) == 1
    assert failures(search) == []


def test_settings_with_one_remark_say_it_once(data):
    X, y = classes(narrow(data))
    grid = {"C": [0.1, 1.0], "fit_intercept": [True, False]}
    search = HypergradSearchCV(NEWTON, grid, scoring=counts_iterations, cv=2).fit(X, y)
    assert len(failures(search)) == 1


def test_steps_are_kept_without_the_data_and_only_during_the_fit(data, monkeypatch):
    X, y = classes(narrow(data))
    alive, sizes, then = weakref.WeakSet(), [], FittedSteps.then

    def watched(self, final):
        alive.add(self.pipeline)
        sizes.append(len(pickle.dumps(self)))
        return then(self, final)

    monkeypatch.setattr(FittedSteps, "then", watched)
    search = HypergradSearchCV(SCALED, {"logisticregression__C": VALUES}, cv=2)
    search.set_params(scoring=lambda estimator, X, y: float(np.mean(estimator.predict(X) == y)))
    search.fit(pd.concat([X] * 9, ignore_index=True), pd.concat([y] * 9, ignore_index=True))
    gc.collect()
    assert sizes
    # A training part of 405 rows and 4 features takes 13 kB.
    assert max(sizes) < 5000
    assert not alive
