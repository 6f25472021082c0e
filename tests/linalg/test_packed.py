"""Packed matrices give what whole ones give."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_hypergrad.linalg import factor, solve_factored
from sklearn_hypergrad.linalg.packed import (
    factor_packed,
    inner_packed,
    inverse_packed,
    packed,
    solve_packed,
)

pytestmark = pytest.mark.portable


def kernels(n):
    Z = np.random.default_rng(0).normal(size=(2, n, n + 2))
    return Z @ Z.transpose(0, 2, 1)


@pytest.mark.parametrize("n", [1, 6, 7])
def test_sums_are_solved_and_inverted(n):
    first, second = kernels(n)
    right = np.random.default_rng(1).normal(size=(n, 3))
    triangle = factor_packed(packed(first) + 2 * packed(second))
    inverse = np.linalg.inv(first + 2 * second)
    assert_allclose(solve_packed(triangle, right), inverse @ right, rtol=1e-8)
    both = np.stack([packed(first), packed(second)])
    expected = [np.sum(inverse * first), np.sum(inverse * second)]
    assert_allclose(inner_packed(inverse_packed(triangle), both), expected, rtol=1e-8)


def test_a_matrix_that_is_singular_in_floating_point_is_that_of_factor():
    matrix = np.outer(*2 * [np.arange(1.0, 5.0)])
    right = np.ones((4, 1))
    found = solve_packed(factor_packed(packed(matrix)), right)
    assert_allclose(found, solve_factored(factor(matrix), right), rtol=1e-9)


def test_a_matrix_that_is_not_positive_is_refused():
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        factor_packed(packed(-np.eye(3)))


def test_no_right_side_has_no_solution():
    assert solve_packed(packed(np.eye(3)), np.empty((3, 0))).shape == (3, 0)
