"""Derivatives of kernels of Gaussian processes in rows, against differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.gaussian_process.kernels import (
    RBF,
    ConstantKernel,
    DotProduct,
    ExpSineSquared,
    Matern,
    PairwiseKernel,
    RationalQuadratic,
    WhiteKernel,
)

from sklearn_hypergrad.problems.kernel.process_kernels import by_row

X = np.random.default_rng(0).normal(size=(9, 3))
KERNELS = [
    RBF([0.5, 1.0, 2.0]),
    Matern(1.3, nu=0.5),
    Matern([0.5, 1.0, 2.0], nu=1.5),
    Matern(0.7, nu=2.5),
    Matern(0.7, nu=np.inf),
    RationalQuadratic(1.4, 0.6),
    ExpSineSquared(1.2, 2.5),
    DotProduct(0.4) ** 3,
    ConstantKernel(1.5) * RBF(1.2) * DotProduct(0.3) + WhiteKernel(0.2),
]


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_they_agree_with_differences(kernel, five_point):
    rng = np.random.default_rng(1)
    V, direction = rng.normal(size=(len(X), len(X))), rng.normal(size=X.shape)
    found = np.sum(direction * by_row(kernel, X, V))
    expected = five_point(lambda t: np.sum(V * kernel(X + t * direction)), 1e-4)
    assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize("kernel", [PairwiseKernel(), Matern(nu=1.7)])
def test_others_are_refused(kernel):
    with pytest.raises(TypeError, match="has no derivatives in its rows"):
        by_row(kernel, X, np.ones((len(X), len(X))))
