"""Inverses of matrices that are formed from products, and factorised."""

import dataclasses

import numpy as np
from scipy.linalg import LinAlgError

from sklearn_hypergrad.linalg.cholesky import factor, solve_factored
from sklearn_hypergrad.linalg.inverse import InverseHessian, Solved, SolveStatus
from sklearn_hypergrad.linalg.systems import as_rows, from_rows, relative

# Residual relative to the sizes of H, x and right above which it is not due to rounding. Chosen by
# hand: a million units of rounding, since factors of large matrices lose some digits.
ROUNDING = 1e-10
# Relative residual that is accepted if rounding prevents a smaller one. Chosen by hand: the fine
# inner tolerance of a search.
STUCK = 1e-6


@dataclasses.dataclass(frozen=True)
class Direct(InverseHessian):
    """Cholesky factors of H, which is computed by products with unit vectors.

    This takes one product for each weight of a system, for all systems at once. If H is singular,
    the smallest multiple of its diagonal that lets it factorise is added. Negative curvature is
    reported, and the system is solved by elimination.

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
        solved = [_solve(*system) for system in zip(matrices, rights, strict=True)]
        rows = np.array([x for x, _ in solved])
        left = rights - np.einsum("sij,sj->si", matrices, rows)
        residual = relative(np.sum(left**2, axis=1), np.sum(rights**2, axis=1))
        status = SolveStatus.DONE if residual <= max(tol, STUCK) else SolveStatus.INEXACT
        if not all(positive for _, positive in solved):
            status = SolveStatus.NEGATIVE_CURVATURE
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
    """The solution, and whether the matrix is positive semi-definite up to rounding."""
    if not np.isfinite(right).all():
        return np.full(right.shape, np.nan), True
    try:
        x = solve_factored(factor(matrix), right.astype(float))
    except LinAlgError:
        return np.linalg.solve(matrix, right), False
    norm = np.linalg.norm
    if norm(right - matrix @ x) > ROUNDING * (norm(matrix) * norm(x) + norm(right)):
        # What was added to the diagonal is not what rounding would have changed.
        return np.linalg.solve(matrix, right), False
    return x, True
