"""Exact minima of quadratics with an L1 penalty."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.linear_model import ElasticNet

from sklearn_hypergrad.problems import DenseGram, RowsGram, exchange


def data(n, p, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.3 * rng.normal(size=(p, p)))
    X[rng.uniform(size=X.shape) < 0.3] = 0.0
    return X, X[:, : p // 2] @ rng.normal(size=p // 2) + rng.normal(size=n) + 2.0


def quadratic(X, y):
    """``(G, c)`` of half the mean squared error about the means."""
    Z, t = X - X.mean(axis=0), y - y.mean()
    return Z.T @ Z / len(y), Z.T @ t / len(y)


def value(G, c, l1, l2, w):
    return 0.5 * w @ G @ w - c @ w + np.sum(l1 * np.abs(w)) + 0.5 * np.sum(l2 * w**2)


def check_optimal(G, c, l1, l2, minimum):
    """The subgradient has a zero."""
    assert minimum.converged
    w, scale = minimum.w, np.abs(c).max()
    slope = c - G @ w - l2 * w
    l1 = np.broadcast_to(l1, w.shape)
    inside = np.flatnonzero(w)
    assert_allclose(slope[inside], (l1 * np.sign(w))[inside], atol=1e-11 * scale)
    assert np.all(np.abs(slope) <= l1 + 1e-9 * scale)
    assert set(inside) <= set(minimum.support)
    assert_array_equal(minimum.signs, np.where(l1 > 0, np.sign(w), 0)[minimum.support])


@pytest.mark.parametrize("ratio", [1.0, 0.4])
@pytest.mark.parametrize(("n", "p"), [(80, 12), (40, 120)])
def test_minima_are_those_of_coordinate_descent(n, p, ratio):
    X, y = data(n, p)
    G, c = quadratic(X, y)
    start = None
    for alpha in np.abs(c).max() / ratio * np.array([1.1, 0.5, 0.1, 0.03]):
        l1, l2 = alpha * ratio, alpha * (1 - ratio)
        found = exchange(DenseGram(G), c, l1, l2, start)
        check_optimal(G, c, l1, l2, found)
        expected = ElasticNet(alpha=alpha, l1_ratio=ratio, tol=1e-13, max_iter=10**6).fit(X, y)
        assert_allclose(found.w, expected.coef_, atol=1e-6 * (np.abs(found.w).max() + 1))
        again = exchange(DenseGram(G), c, l1, l2)
        assert_allclose(again.w, found.w, atol=1e-10)
        start = found.w
    assert 0 < len(found.support) < p or p < n


def test_a_penalty_above_the_largest_slope_leaves_nothing():
    G, c = quadratic(*data(30, 5))
    found = exchange(DenseGram(G), c, 1.01 * np.abs(c).max(), 0.0, start=np.ones(5))
    assert_array_equal(found.w, np.zeros(5))
    assert len(found.support) == 0
    assert found.converged
    assert found.solve(np.empty(0)).shape == (0,)


def test_each_entry_has_penalties_of_its_own():
    rng = np.random.default_rng(1)
    G, c = quadratic(*data(60, 14))
    l1, l2 = rng.uniform(0.0, 1.0, size=(2, 14))
    l1[[0, 5]] = 0.0
    found = exchange(DenseGram(G), c, l1, l2)
    check_optimal(G, c, l1, l2, found)
    assert {0, 5} <= set(found.support)
    for step in (1e-3, -1e-3):
        for direction in np.eye(14):
            other = value(G, c, l1, l2, found.w + step * direction)
            assert other > value(G, c, l1, l2, found.w)


@pytest.mark.parametrize("kind", [np.asfortranarray, sparse.csc_array, sparse.csr_matrix])
def test_rows_replace_their_gram_matrix(kind):
    X, y = data(30, 50)
    weight = np.random.default_rng(2).uniform(0.5, 2.0, size=30)
    weight /= weight.sum()
    mean, Z = weight @ X, X - weight @ X
    G, c = Z.T @ (weight[:, None] * Z), Z.T @ (weight * y)
    level = 0.1 * np.abs(c).max()
    found = exchange(RowsGram(kind(X), weight, mean), c, level, 0.01)
    check_optimal(G, c, level, 0.01, found)
    assert_allclose(found.w, exchange(DenseGram(G), c, level, 0.01).w, atol=1e-11)


# Copies share a weight, sums and constants are left out: there are many minima, and one is found.
@pytest.mark.parametrize("l2", [0.0, 0.1])
def test_columns_that_others_determine(l2):
    X, y = data(40, 6)
    X = np.column_stack([X, X[:, :3], -X[:, 0], X[:, 1] + X[:, 2], np.ones(40)])
    G, c = quadratic(X, y)
    start = None
    for level in np.abs(c).max() * np.logspace(0, -7, 8):
        found = exchange(DenseGram(G), c, level, l2, start)
        check_optimal(G, c, level, l2, found)
        start = found.w


def test_any_start_ends_at_the_minimum():
    X, y = data(50, 20)
    G, c = quadratic(X, y)
    level = 0.05 * np.abs(c).max()
    expected, rng = exchange(DenseGram(G), c, level, 0.0), np.random.default_rng(3)
    before = expected.w.copy()
    for _ in range(20):
        start = rng.normal(size=20) * 10 ** rng.uniform(-3, 3)
        found = exchange(DenseGram(G), c, level, 0.0, start)
        assert_allclose(found.w, expected.w, atol=1e-10)
    again = exchange(DenseGram(G), c, level, 0.0, expected.w)
    assert again.n_systems == 1
    assert_array_equal(expected.w, before)


def test_the_factor_differentiates_the_minimum(five_point):
    G, c = quadratic(*data(60, 14))
    rng = np.random.default_rng(4)
    l1, l2 = 0.1 * np.abs(c).max(), 0.05
    dG = np.cov(rng.normal(size=(14, 30)))
    dc, d1, d2 = 0.1 * rng.normal(size=14), 0.02, 0.03
    g = rng.normal(size=14)
    found = exchange(DenseGram(G), c, l1, l2)
    S = found.support
    change = (dc - dG @ found.w)[S] - d1 * found.signs - d2 * found.w[S]
    slope = found.solve(g[S]) @ change

    def along(step):
        at = exchange(DenseGram(G + step * dG), c + step * dc, l1 + step * d1, l2 + step * d2)
        assert_array_equal(at.support, S)
        return g @ at.w

    expected = five_point(along, 1e-3)
    assert slope == pytest.approx(expected, rel=1e-9)
    assert 1.001 * slope != pytest.approx(expected, rel=1e-9)
    assert_allclose(found.solve(np.eye(len(S))) @ g[S], found.solve(g[S]))


def test_the_safeguard_is_reported(monkeypatch):
    G, c = quadratic(*data(60, 14))
    monkeypatch.setattr("sklearn_hypergrad.problems.sparse.exchange.MOST_SYSTEMS", 1)
    assert not exchange(DenseGram(G), c, 0.01 * np.abs(c).max(), 0.0).converged
