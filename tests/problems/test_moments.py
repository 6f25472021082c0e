import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_hypergrad.problems.linear import centred_splits
from sklearn_hypergrad.problems.linear.centred_splits import Moments

pytestmark = pytest.mark.portable
NAMES = ("weight", "x", "y", "xx", "xy", "yy")
ROWS = np.array([3, 1, 4, 1, 5])
OTHERS = np.array([0, 2, 6])


def data(thin=False, dtype=float):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(8, 3)).astype(dtype)
    if thin:
        X = sparse.csr_array(X * (X > 0))
    return X, rng.normal(size=(8, 2)), rng.uniform(0.5, 2, 5)


def explicit(X, y, weight):
    """Row by row."""
    sums = [0.0] * 6
    for x, target, s in zip(X, y, weight, strict=True):
        terms = 1, x, target, np.outer(x, x), np.outer(x, target), target**2
        sums = [total + s * term for total, term in zip(sums, terms, strict=True)]
    return sums


def check(found, expected, rtol=1e-12):
    for name, value in zip(NAMES, expected, strict=True):
        assert_allclose(getattr(found, name), value, rtol=rtol, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("thin", [False, True])
def test_sums_over_weighted_rows(thin, dtype):
    X, y, weight = data(thin, dtype)
    dense = (X.toarray() if thin else X).astype(float)
    sums = Moments.of(X, y, ROWS, weight, (0.0, 0.0))
    check(sums, explicit(dense[ROWS], y[ROWS], weight))


def test_chunks_and_pieces_change_no_digits(monkeypatch):
    X, y, weight = data()
    origin = np.array([1.0, -2.0, 3.0]), np.array([10.0, 20.0])
    expected = explicit(X[ROWS] - origin[0], y[ROWS] - origin[1], weight)
    monkeypatch.setattr(centred_splits, "CHUNK", 3)
    check(Moments.of(X, y, ROWS, weight, origin), expected)
    # More pieces than rows.
    monkeypatch.setattr(centred_splits, "LARGE", 1)
    monkeypatch.setattr(centred_splits, "PIECES", 7)
    check(Moments.of(X, y, ROWS, weight, origin), expected)
    rows = np.arange(2, 7)
    expected = explicit(X[rows] - origin[0], y[rows] - origin[1], weight)
    check(Moments.of(X, y, rows, weight, origin), expected)


def test_origins_are_subtracted():
    X, y, weight = data()
    origin = np.array([1.0, -2.0, 3.0]), np.array([10.0, 20.0])
    expected = explicit(X[ROWS] - origin[0], y[ROWS] - origin[1], weight)
    check(Moments.of(X, y, ROWS, weight, origin), expected)


def test_sums_and_differences():
    X, y, weight = data()
    one = Moments.of(X, y, ROWS, weight, (0.0, 0.0))
    other = Moments.of(X, y, OTHERS, np.ones(3), (0.0, 0.0))
    rows, weights = np.concatenate([ROWS, OTHERS]), np.concatenate([weight, np.ones(3)])
    check(one + other, explicit(X[rows], y[rows], weights))
    check(one + other - other, explicit(X[ROWS], y[ROWS], weight))


def test_about_any_point():
    X, y, weight = data()
    x0, y0 = np.array([0.5, -1.0, 2.0]), np.array([3.0, -4.0])
    about = Moments.of(X, y, ROWS, weight, (0.0, 0.0)).about(x0, y0)
    expected = explicit(X[ROWS] - x0, y[ROWS] - y0, weight)[3:]
    for value, direct in zip(about, expected, strict=True):
        assert_allclose(value, direct, rtol=1e-12)


def test_an_origin_saves_the_digits_that_an_offset_costs():
    X, y, weight = data()
    expected = explicit(X[ROWS], y[ROWS], weight)[3:]
    far = 2.0**20
    origin = np.full(3, far), np.full(2, far)
    saved = Moments.of(X + far, y + far, ROWS, weight, origin).about(0.0 * X[0], 0.0 * y[0])
    lost = Moments.of(X + far, y + far, ROWS, weight, (0.0, 0.0)).about(*origin)
    for value, bad, direct in zip(saved, lost, expected, strict=True):
        assert_allclose(value, direct, rtol=1e-8)
        assert np.abs(bad - direct).max() > 1e-5


@pytest.mark.parametrize("thin", [False, True])
def test_inputs_are_not_changed(thin):
    X, y, weight = data(thin)
    before = X.copy(), y.copy(), weight.copy()
    Moments.of(X, y, ROWS, weight, (0.0, 1.0)).about(np.ones(3), np.ones(2))
    assert (X != before[0]).sum() == 0
    assert_array_equal(y, before[1])
    assert_array_equal(weight, before[2])
