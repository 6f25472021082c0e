"""Sums over parts: Gram matrices, states and Hessian products are those of rows in memory."""

import functools
import operator

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from sklearn_hypergrad.problems.rows.columns import ColumnSums, Extrema
from sklearn_hypergrad.problems.rows.reader import Classes, Numbers, Reader
from sklearn_hypergrad.problems.rows.spread import Accumulator, Spread
from sklearn_hypergrad.rows import Part

RNG = np.random.default_rng(0)


def spread_of(X, y, weight=None, size=7):
    collected = Accumulator()
    for start in range(0, len(y), size):
        rows = slice(start, start + size)
        collected.add(X[rows].copy(), y[rows], None if weight is None else weight[rows])
    return collected.spread(X.shape[1], y.shape[1])


def expected(X, y, weight):
    total = weight.sum()
    x, t = weight @ X / total, weight @ y / total
    A, b = X - x, y - t
    return Spread(
        total, x, t, A.T @ (weight[:, None] * A), A.T @ (weight[:, None] * b), weight @ b**2
    )


def close(one, other, rtol=1e-12):
    for name, value in vars(one).items():
        theirs = vars(other)[name]
        np.testing.assert_allclose(value, theirs, rtol=rtol, atol=rtol * np.max(np.abs(theirs)))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_pieces_and_parts_add_up(weighted, sparse):
    X, y = RNG.normal(size=(50, 4)), RNG.normal(size=(50, 2))
    weight = RNG.uniform(0.5, 2, 50) if weighted else None
    own = csr_matrix(X) if sparse else X
    parts = [slice(0, 20), slice(20, 21), slice(21, 50)]
    spreads = [spread_of(own[p], y[p], weight[p] if weighted else None) for p in parts]
    whole = expected(X, y, weight if weighted else np.ones(50))
    close(functools.reduce(operator.add, spreads), whole)
    close(functools.reduce(operator.add, reversed(spreads)), whole)


def test_nothing_changes_nothing():
    X, y = RNG.normal(size=(9, 3)), RNG.normal(size=(9, 1))
    own, none = spread_of(X, y), Accumulator().spread(3, 1)
    assert none.weight == 0
    close(own + none, own)
    close(none + own, own)


# The negative control is the usual formula, whose digits an offset takes.
def test_offsets_take_no_digits():
    X, y = RNG.normal(size=(400, 3)), RNG.normal(size=(400, 1))
    far = X + 1e6
    parts = [slice(0, 150), slice(150, 400)]
    spread = functools.reduce(operator.add, [spread_of(far[p], y[p]) for p in parts])
    exact = expected(X, y, np.ones(400))
    assert np.abs(spread.xx - exact.xx).max() < 1e-6 * np.abs(exact.xx).max()
    naive = far.T @ far - 400 * np.outer(far.mean(axis=0), far.mean(axis=0))
    assert np.abs(naive - exact.xx).max() > 1e-6 * np.abs(exact.xx).max()


def test_about_another_point():
    X, y = RNG.normal(size=(30, 3)), RNG.normal(size=(30, 1))
    x, t = np.array([1.0, 2, 3]), np.array([0.5])
    xx, xy, yy = spread_of(X, y).about(x, t)
    np.testing.assert_allclose(xx, (X - x).T @ (X - x))
    np.testing.assert_allclose(xy, (X - x).T @ (y - t))
    np.testing.assert_allclose(yy, np.sum((y - t) ** 2, axis=0))


@pytest.mark.parametrize("sparse", [False, True])
def test_columns_add_up(sparse):
    X = np.where(RNG.random((40, 3)) < 0.5, RNG.normal(size=(40, 3)), 0)
    own = csr_matrix(X) if sparse else X
    sums = ColumnSums.of(own[:15]) + ColumnSums.of(own[15:])
    np.testing.assert_allclose(sums.mean, X.mean(axis=0))
    np.testing.assert_allclose(sums.square / 40, X.var(axis=0))
    extrema = Extrema.of(own[:15], 3) + Extrema.of(own[15:], 3)
    np.testing.assert_array_equal(extrema.low, X.min(axis=0))
    np.testing.assert_array_equal(extrema.high, X.max(axis=0))


def test_pieces_are_doubles_about_the_origin():
    X = RNG.normal(size=(10, 3)).astype(np.float32)
    reader = Reader(Numbers(), take=np.array([2, 0]), origin=np.array([1.0, 2.0]))
    (piece,) = reader.pieces(Part(5, X, np.arange(10)), np.array([1, 2, 7]))
    assert piece.X.dtype == float
    np.testing.assert_allclose(piece.X, X[[1, 2, 7]][:, [2, 0]] - [1.0, 2.0])
    np.testing.assert_array_equal(piece.y, [[1.0], [2], [7]])


def test_classes_are_coded():
    y, codes = Classes(np.array(["a", "b"]), -1.0).encode(np.array(["b", "a"]))
    assert y.tolist() == [[1.0], [-1.0]]
    assert codes.tolist() == [1, 0]
    y, _ = Classes(np.array([1, 4, 9]), 0.0).encode(np.array([4, 9]))
    assert y.tolist() == [[0.0, 1, 0], [0, 0, 1]]
