"""Minima of quadratics with a penalty on the norms of rows, by Newton's method on their support.

The function is, for matrices W of weights, a symmetric positive semi-definite matrix G and a matrix
C, ::

    1/2 tr(W' G W)  -  tr(C' W)  +  l1 sum_j ||W_j||  +  l2 / 2 ||W||^2

with the rows W_j. A row is zero, or the function is smooth in it. Given the others, the minimum
over one row has a closed form, which is zero if the slope there is at most l1: sweeps over rows
find out which rows are zero, and Newton's method finds the others to the last digit.
"""

import dataclasses
import math

import numpy as np

from sklearn_hypergrad.linalg import factor, solve_factored
from sklearn_hypergrad.problems.sparse.exchange import EXCESS

# Slopes, and changes of slopes by a step, that are rounding: relative to the largest slope at zero.
ROUNDING = 1e-13
# Newton steps after a sweep, and sweeps. Chosen by hand: once the rows are known Newton's method
# takes three to six steps; a sweep costs less than a step.
MOST_STEPS, MOST_SWEEPS = 12, 500
# Share of the decrease that its slope promises which a Newton step has to reach, and the smallest
# step that is tried: Armijo's rule.
ARMIJO, SMALLEST_STEP = 1e-4, 1e-3
# Slopes, in units of those that are rounding, from which on values tell no longer whether a step is
# good, as they change by squares of slopes; and those that may be left where no step is.
NEAR, LOST = 1e7, 1e3


@dataclasses.dataclass(frozen=True)
class RowMinimum:
    """The minimum of a quadratic with a penalty on norms of rows.

    Attributes
    ----------
    w : ndarray of shape (n, k)
    support : ndarray of int
        Numbers of the rows that are not zero, ascending.
    triangle : ndarray
        The Cholesky factor of the Hessian in these rows.
    converged : bool
        Whether the optimality conditions hold up to rounding.
    n_systems : int
        Number of linear systems solved.
    """

    w: np.ndarray
    support: np.ndarray
    triangle: np.ndarray
    converged: bool
    n_systems: int

    def solve(self, right):
        """``H^-1 right`` with the Hessian H in the rows of the support, of shape (n_rows, k)."""
        return solve_factored(self.triangle, right.ravel()).reshape(right.shape)


def row_exchange(gram, c, l1, l2, start=None):
    """Minimise a quadratic with a penalty on the norms of rows.

    Parameters
    ----------
    gram : DenseGram or RowsGram
    c : ndarray of shape (n, k)
    l1, l2 : float
        Penalties.
    start : ndarray of shape (n, k), default=None
        Where to start: zero, or a minimum for other penalties.

    Returns
    -------
    RowMinimum
    """
    w = np.zeros_like(c) if start is None else start.copy()
    scale = _norms(c).max(initial=0.0)
    rows, n_systems, swept = np.flatnonzero(w.any(axis=1)), 0, start is None
    converged = False
    for _ in range(MOST_SWEEPS):
        part, own = _Part(gram.block(rows), c[rows], l1, l2, ROUNDING * scale), w[rows]
        if swept:
            part.sweep(own)
        solved = part.descend(own)
        n_systems += part.n_systems
        w[rows] = own
        rows = rows[own.any(axis=1)]
        slopes = _norms(c - gram.times(rows, w[rows]))
        slopes[rows] = 0.0
        over = np.flatnonzero(slopes > l1 * (1 + EXCESS) + ROUNDING * scale)
        if solved and not len(over):
            converged = True
            break
        rows, swept = np.union1d(rows, over), True
    rows = np.flatnonzero(w.any(axis=1))
    triangle = _Part(gram.block(rows), c[rows], l1, l2, 0.0).triangle(w[rows])
    return RowMinimum(w, rows, triangle, converged, n_systems)


def _norms(w):
    """The norms of rows: for small arrays faster than by NumPy's function of this name."""
    return np.sqrt(np.einsum("jk,jk->j", w, w))


