"""Exact minima of quadratics with a penalty on the norms of rows."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import MultiTaskElasticNet

from sklearn_hypergrad.problems import DenseGram, RowsGram, exchange
from sklearn_hypergrad.problems.sparse.row_exchange import row_exchange


def data(n=60, p=12, k=3):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.3 * rng.normal(size=(p, p)))
    return X, X[:, : p // 2] @ rng.normal(size=(p // 2, k)) + 2 * rng.normal(size=(n, k))


def quadratic(X, Y):
    Z, T = X - X.mean(axis=0), Y - Y.mean(axis=0)
    return Z.T @ Z / len(Y), Z.T @ T / len(Y)


def check_optimal(G, c, l1, l2, minimum):
    """The subgradient has a zero."""
    assert minimum.converged
    w, scale = minimum.w, np.linalg.norm(c, axis=1).max()
    norms, slope = np.linalg.norm(w, axis=1), c - G @ w - l2 * w
    inside = norms > 0
    assert_allclose(slope[inside], l1 * w[inside] / norms[inside, None], atol=1e-9 * scale)
    assert np.all(np.linalg.norm(slope, axis=1) <= l1 + 1e-9 * scale)
    assert np.array_equal(np.flatnonzero(inside), minimum.support)


@pytest.mark.parametrize("ratio", [1.0, 0.4])
def test_minima_are_those_of_coordinate_descent(ratio):
    X, Y = data()
    G, c = quadratic(X, Y)
    start, largest = None, np.linalg.norm(c, axis=1).max()
    sizes = []
    for alpha in largest / ratio * np.array([1.1, 0.5, 0.1, 0.02, 0.0]):
        found = row_exchange(DenseGram(G), c, alpha * ratio, alpha * (1 - ratio), start)
        check_optimal(G, c, alpha * ratio, alpha * (1 - ratio), found)
        again = row_exchange(DenseGram(G), c, alpha * ratio, alpha * (1 - ratio))
        assert_allclose(again.w, found.w, atol=1e-9)
        start = found.w
        sizes.append(len(found.support))
        if 0 < alpha < largest:
            fit = MultiTaskElasticNet(alpha=alpha, l1_ratio=ratio, tol=1e-12, max_iter=10**5)
            assert_allclose(found.w.T, fit.fit(X, Y).coef_, atol=1e-6)
    assert sizes[0] == 0 < sizes[1] < sizes[-1] == 12


def test_rows_of_one_entry_have_absolute_values():
    G, c = quadratic(*data(k=1))
    found = row_exchange(DenseGram(G), c, 0.2, 0.1)
    assert_allclose(found.w[:, 0], exchange(DenseGram(G), c[:, 0], 0.2, 0.1).w, atol=1e-12)


def test_columns_on_demand():
    X, Y = data(n=30, p=50)
    G, c = quadratic(X, Y)
    gram = RowsGram(np.asfortranarray(X), np.full(30, 1 / 30), X.mean(axis=0))
    found = row_exchange(gram, c, 0.3, 0.01)
    assert_allclose(found.w, row_exchange(DenseGram(G), c, 0.3, 0.01).w, atol=1e-10)


def test_columns_that_others_determine():
    X, Y = data()
    X = np.column_stack([X, X[:, :3], -X[:, 0], X[:, 1] + X[:, 2], np.ones(60)])
    G, c = quadratic(X, Y)
    start = None
    for level in np.linalg.norm(c, axis=1).max() * np.logspace(0, -5, 6):
        found = row_exchange(DenseGram(G), c, level, 0.0, start)
        check_optimal(G, c, level, 0.0, found)
        start = found.w


def test_the_factor_differentiates_the_minimum(five_point):
    G, c = quadratic(*data())
    rng, l1, l2 = np.random.default_rng(1), 0.3, 0.05
    g, dc, d1, d2 = rng.normal(size=c.shape), rng.normal(size=c.shape), 0.2, 0.1
    found = row_exchange(DenseGram(G), c, l1, l2)
    S, w = found.support, found.w[found.support]
    assert 0 < len(S) < 12
    change = dc[S] - (d1 / np.linalg.norm(w, axis=1, keepdims=True) + d2) * w
    slope = np.vdot(found.solve(g[S]), change)

    def along(step):
        at = row_exchange(DenseGram(G), c + step * dc, l1 + step * d1, l2 + step * d2)
        return np.vdot(g, at.w)

    expected = five_point(along, 1e-3)
    assert slope == pytest.approx(expected, rel=1e-8)
    assert 1.001 * slope != pytest.approx(expected, rel=1e-8)


def test_the_safeguard_is_reported(monkeypatch):
    G, c = quadratic(*data())
    monkeypatch.setattr("sklearn_hypergrad.problems.sparse.row_exchange.MOST_SWEEPS", 1)
    assert not row_exchange(DenseGram(G), c, 0.1, 0.0).converged
