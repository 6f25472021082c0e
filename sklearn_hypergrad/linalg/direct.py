"""Inverses of matrices that are formed from products, and factorised."""

import dataclasses

import numpy as np
from scipy.linalg.lapack import dpotrf

from sklearn_hypergrad.linalg.cholesky import nearly_singular, solve_factored
from sklearn_hypergrad.linalg.inverse import InverseHessian, Solved, SolveStatus
from sklearn_hypergrad.linalg.singular import Shortest
from sklearn_hypergrad.linalg.systems import as_rows, from_rows, relative

# Share of the largest curvature from which on a negative one is not due to rounding. Chosen by
# hand: a million units of rounding, since products with large matrices lose some digits.
NEGATIVE = 1e-10
# Relative residual that is accepted if rounding prevents a smaller one. Chosen by hand: the fine
# inner tolerance of a search.
STUCK = 1e-6


@dataclasses.dataclass(frozen=True)
class Direct(InverseHessian):
    """Cholesky factors of H, which is computed by products with unit vectors.

    This takes one product for each weight of a system, for all systems at once. If H is singular,
    its eigenvalues give the shortest least squares solution. Negative curvature is reported, and
    the system is solved by least squares.

    Parameters
    ----------
    max_size : int, default=2000
        Largest number of weights of a system. The default takes 32 MB for each system and 2,000
        products, more than conjugate gradients usually need.

    Raises
    ------
    ValueError
        If ``solve`` is called for a larger system.
    """

    max_size: int = 2000

    def solve(self, hvp, right, *, start=None, tol=1e-6, axis=None):
        rights = as_rows(right, axis)
        self._check_size(*rights.shape)
        matrices = _formed(hvp, right, axis, rights.shape)
        solutions, kinds = zip(*map(_solve, matrices, rights), strict=True)
        rows = np.array(solutions)
        left = rights - np.einsum("sij,sj->si", matrices, rows)
        residual = relative(np.sum(left**2, axis=1), np.sum(rights**2, axis=1))
        status = _worst({*kinds}, solved=residual <= max(tol, STUCK))
        x = from_rows(rows, right, axis).astype(right.dtype, copy=False)
        return Solved(x, residual=residual, status=status)

    def _check_size(self, n_systems, size):
        if size > self.max_size:
            raise ValueError(
                f"{self!r} would form {n_systems} matrices of {size:,} by {size:,} weights, which "
                f"take {8e-9 * n_systems * size**2:,.1f} GB. Use CG(), which needs products only, "
                f"or raise max_size."
            )


def _formed(hvp, right, axis, shape):
    """The matrices of all systems, of shape (n_systems, size, size)."""
    n_systems, size = shape
    matrices, units = np.empty((n_systems, size, size)), np.zeros(shape, right.dtype)
    for column in range(size):
        units[:, column] = 1
        matrices[:, :, column] = as_rows(hvp(from_rows(units, right, axis)), axis)
        units[:, column] = 0
    return matrices


def _solve(matrix, right):
    """The solution, and what kind of matrix it is: regular (DONE), singular, or indefinite."""
    if not np.isfinite(right).all() or not np.isfinite(matrix).all():
        return np.full(right.shape, np.nan), SolveStatus.DONE
    right = right.astype(float)
    triangle, info = dpotrf(matrix.T, clean=False)
    if not info and not nearly_singular(triangle, np.diag(matrix)):
        return solve_factored(triangle, right), SolveStatus.DONE
    values = np.linalg.eigvalsh(matrix)
    if values[0] < -NEGATIVE * np.abs(values).max():
        return np.linalg.lstsq(matrix, right, rcond=None)[0], SolveStatus.NEGATIVE_CURVATURE
    return Shortest(matrix).solve(right), SolveStatus.UNDETERMINED


def _worst(kinds, solved):
    if SolveStatus.NEGATIVE_CURVATURE in kinds:
        return SolveStatus.NEGATIVE_CURVATURE
    if solved:
        return SolveStatus.DONE
    singular = SolveStatus.UNDETERMINED
    return singular if singular in kinds else SolveStatus.INEXACT