class _Part:
    """The function of some rows, the others of which are zero."""

    def __init__(self, block, c, l1, l2, rounding):
        self._block, self._c, self._l1, self._l2 = block, c, l1, l2
        self._rounding, self.n_systems = rounding, 0

    # Given the other rows, with r = C_j - sum_(i != j) G_ji W_i, the minimum over W_j is
    #     r / ||r|| * max(0, ||r|| - l1) / (G_jj + l2).
    def sweep(self, w):
        """Minimise over one row after the other, in place."""
        for j, row in enumerate(self._block):
            right = self._c[j] - row @ w + row[j] * w[j]
            norm, curvature = math.sqrt(right @ right), row[j] + self._l2
            shrunk = norm - self._l1
            w[j] = right * (shrunk / (norm * curvature)) if shrunk > 0 and curvature > 0 else 0.0

    def descend(self, w):
        """Newton's method in the rows that are not zero, in place; whether it has arrived."""
        for _ in range(MOST_STEPS):
            inside = np.flatnonzero(w.any(axis=1))
            if not len(inside):
                return True
            part = self._of(inside)
            own = w[inside]
            slope = part.slope(own)
            if np.abs(slope).max() <= self._rounding:
                return True
            step = -solve_factored(part.triangle(own), slope.ravel()).reshape(own.shape)
            self.n_systems += 1
            moved = part.moved(own, step, np.vdot(slope, step))
            if moved is None:
                # What is left to gain is rounding, which slopes see later; or sweeps go on.
                largest = np.abs(slope).max()
                if not np.abs(part.slope(own + step)).max() < largest <= NEAR * self._rounding:
                    return bool(largest <= LOST * self._rounding)
                moved = own + step
            w[inside] = moved
        return False

    def _of(self, rows):
        """The function of some of the rows."""
        block = self._block.take(rows, axis=0).take(rows, axis=1)
        return _Part(block, self._c[rows], self._l1, self._l2, self._rounding)

    # A row that a step takes past zero may be zero at the minimum. Then Newton's method would go
    # back and forth: where the row is nearest to zero it leaves, if the function is lower there.
    def moved(self, w, step, slope):
        """Where a step leads: the lowest of some places at which the function is lower, or None."""
        before = self.value(w)
        places = [self._along(w, before, step, slope)]
        for row in np.flatnonzero(np.einsum("jk,jk->j", w + step, w) <= 0):
            length = min(1.0, -np.vdot(w[row], step[row]) / np.vdot(step[row], step[row]))
            place = w + length * step
            place[row] = 0.0
            places.append(place)
        values = [np.inf if place is None else self.value(place) for place in places]
        best = int(np.argmin(values))
        return places[best] if values[best] < before else None

    def _along(self, w, before, step, slope):
        """The first place of a backtracking line search from a value, or None."""
        length = 1.0
        while length >= SMALLEST_STEP:
            place = w + length * step
            if self.value(place) <= before + ARMIJO * length * slope:
                return place
            length *= 0.5
        return None

    def value(self, w):
        """The function without its constant."""
        slope = 0.5 * (self._block @ w + self._l2 * w) - self._c
        return np.vdot(w, slope) + self._l1 * _norms(w).sum()

    def slope(self, w):
        """Its gradient, where no row is zero."""
        norms = _norms(w)[:, None]
        return self._block @ w - self._c + (self._l2 + self._l1 / norms) * w

    # With u_j = W_j / ||W_j|| the Hessian is G_ij I + (i = j) (l2 I + l1 / ||W_j|| (I - u_j u_j')).
    def triangle(self, w):
        """The Cholesky factor of its Hessian."""
        (n, k), numbers = w.shape, np.arange(len(w))
        if not n:
            return np.empty((0, 0))
        norms = _norms(w)
        units = w / norms[:, None]
        curvature = np.eye(k) - units[:, :, None] * units[:, None, :]
        hessian, outputs = np.zeros((n, k, n, k)), np.arange(k)
        hessian[:, outputs, :, outputs] = self._block
        hessian[numbers, :, numbers, :] += (self._l1 / norms)[:, None, None] * curvature
        return factor(hessian.reshape(n * k, n * k), np.full(n * k, self._l2))
