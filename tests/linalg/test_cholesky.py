import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_hypergrad.linalg import (
    Cholesky,
    CholeskyBlocks,
    cholesky,
    factor,
    inverse_of_triangle,
)

pytestmark = pytest.mark.portable
N, N_SPLITS, N_OUTPUTS = 5, 3, 2


def blocks(n_groups):
    half = np.random.default_rng(0).normal(size=(n_groups, N_OUTPUTS, N, 2 * N))
    return half @ half.transpose(0, 1, 3, 2)


@pytest.mark.parametrize("n_groups", [1, N_SPLITS])
def test_applies_the_inverse_of_the_block_of_each_split_and_output(n_groups):
    matrices = blocks(n_groups)
    right = np.random.default_rng(1).normal(size=(N, N_SPLITS, N_OUTPUTS))
    before = matrices.copy(), right.copy()
    ridge = np.random.default_rng(2).uniform(size=(n_groups, N_OUTPUTS, N))
    solution = CholeskyBlocks(matrices, ridge).solve(right)
    for split in range(N_SPLITS):
        for output in range(N_OUTPUTS):
            group = split if n_groups > 1 else 0
            block = matrices[group, output] + np.diag(ridge[group, output])
            expected = np.linalg.solve(block, right[:, split, output])
            assert_allclose(solution[:, split, output], expected, rtol=1e-10)
    assert_array_equal(matrices, before[0])
    assert_array_equal(right, before[1])


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
def test_a_singular_block_is_inverted_on_its_range(scale):
    x = scale * np.arange(1.0, N + 1)
    block = np.outer(x, x)
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.cholesky(block - 1e-12 * np.trace(block) * np.eye(N))
    solution = CholeskyBlocks(block[None, None], np.zeros((1, 1, N))).solve(x[:, None, None])
    assert_allclose(block @ solution[:, 0, 0], x, rtol=1e-6)


def test_jitter_is_of_the_size_of_rounding_errors():
    block = np.diag([1.0, 1e-8, 0.0])
    solution = CholeskyBlocks(block[None, None], np.zeros((1, 1, 3))).solve(
        np.array([1, 1e-8, 0])[:, None, None]
    )
    assert_allclose(solution.ravel(), [1, 1, 0], rtol=1e-6)


def test_an_indefinite_block_raises():
    with pytest.raises(np.linalg.LinAlgError):
        CholeskyBlocks(np.diag([1.0, -10.0, 1.0])[None, None], np.zeros((1, 1, 3)))


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("n_columns", [1, N_OUTPUTS])
def test_a_ridge_for_each_split_and_column(n_columns, large, monkeypatch):
    monkeypatch.setattr(cholesky, "LARGE", 1 if large else N + 1)
    rng = np.random.default_rng(0)
    matrices = blocks(N_SPLITS)[:, 0]
    ridge = rng.uniform(0.5, 2, (N, n_columns))
    right = rng.normal(size=(N_SPLITS, N, N_OUTPUTS))
    before = matrices.copy()
    solution = Cholesky(matrices, ridge).solve(right)
    for split in range(N_SPLITS):
        for column in range(N_OUTPUTS):
            H = matrices[split] + np.diag(ridge[:, column % n_columns])
            expected = np.linalg.solve(H, right[split, :, column])
            assert_allclose(solution[split, :, column], expected, rtol=1e-9)
    assert_array_equal(matrices, before)


def test_large_matrices_that_are_singular_get_their_jitter(monkeypatch):
    monkeypatch.setattr(cholesky, "LARGE", 1)
    block = np.outer([1.0, 2.0], [1.0, 2.0])
    solution = Cholesky(block[None], np.zeros((2, 1))).solve(np.array([[[1.0], [2.0]]]))
    assert_allclose(block @ solution[0], [[1], [2]], rtol=1e-6)


def test_a_huge_entry_does_not_drown_the_others():
    # Singular, but for an entry of 1e20 that has nothing to do with it.
    block = np.zeros((3, 3))
    block[:2, :2] = 1.0
    block[2, 2] = 1e20
    solution = CholeskyBlocks(block[None, None], np.zeros((1, 1, 3))).solve(
        np.array([1.0, 1.0, 1e20])[:, None, None]
    )
    assert_allclose(solution.ravel()[:2].sum(), 1, rtol=1e-6)
    assert_allclose(solution.ravel()[2], 1)


@pytest.mark.parametrize("large", [False, True])
def test_a_singular_matrix_gives_the_shortest_least_squares_solution(large, monkeypatch):
    monkeypatch.setattr(cholesky, "LARGE", 1 if large else N + 1)
    half = np.random.default_rng(0).normal(size=(N, N - 2)) * np.logspace(-4, 0, N)[:, None]
    half[0] = half[1]
    matrix, right = half @ half.T, np.ones((1, N, 1))
    solution = Cholesky(matrix[None], np.zeros((N, 1))).solve(right)
    basis, _ = np.linalg.qr(half)
    in_range = basis @ basis.T
    assert_allclose(matrix @ solution[0], in_range @ right[0], rtol=1e-6, atol=1e-8)
    assert_allclose(in_range @ solution[0], solution[0], rtol=1e-6)


def test_the_inverse_of_a_triangle_gives_that_of_the_matrix():
    matrix = blocks(1)[0, 0]
    left = inverse_of_triangle(factor(matrix))
    assert_array_equal(left, np.triu(left))
    assert_allclose(left @ left.T @ matrix, np.eye(N), atol=1e-9)
