"""The Neumann series of an inverse."""

import dataclasses

import numpy as np

from sklearn_hypergrad.linalg.inverse import InverseHessian, Solved, SolveStatus
from sklearn_hypergrad.linalg.spectral_norm import curvature_bound
from sklearn_hypergrad.linalg.systems import defined, inner, negligible, ratio, relative


# With M = I - scale H the sum of the terms scale M^j right, j = 0 ... n - 1, times H is
# right - M^n right: the next term, without its scale, is the residual, and serves to stop. As M is
# symmetric, the squared norms of the terms are sums of squares times powers, so that from one term
# to the next their ratio never falls: once a term is longer than the one before, all that follow
# grow. Such a system stops at its shortest term.
# If H is singular, every term has the same part in its null space, where the sum grows by it term
# by term: no product with anything in the range of H sees it. Once there is nothing else in a term
# the system stops; before that it is not told from what is left of flat directions.
@dataclasses.dataclass(frozen=True)
class Neumann(InverseHessian):
    """The first terms of ``H^-1 v = scale * sum_j (I - scale H)^j v``.

    Approximate by design: with n terms, a direction of curvature c is inverted up to a share ``(1 -
    scale c)^n``, so that directions of a curvature below ``1 / (n scale)`` are hardly inverted. At
    a minimum the result is that of plain gradient descent with the rate ``scale`` of which the last
    n steps are differentiated: the hypergradient of ``Truncated(n)`` (Lorraine, Vicol, Duvenaud
    2019, section 3 and theorem 1, whose sum of j = 0 ... i has i + 1 terms). Growing terms are
    reported: ``scale`` is too large, or H has negative curvature.

    Parameters
    ----------
    n_terms : int, default=100
        Number of terms, the first of which is ``scale v``; each costs a product, the last one for
        the residual. The default is the number of steps of Truncated; it inverts directions down to
        a hundredth of the largest curvature. Flatter directions take more terms, or CG. The series
        ends earlier if the residual is below ``tol``.
    scale : float, default=None
        The learning rate, in units of the inverse of H. For a positive H the series converges if it
        is below two over the largest curvature. None is 1 over 1.1 times the largest curvature of
        each system, estimated by 30 products in a power iteration with a fixed seed. The estimate
        is from below, and nearly half of the largest curvature is enough.

    Raises
    ------
    ValueError
        If ``n_terms`` is below 1, or ``scale`` is not positive and finite.
    """

    exact = False

    n_terms: int = 100
    scale: float | None = None

    def __post_init__(self):
        if self.n_terms < 1:
            raise ValueError(f"n_terms must be at least 1, got {self.n_terms!r}.")
        if self.scale is not None and not 0 < self.scale < np.inf:
            raise ValueError(f"scale must be positive and finite, or None, got {self.scale!r}.")

    def solve(self, hvp, right, *, start=None, tol=1e-6, axis=None):
        scale, term = self._scale(hvp, right, axis), defined(right, right, axis).copy()
        solution, scaled = np.zeros_like(right), np.empty_like(right)
        whole = size = inner(term, term, axis)
        grown, n_iter = ~np.isfinite(size), 0
        flat = np.zeros_like(grown)
        growth = (1 + np.sqrt(np.finfo(right.dtype).eps)) ** 2
        while n_iter < self.n_terms and np.any(active := (size > tol**2 * whole) & ~(grown | flat)):
            n_iter += 1
            step = np.where(active, scale, np.zeros_like(scale))
            solution += np.multiply(step, term, out=scaled)
            term -= np.multiply(step, hvp(term), out=scaled)
            change = np.sqrt(ratio(inner(scaled, scaled, axis), size))
            flat |= active & (change <= negligible(right.dtype))
            size, previous = np.where(grown, size, inner(term, term, axis)), size
            grown |= ~(size <= growth * previous)
            if grown.any():
                np.copyto(term, 0, where=grown)
        status = SolveStatus.UNDETERMINED if flat.any() else SolveStatus.DONE
        status = SolveStatus.DIVERGED if grown.any() else status
        x = defined(solution, right, axis)
        return Solved(x, n_iter, relative(size, whole), status)

    def _scale(self, hvp, right, axis):
        """The rate of each system, in the type of the arrays."""
        if self.scale is not None:
            return np.full((1,) * right.ndim, self.scale, right.dtype)
        bound = curvature_bound(hvp, right, axis)
        # Where H is zero any rate is as good.
        return 1 / np.where(bound > 0, bound, np.ones_like(bound))
