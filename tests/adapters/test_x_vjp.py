"""The gradient with respect to training and held-out rows, against differences in X."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern
from sklearn.kernel_approximation import RBFSampler
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    ElasticNet,
    GammaRegressor,
    HuberRegressor,
    Lasso,
    LogisticRegression,
    MultiTaskElasticNet,
    PoissonRegressor,
    Ridge,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC, LinearSVR, NuSVR

from sklearn_hypergrad import svm
from sklearn_hypergrad.adapters import WeightModel, family
from sklearn_hypergrad.hypergradients import Reverse
from sklearn_hypergrad.neural_network import MLPClassifier, MLPRegressor
from sklearn_hypergrad.problems import SplitData

N, P = 24, 4
TOL = 1e-13


def split_data(labels, estimator, *, n_splits, n_features=P, scales=False, weighted=True):
    rng = np.random.default_rng(0)
    rows = np.arange(N)
    tests = np.array_split(rng.permutation(rows), 3)[:n_splits]
    trains = [np.setdiff1d(rows, test) for test in tests]
    known = family(estimator)
    return SplitData(
        X=rng.normal(size=(N, n_features)) + 1.0,
        y=known.encode(labels),
        trains=trains,
        tests=tests,
        weights=[
            rng.uniform(0.5, 2.0, len(train)) if weighted else np.ones(len(train))
            for train in trains
        ],
        score_weight=np.ones(N),
        labels=labels,
        scales=rng.uniform(0.5, 2.0, (n_features, n_splits)) if scales else None,
    )


def labels_of(kind):
    rng = np.random.default_rng(1)
    if kind == "numbers":
        return rng.normal(size=N) + 2.0
    if kind == "several":
        return rng.normal(size=(N, 2))
    if kind == "positive":
        return rng.uniform(0.5, 4.0, size=N)
    return np.arange(N) % (2 if kind == "two" else 3)


FEATURES = make_pipeline(RBFSampler(n_components=6, random_state=0), Ridge())
MODELS = {
    "ridge": (Ridge(), "numbers", {"alpha": 0.7}, {}),
    "ridge without intercept": (Ridge(fit_intercept=False), "numbers", {"alpha": 0.7}, {}),
    "ridge, several targets": (Ridge(), "several", {"alpha": 0.7}, {}),
    "ridge, wide": (Ridge(), "numbers", {"alpha": 0.7}, {"n_features": 40}),
    "ridge, scaled": (Ridge(), "numbers", {"alpha": 0.7}, {"scales": True}),
    "lasso": (Lasso(), "numbers", {"alpha": 0.1}, {}),
    "elastic net": (ElasticNet(), "several", {"alpha": 0.3, "l1_ratio": 0.6}, {}),
    "elastic net, several tasks": (
        MultiTaskElasticNet(),
        "several",
        {"alpha": 0.3, "l1_ratio": 0.6},
        {},
    ),
    "elastic net, wide": (
        ElasticNet(fit_intercept=False),
        "numbers",
        {"alpha": 0.3, "l1_ratio": 0.6},
        {"n_features": 40},
    ),
    "elastic net, scaled": (
        ElasticNet(),
        "numbers",
        {"alpha": 0.3, "l1_ratio": 0.6},
        {"scales": True},
    ),
    "logistic": (LogisticRegression(), "two", {"C": 0.6}, {}),
    "multinomial": (LogisticRegression(), "three", {"C": 0.6}, {}),
    "logistic with an elastic net": (
        LogisticRegression(solver="saga", l1_ratio=0.5),
        "two",
        {"C": 0.6},
        {"scales": True},
    ),
    "multinomial with an L1 penalty": (
        LogisticRegression(solver="saga", l1_ratio=1.0),
        "three",
        {"C": 0.9},
        {},
    ),
    "features and ridge": (
        FEATURES,
        "numbers",
        {"rbfsampler__gamma": 0.1, "ridge__alpha": 0.7},
        {},
    ),
    "features and ridge, of each target": (
        MultiOutputRegressor(FEATURES),
        "several",
        {"estimator__rbfsampler__gamma": 0.1, "estimator__ridge__alpha": 0.7},
        {},
    ),
    "poisson": (PoissonRegressor(), "positive", {"alpha": 0.2}, {}),
    "gamma, scaled": (GammaRegressor(), "positive", {"alpha": 0.2}, {"scales": True}),
    "linear support vectors": (
        LinearSVR(loss="squared_epsilon_insensitive", intercept_scaling=2.0),
        "numbers",
        {"C": 0.6, "epsilon": 0.3},
        {},
    ),
    "huber, scaled": (
        HuberRegressor(),
        "numbers",
        {"alpha": 0.6, "epsilon": 1.6},
        {"scales": True},
    ),
    "huber": (HuberRegressor(), "numbers", {"alpha": 0.6, "epsilon": 1.5}, {}),
    "linear support vectors, scaled": (LinearSVC(), "two", {"C": 0.6}, {"scales": True}),
    "linear support vectors, classes": (LinearSVC(), "three", {"C": 0.6}, {}),
    "gaussian process": (
        GaussianProcessRegressor(Matern(1.5, "fixed", nu=2.5), normalize_y=True),
        "several",
        {"alpha": 0.3},
        {"weighted": False},
    ),
    "kernel ridge": (KernelRidge(kernel="rbf"), "several", {"alpha": 0.3, "gamma": 0.2}, {}),
    "kernel ridge, sigmoid": (
        KernelRidge(kernel="sigmoid", coef0=0.1),
        "several",
        {"alpha": 2.0},
        {},
    ),
    "one versus rest, scaled": (
        OneVsRestClassifier(LogisticRegression()),
        "three",
        {"estimator__C": 0.6},
        {"scales": True},
    ),
    "logistic, scaled": (LogisticRegression(), "two", {"C": 0.6}, {"scales": True}),
    "machine": (SVC(C=1.3), "two", {"gamma": 0.1}, {}),
    "machine, scale": (NuSVR(nu=0.4), "numbers", {"C": 1.3}, {}),
    "machine per feature": (svm.SVR(), "numbers", {"gamma": np.array([0.1, 0.2, 0.3, 0.1])}, {}),
}
NETWORKS = {
    "regressor": (MLPRegressor((3,), "tanh", n_steps=12), "numbers"),
    "classifier": (MLPClassifier((3,), "tanh", n_steps=12, batch_size=7), "three"),
}


def check(estimator, data, h, method=None):
    """Compare along a random direction in all rows; returns the found and the expected slope."""
    rng = np.random.default_rng(2)
    direction, g = rng.normal(size=data.X.shape), None

    def fitted_at(X):
        entries = dict.fromkeys(h)
        moved = dataclasses.replace(data, X=X)
        model = family(estimator).model(estimator, moved, entries, 0).differentiated(method)
        return model, model.fit(h, None, TOL)

    model, fitted = fitted_at(data.X)
    g = rng.normal(size=fitted.z.shape)
    if g.shape[1] > 2:
        # Losses of classes do not change if all logits are shifted.
        g -= g.mean(axis=1, keepdims=True)
    slopes, columns = model.x_vjp(h, fitted, g), np.array([2, 0])
    assert_allclose(model.x_vjp_in(h, fitted, g, columns), slopes[:, columns], rtol=1e-8)
    found = float(np.sum(direction * slopes))
    step, stencil = 1e-3, ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12))
    expected = sum(
        weight * np.sum(g * fitted_at(data.X + offset * step * direction)[1].z)
        for offset, weight in stencil
    )
    return found, expected / step


@pytest.mark.parametrize("name", MODELS)
def test_solved_models(name):
    estimator, kind, h, options = MODELS[name]
    n_splits = 1 if family(estimator).one_split else 2
    data = split_data(labels_of(kind), estimator, n_splits=n_splits, **options)
    found, expected = check(estimator, data, h)
    assert found == pytest.approx(expected, rel=1e-7)
    assert 1.001 * found != pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name):
    estimator, kind = NETWORKS[name]
    data = split_data(labels_of(kind), estimator, n_splits=1)
    found, expected = check(estimator, data, {"alpha": 0.05}, Reverse())
    assert found == pytest.approx(expected, rel=1e-7)
    assert 1.001 * found != pytest.approx(expected, rel=1e-7)


def test_a_model_without_them_says_so():
    data = split_data(labels_of("numbers"), Ridge(), n_splits=2)
    with pytest.raises(TypeError, match="WeightModel has no derivatives in its rows"):
        WeightModel(None, None, data).x_vjp({}, None, None)
