"""Components of a kernel: equal variances, and what is refused."""

import itertools

import numpy as np
import pytest
from sklearn.decomposition import KernelPCA

from sklearn_hypergrad.transformers import Rows, transformer

# Three directions of one variance each.
CUBE = np.array(list(itertools.product([-1.0, 1.0], repeat=3)))
X = np.concatenate([CUBE, np.random.default_rng(0).normal(size=(4, 3))])


def features(n_components, **settings):
    estimator = KernelPCA(n_components, **{"kernel": "rbf", "gamma": 0.3} | settings)
    rows = Rows(X, len(CUBE), np.zeros(len(CUBE)), moving=True)
    return transformer(estimator).features(estimator, rows, {}, 0)


@pytest.mark.parametrize("n_components", [3, 6, None])
def test_components_of_one_variance_pass_what_rotations_do_not_change(n_components, five_point):
    rng = np.random.default_rng(1)
    W = rng.normal(size=(len(X), len(X)))
    W, direction = W + W.T, rng.normal(size=X.shape)
    found = features(n_components)

    def loss(step):
        Z = found.at({}, X + 0.1 * step * direction).X
        return np.sum(W * (Z @ Z.T))

    left = found.at({}, X)
    _, inputs = left.pull(2 * W @ left.X, True)
    slope, expected = 0.1 * np.sum(inputs * direction), five_point(loss, 1e-3)
    assert abs(slope - expected) < 1e-7 * abs(expected)
    assert abs(1.001 * slope - expected) > 1e-7 * abs(expected)


def test_a_cut_between_components_of_one_variance_has_finite_derivatives():
    left = features(2).at({}, X)
    _, inputs = left.pull(np.ones(left.X.shape), True)
    assert np.isfinite(inputs).all()
    assert np.abs(inputs).max() < 1e3


def test_a_kernel_with_negative_variances_has_no_components():
    found = features(None, kernel="sigmoid", gamma=1.0, coef0=0.5)
    with pytest.raises(np.linalg.LinAlgError, match="negative eigenvalues"):
        found.at({}, X)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"eigen_solver": "randomized"}, "finds components only about"),
        ({"kernel": "precomputed"}, "kernel='precomputed' has no derivatives"),
        ({"kernel": lambda x, z: x @ z}, "the kernel of KernelPCA is a function"),
    ],
)
def test_what_has_no_derivatives_is_refused(settings, reason):
    estimator = KernelPCA(**settings)
    assert reason in transformer(estimator).obstacle(estimator, ["gamma"], False)
