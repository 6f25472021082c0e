"""Cholesky factors of a few blocks, applied to a stack of vectors."""

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve


class CholeskyBlocks:
    """Inverse of a block diagonal matrix with one block per (split, output).

    Parameters
    ----------
    blocks : ndarray of shape (n_groups, n_outputs, n, n)
        Symmetric positive definite. ``n_groups`` is the number of splits, or 1 for blocks that all
        splits share. A block that is singular in floating point gets the smallest multiple of its
        mean diagonal that makes it factorise.
    """

    def __init__(self, blocks):
        self._factors = [[_factor(block) for block in group] for group in blocks]

    def solve(self, right):
        """Apply the inverse to ``right`` of shape (n, n_splits, n_outputs)."""
        solution = np.empty_like(right)
        shared = len(self._factors) == 1
        for group, factors in enumerate(self._factors):
            splits = slice(None) if shared else slice(group, group + 1)
            for output, factor in enumerate(factors):
                columns = right[:, splits, output]
                solution[:, splits, output] = cho_solve(factor, columns, check_finite=False)
        return solution


def _factor(block):
    ridge = np.finfo(float).eps * max(np.trace(block) / len(block), np.finfo(float).tiny)
    jitter = 0.0
    while True:
        try:
            return cho_factor(block + jitter * np.eye(len(block)), check_finite=False)
        except LinAlgError:
            jitter = max(10 * jitter, ridge)
            if jitter > 1e16 * ridge:
                raise
