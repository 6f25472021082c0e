"""KernelRidge: what the table of families does not show."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import KFold, LeaveOneOut, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV, HypergradWarning, check_hypergradient
from sklearn_hypergrad import kernel_ridge as ours
from sklearn_hypergrad.adapters import family, kernel_ridge
from sklearn_hypergrad.adapters.kernel_ridge import KernelRidgeModel
from sklearn_hypergrad.hypergradients import Pulled
from sklearn_hypergrad.problems.kernel.pair_sums import Products
from sklearn_hypergrad.problems.kernel.pairwise_kernel import PairwiseKernel

BOTH = {"alpha": [1e-2, 1.0], "gamma": [1e-2, 0.5]}


def model_of(block, kernel="rbf", names=("alpha", "gamma"), **params):
    estimator = KernelRidge(kernel=kernel, **params)
    return family(estimator).model(estimator, block, dict.fromkeys(names), 0)


@pytest.mark.parametrize("splits", ["kfold", "overlapping", "bootstrap"])
@pytest.mark.parametrize("kernel", ["rbf", "laplacian"])
@pytest.mark.parametrize("thin", [False, True])
def test_the_pullback_is_exact(make_block, five_point, splits, kernel, thin):
    """Of weighted rows, some of which are drawn several times, and several outputs."""
    block = make_block(splits=splits, weighted=True, thin=thin, n_outputs=2)
    model, h = model_of(block, kernel), {"alpha": 0.4, "gamma": 0.15}
    fitted = model.fit(h, None, 0)
    g = np.random.default_rng(1).normal(size=fitted.z.shape)
    gradient = fitted.pullback(g).gradient
    for name in h:
        differences = five_point(
            lambda t, name=name: np.sum(g * model.fit(h | {name: h[name] * np.exp(t)}, 0, 0).z),
            2e-3,
        )
        assert_allclose(h[name] * gradient[name], differences, rtol=1e-9)


def test_predictions_of_weighted_rows_are_those_of_fits(make_block):
    block = make_block(splits="bootstrap", weighted=True)
    h, estimator = {"alpha": 0.4, "gamma": 0.15}, KernelRidge(kernel="rbf")
    model = model_of(block)
    fitted = model.fit(h, None, 0)
    installed = family(estimator).install(estimator, model, fitted, h)
    expected = []
    for train, test, weight, own in zip(
        block.trains, block.tests, block.weights, installed, strict=True
    ):
        fit = KernelRidge(kernel="rbf", **h).fit(block.X[train], block.y[train], weight)
        expected.append(fit.predict(block.X[test]))
        assert_allclose(own.predict(block.X[test]).ravel(), expected[-1].ravel(), rtol=1e-9)
    assert_allclose(fitted.z, np.concatenate(expected), rtol=1e-9)


@pytest.mark.parametrize(("names", "n_formed"), [(["alpha"], 1), (["alpha", "gamma"], 3)])
def test_a_kernel_that_does_not_change_is_formed_once(make_block, monkeypatch, names, n_formed):
    """Products of rows are formed once in any case."""
    products, kernels = [], []
    of, at = Products.of, PairwiseKernel.at
    monkeypatch.setattr(Products, "of", staticmethod(lambda X: products.append(1) or of(X)))
    monkeypatch.setattr(PairwiseKernel, "at", lambda self, h: kernels.append(1) or at(self, h))
    model = model_of(make_block(), "poly", names)
    for alpha in (0.1, 1.0):
        model.fit({"alpha": alpha, "gamma": 0.3}, None, 0).pullback(1.0)
    assert len(products) == 1
    assert len(kernels) == n_formed
    assert set(model.levels()) == set(names)


@pytest.mark.filterwarnings("ignore:Singular matrix in solving dual problem")
@pytest.mark.parametrize(
    ("params", "h"),
    [
        ({"kernel": "poly", "degree": 2.5}, {"alpha": 0.4, "gamma": 0.15, "coef0": 3.0}),
        ({"kernel": "sigmoid"}, {"alpha": 0.4, "gamma": 0.15, "coef0": -0.2}),
        ({"kernel": "sigmoid", "gamma": 2.0}, {"alpha": 0.4, "coef0": 0.3}),
        ({"kernel": "cosine"}, {"alpha": 0.4}),
    ],
)
def test_predictions_and_slopes_of_other_kernels(make_block, five_point, params, h):
    """Also of systems that are not definite."""
    block, estimator = make_block(weighted=True), KernelRidge(**params)
    block = dataclasses.replace(block, X=np.abs(block.X))
    model = family(estimator).model(estimator, block, dict.fromkeys(h), 0)
    fitted, expected = model.fit(h, None, 0), []
    parts = zip(block.trains, block.tests, block.weights, strict=True)
    for train, test, weight in parts:
        fit = clone(estimator).set_params(**h).fit(block.X[train], block.y[train], weight)
        expected.append(fit.predict(block.X[test]))
    assert_allclose(fitted.z, np.concatenate(expected), rtol=1e-7, atol=1e-9)
    g = np.random.default_rng(1).normal(size=fitted.z.shape)
    gradient = fitted.pullback(g).gradient
    for name in h:
        differences = five_point(
            lambda t, name=name: np.sum(g * model.fit(h | {name: h[name] + t}, 0, 0).z), 1e-4
        )
        assert_allclose(gradient[name], differences, rtol=1e-7)


def test_a_gradient_that_is_wrong_by_a_thousandth_is_seen(data, monkeypatch):
    X, y = data("diabetes")
    search = HypergradSearchCV(KernelRidge(kernel="rbf"), BOTH, cv=3)
    assert check_hypergradient(search, X[:80], y[:80], n_points=2, step=1e-2).max() < 1e-6
    fit = KernelRidgeModel.fit

    def wrong(self, *args):
        fitted = fit(self, *args)
        pulled = fitted.pullback

        def pullback(g):
            return Pulled({n: 1.001 * value for n, value in pulled(g).gradient.items()})

        object.__setattr__(fitted, "pullback", pullback)
        return fitted

    monkeypatch.setattr(KernelRidgeModel, "fit", wrong)
    assert check_hypergradient(search, X[:80], y[:80], n_points=2, step=1e-2).min() > 5e-4


def test_no_gamma_is_one_over_the_number_of_features(data):
    X, y = data("diabetes")
    pipeline = make_pipeline(StandardScaler(), KernelRidge(kernel="rbf"))
    ranges = {f"kernelridge__{name}": values for name, values in BOTH.items()}
    search = HypergradSearchCV(pipeline, ranges, cv=KFold(3)).fit(X[:90], y[:90] / 100)
    assert "over alpha=1, gamma=0.1:" in str(search.report())


@pytest.mark.parametrize(
    ("kernel", "reason"),
    [
        ("linear", "KernelRidge has no gamma with kernel='linear'"),
        ("cosine", "KernelRidge has no gamma with kernel='cosine'"),
    ],
)
def test_gamma_of_other_kernels_is_enumerated(data, kernel, reason):
    X, y = data("diabetes")
    search = HypergradSearchCV(KernelRidge(kernel=kernel), BOTH, cv=2).fit(X[:60], y[:60])
    assert reason in search.hypergradient_
    assert list(search.cv_results_["param_gamma"]) == BOTH["gamma"]
    refused = HypergradSearchCV(KernelRidge(kernel=kernel), {"gamma": Continuous()})
    with pytest.raises(ValueError, match=reason):
        refused.fit(X[:60], y[:60])


def test_a_precomputed_kernel_is_enumerated(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(KernelRidge(kernel="precomputed"), {"alpha": [0.1, 1]}, cv=2)
    assert "has no rows" in search.fit(X[:60] @ X[:60].T, y[:60]).hypergradient_


def test_too_many_rows_are_enumerated(data, monkeypatch):
    monkeypatch.setattr(kernel_ridge, "MAX_ROWS", 50)
    X, y = data("diabetes")
    search = HypergradSearchCV(KernelRidge(kernel="rbf"), BOTH, cv=2)
    assert "60 rows are too many: at most 50" in search.fit(X[:60], y[:60]).hypergradient_
    assert len(search.cv_results_["params"]) == 4
    with pytest.warns(HypergradWarning, match="too many"):
        search.set_params(param_grid={"alpha": Continuous()}).fit(X[:60], y[:60])


def test_an_alpha_below_the_smallest_is_refused(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(KernelRidge(), {"alpha": Continuous(1e-12, 1)})
    with pytest.raises(ValueError, match="values above 1e-10, got low=1e-12"):
        search.fit(X[:60], y[:60])


@pytest.mark.parametrize("kernel", ["rbf", "poly"])
def test_a_gamma_per_group_is_that_of_its_features(data, kernel):
    X, y = data("diabetes")
    X, model = X[:80], ours.KernelRidge(alpha=0.1, kernel=kernel)
    groups = [0] * 3 + [1] * (X.shape[1] - 3)
    grid = {"gamma": Continuous(per="group", groups=groups)}
    search = HypergradSearchCV(model, grid, cv=3, shrinkage=0, guard=False)
    gamma = search.fit(X, y[:80]).best_params_["gamma"]
    assert gamma.shape == (X.shape[1],)
    assert np.unique(gamma[:3]).size == np.unique(gamma[3:]).size == 1
    assert gamma[0] != gamma[-1]
    scores = cross_val_score(model.set_params(gamma=gamma), X, y[:80], cv=3)
    assert_allclose(search.best_score_, scores.mean(), rtol=1e-6)
    fitted = model.fit(X, y[:80]).predict(X)
    assert_allclose(search.predict(X), fitted, rtol=1e-6)


def test_the_class_for_a_gamma_per_feature_is_named(data):
    search = HypergradSearchCV(KernelRidge(kernel="rbf"), {"gamma": Continuous(per="feature")})
    with pytest.raises(ValueError, match=r"arrays: sklearn_hypergrad.kernel_ridge.KernelRidge"):
        search.fit(*data("diabetes"))


def test_a_fixed_gamma_by_names_is_enumerated(data):
    X, y = data("diabetes")
    model = ours.KernelRidge(kernel="rbf", gamma={None: 0.1})
    search = HypergradSearchCV(model, {"alpha": [0.1, 1.0]}, cv=2)
    search.fit(pd.DataFrame(X[:40], columns=list("abcdefghij")), y[:40])
    assert "gamma is a dict from names of features. Give an array" in search.hypergradient_


@pytest.mark.filterwarnings("ignore")
def test_the_error_of_a_fixed_gamma_of_another_shape_is_that_of_a_fit(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(ours.KernelRidge(kernel="rbf", gamma=[0.1, 0.2]), {"alpha": [1, 2]})
    with pytest.raises(ValueError, match=r"gamma has shape \(2,\), but with 10 feature\(s\)"):
        search.fit(X[:40], y[:40])


def test_a_fixed_gamma_per_feature_is_used(data):
    X, y = data("diabetes")
    gamma = np.linspace(1, 20, X.shape[1])
    model = ours.KernelRidge(kernel="rbf", gamma=gamma)
    search = HypergradSearchCV(model, {"alpha": [0.01, 1.0]}, cv=2).fit(X[:60], y[:60])
    best = clone(model).set_params(**search.best_params_)
    assert_allclose(search.best_score_, cross_val_score(best, X[:60], y[:60], cv=2).mean())
    assert "closed form" in search.hypergradient_


def left_out(model, X, y):
    """The mean squared error of leave-one-out."""
    return -cross_val_score(model, X, y, cv=LeaveOneOut(), scoring="neg_mean_squared_error").mean()


@pytest.mark.parametrize(
    ("model", "grid"),
    [
        (KernelRidge(kernel="rbf"), BOTH),
        (KernelRidge(kernel="poly"), {"alpha": [0.1, 10.0], "coef0": [0.5, 2.0]}),
        (ours.KernelRidge(alpha=0.1, kernel="rbf"), {"gamma": Continuous(per="feature")}),
    ],
)
def test_leave_one_out_is_that_of_fits(data, model, grid):
    X, y = data("diabetes")
    X, y = StandardScaler().fit_transform(X)[:20, :3], y[:20]
    options = {"search_cv": "loo", "scoring": "neg_mean_squared_error", "cv": 3}
    options |= {"shrinkage": 0, "guard": False} if "per=" in str(grid) else {}
    search = HypergradSearchCV(model, grid, **options).fit(X, y)
    history = search.history_[search.history_["splits"] == "search_cv"]
    for _, row in history.iloc[[0, -1]].iterrows():
        names = list(search.best_params_)
        values = row["value"] if len(names) > 1 else {names[0]: row["value"]}
        fit = clone(model).set_params(**values)
        assert_allclose(row["loss"], left_out(fit, X, y), rtol=1e-7)
    found = left_out(clone(model).set_params(**search.best_params_), X, y)
    assert found <= history["loss"].min() * (1 + 1e-6)
