"""Kernels of all rows, against scikit-learn's, and their derivatives, against differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.metrics.pairwise import KERNEL_PARAMS, pairwise_kernels

from sklearn_hypergrad.problems.kernel import pairwise_kernel
from sklearn_hypergrad.problems.kernel.pairwise_kernel import KERNELS, PairwiseKernel

N, P = 12, 4
SCALARS = {"gamma": 0.3, "coef0": 0.7}
VECTOR = np.array([0.1, 0.5, 0.2, 0.9])
# Kernels with a gamma of each feature, and whether scikit-learn takes sparse X for it.
WITH_GAMMA = [name for name, form in KERNELS.items() if "gamma" in form.names]
DENSE_ONLY = "chi2", "additive_chi2"
STEP = 1e-3


@pytest.fixture
def X():
    rng = np.random.default_rng(0)
    X = rng.uniform(0.2, 2.0, size=(N, P))
    X[rng.uniform(size=X.shape) < 0.25] = 0.0
    return X


def weights():
    return np.random.default_rng(1).normal(size=(N, N))


def kernel_of(name, X):
    return PairwiseKernel(name, X, degree=2.5 if name == "poly" else 3)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("as_sparse", [False, True])
def test_kernels_are_those_of_scikit_learn(name, as_sparse, X):
    if as_sparse and name in DENSE_ONLY:
        return
    X = sparse.csr_array(X) if as_sparse else X
    h = {key: SCALARS[key] for key in KERNELS[name].names}
    degree = {"degree": 4} if "degree" in KERNEL_PARAMS[name] else {}
    found = PairwiseKernel(name, X, **degree).at(h).K
    assert_allclose(found, pairwise_kernels(X, metric=name, **h, **degree), rtol=1e-12)
    assert_allclose(PairwiseKernel(name, X, **h, **degree).at({}).K, found, rtol=0)


def test_every_kernel_with_a_name_is_known():
    assert set(KERNELS) == set(KERNEL_PARAMS)
    for name, form in KERNELS.items():
        assert set(form.names) == set(KERNEL_PARAMS[name]) - {"degree"}


@pytest.mark.parametrize("name", WITH_GAMMA)
def test_a_gamma_per_feature_scales_the_columns(name, X):
    kernel = kernel_of(name, X)
    found = kernel.at({"gamma": VECTOR, "coef0": 0.7}).K
    scaled = kernel_of(name, KERNELS[name].pairs.scaled(X, VECTOR))
    assert_allclose(found, scaled.at({"gamma": 1.0, "coef0": 0.7}).K, rtol=1e-12)
    equal = kernel.at({"gamma": np.full(P, 0.3), "coef0": 0.7}).K
    assert_allclose(equal, kernel.at({"gamma": 0.3, "coef0": 0.7}).K, rtol=1e-12)


@pytest.mark.parametrize("name", WITH_GAMMA)
@pytest.mark.parametrize("gamma", [0.3, VECTOR], ids=["one gamma", "per feature"])
@pytest.mark.parametrize("as_sparse", [False, True])
def test_slopes_agree_with_differences(name, gamma, as_sparse, X, five_point):
    if as_sparse and name in DENSE_ONLY:
        return
    X, W = sparse.csr_array(X) if as_sparse else X, weights()
    h = {"gamma": gamma} | ({"coef0": 0.7} if "coef0" in KERNELS[name].names else {})
    kernel = kernel_of(name, X)
    slopes = kernel.at(h).slopes(W)
    assert set(slopes) == set(h)
    directions = {"gamma": 0.1 * np.arange(1, P + 1)[: np.size(gamma)], "coef0": 1.0}
    for key, value in h.items():
        direction = directions[key] if np.ndim(value) else float(np.ravel(directions[key])[0])
        expected = five_point(
            lambda t, key=key, v=value, d=direction: np.sum(W * kernel.at({**h, key: v + t * d}).K),
            STEP,
        )
        assert np.shape(slopes[key]) == np.shape(value)
        assert_allclose(np.sum(slopes[key] * direction), expected, rtol=1e-9)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("gamma", [0.3, VECTOR], ids=["one gamma", "per feature"])
def test_derivatives_in_rows_agree_with_differences(name, gamma, X, five_point):
    W, rng = weights(), np.random.default_rng(2)
    h = {"gamma": gamma, "coef0": 0.7}
    # Distances have kinks, and rows of counts a border, where entries are zero or equal.
    X = X + rng.uniform(0.5, 1.0, size=X.shape)
    direction = rng.normal(size=X.shape)
    found = np.sum(direction * kernel_of(name, X).at(h).x_vjp(W))
    expected = five_point(
        lambda t: np.sum(W * kernel_of(name, X + t * direction).at(h).K), STEP / 10
    )
    assert_allclose(found, expected, rtol=1e-8)
    if name not in DENSE_ONLY:
        thin = kernel_of(name, sparse.csr_array(X)).at(h).x_vjp(W)
        assert_allclose(np.sum(direction * thin), found, rtol=1e-10)


@pytest.mark.parametrize("gamma", [0.3, VECTOR], ids=["one gamma", "per feature"])
def test_weights_may_be_a_product(gamma, X):
    A, B = np.random.default_rng(3).normal(size=(2, N, 3))
    at = kernel_of("rbf", X).at({"gamma": gamma})
    assert_allclose(at.slopes((A, B))["gamma"], at.slopes(A @ B.T)["gamma"], rtol=1e-12)
    assert_allclose(at.x_vjp((A, B)), at.x_vjp(A @ B.T), rtol=1e-12)


def test_features_may_share_a_gamma(X):
    W, entries = weights(), np.array([0, 1, 0, 1])
    kernel = PairwiseKernel("rbf", X, entries=entries[:, None])
    at = kernel.at({"gamma": [0.2, 0.5]})
    each = kernel_of("rbf", X).at({"gamma": np.array([0.2, 0.5, 0.2, 0.5])})
    assert_allclose(at.K, each.K, rtol=0)
    slopes = each.slopes(W)["gamma"]
    assert_allclose(at.slopes(W)["gamma"], [slopes[0] + slopes[2], slopes[1] + slopes[3]])
    assert_allclose(at.x_vjp(W), each.x_vjp(W))


def test_a_kernel_is_formed_once_for_equal_values(X, monkeypatch):
    kernel = PairwiseKernel("rbf", X, entries=np.zeros(P, int))
    at = kernel.at({"gamma": 0.3})
    assert kernel.at({"gamma": 0.3, "alpha": 1.0}) is at
    assert kernel.at({"gamma": np.array([0.3])}).slopes(weights())["gamma"].shape == (1,)
    monkeypatch.setattr(pairwise_kernel, "MOST_NUMBERS", 5)
    assert kernel.at({"gamma": 0.4}) is not kernel.at({"gamma": 0.4})


def test_only_what_is_asked_for_is_differentiated(X):
    at = kernel_of("poly", X).at(SCALARS)
    assert list(at.slopes(weights(), ["coef0"])) == ["coef0"]
    assert at.slopes(weights(), []) == kernel_of("linear", X).at({}).slopes(weights()) == {}


def test_rows_far_from_the_origin_keep_their_digits(X):
    W = weights()
    near, far = (kernel_of("rbf", X + moved).at({"gamma": VECTOR}) for moved in (0.0, 1e4))
    assert_allclose(far.slopes(W)["gamma"], near.slopes(W)["gamma"], rtol=1e-8)


OTHERS = np.array([7, 2, 11])


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("gamma", [0.3, VECTOR], ids=["one gamma", "per feature"])
def test_some_rows_may_be_the_others_of_pairs(name, gamma, X):
    X = X + 0.5
    h, W = {"gamma": gamma, "coef0": 0.7}, weights()[:, : len(OTHERS)]
    degree = 2.5 if name == "poly" else 3
    some = PairwiseKernel(name, X, degree=degree, others=OTHERS).at(h)
    every, spread = kernel_of(name, X).at(h), np.zeros((N, N))
    spread[:, OTHERS] = W
    assert_allclose(some.K, every.K[:, OTHERS], rtol=1e-12)
    assert_allclose(some.x_vjp(W), every.x_vjp(spread), rtol=1e-10, atol=1e-12)
    for key, slope in every.slopes(spread).items():
        assert_allclose(some.slopes(W)[key], slope, rtol=1e-10)
    if name not in DENSE_ONLY:
        thin = PairwiseKernel(name, sparse.csr_array(X), degree=degree, others=OTHERS).at(h)
        assert_allclose(thin.x_vjp(W), some.x_vjp(W), rtol=1e-10, atol=1e-12)
