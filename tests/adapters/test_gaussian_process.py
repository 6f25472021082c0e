"""GaussianProcessRegressor: what the table of families does not show."""

import dataclasses

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    Matern,
    PairwiseKernel,
    RationalQuadratic,
    WhiteKernel,
)
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_hypergrad import Continuous, HypergradSearchCV
from sklearn_hypergrad.adapters import family, gaussian_process
from sklearn_hypergrad.problems.kernel.process_kernels import by_log_length

NOISY = RBF(1.3) + WhiteKernel(0.2)


def process(kernel, **params):
    return GaussianProcessRegressor(kernel, optimizer=None, **params)


def model_of(estimator, block, h):
    return family(estimator).model(estimator, block, dict.fromkeys(h), 0)


KERNELS = {
    "rational quadratic": (RationalQuadratic(1.2, 0.7), {"length_scale": 1.5, "alpha": 0.4}),
    "matern": (2.0 * Matern(1.5, nu=2.5), {"k1__constant_value": 0.6, "k2__length_scale": 2.0}),
    "dot product": (DotProduct(0.5) ** 2, {"kernel__sigma_0": 0.9}),
    "anisotropic": (1.5 * RBF([1.0, 2.0, 0.5, 1.0, 3.0]), {"k1__constant_value": 0.4}),
    "noise": (NOISY, {"k1__length_scale": 1.7, "k2__noise_level": 0.5}),
}


@pytest.mark.parametrize("name", KERNELS)
def test_the_pullback_is_exact(make_block, five_point, name):
    kernel, parameters = KERNELS[name]
    h = {"alpha": 0.3} | {f"kernel__{key}": value for key, value in parameters.items()}
    estimator = process(kernel, normalize_y=True)
    model = model_of(estimator, make_block(n_outputs=2), h)
    fitted = model.fit(h, None, 0)
    g = np.random.default_rng(1).normal(size=fitted.z.shape)
    gradient = fitted.pullback(g).gradient
    assert set(gradient) == set(model.levels()) == set(h)
    for key in h:
        differences = five_point(
            lambda t, key=key: np.sum(g * model.train(h | {key: h[key] * np.exp(t)}, None, 0).z),
            2e-3,
        )
        assert_allclose(h[key] * gradient[key], differences, rtol=1e-8)


STRETCHED = {
    "product and sum": (2.0 * RBF(1.3) + WhiteKernel(0.2), "k1__k2__length_scale"),
    "power": ((Matern(1.5, nu=2.5) + DotProduct(0.5)) ** 2, "kernel__k1__length_scale"),
}


@pytest.mark.parametrize("name", STRETCHED)
@pytest.mark.parametrize("groups", [[0, 1, 2, 3, 4], [0, 0, 1, 2, 1]], ids=["features", "groups"])
def test_length_scales_of_features(make_block, five_point, name, groups):
    kernel, key = STRETCHED[name]
    key, entries = f"kernel__{key}", np.array(groups)[:, None]
    estimator, rng = process(kernel, normalize_y=True), np.random.default_rng(1)
    block = make_block(n_outputs=2)
    model = family(estimator).model(estimator, block, {key: entries, "alpha": None}, 0)
    h = {key: rng.uniform(1, 3, max(groups) + 1), "alpha": np.array(0.3)}
    fitted = model.fit(h, None, 0)
    g = rng.normal(size=fitted.z.shape)
    gradient = fitted.pullback(g).gradient
    assert gradient[key].shape == h[key].shape
    for number, own in enumerate(gradient[key] * h[key]):
        unit = np.eye(len(h[key]))[number]
        differences = five_point(
            lambda t, unit=unit: np.sum(
                g * model.train(h | {key: h[key] * np.exp(t * unit)}, None, 0).z
            ),
            2e-3,
        )
        assert_allclose(own, differences, rtol=1e-7)
        assert not np.isclose(1.001 * own, differences, rtol=1e-7)
    # The same by the derivatives that scikit-learn's kernels have.
    at = clone(kernel).set_params(**{key.removeprefix("kernel__"): h[key][groups]})
    V = rng.normal(size=(len(block.X), len(block.X)))
    *path, _ = key.removeprefix("kernel__").split("__")
    _, slopes = at(block.X, eval_gradient=True)
    (number,) = (n for n, each in enumerate(at.hyperparameters) if each.n_elements > 1)
    known = np.einsum("ij,ijd->d", V, slopes[:, :, number : number + len(groups)])
    assert_allclose(by_log_length(at, path, block.X, V), known, rtol=1e-9)


def test_a_search_of_a_length_scale_for_each_feature():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = np.sin(2 * X[:, 0]) + 0.1 * rng.normal(size=60)
    one, each = (
        HypergradSearchCV(process(RBF(), alpha=0.1), {"kernel__length_scale": values}, cv=3)
        for values in (Continuous(), Continuous(per="feature"))
    )
    assert each.fit(X, y).best_score_ > one.fit(X, y).best_score_
    lengths = each.best_params_["kernel__length_scale"]
    assert lengths.shape == (3,)
    assert lengths[0] < min(lengths[1:])
    score = cross_val_score(each.best_estimator_, X, y, cv=3).mean()
    assert each.best_score_ == pytest.approx(score, rel=1e-9)
    assert each.guard_ is not None


