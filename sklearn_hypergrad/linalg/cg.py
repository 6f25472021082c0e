"""Preconditioned conjugate gradients for a stack of independent systems."""

import dataclasses

import numpy as np

from sklearn_hypergrad.linalg.inverse import InverseHessian, Solved, SolveStatus
from sklearn_hypergrad.linalg.singular import conjugate_residual
from sklearn_hypergrad.linalg.systems import defined, inner, negligible, ratio, relative, scaled


def conjugate_gradient(  # noqa: PLR0913
    hvp, right, precondition, *, start=None, tol, max_iter, axis=1, flat=0.0
):
    """Solve ``H_s x_s = right_s`` for all systems s together.

    Parameters
    ----------
    hvp : callable
        Stacked product with the symmetric positive semi-definite H.
    right : ndarray
        The right-hand sides of all systems.
    precondition : callable
        Stacked product with an approximate inverse of H.
    start : ndarray like ``right``, default=None
        Warm start; None is zero. A system whose start has a larger residual than zero starts at
        zero.
    tol : float or ndarray of shape (n_systems,)
        A system is solved when its residual, in the norm of the preconditioner, is at most ``tol``
        times that of ``right``. Solved systems do not change while the others go on.
    max_iter : int
        Largest number of iterations.
    axis : int, default=1
        Axis of ``right`` that counts the systems; None is one system.
    flat : float, default=0
        Curvature, relative to the largest one so far, up to which a direction counts as flat.

    Returns
    -------
    Solved
        Its residual is in the norm of the preconditioner, updated from iteration to iteration. A
        system that meets a flat direction (UNDETERMINED), or one of negative curvature, keeps its
        last ``x``.
    """
    solution, residual = np.zeros_like(right), right.copy()
    preconditioned = precondition(residual)
    size = whole = inner(residual, preconditioned, axis)
    small = np.reshape(tol, whole.shape if np.ndim(tol) else ()) ** 2 * whole
    if start is not None:
        residual, preconditioned, near = _nearer(hvp, right, precondition, start, whole, axis)
        size = inner(residual, preconditioned, axis)
        np.copyto(solution, start, where=near)
    direction = preconditioned.copy()
    # Long vectors are worked on in place: memory that is asked for anew costs more than sums.
    buffer = np.empty_like(right)
    largest, negative = np.zeros_like(size), np.zeros(size.shape, dtype=bool)
    ended = negative.copy()
    n_iter = 0
    while n_iter < max_iter and np.any(active := (size > small) & ~ended):
        n_iter += 1
        product = hvp(direction)
        curvature = inner(direction, product, axis)
        slope = ratio(curvature, inner(direction, direction, axis))
        largest = np.maximum(largest, np.abs(slope))
        negative |= active & (slope < -negligible(slope.dtype) * largest)
        ended |= active & (slope <= flat * largest)
        step = ratio(np.where(active & ~ended, size, 0), curvature)
        solution += scaled(step, direction, axis, buffer)
        residual -= scaled(step, product, axis, buffer)
        preconditioned = precondition(residual)
        size, previous = inner(residual, preconditioned, axis), size
        scaled(ratio(size, previous), direction, axis, direction)
        direction += preconditioned
    status = _status(negative.any(), ended.any(), bool(np.all(size <= small)))
    return Solved(solution, n_iter, relative(size, whole), status)


@dataclasses.dataclass(frozen=True)
class CG(InverseHessian):
    """Conjugate gradients: exact to a tolerance, from products with H alone.

    There is no preconditioner: the number of iterations grows with the root of the condition number
    of H, so features should be scaled. A direction of negative curvature, which H may have away
    from a minimum, ends the system and is reported. So does one without curvature, as singular H
    have: conjugate residuals then find the shortest least squares solution. See Hestenes, Stiefel
    (1952), "Methods of conjugate gradients for solving linear systems".

    Parameters
    ----------
    tol : float, default=None
        Relative residual. None is the accuracy of the weights, which the caller gives: a search
        scans with 5e-3 (1e-1 far from the minimum) and polishes with 1e-6.
    max_iter : int, default=1000
        Largest number of iterations. The default is enough for condition numbers of about 1e4 at a
        tolerance of 1e-6.

    Raises
    ------
    ValueError
        If ``tol`` is not between 0 and 1, or ``max_iter`` is below 1.
    """

    tol: float | None = None
    max_iter: int = 1000

    def __post_init__(self):
        if self.tol is not None and not 0 < self.tol < 1:
            raise ValueError(f"tol must be between 0 and 1, or None, got {self.tol!r}.")
        if self.max_iter < 1:
            raise ValueError(f"max_iter must be at least 1, got {self.max_iter!r}.")

    def solve(self, hvp, right, *, start=None, tol=1e-6, axis=None):
        tol = tol if self.tol is None else self.tol
        options = {"tol": tol, "max_iter": self.max_iter, "axis": axis}
        right = defined(right, right, axis)
        flat = negligible(right.dtype)
        solved = conjugate_gradient(hvp, right, lambda v: v, start=start, flat=flat, **options)
        if solved.status is SolveStatus.UNDETERMINED:
            solved = _shortest(hvp, right, solved, options)
        return dataclasses.replace(solved, x=defined(solved.x, right, axis))


def _shortest(hvp, right, solved, options):
    """Shortest least squares solutions of systems that have none, from a Solved of the others."""
    axis, whole = options["axis"], inner(right, right, options["axis"])
    x, left, flat, n_iter = conjugate_residual(hvp, right, **options)
    others = right - hvp(solved.x)
    others = inner(others, others, axis)
    better = flat | (left < others)
    residual = relative(np.where(better, left, others), whole)
    x = np.where(better, x, solved.x)
    return Solved(x, n_iter + solved.n_iter, residual, solved.status)


# A start that leaves more than zero does is far from the solution. Rounding errors of its size
# would stay in the result, and the residual that is carried along would not show them.
def _nearer(hvp, right, precondition, start, whole, axis):
    """Residual of what leaves less, ``start`` or zero; preconditioned; where it is ``start``."""
    left = right - hvp(start)
    preconditioned = precondition(left)
    near = inner(left, preconditioned, axis) < whole
    if near.all():
        return left, preconditioned, near
    left = np.where(near, left, right)
    return left, precondition(left), near


def _status(negative, flat, solved):
    if negative:
        return SolveStatus.NEGATIVE_CURVATURE
    if flat and not solved:
        return SolveStatus.UNDETERMINED
    return SolveStatus.DONE if solved else SolveStatus.INEXACT
