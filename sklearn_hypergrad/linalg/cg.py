"""Preconditioned conjugate gradients for a stack of independent systems."""

import numpy as np


def conjugate_gradient(hvp, right, precondition, *, start=None, tol, max_iter):
    """Solve ``H_s x_s = right_s`` for all splits s together.

    Parameters
    ----------
    hvp : callable
        Stacked product with the symmetric positive semi-definite H.
    right : ndarray of shape (n, n_splits, n_outputs)
    precondition : callable
        Stacked product with an approximate inverse of H.
    start : ndarray like ``right``, default=None
        Warm start; None is zero.
    tol : float
        A system is solved when its residual, in the norm of the preconditioner, is at most ``tol``
        times that of ``right``. Solved systems stand still while the others go on.
    max_iter : int

    Returns
    -------
    solution : ndarray like ``right``
    residual : float
        The largest relative residual that is left.
    n_iter : int
    """
    if start is None:
        solution, residual = np.zeros_like(right), right.copy()
    else:
        solution, residual = start.copy(), right - hvp(start)
    target = tol**2 * _dot(right, precondition(right))
    preconditioned = precondition(residual)
    size = _dot(residual, preconditioned)
    direction = preconditioned.copy()
    # Long vectors are worked on in place: memory that is asked for anew costs more than sums.
    scaled = np.empty_like(right)
    n_iter = 0
    while n_iter < max_iter and np.any(size > target):
        n_iter += 1
        product = hvp(direction)
        step = _ratio(np.where(size > target, size, 0.0), _dot(direction, product))
        solution += np.multiply(step, direction, out=scaled)
        residual -= np.multiply(step, product, out=scaled)
        preconditioned = precondition(residual)
        size, previous = _dot(residual, preconditioned), size
        direction *= _ratio(size, previous)
        direction += preconditioned
    left = np.sqrt(np.max(_ratio(size, target / tol**2), initial=0.0))
    return solution, float(left), n_iter


def _dot(a, b):
    """Inner product of each split, with its axes kept for broadcasting."""
    return np.einsum("isk,isk->s", a, b)[None, :, None]


def _ratio(numerator, denominator):
    """Quotient that is zero where the denominator is: there is nothing left to do."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)