@pytest.mark.parametrize("splits", ["overlapping", "bootstrap"])
def test_rows_that_a_split_uses_twice(make_block, splits):
    """Held-out rows have no noise in common with training rows, nor have rows drawn again."""
    block = make_block(splits=splits)
    block = dataclasses.replace(block, tests=[np.arange(len(block.y)) for _ in block.tests])
    h = {"kernel__k1__length_scale": 1.7, "kernel__k2__noise_level": 0.5}
    fitted = model_of(process(NOISY), block, h).fit(h, None, 0)
    expected = []
    for train, test in zip(block.trains, block.tests, strict=True):
        fit = clone(process(NOISY)).set_params(**h).fit(block.X[train], block.y[train, 0])
        expected.append(fit.predict(block.X[test]))
    assert_allclose(fitted.z[:, 0], np.concatenate(expected), rtol=1e-9)


def test_the_derivative_in_rows_that_a_split_uses_twice(make_block, five_point):
    block, rng = make_block(splits="bootstrap"), np.random.default_rng(1)
    h = {"kernel__k1__length_scale": 1.7, "kernel__k2__noise_level": 0.5}
    model = model_of(process(NOISY), block, h)
    fitted = model.fit(h, None, 0)
    g, direction = rng.normal(size=fitted.z.shape), rng.normal(size=block.X.shape)

    def along(t):
        moved = dataclasses.replace(block, X=block.X + t * direction)
        return np.sum(g * model_of(process(NOISY), moved, h).train(h, None, 0).z)

    found = np.sum(direction * model.x_vjp(h, fitted, g))
    assert_allclose(found, five_point(along, 1e-3), rtol=1e-7)
    assert not np.isclose(1.001 * found, five_point(along, 1e-3), rtol=1e-7)


def test_it_finds_a_better_score_than_a_grid(data):
    X, y = data("diabetes")
    X, y = X[:60], y[:60]
    pipeline = make_pipeline(StandardScaler(), process(NOISY, normalize_y=True))
    name = "gaussianprocessregressor__kernel__k1__length_scale"
    noise = "gaussianprocessregressor__kernel__k2__noise_level"
    grid = {name: [1.0, 10.0, 100.0], noise: [0.01, 0.1, 1.0]}
    search = HypergradSearchCV(pipeline, grid, cv=KFold(3)).fit(X, y)
    assert search.best_score_ >= GridSearchCV(pipeline, grid, cv=KFold(3)).fit(X, y).best_score_
    assert set(search.best_params_) == set(grid)
    best = clone(pipeline).set_params(**search.best_params_)
    assert_allclose(search.best_score_, cross_val_score(best, X, y, cv=KFold(3)).mean())
    assert_allclose(search.predict(X), best.fit(X, y).predict(X))
    assert list(search.hyperparameters_["name"]) == list(grid)
    assert name in str(search.report())


def test_kernels_may_be_listed_beside_their_parameters(data):
    X, y = data("diabetes")
    kernels = [RBF([1.0] * X.shape[1]), Matern(nu=1.5)]
    grid = {"kernel": kernels, "kernel__length_scale": [0.1, 10.0], "alpha": [0.1, 1.0]}
    search = HypergradSearchCV(process(None, normalize_y=True), grid, cv=2)
    search.fit(X[:60], y[:60])
    assert len(search.hyperparameters_) == 4
    assert {type(params["kernel"]) for params in search.cv_results_["params"]} == {RBF, Matern}


def test_a_score_without_a_gradient_judges_points(data):
    X, y = data("diabetes")
    grid = {"alpha": [0.01, 1.0]}
    model, options = process(RBF(50.0), normalize_y=True), {"cv": 2, "scoring": "neg_max_error"}
    search = HypergradSearchCV(model, grid, **options).fit(X[:60], y[:60])
    assert "could not judge" not in str(search.report())
    plain = GridSearchCV(model, grid, **options).fit(X[:60], y[:60])
    assert search.best_score_ >= plain.best_score_


@pytest.mark.parametrize(
    ("estimator", "name", "reason"),
    [
        (GaussianProcessRegressor(), "alpha", "largest marginal likelihood. Give optimizer=N"),
        (GaussianProcessRegressor(RBF()), "kernel__length_scale", "Give optimizer=None, or bounds"),
        (process(PairwiseKernel()), "kernel__gamma", "PairwiseKernel are differences. KernelRidge"),
        (process(Matern(nu=1.7)), "kernel__length_scale", "Matern are differences with nu=1.7"),
        (process(Matern()), "kernel__nu", "kernel__nu of GaussianProcessRegressor"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_has_no_derivative_is_enumerated(data, estimator, name, reason):
    X, y = data("diabetes")
    search = HypergradSearchCV(estimator, {name: [0.5, 1.5]}, cv=2).fit(X[:8], y[:8])
    assert reason in search.hypergradient_
    assert list(search.cv_results_[f"param_{name}"]) == [0.5, 1.5]
    with pytest.raises(ValueError, match=reason.replace("(", r"\(")):
        HypergradSearchCV(estimator, {name: Continuous()}).fit(X[:8], y[:8])


def test_the_default_kernel_has_no_parameters_but_alpha_is_searched(data):
    X, y = data("diabetes")
    search = HypergradSearchCV(process(None), {"alpha": [0.1, 10.0]}, cv=2)
    assert "closed form" in search.fit(X[:40], y[:40]).hypergradient_
    search.set_params(param_grid={"kernel__k2__length_scale": Continuous()})
    with pytest.raises(ValueError, match="kernel=None has no parameters that can be set"):
        search.fit(X[:40], y[:40])


def test_sample_weights_and_too_many_rows_are_refused(make_block, monkeypatch):
    with pytest.raises(ValueError, match="takes no sample_weight"):
        model_of(process(ConstantKernel()), make_block(weighted=True), {"alpha": 1.0})
    monkeypatch.setattr(gaussian_process, "MAX_ROWS", 20)
    with pytest.raises(ValueError, match="40 rows are too many: at most 20"):
        model_of(process(ConstantKernel()), make_block(), {"alpha": 1.0})
