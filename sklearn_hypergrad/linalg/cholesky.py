"""Cholesky factors of stacks of symmetric matrices, applied to stacks of vectors."""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve


class Cholesky:
    """Inverses of ``A_s + diag(ridge)`` for a stack of ``A_s``.

    Parameters
    ----------
    matrices : ndarray of shape (n_stack, n, n)
        Symmetric positive semi-definite.
    ridge : ndarray of shape (n, 1) or (n, k)
        With more than one column each column of a vector has an inverse of its own.
    """

    def __init__(self, matrices, ridge):
        self._factors = [[factor(_shifted(A, column)) for column in ridge.T] for A in matrices]

    def solve(self, right):
        """Apply the inverse to ``right`` of shape (n_stack, n, k)."""
        solution = np.empty_like(right)
        for out, columns, factors in zip(solution, right, self._factors, strict=True):
            if len(factors) == 1:
                out[:] = cho_solve(factors[0], columns, check_finite=False)
                continue
            for k, own in enumerate(factors):
                out[:, k] = cho_solve(own, columns[:, k], check_finite=False)
        return solution


class CholeskyBlocks:
    """Inverse of a block diagonal matrix with one block per (split, output).

    Parameters
    ----------
    blocks : ndarray of shape (n_groups, n_outputs, n, n)
        Symmetric positive definite. ``n_groups`` is the number of splits, or 1 for blocks that all
        splits share.
    """

    def __init__(self, blocks):
        self._factors = [[factor(block) for block in group] for group in blocks]

    def solve(self, right):
        """Apply the inverse to ``right`` of shape (n, n_splits, n_outputs)."""
        solution = np.empty_like(right)
        shared = len(self._factors) == 1
        for group, factors in enumerate(self._factors):
            splits = slice(None) if shared else slice(group, group + 1)
            for output, own in enumerate(factors):
                columns = right[:, splits, output]
                solution[:, splits, output] = cho_solve(own, columns, check_finite=False)
        return solution


def factor(matrix):
    """The factor for ``cho_solve`` of a symmetric positive definite matrix.

    One that is singular in floating point gets the smallest multiple of its diagonal that makes it
    factorise: large entries must not drown small ones.
    """
    scale = _positive(np.diag(matrix))
    jitter = 0.0
    while True:
        try:
            # Of a symmetric matrix the transpose is the copy in LAPACK's order.
            shifted = _shifted(matrix, jitter * scale).T
            return cho_factor(shifted, overwrite_a=True, check_finite=False)
        except LinAlgError:
            jitter = max(10 * jitter, np.finfo(float).eps)
            if jitter > 1:
                raise


def _positive(diagonal):
    """The diagonal with its smallest positive entry in place of those that are not."""
    positive = diagonal > 0
    smallest = diagonal[positive].min() if positive.any() else np.finfo(float).tiny
    return np.where(positive, diagonal, smallest)


def _shifted(matrix, diagonal):
    shifted = np.array(matrix, order="C")
    np.einsum("ii->i", shifted)[...] += diagonal
    return shifted
