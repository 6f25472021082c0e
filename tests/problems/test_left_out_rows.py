"""Leave-one-out predictions of kernel ridge regression, against fits, and their derivatives."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.kernel_ridge import KernelRidge

from sklearn_hypergrad.problems.kernel.left_out_rows import LeftOutRows, inverse_matrix

N, ALPHA = 14, 0.3


def kernel(rng, kind):
    X = rng.normal(size=(N, 4))
    K = np.exp(-0.2 * ((X[:, None] - X) ** 2).sum(axis=2))
    return K if kind == "definite" else np.tanh(3 * X @ X.T - 0.5)


@pytest.fixture(params=["definite", "indefinite"])
def case(request):
    """``(K, y, root)``: one row has no weight."""
    rng = np.random.default_rng(0)
    root = np.sqrt(rng.uniform(0.5, 2.0, size=(N, 1)))
    root[3] = 0.0
    return kernel(rng, request.param), rng.normal(size=(N, 2)), root


@pytest.mark.filterwarnings("ignore:Singular matrix in solving dual problem")
def test_predictions_are_those_of_fits_to_the_other_rows(case):
    K, y, root = case
    z = LeftOutRows(K, ALPHA, y, root).z
    for row in range(N):
        rest = np.delete(np.arange(N), row)
        fit = KernelRidge(alpha=ALPHA, kernel="precomputed")
        fit.fit(K[np.ix_(rest, rest)], y[rest], root[rest, 0] ** 2)
        assert_allclose(z[row], fit.predict(K[[row]][:, rest])[0], rtol=1e-8)


def test_derivatives_agree_with_differences(case, five_point):
    """Of losses whose slopes are of both signs."""
    K, y, root = case
    rng = np.random.default_rng(1)
    g, direction = rng.normal(size=y.shape), rng.normal(size=K.shape)
    direction += direction.T
    of_alpha, W = LeftOutRows(K, ALPHA, y, root).pull(g)

    def along(t, of_K, of_alpha):
        return np.sum(g * LeftOutRows(K + t * of_K, ALPHA + t * of_alpha, y, root).z)

    # Predictions of systems that are not definite have poles nearby.
    expected = five_point(lambda t: along(t, direction, 0.0), 1e-6)
    assert_allclose(np.sum(W * direction), expected, rtol=1e-8)
    assert_allclose(of_alpha, five_point(lambda t: along(t, 0 * K, 1.0), 1e-6), rtol=1e-8)


def test_inverses():
    K = kernel(np.random.default_rng(2), "definite") + np.eye(N)
    assert_allclose(inverse_matrix(K) @ K, np.eye(N), atol=1e-13)
    with pytest.raises(np.linalg.LinAlgError, match="singular"):
        inverse_matrix(np.ones((N, N)))
