"""Cholesky factors of stacks of symmetric matrices, applied to stacks of vectors."""

import functools
import itertools

import numpy as np
from scipy.linalg import LinAlgError
from scipy.linalg.lapack import dpotrf, dpotrs, dtrtri

from sklearn_hypergrad.linalg.singular import Shortest
from sklearn_hypergrad.linalg.systems import negligible
from sklearn_hypergrad.threads import in_threads

# Side of a matrix from which on its factorisation gets a thread. Chosen by hand: one of 400 takes
# about 0.5 ms on one core, several times as long as starting a thread.
LARGE = 400
# Shares of the diagonal that are tried in turn where a matrix is singular.
JITTERS = np.finfo(float).eps * 10.0 ** np.arange(16)


class Cholesky:
    """Inverses of ``A_s + diag(ridge)`` for a stack of ``A_s``.

    Parameters
    ----------
    matrices : ndarray of shape (n_stack, n, n)
        Symmetric positive semi-definite.
    ridge : ndarray of shape (n, 1) or (n, k)
        With more than one column each column of a vector has an inverse of its own; equal columns
        share one.

    Solutions of singular systems are the shortest least squares solutions.
    """

    def __init__(self, matrices, ridge):
        ridge, self._own = distinct_columns(ridge)
        groups = [[(A, column) for column in ridge.T] for A in matrices]
        self._inverses = [
            [_inverse(*pair) for pair in zip(factors, group, strict=True)]
            for factors, group in zip(_factors(groups), groups, strict=True)
        ]

    def solve(self, right):
        """Apply the inverse to ``right`` of shape (n_stack, n, k)."""
        solution = np.empty_like(right)
        for out, columns, inverses in zip(solution, right, self._inverses, strict=True):
            if len(inverses) == 1:
                out[:] = inverses[0](columns)
                continue
            for own, inverse in zip(self._own, inverses, strict=True):
                out[:, own] = inverse(columns[:, own])
        return solution


def distinct_columns(a):
    """The distinct columns of a matrix, and for each of them the numbers of those equal to it.

    Returns
    -------
    columns : ndarray of shape (n, n_distinct)
        In the order of their first places.
    places : list of ndarray of int
    """
    options = {"return_index": True, "return_inverse": True, "return_counts": True}
    _, first, member, counts = np.unique(a, axis=1, **options)
    order = np.argsort(first)
    places = np.split(np.argsort(member.ravel(), kind="stable"), np.cumsum(counts)[:-1])
    return a[:, first[order]], [places[number] for number in order]


class CholeskyBlocks:
    """Inverse of a block diagonal matrix with one block per (split, output).

    Parameters
    ----------
    blocks : ndarray of shape (n_groups, n_outputs, n, n)
        Symmetric positive semi-definite. ``n_groups`` is the number of splits, or 1 for blocks that
        all splits share.
    ridge : ndarray of shape (n_groups, n_outputs, n)
        Positive numbers that are added to the diagonals.
    """

    def __init__(self, blocks, ridge):
        groups = zip(blocks, ridge, strict=True)
        self._factors = _factors([list(zip(*group, strict=True)) for group in groups])

    def solve(self, right):
        """Apply the inverse to ``right`` of shape (n, n_splits, n_outputs)."""
        solution = np.empty_like(right)
        shared = len(self._factors) == 1
        for group, factors in enumerate(self._factors):
            splits = slice(None) if shared else slice(group, group + 1)
            for output, own in enumerate(factors):
                columns = right[:, splits, output]
                solution[:, splits, output] = solve_factored(own, columns)
        return solution


# SciPy's own functions around LAPACK's take several times as long for a small matrix.
def factor(matrix, ridge=0.0):
    """The triangle for :func:`solve_factored` of ``matrix + diag(ridge)``.

    The sum must be symmetric and positive definite. If it is singular in floating point, the
    smallest multiple of its diagonal that lets it factorise is added: a multiple of each entry, so
    that large entries do not drown small ones.
    """
    triangle, info = dpotrf(_shifted(matrix, ridge), overwrite_a=True, clean=False)
    if not info:
        return triangle
    scale = _positive(np.diag(matrix) + ridge)
    if np.isfinite(scale).all():
        for jitter in JITTERS:
            shifted = _shifted(matrix, ridge + jitter * scale)
            triangle, info = dpotrf(shifted, overwrite_a=True, clean=False)
            if not info:
                return triangle
    raise LinAlgError("the matrix is not positive definite")


def nearly_singular(triangle, diagonal):
    """Whether a factorised matrix, of which this is the diagonal, is singular up to rounding.

    The square of a diagonal entry of the factor is what is left of that of the matrix once the
    entries before are known.
    """
    return bool(np.any(np.diag(triangle) ** 2 <= negligible(diagonal.dtype) * diagonal))


def _inverse(triangle, job):
    matrix, ridge = job
    if nearly_singular(triangle, np.diag(matrix) + ridge):
        return Shortest(matrix + np.diag(ridge)).solve
    return functools.partial(solve_factored, triangle)


def _factors(groups):
    """Triangles of groups of ``(matrix, ridge)`` of one size; the groups are equally long."""
    jobs = list(itertools.chain.from_iterable(groups))
    if len(jobs[0][0]) < LARGE:
        factors = [factor(*job) for job in jobs]
    else:
        factors = in_threads(lambda job: _factor_large(*job), jobs)
    width = len(groups[0])
    return [factors[at : at + width] for at in range(0, len(factors), width)]


def _factor_large(matrix, ridge):
    """The same by NumPy, which lets other threads work meanwhile; SciPy does not."""
    try:
        return np.linalg.cholesky(_shifted(matrix, ridge)).T
    except LinAlgError:
        return factor(matrix, ridge)


def solve_factored(triangle, right):
    """The solution, of the shape of ``right``: a vector, or columns of vectors."""
    if not right.size:
        return np.zeros_like(right)
    solution, _ = dpotrs(triangle, right)
    return solution


def inverse_of_triangle(triangle):
    """``U^-1`` of the triangle U of ``factor``: the inverse of the matrix is ``U^-1 U^-T``."""
    inverse, _ = dtrtri(triangle)
    return np.triu(inverse)


def _positive(diagonal):
    """The diagonal with its smallest positive entry in place of those that are not."""
    positive = diagonal > 0
    smallest = diagonal[positive].min() if positive.any() else np.finfo(float).tiny
    return np.where(positive, diagonal, smallest)


def _shifted(matrix, ridge):
    """A copy, in the order of LAPACK: of a symmetric matrix that is the transpose."""
    shifted = np.array(matrix, order="C")
    np.einsum("ii->i", shifted)[...] += ridge
    return shifted.T
